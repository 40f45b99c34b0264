"""The loop of a training that is judged on held-out markets and can be resumed."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from market_sim.mechanisms.networks.training import Progress, TrainedNetwork
from market_sim.mechanisms.networks.training_state import last_checkpoint_named


class HeldOutRecipe(Protocol):
    """How long is trained, and how often it is judged and stored."""

    @property
    def iterations(self) -> int:
        """Iterations in all."""
        ...

    @property
    def held_out_every(self) -> int:
        """Iterations from one judgement to the next."""
        ...

    @property
    def checkpoint_every(self) -> int:
        """Iterations from one checkpoint to the next."""
        ...


class HeldOutTrainer(Protocol):
    """A training in progress."""

    iteration: int
    held_out: float

    @property
    def recipe(self) -> HeldOutRecipe:
        """What is followed."""
        ...

    def step(self) -> dict[str, float]:
        """Train one iteration and return named numbers."""
        ...

    def score(self) -> float:
        """Judge the network on held-out markets."""
        ...

    def trained(self) -> TrainedNetwork:
        """Return the result."""
        ...


T = TypeVar("T", bound=HeldOutTrainer)


def train_judged(
    trainer: T,
    path: Path | None,
    *,
    measure: str,
    store: Callable[[T, Path], None],
    restore: Callable[[T, Path], None],
    progress: Progress | None,
    resume: bool,
) -> TrainedNetwork:
    """Run a whole training.

    Parameters
    ----------
    trainer
        A fresh one.
    path
        File of the checkpoint; none is written if None.
    measure
        What the held-out judgement is called in the numbers that are reported.
    store, restore
        Write and read the state of a training.
    progress
        Called after every iteration with named numbers.
    resume
        Go on from the checkpoint, if there is one.
    """
    recipe = trainer.recipe
    if resume and path is not None and path.exists():
        restore(trainer, path)
    with last_checkpoint_named(path):
        while trainer.iteration < recipe.iterations:
            figures = trainer.step()
            if trainer.iteration % recipe.held_out_every == 0:
                trainer.score()
            if progress is not None:
                progress({**figures, measure: trainer.held_out})
            if path is not None and trainer.iteration % recipe.checkpoint_every == 0:
                store(trainer, path)
    return trainer.trained()
