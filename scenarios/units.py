"""Units: the independent pieces of work of which a run consists."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from market_sim import PopulationLaw, privacy_auction_law
from market_sim.errors import ScenarioError
from scenarios import registry
from scenarios.config import Scenario
from scenarios.items import Item
from scenarios.populations import BudgetConfig, PopulationConfig, SettingConfig


@dataclass(frozen=True)
class Unit:
    """One piece of work; its results depend on the scenario and these fields only.

    Attributes
    ----------
    index
        Its place in the run, which orders the rows of the merged tables.
    seed, setting, owners, law, level
        The population and the money; on fair payments and platforms, `setting` names the entry.
    mechanism, aggregator
        Labels; empty where a unit serves all of them on the same profiles.
    population
        "single-minded" or "multi-minded" in audits, else empty.
    """

    index: int
    seed: int
    setting: str
    owners: int
    law: str
    level: float
    mechanism: str = ""
    aggregator: str = ""
    population: str = ""

    @property
    def id(self) -> str:
        """Name of its files; sorted by name, files are in the order of the units."""
        level = f"{self.law}-{self.level:g}" if self.law else ""
        parts = (self.setting, f"{self.owners}", level, self.population)
        named = [part for part in (*parts, self.mechanism, self.aggregator) if part]
        name = f"{self.index:06d}-seed{self.seed}-" + "-".join(named)
        return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:180]


def plan(scenario: Scenario) -> tuple[Unit, ...]:
    """Return the units of a scenario in order.

    Raises
    ------
    ScenarioError
        If the sweep repeats itself: a level or a number of owners occurs twice.
    """
    for entry in scenario.budget:
        _refuse_repeats(f"budget.{entry.law}.levels", entry.levels)
    _refuse_repeats("owners", scenario.owners)
    fields = {
        "auctions": _auction_units,
        "market": _market_units,
        "audit": _audit_units,
        "fair-value": _payment_units,
        "platform": _study_units,
        "training": _training_units,
        "attack": _attack_units,
        "versions": _version_units,
        "sharing": _sharing_units,
        "incentives": _incentive_units,
        "mean-field": _mean_field_units,
        "bidding": _attack_units,
    }[scenario.experiment](scenario)
    return tuple(Unit(index, **each) for index, each in enumerate(fields))  # type: ignore[arg-type]


def _refuse_repeats(key: str, values: tuple[float, ...]) -> None:
    if len(set(values)) < len(values):
        raise ScenarioError(f"{key} holds a value twice, expected different ones: {list(values)}")


def _places(scenario: Scenario) -> Iterator[dict[str, object]]:
    """All combinations of seed, setting and money."""
    for seed in scenario.seed_list:
        for setting in scenario.settings:
            for budget in scenario.budget:
                owners = scenario.population_of(setting, budget).owners
                for level in budget.levels:
                    yield {
                        "seed": seed,
                        "setting": setting.name,
                        "owners": owners,
                        "law": budget.law,
                        "level": level,
                    }


def _auction_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    for place in _places(scenario):
        for owners in scenario.owners or (place["owners"],):
            here = place | {"owners": owners}
            if any(item.meets(here) for item in scenario.mechanisms):
                yield here


def _market_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    mechanisms = registry.labels("mechanism", scenario.mechanisms)
    aggregators = [registry.label("aggregator", item) for item in scenario.aggregators]
    for place in _places(scenario):
        for mechanism, item in mechanisms:
            for aggregator in aggregators if item.meets(place) else ():
                yield place | {"mechanism": mechanism, "aggregator": aggregator}


def _audit_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    from scenarios.config import AuditConfig

    mechanisms = registry.labels("mechanism", scenario.mechanisms)
    populations = (scenario.audit or AuditConfig()).populations
    for place in _places(scenario):
        for mechanism, item in mechanisms:
            for population in populations:
                here = place | {"population": population}
                if item.meets(here):
                    yield here | {"mechanism": mechanism}


def _attack_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    mechanisms = registry.labels("mechanism", scenario.mechanisms)
    for place in _places(scenario):
        for mechanism, item in mechanisms:
            if item.meets(place):
                yield place | {"mechanism": mechanism}


def _training_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    """One network for each seed and setting; all levels of the budget are its law."""
    for seed in scenario.seed_list:
        for setting in scenario.settings:
            owners = scenario.population_of(setting, scenario.budget[0]).owners
            yield _entry(seed, setting.name, owners)


def _payment_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    for entry in scenario.payments:
        yield _entry(scenario.seed, entry.name, entry.users.number)


def _study_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    for seed in scenario.seed_list:
        for study in scenario.studies:
            yield _entry(seed, study.name, study.users.number)


def _version_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    for seed in scenario.seed_list:
        for market in scenario.versions:
            yield _entry(seed, market.name, market.owners.number)


def _sharing_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    for seed in scenario.seed_list:
        for market in scenario.sharing:
            yield _entry(seed, market.name, market.number)


def _incentive_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    for seed in scenario.seed_list:
        for entry in scenario.incentives:
            yield _entry(seed, entry.name, entry.number)


def _mean_field_units(scenario: Scenario) -> Iterator[dict[str, object]]:
    for seed in scenario.seed_list:
        for entry in scenario.mean_field:
            yield _entry(seed, entry.name, 1)


def _entry(seed: int, name: str, users: int) -> dict[str, object]:
    return {"seed": seed, "setting": name, "owners": users, "law": "", "level": 0.0}


def mechanisms_at(scenario: Scenario, unit: Unit) -> dict[str, Item]:
    """Return the mechanisms that take part where a unit is, by label."""
    place = {
        "setting": unit.setting,
        "law": unit.law,
        "owners": unit.owners,
        "population": unit.population,
    }
    found = registry.labels("mechanism", scenario.mechanisms)
    return {label: item for label, item in found if item.meets(place)}


def setting_of(scenario: Scenario, unit: Unit) -> SettingConfig:
    """Return the setting that a unit names."""
    return next(entry for entry in scenario.settings if entry.name == unit.setting)


def budget_of(scenario: Scenario, unit: Unit) -> BudgetConfig:
    """Return the budget law that a unit names."""
    return next(entry for entry in scenario.budget if entry.law == unit.law)


def population_of(scenario: Scenario, unit: Unit) -> PopulationConfig:
    """Return the population of a unit, its own number of owners included."""
    config = scenario.population_of(setting_of(scenario, unit), budget_of(scenario, unit))
    return config.model_copy(update={"owners": unit.owners})


def law_of(config: PopulationConfig, *, single_minded: bool | None = None) -> PopulationLaw:
    """Return the law to draw from; sizes that the partition decides are left out."""
    if config.law == "fl-market":
        fields = {name: getattr(config, name) for name in ("owners", "kinds", "rate", "cap")}
        law = PopulationLaw(**fields)
    else:
        law = privacy_auction_law(config.law, config.owners)
    return replace(
        law,
        sizes="reference" if config.sizes == "reference" else "none",
        lifetime_cap=float("inf") if config.lifetime_cap is None else config.lifetime_cap,
        single_minded=config.single_minded if single_minded is None else single_minded,
    )


def describe(unit: Unit) -> dict[str, object]:
    """Return the fields of a unit that say something."""
    return {name: value for name, value in asdict(unit).items() if value != ""}
