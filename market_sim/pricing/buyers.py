"""Laws from which the buyers of versions are drawn: which version each wants, and its worth."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.pricing.cone import PerVersion, check_labels
from market_sim.pricing.survey import Survey
from market_sim.shapes import Array, as_floats, frozen, whole_number

Spread = Literal["uniform", "exponential", "lognormal"]


@dataclass(frozen=True, eq=False, init=False)
class BuyerLaw:
    """A buyer wants version j with chance q_j; it is worth mean_j times a positive draw to her.

    Attributes
    ----------
    labels
        Privacy labels of the versions, increasing, shape `(versions,)`.
    mean
        Mean worth of each version in money, > 0, shape `(versions,)`.
    demand
        q > 0, scaled to sum to 1, shape `(versions,)`.
    spread
        Law of the draw, of mean 1: "uniform" on [0, 2], "exponential", or "lognormal" with a
        logarithm of standard deviation 1/2.

    Raises
    ------
    InvalidInput
        If labels do not increase, a mean or share is not positive, lengths differ, or the spread
        is unknown.

    Notes
    -----
    [D] valuation laws and demand shares of the version marketplace.
    """

    labels: PerVersion
    mean: PerVersion
    demand: PerVersion
    spread: Spread

    def __init__(
        self,
        labels: ArrayLike,
        mean: ArrayLike,
        demand: ArrayLike | None = None,
        spread: Spread = "uniform",
    ) -> None:
        checked = check_labels(labels)
        if spread not in get_args(Spread):
            raise InvalidInput(
                f"spread must be one of {', '.join(map(repr, get_args(Spread)))}, got {spread!r}"
            )
        shares = _a_version("demand", np.ones(checked.size) if demand is None else demand, checked)
        object.__setattr__(self, "labels", frozen(checked))
        object.__setattr__(self, "mean", frozen(_a_version("mean", mean, checked)))
        object.__setattr__(self, "demand", frozen(shares / shares.sum()))
        object.__setattr__(self, "spread", spread)

    def sample(self, rng: np.random.Generator, buyers: int) -> Survey:
        """Draw buyers independently.

        Raises
        ------
        InvalidInput
            If they are fewer than the versions.
        """
        number = whole_number("buyers", buyers, 1)
        wanted = rng.choice(self.labels.size, size=number, p=self.demand)
        return Survey(self.labels, wanted, self.mean[wanted] * self._draw(rng, number))

    def _draw(self, rng: np.random.Generator, number: int) -> Array:
        if self.spread == "uniform":
            return rng.uniform(0.0, 2.0, number)
        if self.spread == "exponential":
            return rng.exponential(1.0, number)
        return rng.lognormal(-0.125, 0.5, number)


def _a_version(name: str, value: ArrayLike, labels: Array) -> Array:
    array = as_floats(name, value, positive=True)
    if array.shape != labels.shape:
        raise InvalidInput(
            f"{name} must be one number for each of {labels.size} versions, got shape {array.shape}"
        )
    return array
