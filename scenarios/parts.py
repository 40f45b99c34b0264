"""What all records of a scenario are made of: frozen parts, names, positive numbers, counts."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


def as_tables(value: Any) -> Any:
    """Let one table stand for a list of one."""
    return (value,) if isinstance(value, dict) else value


def as_entries(value: Any) -> Any:
    """Let one value stand for a list of one."""
    return (value,) if isinstance(value, str | int | float) else value


class Part(BaseModel):
    """A frozen part of a scenario; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
