"""The law of the markets on which a network is trained: population and budget together."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.population import PopulationLaw, SizeLaw, budgets, privacy_auction_law
from market_sim.reports import Reports
from market_sim.shapes import Array, as_floats

Budget = Literal["fixed", "proportional"]
OwnerLaw = Literal["fl-market", "uniform", "bimodal", "realistic"]


class Markets(Protocol):
    """Where the markets of a training come from."""

    def sample(self, rng: np.random.Generator, profiles: int) -> tuple[Reports, Array]:
        """Draw truthful reports, shape `(rows, owners)`, and budgets, shape `(rows,)`.

        The rows are `profiles`, unless the law trades them for owners.
        """
        ...


@dataclass(frozen=True)
class MarketLaw:
    """Markets drawn for training and for the held-out audit; plain values only.

    Parameters
    ----------
    owners
        Number of owners.
    max_cap
        E: caps are uniform on [min_cap, E].
    sizes
        "none" or "reference", as in `PopulationLaw`.
    budget
        "fixed": B uniform on [budget_low, budget_high]; "proportional": B = rate * sum_i [s_i]
        v_i(eps_bar_i), the rate log-uniform on [budget_low, budget_high].
    budget_low, budget_high
        Bounds of the budget or of the rate; equal ones fix it.
    min_cap
        Smallest cap.
    single_minded
        As in `PopulationLaw`.
    owner_law
        "fl-market": the four families, as told by the other parameters; or a law of the privacy
        auction game (see `privacy_auction_law`), which says what costs and caps are.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or a name unknown.
    """

    owners: int = 10
    max_cap: float = 2.0
    sizes: SizeLaw = "reference"
    budget: Budget = "proportional"
    budget_low: float = 0.1
    budget_high: float = 2.0
    min_cap: float = 0.5
    single_minded: bool = False
    owner_law: OwnerLaw = "fl-market"

    def __post_init__(self) -> None:
        if self.owner_law not in get_args(OwnerLaw):
            raise InvalidInput(
                f"unknown owner_law {self.owner_law!r}, expected {list(get_args(OwnerLaw))}"
            )
        if self.budget not in get_args(Budget):
            raise InvalidInput(f"unknown budget {self.budget!r}, expected {list(get_args(Budget))}")
        low, high = as_floats("budget bounds", [self.budget_low, self.budget_high], positive=True)
        if low > high:
            raise InvalidInput(f"budget bounds must be in ascending order, got {low:g}, {high:g}")
        self._check_owners()
        self.population  # noqa: B018 - checks the rest

    def _check_owners(self) -> None:
        """Refuse caps and sizes other than those of the law."""
        if self.owner_law == "fl-market":
            return
        caps = privacy_auction_law(self.owner_law).cap_law.support
        told = (self.min_cap, self.max_cap)
        if told != caps or self.sizes != "none" or self.single_minded:
            raise InvalidInput(
                f"owners of the law {self.owner_law!r} have linear costs, no data sizes, caps in "
                f"{caps}, got caps in {told}, sizes {self.sizes!r}, single_minded "
                f"{self.single_minded}: leave these to MarketLaw.of_game"
            )

    @classmethod
    def of_game(
        cls, owner_law: OwnerLaw, owners: int, budget_low: float, budget_high: float
    ) -> Self:
        """Return markets of the privacy auction game, budgets uniform between the bounds.

        Raises
        ------
        InvalidInput
            As the class, and if the game is not one of the privacy auction.
        """
        low, high = privacy_auction_law(owner_law).cap_law.support
        return cls(owners, high, "none", "fixed", budget_low, budget_high, low, owner_law=owner_law)

    @property
    def population(self) -> PopulationLaw:
        """The law of the owners."""
        if self.owner_law != "fl-market":
            return privacy_auction_law(self.owner_law, self.owners)
        return PopulationLaw(
            owners=self.owners,
            cap=(self.min_cap, self.max_cap),
            sizes=self.sizes,
            single_minded=self.single_minded,
        )

    def sample(self, rng: np.random.Generator, profiles: int) -> tuple[Reports, Array]:
        """Draw truthful reports, shape `(profiles, owners)`, and budgets, shape `(profiles,)`."""
        owners = self.population.sample(rng, (profiles,))
        if self.budget == "fixed":
            return owners.reports(), rng.uniform(self.budget_low, self.budget_high, profiles)
        rate = np.exp(rng.uniform(np.log(self.budget_low), np.log(self.budget_high), profiles))
        return owners.reports(), rate * budgets(owners, 1.0, "proportional")

    def plain(self) -> dict[str, Any]:
        """Return the parameters as plain values, for the metadata of a network."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """Return the law of a network's metadata."""
        return cls(**values)
