"""What checkpoints of all trainings have in common: named parts of tensors, and whose they are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from market_sim.errors import InvalidInput, TrainingError

Parts = dict[str, dict[str, Tensor]]


def joined(**parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of all parts under names `part.name`."""
    return {f"{part}.{name}": value for part, own in parts.items() for name, value in own.items()}


def parted(tensors: Mapping[str, Tensor], *names: str) -> Parts:
    """Return the named parts of what `joined` made; a part without tensors is empty."""
    parts: Parts = {name: {} for name in names}
    for key, value in tensors.items():
        part, _, rest = key.partition(".")
        if part in parts:
            parts[part][rest] = value
    return parts


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the state of an optimizer under names `place.name`."""
    state = optimizer.state_dict()["state"]
    return {f"{place}.{name}": value for place, own in state.items() for name, value in own.items()}


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give a fresh optimizer the state that `optimizer_tensors` returned."""
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        place, _, key = name.partition(".")
        slots.setdefault(int(place), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": slots, "param_groups": groups})


def require_same_training(path: Path, of: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Refuse a checkpoint whose training was told something else.

    Raises
    ------
    InvalidInput
        Naming what differs.
    """
    names = {*of, *metadata}
    if changed := sorted(name for name in names if of.get(name) != metadata.get(name)):
        raise InvalidInput(
            f"the checkpoint {path.name} belongs to another training ({', '.join(changed)} differ)"
            ": resume with the settings it was started with, or train into another folder"
        )


@contextmanager
def last_checkpoint_named(path: Path | None) -> Iterator[None]:
    """Let a training that stops say which checkpoint is left."""
    try:
        yield
    except TrainingError as error:
        saved = path is not None and path.exists()
        last = f"the last good checkpoint is {path}" if saved else "there is no checkpoint"
        raise TrainingError(f"{error}; {last}") from error
