"""Scenario: what is run, as frozen records in which every unknown key is an error."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from scenarios.items import Item, PopulationKind
from scenarios.parts import Count, Name, Part, Positive, as_entries, as_tables
from scenarios.populations import BudgetConfig, PopulationConfig, SettingConfig
from scenarios.privacy_games import BiddingConfig, MeanFieldConfig
from scenarios.sharing_markets import IncentiveConfig, SharingConfig
from scenarios.studies import PaymentsConfig, StudyConfig
from scenarios.version_markets import VersionMarketConfig

Experiment = Literal[
    "auctions",
    "market",
    "audit",
    "fair-value",
    "platform",
    "training",
    "attack",
    "versions",
    "sharing",
    "incentives",
    "mean-field",
    "bidding",
]


class BuyerConfig(Part):
    """A buyer of a market: her share of the budget and, if not the scenario's, her task."""

    name: Name = "buyer"
    share: Positive = 1.0
    dataset: Item | None = None
    model: Item | None = None
    learning_rate: Positive | None = None


class MarketConfig(Part):
    """How a market runs: rounds, what owners do, who buys.

    Without `record_owners` there is no table of owners, which grows by a row an owner and round.
    """

    rounds: Count = 10
    strategy: Item = Item(name="truthful")
    owners: Literal["arrays", "objects"] = "arrays"
    record_owners: bool = True
    buyers: Annotated[tuple[BuyerConfig, ...], BeforeValidator(as_tables)] = (BuyerConfig(),)


class LearningConfig(Part):
    """The task whose gradients are bought."""

    dataset: Item
    model: Item = Item(name="logistic")
    partition: Item = Item(name="iid")
    learning_rate: Positive = 0.1
    momentum: float = Field(default=0.0, ge=0, lt=1)
    local_samples: Count | None = None


class AuditConfig(Part):
    """What an audit tries: which owners, which lies, how many profiles."""

    populations: tuple[PopulationKind, ...] = Field(
        default=("single-minded", "multi-minded"), min_length=1
    )
    deviations: tuple[Literal["value", "cap", "both"], ...] = Field(
        default=("value", "cap", "both"), min_length=1
    )


class TrainingConfig(Part):
    """What is trained: a recipe, which is told the owners and the money of the scenario."""

    recipe: Item


class AttackConfig(Part):
    """How strongly learned auctions are attacked, and what is proved about them.

    Attributes
    ----------
    strengths
        Pairs (restarts, gradient steps), weakest first: a point of the curve each.
    published_steps
        Gradient steps of the published test, which starts at the truth alone.
    clears
        Profiles on which the error bound is measured.
    certify
        Labels of the mechanisms for which an upper bound of the regret is proved, too.
    radii
        Lies within these shares of the truth are enclosed: the rate on both sides, the cap below.
    certified_profiles, boxes
        For how many of the profiles, and with how many boxes an owner at most.
    """

    strengths: tuple[tuple[Count, Count], ...] = Field(
        default=((1, 10), (1, 25), (1, 100), (2, 100), (5, 100), (10, 200)), min_length=1
    )
    published_steps: Count = 25
    clears: Count = 2000
    certify: Annotated[tuple[Name, ...], BeforeValidator(as_entries)] = ()
    radii: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.01, 0.03, 0.1, 0.3)
    certified_profiles: Count = 3
    boxes: Annotated[int, Field(ge=16)] = 2000


class ErrorConfig(Part):
    """Constants of the error bound: L, the clip, and d, the number of parameters."""

    clip: Positive = 1.0
    dim: Count = 1


_WITHOUT_AUCTION = (
    "fair-value",
    "platform",
    "versions",
    "sharing",
    "incentives",
    "mean-field",
)
_QUESTIONS = (
    ("payments", "fair-value"),
    ("studies", "platform"),
    ("versions", "versions"),
    ("sharing", "sharing"),
    ("incentives", "incentives"),
    ("mean_field", "mean-field"),
)
_LEARNING = ("market", "versions", "sharing")
_SECTIONS = (
    ("market", "market"),
    ("audit", "audit"),
    ("training", "training"),
    ("attack", "attack"),
    ("bidding", "bidding"),
)


