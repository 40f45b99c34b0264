"""Populations: the true valuations, caps and sizes of many owners, as columns; and their laws."""

from dataclasses import dataclass, field
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.reports import Reports
from market_sim.shapes import Array, as_floats, broadcast_owners, frozen, whole_number
from market_sim.valuation import KINDS, Valuations

SizeLaw = Literal["none", "reference"]
BudgetLaw = Literal["fixed", "proportional"]


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
        Bounds of the uniform laws of alpha_i and eps_bar_i.
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
    rate: tuple[float, float] = (0.5, 1.5)
    cap: tuple[float, float] = (0.5, 5.0)
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
        _check_bounds("rate", self.rate, positive=False)
        _check_bounds("cap", self.cap, positive=True)
        as_floats("lifetime_cap", self.lifetime_cap, positive=True, finite=False)

    def sample(self, rng: np.random.Generator, profiles: tuple[int, ...] = ()) -> Population:
        """Draw a population of shape `(*profiles, owners)`."""
        shape = (*profiles, self.owners)
        kind = rng.choice([KINDS.index(kind) for kind in self.kinds], size=shape)
        valuations = Valuations(kind, rng.uniform(*self.rate, size=shape))
        cap = rng.uniform(*self.cap, size=shape)
        size = None
        if self.sizes == "reference":
            size = 10.0 + 32.636 * np.exp(2.0 * rng.standard_normal(shape)) / np.exp(2.0)
        if self.single_minded:
            valuations = Valuations("step", valuations.cost(cap))
        return Population(valuations, cap, size, self.lifetime_cap)


def fl_market_2021(owners: int = 10, max_cap: float = 5.0) -> PopulationLaw:
    """Return the law of the 2021 simulations: E = `max_cap` is 5 (low) or 2 (high sensitivity)."""
    return PopulationLaw(owners=owners, cap=(0.5, max_cap))


def fl_market_2022(owners: int = 10, max_cap: float = 2.0) -> PopulationLaw:
    """Return the law with data sizes of the later version, in the reference form."""
    return PopulationLaw(owners=owners, cap=(0.5, max_cap), sizes="reference")


def budgets(population: Population, level: float, law: BudgetLaw = "fixed") -> Array:
    """Return the buyer's money: `level` itself, or B = level * sum_i [s_i] v_i(eps_bar_i).

    Shape `profiles`. Source: FL-Market [S], fixed budgets (2021) and budget rates (2022).

    Raises
    ------
    InvalidInput
        If the level is not positive and finite, the law is unknown, or all owners sell for nothing.
    """
    number = float(as_floats("budget level", level, positive=True))
    profiles = population.shape[:-1]
    if law == "fixed":
        return np.full(profiles, number)
    if law != "proportional":
        raise InvalidInput(f"unknown budget law {law!r}, expected {list(get_args(BudgetLaw))}")
    asked = population.reports().value.sum(axis=-1)
    return np.asarray(as_floats("proportional budget", number * asked, positive=True))


def _check_bounds(name: str, bounds: tuple[float, float], *, positive: bool) -> None:
    pair = as_floats(f"{name} bounds", bounds, minimum=0.0, positive=positive)
    if pair.shape != (2,):
        raise InvalidInput(f"{name} bounds must be two numbers, lowest and highest, got {bounds}")
    low, high = pair
    if low > high:
        raise InvalidInput(f"{name} bounds must be in ascending order, got {low:g}, {high:g}")
