"""Items: what a scenario names of the registry, and where it takes part."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from scenarios.parts import Count, Name, Part, as_entries
from scenarios.populations import BudgetLaw

PopulationKind = Literal["single-minded", "multi-minded"]


class WhereConfig(Part):
    """Where a mechanism takes part: only there, where a list is not empty."""

    setting: Annotated[tuple[Name, ...], BeforeValidator(as_entries)] = ()
    law: Annotated[tuple[BudgetLaw, ...], BeforeValidator(as_entries)] = ()
    owners: Annotated[tuple[Count, ...], BeforeValidator(as_entries)] = ()
    population: Annotated[tuple[PopulationKind, ...], BeforeValidator(as_entries)] = ()

    def meets(self, place: Mapping[str, Any]) -> bool:
        """Tell whether it takes part at a place; keys the place does not have are not asked."""
        asked = ((getattr(self, key), place.get(key)) for key in type(self).model_fields)
        return all(not wanted or here in (None, "", *wanted) for wanted, here in asked)


class Item(Part):
    """Something of the registry: its name and the arguments of its class.

    In a file it is the name alone, or a table of the name, the arguments, a `label` for tables
    and figures where the same class occurs twice, and `where` it takes part, if not everywhere.
    """

    name: str
    label: Name | None = None
    where: WhereConfig | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        """Accept a bare name, and take every further key as an argument."""
        if isinstance(value, str):
            return {"name": value}
        if not isinstance(value, dict):
            return value
        own = {key: value[key] for key in ("name", "label", "where") if key in value}
        further = {key: entry for key, entry in value.items() if key not in cls.model_fields}
        return own | {"arguments": value.get("arguments", {}) | further}

    @model_serializer
    def _flatten(self) -> dict[str, Any]:
        own: dict[str, Any] = {"name": self.name} | self.arguments
        if self.where is not None:
            own["where"] = self.where.model_dump(exclude_defaults=True)
        return own if self.label is None else own | {"label": self.label}

    def meets(self, place: Mapping[str, Any]) -> bool:
        """Tell whether it takes part at a place (setting, law, owners, population)."""
        return self.where is None or self.where.meets(place)