class Scenario(Part):
    """One experiment, complete: everything that decides its results but the machine.

    Attributes
    ----------
    experiment
        "auctions" (batches of sampled profiles), "market" (rounds with owners, buyers and
        learning), "audit" (attacks on mechanisms), "fair-value" (fair payments), "platform"
        (the share that a platform pays out, and where users' choices then settle), "training"
        (a learned auction), "attack" (learned auctions under attacks of growing strength),
        "versions" (a market for versions of one model), "sharing" (a market for personal models),
        "incentives" (lies on random markets for models), "mean-field" (games of owners without
        number) or "bidding" (where bids settle, and who can collude).
    seed, seeds
        The first seed and how many, one after another.
    profiles
        Profiles an auction or audit unit draws.
    owners
        Numbers of owners to sweep (auctions); the population's own where empty.
    bound
        Add the least error that is possible with full information (auctions).
    """

    name: Name
    title: str = ""
    description: str = ""
    source: str = ""
    experiment: Experiment
    seed: int = Field(default=0, ge=0)
    seeds: Count = 1
    profiles: Count = 1000
    owners: tuple[Count, ...] = ()
    bound: bool = False
    population: PopulationConfig = PopulationConfig()
    settings: Annotated[tuple[SettingConfig, ...], BeforeValidator(as_tables)] = (SettingConfig(),)
    budget: Annotated[tuple[BudgetConfig, ...], BeforeValidator(as_tables)] = Field(
        default=(), validate_default=True
    )
    mechanisms: tuple[Item, ...] = (Item(name="all-in"),)
    aggregators: tuple[Item, ...] = (Item(name="error-opt"),)
    perturbation: Item = Item(name="laplace")
    error: ErrorConfig = ErrorConfig()
    market: MarketConfig | None = None
    learning: LearningConfig | None = None
    audit: AuditConfig | None = None
    training: TrainingConfig | None = None
    attack: AttackConfig | None = None
    bidding: BiddingConfig | None = None
    payments: Annotated[tuple[PaymentsConfig, ...], BeforeValidator(as_tables)] = ()
    studies: Annotated[tuple[StudyConfig, ...], BeforeValidator(as_tables)] = ()
    versions: Annotated[tuple[VersionMarketConfig, ...], BeforeValidator(as_tables)] = ()
    sharing: Annotated[tuple[SharingConfig, ...], BeforeValidator(as_tables)] = ()
    incentives: Annotated[tuple[IncentiveConfig, ...], BeforeValidator(as_tables)] = ()
    mean_field: Annotated[tuple[MeanFieldConfig, ...], BeforeValidator(as_tables)] = ()
    figures: tuple[str, ...] = ()

    @field_validator("settings", "mechanisms", "aggregators")
    @classmethod
    def _some(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if not value:
            raise ValueError("at least one entry")
        return value

    @field_validator("budget")
    @classmethod
    def _money(cls, value: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        """Require a budget where somebody buys at an auction."""
        if not value and info.data.get("experiment") not in _WITHOUT_AUCTION:
            raise PydanticCustomError("missing", "Field required")
        return value

    @model_validator(mode="after")
    def _questions(self) -> Self:
        """Require what an experiment computes, and refuse what another one would."""
        for section, experiment in _QUESTIONS:
            entries = getattr(self, section)
            if bool(entries) != (self.experiment == experiment):
                less = "no" if entries else "a"
                raise ValueError(f"{less} list [[{section}]], which is for {experiment!r}")
            _require_distinct(section, [entry.name for entry in entries])
        if self.experiment in _WITHOUT_AUCTION and self.budget:
            raise ValueError(f"no [[budget]], which {self.experiment!r} does not spend")
        if self.sharing and self.learning is None:
            raise ValueError("a section [learning], which says what participants learn")
        if self.payments and self.seeds > 1:
            raise ValueError("one seed, since fair payments are exact: leave seeds out")
        return self

    @model_validator(mode="after")
    def _learned(self) -> Self:
        """Require what a training needs, and refuse a bound where it is not drawn."""
        if self.experiment == "training" and self.training is None:
            raise ValueError("a section [training] with the recipe")
        if self.experiment == "training" and len(self.budget) != 1:
            raise ValueError("one budget law, whose levels the network learns together")
        if self.bound and self.experiment != "auctions":
            raise ValueError("no key 'bound', which is only for experiment = 'auctions'")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Refuse sections that the experiment would not use, and names that occur twice."""
        for section, experiment in _SECTIONS:
            if getattr(self, section) is not None and self.experiment != experiment:
                raise ValueError(
                    f"no section [{section}], which is only for experiment = {experiment!r}"
                )
        if self.learning is not None and self.experiment not in _LEARNING:
            kinds = " or ".join(map(repr, _LEARNING))
            raise ValueError(f"no section [learning], which is only for experiment = {kinds}")
        if self.owners and self.experiment != "auctions":
            raise ValueError("no list 'owners', which only auctions sweep: use population.owners")
        if self.experiment == "audit" and [len(entry.levels) for entry in self.budget] != [1]:
            raise ValueError("one budget law with one level, which is all an audit takes")
        if self.experiment == "market" and self.error.clip != 1.0:
            raise ValueError("no error.clip, since a market's clip is that of its perturbation")
        if "partition" in self._sizes() and self.learning is None:
            raise ValueError("a [learning] section, from which sizes = 'partition' takes the sizes")
        for setting in self.settings:
            PopulationConfig(**(self.population.model_dump() | setting.changes()))
        _require_distinct("settings", [entry.name for entry in self.settings])
        _require_distinct("budget", [entry.law for entry in self.budget])
        if self.market is not None:
            _require_distinct("market.buyers", [entry.name for entry in self.market.buyers])
        return self

    def _sizes(self) -> set[str | None]:
        found: set[str | None] = {self.population.sizes}
        found |= {entry.sizes for entry in self.settings}
        return found | {entry.sizes for entry in self.budget}

    @property
    def seed_list(self) -> list[int]:
        """The seeds, one after another."""
        return list(range(self.seed, self.seed + self.seeds))

    @property
    def rules(self) -> MarketConfig:
        """The section [market], with its defaults where the file has none."""
        return self.market or MarketConfig()

    def population_of(self, setting: SettingConfig, budget: BudgetConfig) -> PopulationConfig:
        """Return the population under a setting and a budget law."""
        changes = setting.changes() | ({"sizes": budget.sizes} if budget.sizes else {})
        return PopulationConfig(**(self.population.model_dump() | changes))


def _require_distinct(where: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"different names in {where}, but {name!r} occurs twice")


def plain(value: Any) -> Any:
    """Return numbers that JSON has no word for (inf, nan) as their names, deeply."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
