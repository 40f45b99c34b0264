"""Scenario: what is run, as frozen records in which every unknown key is an error."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from scenarios.parts import Count, Name, Part, Positive, as_tables
from scenarios.studies import PaymentsConfig, StudyConfig

Bounds = tuple[Positive, Positive]
Experiment = Literal["auctions", "market", "audit", "fair-value", "platform"]
Sizes = Literal["none", "reference", "partition"]
BudgetLaw = Literal["fixed", "proportional"]
PopulationKind = Literal["single-minded", "multi-minded"]


class Item(Part):
    """Something of the registry: its name and the arguments of its class.

    In a file it is the name alone, or a table of the name, the arguments, and a `label` for tables
    and figures where the same class occurs twice.
    """

    name: str
    label: Name | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        """Accept a bare name, and take every further key as an argument."""
        if isinstance(value, str):
            return {"name": value}
        if not isinstance(value, dict):
            return value
        own = {key: value[key] for key in ("name", "label") if key in value}
        further = {key: entry for key, entry in value.items() if key not in cls.model_fields}
        return own | {"arguments": value.get("arguments", {}) | further}

    @model_serializer
    def _flatten(self) -> dict[str, Any]:
        own: dict[str, Any] = {"name": self.name} | self.arguments
        return own if self.label is None else own | {"label": self.label}


class PopulationConfig(Part):
    """The law of the owners; see `market_sim.PopulationLaw`.

    `sizes = "partition"` takes the data sizes that the learning task's partition gives.
    """

    owners: Count = 10
    kinds: tuple[str, ...] = ("linear", "quadratic", "sqrt", "exponential")
    rate: Bounds = (0.5, 1.5)
    cap: Bounds = (0.5, 5.0)
    sizes: Sizes = "none"
    lifetime_cap: Positive | None = None
    single_minded: bool = False


class SettingConfig(Part):
    """A named change of the population, such as low or high sensitivity."""

    name: Name = "default"
    owners: Count | None = None
    kinds: tuple[str, ...] | None = None
    rate: Bounds | None = None
    cap: Bounds | None = None
    sizes: Sizes | None = None
    lifetime_cap: Positive | None = None
    single_minded: bool | None = None

    def changes(self) -> dict[str, Any]:
        """Return what differs from the scenario's population."""
        return self.model_dump(exclude={"name"}, exclude_none=True)


class BudgetConfig(Part):
    """The buyer's money: a law and the levels of the sweep.

    `sizes` says whether owners have data sizes under this law, if not as in the population.
    """

    law: BudgetLaw = "fixed"
    levels: tuple[Positive, ...] = Field(min_length=1)
    sizes: Sizes | None = None


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


class ErrorConfig(Part):
    """Constants of the error bound: L, the clip, and d, the number of parameters."""

    clip: Positive = 1.0
    dim: Count = 1


_WITHOUT_AUCTION = ("fair-value", "platform")


class Scenario(Part):
    """One experiment, complete: everything that decides its results but the machine.

    Attributes
    ----------
    experiment
        "auctions" (batches of sampled profiles), "market" (rounds with owners, buyers and
        learning), "audit" (attacks on mechanisms), "fair-value" (fair payments) or "platform"
        (the share that a platform pays out, and where users' choices then settle).
    seed, seeds
        The first seed and how many, one after another.
    profiles
        Profiles an auction or audit unit draws.
    owners
        Numbers of owners to sweep (auctions); the population's own where empty.
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
    payments: Annotated[tuple[PaymentsConfig, ...], BeforeValidator(as_tables)] = ()
    studies: Annotated[tuple[StudyConfig, ...], BeforeValidator(as_tables)] = ()
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
        for section, experiment in (("payments", "fair-value"), ("studies", "platform")):
            entries = getattr(self, section)
            if bool(entries) != (self.experiment == experiment):
                less = "no" if entries else "a"
                raise ValueError(f"{less} list [[{section}]], which is for {experiment!r}")
            _require_distinct(section, [entry.name for entry in entries])
        if self.experiment in _WITHOUT_AUCTION and self.budget:
            raise ValueError(f"no [[budget]], which {self.experiment!r} does not spend")
        if self.payments and self.seeds > 1:
            raise ValueError("one seed, since fair payments are exact: leave seeds out")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Refuse sections that the experiment would not use, and names that occur twice."""
        for section, experiment in (("market", "market"), ("learning", "market"), ("audit",) * 2):
            if getattr(self, section) is not None and self.experiment != experiment:
                raise ValueError(
                    f"no section [{section}], which is only for experiment = {experiment!r}"
                )
        if self.owners and self.experiment != "auctions":
            raise ValueError("no list 'owners', which only auctions sweep: use population.owners")
        if self.experiment == "audit" and [len(entry.levels) for entry in self.budget] != [1]:
            raise ValueError("one budget law with one level, which is all an audit takes")
        if self.experiment == "market" and self.error.clip != 1.0:
            raise ValueError("no error.clip, since a market's clip is that of its perturbation")
        if "partition" in self._sizes() and self.learning is None:
            raise ValueError("a [learning] section, from which sizes = 'partition' takes the sizes")
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
        return self.population.model_copy(update=changes)


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
