"""Populations: the true valuations, caps and sizes of many owners, as columns; and their laws."""

from dataclasses import dataclass, field
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.laws import LogNormal, Mixture, ScalarLaw, Uniform
from market_sim.reports import Reports
from market_sim.shapes import Array, as_floats, broadcast_owners, frozen, whole_number
from market_sim.valuation import KINDS, Valuations

SizeLaw = Literal["none", "reference"]
BudgetLaw = Literal["fixed", "proportional", "per-owner"]


@dataclass(frozen=True, eq=False, init=False)
class Population:
    """What is true of n owners: valuations, cap a round, data size, lifetime cap.

    Parameters
    ----------
    valuations
        True valuations, shape `(*profiles, owners)`.
    cap
        Largest privacy loss the owner accepts in one round, > 0, same shape.
    data_size
        Samples held, > 0; where given, costs are multiplied by them.
    lifetime_cap
        Largest privacy loss under composition over all rounds, > 0; infinite if omitted.

    Raises
    ------
    InvalidInput
        If a number is outside its domain, the population is empty or the shapes do not fit.
    """

    valuations: Valuations
    cap: Array
    data_size: Array | None
    lifetime_cap: Array

    def __init__(
        self,
        valuations: Valuations,
        cap: ArrayLike,
        data_size: ArrayLike | None = None,
        lifetime_cap: ArrayLike | None = None,
    ) -> None:
        truth = Reports(valuations, cap, data_size)
        limit = as_floats(
            "lifetime_cap",
            np.inf if lifetime_cap is None else lifetime_cap,
            positive=True,
            finite=False,
        )
        limits = np.broadcast_to(limit, truth.shape) if limit.ndim == 0 else limit
        _, limits = broadcast_owners(cap=truth.cap, lifetime_cap=limits)
        object.__setattr__(self, "valuations", truth.valuations)
        object.__setattr__(self, "cap", truth.cap)
        object.__setattr__(self, "data_size", truth.data_size)
        object.__setattr__(self, "lifetime_cap", frozen(limits))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape `(*profiles, owners)`."""
        return self.cap.shape

    @property
    def owners(self) -> int:
        """Number of owners."""
        return int(self.cap.shape[-1])

    def reports(self) -> Reports:
        """Return what truthful owners would say."""
        return Reports(self.valuations, self.cap, self.data_size)

    def select(self, owners: NDArray[np.intp] | slice) -> Self:
        """Return some owners, in the order given; leading axes are kept."""
        part = self.reports().select(owners)
        return type(self)(part.valuations, part.cap, part.data_size, self.lifetime_cap[..., owners])

    def cost(self, epsilon: ArrayLike) -> Array:
        """Return the true cost `[s_i] v_i(eps)` of privacy losses."""
        return self.reports().cost(epsilon)


@dataclass(frozen=True)
class PopulationLaw:
    """A law from which populations are drawn, owner by owner independently.

    Parameters
    ----------
    owners
        Number of owners, at least 1.
    kinds
        Families, drawn uniformly.
    rate, cap
        Laws of alpha_i and eps_bar_i: bounds of a uniform law, or a law of `market_sim.laws`.
    sizes
        "none", or "reference": s_i = 10 + 32.636 exp(2 z_i) / exp(2), z_i standard normal.
    lifetime_cap
        The same lifetime cap for all, infinite by default.
    single_minded
        Replace each valuation by the step of the same value at the owner's cap: an owner who asks
        one price for her whole cap and minds nothing else.

    Raises
    ------
    InvalidInput
        If a bound is outside its domain or in the wrong order.

    Notes
    -----
    Source: FL-Market [S], simulation setting: alpha ~ U[0.5, 1.5], base uniform over the four
    families, eps_bar ~ U[0.5, E] with E = 5 (low) or 2 (high sensitivity); sizes: [D], the pool of
    client sizes made well defined.
    """

    owners: int = 10
    kinds: tuple[str, ...] = KINDS[:4]
    rate: tuple[float, float] | ScalarLaw = (0.5, 1.5)
    cap: tuple[float, float] | ScalarLaw = (0.5, 5.0)
    sizes: SizeLaw = "none"
    lifetime_cap: float = field(default=np.inf)
    single_minded: bool = False

    def __post_init__(self) -> None:
        whole_number("owners", self.owners, 1)
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise InvalidInput(f"unknown kind {unknown}, expected any of {list(KINDS)}")
        if not self.kinds:
            raise InvalidInput("kinds is empty: name at least one family of valuations")
        if self.sizes not in get_args(SizeLaw):
            raise InvalidInput(f"unknown sizes {self.sizes!r}, expected {list(get_args(SizeLaw))}")
        _check_law("rate", self.rate, positive=False)
        _check_law("cap", self.cap, positive=True)
        as_floats("lifetime_cap", self.lifetime_cap, positive=True, finite=False)

    def sample(self, rng: np.random.Generator, profiles: tuple[int, ...] = ()) -> Population:
        """Draw a population of shape `(*profiles, owners)`."""
        shape = (*profiles, self.owners)
        kind = rng.choice([KINDS.index(kind) for kind in self.kinds], size=shape)
        valuations = Valuations(kind, _draw(self.rate, rng, shape))
        cap = _draw(self.cap, rng, shape)
        size = None
        if self.sizes == "reference":
            size = 10.0 + 32.636 * np.exp(2.0 * rng.standard_normal(shape)) / np.exp(2.0)
        if self.single_minded:
            valuations = Valuations("step", valuations.cost(cap))
        return Population(valuations, cap, size, self.lifetime_cap)

    @property
    def rate_law(self) -> ScalarLaw:
        """The law of alpha_i.

        Raises
        ------
        InvalidInput
            If the bounds are equal, so that there is no density.
        """
        return self.rate if isinstance(self.rate, ScalarLaw) else Uniform(*self.rate)

    @property
    def unit_value_law(self) -> ScalarLaw:
        """The law of v_i = V_i / eps_bar_i, money a unit of privacy, for linear valuations.

        Raises
        ------
        InvalidInput
            If other families are drawn, whose unit value depends on the cap, or as for `rate_law`.
        """
        if set(self.kinds) != {"linear"} or self.sizes != "none":
            raise InvalidInput(
                "only linear valuations without data sizes have a unit value of their own, "
                f"got kinds {self.kinds} and sizes {self.sizes!r}"
            )
        return self.rate_law.scaled(2.0)

    @property
    def cap_law(self) -> ScalarLaw:
        """The law of eps_bar_i; errors as for `rate_law`."""
        return self.cap if isinstance(self.cap, ScalarLaw) else Uniform(*self.cap)


def fl_market_2021(owners: int = 10, max_cap: float = 5.0) -> PopulationLaw:
    """Return the law of the 2021 simulations: E = `max_cap` is 5 (low) or 2 (high sensitivity)."""
    return PopulationLaw(owners=owners, cap=(0.5, max_cap))


def fl_market_2022(owners: int = 10, max_cap: float = 2.0) -> PopulationLaw:
    """Return the law with data sizes of the later version, in the reference form."""
    return PopulationLaw(owners=owners, cap=(0.5, max_cap), sizes="reference")


def privacy_auction_law(name: str = "uniform", owners: int = 10) -> PopulationLaw:
    """Return a law of the privacy auction game: linear costs v_i eps, independent caps eps_i.

    Parameters
    ----------
    name
        - "uniform": v ~ U[0, 1], eps ~ U[0.1, 5].
        - "bimodal": v ~ U[0, 1], eps from U[0.1, 0.5] or from U[2, 5], each with probability 1/2.
        - "realistic": ln v ~ N(0, 0.5^2), eps ~ U[0.1, 5].
    owners
        Number of owners, at least 1.

    Raises
    ------
    InvalidInput
        If the name is unknown or the number is not a whole one of at least 1.

    Notes
    -----
    Source: privacy auction game [S], scenarios. What they leave open, the laws of v in the second
    and of eps in the third, is taken from the first.
    """
    if name not in PRIVACY_AUCTION_LAWS:
        known = sorted(PRIVACY_AUCTION_LAWS)
        raise InvalidInput(f"unknown law {name!r}, expected one of {known}")
    value, cap = PRIVACY_AUCTION_LAWS[name]
    # The linear family is 2 alpha eps, so alpha is half the unit value.
    return PopulationLaw(owners=owners, kinds=("linear",), rate=value.scaled(0.5), cap=cap)


PRIVACY_AUCTION_LAWS: dict[str, tuple[ScalarLaw, ScalarLaw]] = {
    "uniform": (Uniform(0.0, 1.0), Uniform(0.1, 5.0)),
    "bimodal": (Uniform(0.0, 1.0), Mixture((Uniform(0.1, 0.5), Uniform(2.0, 5.0)))),
    "realistic": (LogNormal(0.0, 0.5), Uniform(0.1, 5.0)),
}
"""Laws of value and cap by name; see `privacy_auction_law`."""


def budgets(population: Population, level: float, law: BudgetLaw = "fixed") -> Array:
    """Return the buyer's money: `level`, level * owners, or level * sum_i [s_i] v_i(eps_bar_i).

    The laws are "fixed", "per-owner" and "proportional". Shape `profiles`. Source: FL-Market [S],
    fixed budgets (2021) and budget rates (2022); privacy auction game [D], B in proportion to N.

    Raises
    ------
    InvalidInput
        If the level is not positive and finite, the law is unknown, or all owners sell for nothing.
    """
    number = float(as_floats("budget level", level, positive=True))
    profiles = population.shape[:-1]
    if law == "fixed":
        return np.full(profiles, number)
    if law == "per-owner":
        return np.full(profiles, number * population.owners)
    if law != "proportional":
        raise InvalidInput(f"unknown budget law {law!r}, expected {list(get_args(BudgetLaw))}")
    asked = population.reports().value.sum(axis=-1)
    return np.asarray(as_floats("proportional budget", number * asked, positive=True))


def _draw(
    law: tuple[float, float] | ScalarLaw, rng: np.random.Generator, shape: tuple[int, ...]
) -> Array:
    """Draw from a law or between two bounds."""
    if isinstance(law, ScalarLaw):
        return law.sample(rng, shape)
    return np.asarray(rng.uniform(*law, size=shape))


def _check_law(name: str, law: tuple[float, float] | ScalarLaw, *, positive: bool) -> None:
    if isinstance(law, ScalarLaw):
        if positive and law.cdf(0.0) > 0:
            raise InvalidInput(f"the law of {name} must give positive numbers only, got {law}")
        return
    pair = as_floats(f"{name} bounds", law, minimum=0.0, positive=positive)
    if pair.shape != (2,):
        raise InvalidInput(f"{name} bounds must be two numbers, lowest and highest, got {law}")
    low, high = pair
    if low > high:
        raise InvalidInput(f"{name} bounds must be in ascending order, got {low:g}, {high:g}")
