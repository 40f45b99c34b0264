"""What attackers do to the models they show: four attacks, and labels shuffled before training."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from market_sim.shapes import Array, as_floats


@dataclass(frozen=True)
class Attack(ABC):
    """A participant who shows others something else than an honestly trained model."""

    name: ClassVar[str]

    def labels(
        self, labels: Int64[NDArray[np.int64], "samples"], rng: np.random.Generator
    ) -> Int64[NDArray[np.int64], "samples"]:
        """Return the labels that she trains on: her own."""
        return labels

    def send(self, own: Array, initial: Array, rng: np.random.Generator) -> Array:
        """Return what she shows, shape `(dimension,)`: her own model."""
        return own


@dataclass(frozen=True)
class LabelShuffle(Attack):
    """Trains honestly on her own labels in random order."""

    name: ClassVar[str] = "label-shuffle"

    def labels(
        self, labels: Int64[NDArray[np.int64], "samples"], rng: np.random.Generator
    ) -> Int64[NDArray[np.int64], "samples"]:
        """Return the labels in random order."""
        return rng.permutation(labels)


@dataclass(frozen=True)
class SignFlip(Attack):
    """Shows theta0 - scale (theta - theta0): what she learnt, backwards.

    Parameters
    ----------
    scale
        Factor, > 0.

    Raises
    ------
    InvalidInput
        If the scale is not positive.
    """

    scale: float = 1.0
    name: ClassVar[str] = "sign-flip"

    def __post_init__(self) -> None:
        as_floats("scale", self.scale, positive=True)

    def send(self, own: Array, initial: Array, rng: np.random.Generator) -> Array:
        """Return the flipped model, shape `(dimension,)`."""
        return initial - self.scale * (own - initial)


@dataclass(frozen=True)
class GaussianParameters(Attack):
    """Shows theta0 + scale z with z standard normal.

    Parameters
    ----------
    scale
        Standard deviation of each entry, > 0.

    Raises
    ------
    InvalidInput
        If the scale is not positive.
    """

    scale: float = 1.0
    name: ClassVar[str] = "gaussian"

    def __post_init__(self) -> None:
        as_floats("scale", self.scale, positive=True)

    def send(self, own: Array, initial: Array, rng: np.random.Generator) -> Array:
        """Return the random model, shape `(dimension,)`."""
        return initial + self.scale * rng.standard_normal(initial.size)


@dataclass(frozen=True)
class ConstantParameters(Attack):
    """Shows the same value in every entry; NaN is allowed, to try what a market makes of it.

    Parameters
    ----------
    value
        The value.
    """

    value: float = 1.0
    name: ClassVar[str] = "constant"

    def send(self, own: Array, initial: Array, rng: np.random.Generator) -> Array:
        """Return the constant model, shape `(dimension,)`."""
        return np.full(initial.size, float(self.value))
