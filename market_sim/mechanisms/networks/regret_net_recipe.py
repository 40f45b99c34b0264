"""Recipes: everything that makes a published network, as plain values that a scenario can give."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.laws import Budget, MarketLaw, OwnerLaw
from market_sim.mechanisms.networks.misreports import LieSearch
from market_sim.mechanisms.networks.options import Grid
from market_sim.mechanisms.networks.regret_net import RegretNet, RegretNetSettings
from market_sim.mechanisms.networks.stored import as_plain
from market_sim.mechanisms.networks.training import Progress, TrainedNetwork
from market_sim.mechanisms.networks.training_run import train
from market_sim.mechanisms.networks.training_settings import TrainingSettings, Unit
from market_sim.population import SizeLaw, privacy_auction_law

Auction = Literal["murba", "m-regret-net", "dm-regret-net", "regret-net"]
KIND = "regret-net"


@dataclass(frozen=True)
class RegretNetRecipe:
    """How to train RegretNet, MURBA, M-RegretNet or DM-RegretNet.

    Parameters
    ----------
    auction
        "murba": all of the budget is shared, options drawn; "m-regret-net": a share may stay
        unspent, options drawn; "dm-regret-net": the likeliest option, or none, is taken;
        "regret-net": as "m-regret-net", the whole cap being the only option.
    owners, options, grid, hidden, layers
        See `RegretNetSettings`.
    max_cap, min_cap, sizes, budget, budget_low, budget_high, owner_law
        The law of the markets, see `MarketLaw`.
    iterations, batch, learning_rate, owners_sampled, unit, warm_up, multiplier_every
        See `TrainingSettings`; the unit is "money" for fixed budgets and "budget" for
        proportional ones if omitted.
    regret_penalty, regret_penalty_step, rationality_penalty, rationality_penalty_step
        See `TrainingSettings`.
    penalty_every, audit_every, audit_profiles, regret_target, rationality_target
        See `TrainingSettings`.
    patience, checkpoint_every, seed
        See `TrainingSettings`.
    lie_steps, lie_restarts, lie_step
        The search for lies in training, see `LieSearch`; the audit searches twice as long from
        twice as many starts and one.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or a name unknown.
    """

    auction: Auction = "dm-regret-net"
    owners: int = 10
    options: int = 8
    grid: Grid = "uniform"
    hidden: int = 100
    layers: int = 3
    max_cap: float = 2.0
    min_cap: float = 0.5
    sizes: SizeLaw = "reference"
    budget: Budget = "proportional"
    budget_low: float = 0.1
    budget_high: float = 2.0
    owner_law: OwnerLaw = "fl-market"
    iterations: int = 2000
    batch: int = 512
    learning_rate: float = 1e-3
    owners_sampled: int = 2
    unit: Unit | None = None
    warm_up: int = 200
    multiplier_every: int = 10
    lie_steps: int = 25
    lie_restarts: int = 1
    lie_step: float = 0.1
    regret_penalty: float = 1.0
    regret_penalty_step: float = 1.0
    rationality_penalty: float = 4.0
    rationality_penalty_step: float = 3.0
    penalty_every: int = 200
    audit_every: int = 200
    audit_profiles: int = 256
    regret_target: float = 0.005
    rationality_target: float = 0.002
    patience: int = 10
    checkpoint_every: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.auction not in get_args(Auction):
            raise InvalidInput(f"unknown auction {self.auction!r}, expected {get_args(Auction)}")
        if self.auction == "regret-net" and self.options != 1:
            raise InvalidInput(
                f"regret-net sells the whole cap or nothing, one option, got {self.options}: "
                "name m-regret-net for more"
            )
        _ = self.network, self.law, self.training

    @classmethod
    def preset(cls, auction: Auction, **changes: Any) -> Self:
        """Return the published recipe of an auction, with changes.

        MURBA: no data sizes, B uniform on [1, 50], regret in money (2021). The others: the
        reference law of sizes, budget rates log-uniform on [0.1, 2], regret as a share of the
        budget (2022). RegretNet, and any auction with an `owner_law` of the privacy auction game:
        its owners, B = 50.

        Raises
        ------
        InvalidInput
            As the class.
        """
        usual: dict[str, Any] = {}
        if auction == "murba":
            usual = {"options": 10, "max_cap": 5.0, "budget_low": 1.0, "budget_high": 50.0}
        if auction == "regret-net":
            usual = {"options": 1, "owner_law": "uniform"}
        named = {**usual, **changes}.get("owner_law", "fl-market")
        if named != "fl-market":
            low, high = privacy_auction_law(named).cap_law.support
            usual |= {"min_cap": low, "max_cap": high, "budget_low": 50.0, "budget_high": 50.0}
        if usual:
            usual |= {"sizes": "none", "budget": "fixed"}
        return cls(auction, **{**usual, **changes})

    @property
    def network(self) -> RegretNetSettings:
        """Form of the network."""
        return RegretNetSettings(
            owners=self.owners,
            options=self.options,
            max_cap=self.max_cap,
            sizes=self.sizes != "none",
            unspent=self.auction != "murba",
            deterministic=self.auction == "dm-regret-net",
            grid=self.grid,
            hidden=self.hidden,
            layers=self.layers,
        )

    @property
    def law(self) -> MarketLaw:
        """Law of the markets."""
        names = (
            *("owners", "max_cap", "min_cap", "sizes", "owner_law"),
            *("budget", "budget_low", "budget_high"),
        )
        return MarketLaw(**{name: getattr(self, name) for name in names})

    @property
    def training(self) -> TrainingSettings:
        """Settings of the trainer."""
        lies = LieSearch(self.lie_steps, self.lie_restarts, self.lie_step)
        audit = LieSearch(2 * self.lie_steps, 2 * self.lie_restarts + 1, self.lie_step)
        unit = self.unit or ("money" if self.budget == "fixed" else "budget")
        return TrainingSettings.of(self, unit=unit, lies=lies, audit_lies=audit)

    @property
    def metadata(self) -> dict[str, Any]:
        """What is kept with the network, as plain values."""
        content = {
            "auction": self.auction,
            "settings": asdict(self.network),
            "law": self.law.plain(),
            "recipe": asdict(self),
        }
        return as_plain(content)

    def train(
        self,
        *,
        folder: Path | None = None,
        progress: Progress | None = None,
        resume: bool = False,
    ) -> TrainedNetwork:
        """Train the network; see `market_sim.mechanisms.networks.training_run.train`."""
        module = RegretNet(self.network, self.seed)
        module.inputs.fit(self.law, self.seed)
        return train(
            KIND,
            module,
            self.law,
            self.training,
            self.metadata,
            folder=folder,
            progress=progress,
            resume=resume,
        )
