"""Drift: true valuations that move from round to round."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from market_sim import InvalidInput, Valuations
from market_sim.shapes import Array, as_floats, whole_number


class Drift(ABC):
    """How true valuations move between two rounds."""

    @abstractmethod
    def moved(self, valuations: Valuations, rng: np.random.Generator) -> Valuations:
        """Return next round's valuations from this round's, shape `(owners,)`; families stay.

        `rng` is the round's own, so all markets of a seed see the same moves.
        """


@dataclass(frozen=True)
class ReflectedDiffusion(Drift):
    """dv = reversion (mean_value - v) dt + volatility dW, reflected, for a time of 1 a round.

    v is what epsilon = 1 costs an owner, which for linear valuations is her unit value; her family
    stays. A round is `moves` moves by the exact law of the free diffusion, each folded back into
    the range. Without reversion the result is exact at any number of moves.

    Parameters
    ----------
    mean_value
        m, the value to which all are drawn.
    reversion
        theta >= 0, per round.
    volatility
        sigma >= 0, per square root of a round.
    value_range
        Least and greatest value, at least 0, in ascending order. One outside is folded in, too.
    moves
        Moves a round, at least 1.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the range is not in ascending order.

    Notes
    -----
    Source: privacy auction game [D], values of the dynamic mean field; the same words as in
    `market_sim.MeanFieldGame`.
    """

    mean_value: float = 0.5
    reversion: float = 0.0
    volatility: float = 0.1
    value_range: tuple[float, float] = (0.0, 1.0)
    moves: int = 16

    def __post_init__(self) -> None:
        for name in ("mean_value", "reversion", "volatility"):
            if as_floats(name, getattr(self, name), minimum=0.0).ndim:
                raise InvalidInput(f"{name} must be one number, got {getattr(self, name)!r}")
        ends = as_floats("value_range", self.value_range, minimum=0.0)
        if ends.shape != (2,) or not ends[0] < ends[1]:
            raise InvalidInput(
                f"value_range must be two numbers, low < high, got {self.value_range!r}"
            )
        whole_number("moves", self.moves, 1)

    def moved(self, valuations: Valuations, rng: np.random.Generator) -> Valuations:
        """Return the valuations after one round; see `Drift.moved`."""
        value = self.moved_values(valuations.cost(1.0), rng)
        return Valuations(valuations.kind, value / valuations.base(1.0))

    def moved_values(self, value: Array, rng: np.random.Generator) -> Array:
        """Return the values after one round, same shape."""
        time = 1.0 / self.moves
        kept = np.exp(-self.reversion * time)
        variance = time if self.reversion == 0 else (1.0 - kept**2) / (2.0 * self.reversion)
        spread = self.volatility * np.sqrt(variance)
        for _ in range(self.moves):
            free = self.mean_value + kept * (value - self.mean_value)
            value = self._folded(free + spread * rng.standard_normal(value.shape))
        return value

    def _folded(self, value: Array) -> Array:
        low, high = self.value_range
        width = high - low
        over = np.mod(value - low, 2.0 * width)
        return np.asarray(low + np.minimum(over, 2.0 * width - over))
