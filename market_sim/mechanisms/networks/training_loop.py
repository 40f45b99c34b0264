"""Recipes whose training is judged on held-out markets and can be resumed, and their loop."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Protocol

from market_sim.mechanisms.networks.training import CHECKPOINT, Progress, TrainedNetwork
from market_sim.mechanisms.networks.training_state import last_checkpoint_named


class JudgedTrainer(Protocol):
    """A training in progress."""

    iteration: int
    held_out: float
    measure: ClassVar[str]

    def step(self) -> dict[str, float]:
        """Train one iteration and return named numbers."""
        ...

    def score(self) -> float:
        """Judge the network on held-out markets."""
        ...

    def trained(self) -> TrainedNetwork:
        """Return the result."""
        ...

    def store(self, path: Path) -> None:
        """Write everything that the rest of the training depends on."""
        ...

    def restore(self, path: Path) -> None:
        """Go on from a stored state."""
        ...


class JudgedRecipe(ABC):
    """How long is trained, and how often it is judged and stored."""

    iterations: int
    held_out_every: int
    checkpoint_every: int

    @abstractmethod
    def trainer(self) -> JudgedTrainer:
        """Return a fresh training by this recipe."""

    def train(
        self,
        *,
        folder: Path | None = None,
        progress: Progress | None = None,
        resume: bool = False,
    ) -> TrainedNetwork:
        """Train the network.

        Parameters
        ----------
        folder
            Where checkpoints are written; none are if omitted.
        progress
            Called after every iteration with named numbers.
        resume
            Go on from the checkpoint of `folder`, if there is one, to the same result as without
            interruption.

        Raises
        ------
        InvalidInput
            If the checkpoint is damaged or belongs to another training.
        TrainingError
            If the loss is not finite.
        """
        trainer = self.trainer()
        path = None if folder is None else folder / CHECKPOINT
        if resume and path is not None and path.exists():
            trainer.restore(path)
        with last_checkpoint_named(path):
            while trainer.iteration < self.iterations:
                figures = trainer.step()
                if trainer.iteration % self.held_out_every == 0:
                    trainer.score()
                if progress is not None:
                    progress({**figures, trainer.measure: trainer.held_out})
                if path is not None and trainer.iteration % self.checkpoint_every == 0:
                    trainer.store(path)
        return trainer.trained()
