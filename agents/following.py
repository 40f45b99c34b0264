"""Owners who follow a mean field: they take its price for given, or its policy for theirs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.strategies import MarketView, Strategy
from market_sim import InvalidInput, Population, Reports
from market_sim.shapes import Array, as_floats

Policy = Callable[[int, Array, Array], Array]
_LEAST_AMOUNT = 1e-9  # of her cap: whoever would sell less stays away


@dataclass(frozen=True)
class PriceTaking(Strategy):
    """Owner i offers her whole cap if her unit value is at most `price`, and stays away if not.

    Parameters
    ----------
    price
        Money for a unit of privacy that owners expect, >= 0.

    Raises
    ------
    InvalidInput
        If the price is not one number of at least 0.

    Notes
    -----
    Source: privacy auction game [D], the static mean field: all who sell at the price p that solves
    p N E[eps 1{v <= p}] = B; see `market_sim.mean_field_price`.
    """

    price: float = 0.5

    def __post_init__(self) -> None:
        if as_floats("price", self.price, minimum=0.0).ndim:
            raise InvalidInput(f"price must be one number for all, got {self.price!r}")

    def abstains(self, population: Population, view: MarketView) -> NDArray[np.bool_]:
        """Return who asks more than the price; see `Strategy.abstains`."""
        return np.asarray(population.reports().unit_value > self.price)

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Return the truth; see `Strategy.reports`."""
        return population.reports()


@dataclass(frozen=True)
class MeanFieldFollowing(Strategy):
    """Owner i offers the amount that a policy names for her round, value and privacy left.

    Parameters
    ----------
    policy
        `policy(round, value, privacy_left) -> amount`: a round, and arrays `(owners,)` of unit
        values, of lifetime privacy left and of what to sell, such as the `policy` of a solved
        `market_sim.MeanFieldGame`. What exceeds an owner's cap or privacy left is cut off.

    Raises
    ------
    InvalidInput
        If the policy cannot be called, or (when it is asked) its amounts are negative, not finite
        or not one an owner.

    Notes
    -----
    The state e' = e - a of the mean field is that of basic composition, that is of Laplace noise.

    Source: privacy auction game [S], [D], owners of the dynamic mean field.
    """

    policy: Policy

    def __post_init__(self) -> None:
        if not callable(self.policy):
            raise InvalidInput(
                f"policy must be a function of round, value and privacy left, got {self.policy!r}"
            )

    def amounts(self, population: Population, view: MarketView) -> Array:
        """Return what the owners sell, shape `(owners,)`; 0 for who stays away."""
        value = population.reports().unit_value
        amount = as_floats(
            "amount of the policy", self.policy(view.round, value, view.left), minimum=0.0
        )
        if amount.shape != value.shape:
            raise InvalidInput(
                f"the policy must return one amount for each of {value.size} owners, got shape "
                f"{amount.shape}"
            )
        cut = np.minimum(amount, population.cap)
        return np.where(cut < _LEAST_AMOUNT * population.cap, 0.0, cut)

    def abstains(self, population: Population, view: MarketView) -> NDArray[np.bool_]:
        """Return who sells nothing; see `Strategy.abstains`."""
        return np.asarray(self.amounts(population, view) == 0)

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Return true valuations with the amounts as caps; see `Strategy.reports`."""
        amount = self.amounts(population, view)
        cap = np.where(amount > 0, amount, _LEAST_AMOUNT * population.cap)
        return Reports(population.valuations, cap, population.data_size)
