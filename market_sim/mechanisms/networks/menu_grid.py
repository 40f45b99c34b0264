"""What a menu offers: a fixed grid of privacy losses, priced by interpolation between knots."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import as_floats, whole_number
from market_sim.valuation import KINDS, Valuations

_KNOTS = (0.01, 0.025, 0.05, 0.1, 0.175, 0.25, 0.325, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class MenuGrid:
    """eps_g = E (g / G)^power, g = 1..G, finer where eps is small; prices are set at few knots.

    Parameters
    ----------
    max_cap
        E > 0, the largest privacy loss on sale.
    options
        G, the number of positive privacy losses on sale.
    power
        How much finer the grid is near 0, >= 1; 1 is a uniform grid.
    knots
        Where the network sets prices, as shares of E, ascending, the last one 1.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the knots do not ascend to 1.
    """

    max_cap: float = 2.0
    options: int = 256
    power: float = 1.3
    knots: tuple[float, ...] = _KNOTS

    def __post_init__(self) -> None:
        as_floats("max_cap", self.max_cap, positive=True)
        as_floats("power", self.power, minimum=1.0)
        whole_number("options", self.options, 1)
        shares = as_floats("knots", self.knots, positive=True)
        if shares.ndim != 1 or not len(shares) or (np.diff(shares) <= 0).any() or shares[-1] != 1:
            raise InvalidInput(f"knots must ascend to 1, got {self.knots}")

    @property
    def epsilon(self) -> Float[NDArray[np.float64], "options"]:
        """The privacy losses on sale, ascending, without 0 (which costs and pays nothing)."""
        place = np.arange(1, self.options + 1) / self.options
        return np.asarray(self.max_cap * place**self.power)

    @property
    def interpolation(self) -> Float[NDArray[np.float64], "knots options"]:
        """Weights >= 0 that turn prices at the knots into prices on the grid (0 at eps = 0)."""
        at = np.concatenate([[0.0], np.asarray(self.knots)]) * self.max_cap
        corner = np.eye(len(at))[1:]
        return np.stack([np.interp(self.epsilon, at, row) for row in corner])

    @property
    def bases(self) -> Float[NDArray[np.float64], "kinds options"]:
        """Base of every family at every privacy loss on sale."""
        codes = np.arange(len(KINDS))[:, None]
        return Valuations(codes, np.ones((len(KINDS), 1))).base(self.epsilon)

    def with_options(self, options: int) -> Self:
        """Return a coarser or finer grid between the same knots."""
        return type(self)(self.max_cap, options, self.power, self.knots)

    def plain(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        return {
            "max_cap": self.max_cap,
            "options": self.options,
            "power": self.power,
            "knots": list(self.knots),
        }

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """Return the grid of a network's metadata."""
        return cls(**{**values, "knots": tuple(values["knots"])})
