"""The terms of a version market: who is there, and the rules of trade."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats, frozen, require_owners
from market_sim.versions import OwnerNoise, PrivacyRule, SaleTerms

Settlement = Literal["fixed", "shared"]
Assignment = Literal["chosen", "reported"]


@dataclass(frozen=True, eq=False, init=False)
class OwnerTerms:
    """Owners with their costs, data and lies.

    Attributes
    ----------
    cost
        c_i > 0, in money per epsilon^p, shape `(owners,)`.
    data_size
        n_i > 0, shape `(owners,)`.
    lie
        What each of them tells the broker her cost is, as a multiple of it; 1 is the truth.
    q, p
        Exponents of contribution and cost, p >= q > 0.

    Raises
    ------
    InvalidInput
        If a number is not positive or the shapes do not fit.
    """

    cost: Array
    data_size: Array
    lie: Array
    q: float
    p: float

    def __init__(
        self,
        cost: ArrayLike,
        data_size: ArrayLike,
        lie: ArrayLike = 1.0,
        q: float = 1.0,
        p: float = 1.0,
    ) -> None:
        costs = as_floats("cost", cost, positive=True)
        require_owners("cost", costs)
        if costs.ndim != 1:
            raise InvalidInput(f"cost must be one number an owner, got shape {costs.shape}")
        sizes = as_floats("data_size", data_size, positive=True)
        if sizes.shape != costs.shape:
            raise InvalidInput(
                f"data_size must be one number for each of {costs.size} owners, got {sizes.shape}"
            )
        lies = as_floats("lie", lie, positive=True)
        if lies.shape not in ((), costs.shape):
            raise InvalidInput(
                f"lie must be one number or one for each of {costs.size} owners, got {lies.shape}"
            )
        object.__setattr__(self, "cost", frozen(costs))
        object.__setattr__(self, "data_size", frozen(sizes))
        object.__setattr__(self, "lie", frozen(np.array(np.broadcast_to(lies, costs.shape))))
        object.__setattr__(self, "q", float(q))
        object.__setattr__(self, "p", float(p))

    @property
    def reported(self) -> Array:
        """What each owner says her cost is, in money per epsilon^p, shape `(owners,)`."""
        return self.cost * self.lie

    @property
    def owners(self) -> int:
        """Number of owners."""
        return int(self.cost.size)


@dataclass(frozen=True)
class TradeTerms:
    """The rules of a version market.

    Parameters
    ----------
    sale
        Pricing, cut and pool; see `SaleTerms`. Its `buyers` come each round.
    surveyed
        Buyers who are asked each round and do not buy.
    privacy
        Bounds of the owners' epsilon.
    noise
        How epsilon becomes noise.
    settlement
        "fixed" pays the promised pool in full, whatever was sold; "shared" pays (1 - phi) times
        the actual revenue.
    assignment
        "chosen": owners choose epsilon themselves. "reported": the broker computes the equilibrium
        from the costs that they report and assigns it, which invites lies.
    arbitrageurs
        Share of the buyers who look for cheaper combinations.
    draws
        Whether the versions' noises are "independent" or "nested"; see `ModelVersions`.
    best_pool
        Let the broker promise the pool of the most profitable number of versions instead of the
        share of the revenue bound.

    Raises
    ------
    InvalidInput
        If a number is out of its range or a name unknown.
    """

    sale: SaleTerms
    surveyed: int
    privacy: PrivacyRule = field(default_factory=PrivacyRule)
    noise: OwnerNoise = field(default_factory=OwnerNoise)
    settlement: Settlement = "fixed"
    assignment: Assignment = "chosen"
    arbitrageurs: float = 0.0
    draws: Literal["independent", "nested"] = "independent"
    best_pool: bool = False

    def __post_init__(self) -> None:
        for name, kinds in (("settlement", Settlement), ("assignment", Assignment)):
            if getattr(self, name) not in get_args(kinds):
                known = ", ".join(map(repr, get_args(kinds)))
                raise InvalidInput(f"{name} must be one of {known}, got {getattr(self, name)!r}")
        share = float(as_floats("arbitrageurs", self.arbitrageurs, minimum=0.0))
        if share > 1.0:
            raise InvalidInput(f"arbitrageurs must be a share from 0 to 1, got {share:g}")
        if self.draws not in ("independent", "nested"):
            raise InvalidInput(f"draws must be 'independent' or 'nested', got {self.draws!r}")
        if self.noise.method == "classic" and self.privacy.high >= 1.0:
            raise InvalidInput(
                "the classic noise holds for epsilon below 1, got a ceiling of "
                f"{self.privacy.high:g}: give the privacy rule a lower one, or use zcdp or analytic"
            )
        if self.best_pool and self.sale.pool is not None:
            raise InvalidInput("the pool is either given or the best one: leave one of them out")
