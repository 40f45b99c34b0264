"""Experiment "versions": a market for versions of one model, at every point of its sweep."""

from typing import TYPE_CHECKING, Any

import numpy as np

from market_sim import Streams
from market_sim.errors import InvalidInput, ScenarioError
from scenarios import registry
from scenarios.config import Scenario
from scenarios.joining import joined
from scenarios.markets import load_data, one_thread
from scenarios.units import Unit
from scenarios.version_markets import VersionMarketConfig

if TYPE_CHECKING:
    from agents.versions import VersionMarket
    from market_sim.learning import VersionTask
    from market_sim.pricing import BuyerLaw
    from market_sim.versions import OwnerNoise, SaleTerms

_TABLES = (
    "version_markets",
    "versions",
    "version_owners",
    "version_buyers",
    "version_choices",
    "version_ledger",
)


def run_versions(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Run the market that a unit names, once for each rule of pricing and value of its sweep.

    Buyers, costs, data and noise depend on the seed only, so rules and values meet the same ones.

    Returns
    -------
    The tables "version_markets", "versions", "version_owners", "version_buyers",
    "version_choices" and "version_ledger".
    """
    entry = next(each for each in scenario.versions if each.name == unit.setting)
    learns = entry.learns and scenario.learning is not None
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    with one_thread(learns):
        for x in entry.sweep.values if entry.sweep else (None,):
            config = entry.at(x)
            task = task_of(scenario, config, unit.seed) if learns else None
            for pricing in config.broker.pricing:
                where = {
                    "seed": unit.seed,
                    "market": entry.name,
                    "title": entry.title or entry.name,
                    "x_name": entry.sweep.parameter if entry.sweep else "",
                    "x": float("nan") if x is None else float(x),
                    "pricing": pricing,
                }
                for name, block in _measured(config, pricing, task, unit.seed).items():
                    parts[name].append(where | block)
    return {name: joined(name, blocks) for name, blocks in parts.items()}


def check_versions(scenario: Scenario, origin: str) -> None:
    """Refuse markets that cannot be set up, before anything runs.

    Raises
    ------
    ScenarioError
        Naming the file, the market and what is wrong with it.
    """
    for entry in scenario.versions:
        for x in entry.sweep.values if entry.sweep else (None,):
            try:
                config = entry.at(x)
                for pricing in config.broker.pricing:
                    market_of(config, pricing, None, scenario.seed)
            except (InvalidInput, ValueError) as problem:
                raise ScenarioError(f"{origin}: versions.{entry.name}: {problem}") from problem


def market_of(
    config: VersionMarketConfig, pricing: str, task: "VersionTask | None", seed: int
) -> "VersionMarket":
    """Return the market of a record.

    Raises
    ------
    InvalidInput
        If a part is outside its domain.
    """
    from agents.versions import OwnerTerms, TradeTerms, VersionMarket
    from market_sim.versions import PrivacyRule

    owners, broker = config.owners, config.broker
    rng = Streams(seed).generator("version owners")
    cost = rng.uniform(*owners.cost, owners.number)
    lies = rng.random(owners.number) < owners.liars
    sizes = np.full(owners.number, float(owners.samples)) if task is None else task.data_size
    terms = TradeTerms(
        sale_terms(config, pricing),
        config.buyers.surveyed,
        privacy=PrivacyRule(owners.low, np.inf if owners.high is None else owners.high),
        noise=noise_of(config),
        settlement=broker.settlement,
        assignment=owners.assignment,
        arbitrageurs=config.buyers.arbitrageurs,
        draws=broker.draws,
        best_pool=broker.best_pool,
    )
    return VersionMarket(
        OwnerTerms(cost, sizes, np.where(lies, owners.lie, 1.0), owners.q, owners.p),
        law_of_buyers(config),
        terms,
        task=task,
        choice=owners.choice,
        seed=seed,
    )


def sale_terms(config: VersionMarketConfig, pricing: str) -> "SaleTerms":
    """Return how the broker prices and what she promises."""
    from market_sim.versions import SaleTerms

    broker = config.broker
    return SaleTerms(
        config.buyers.number,
        pricing,
        exponent=broker.exponent,
        weight=broker.weight,
        cut=broker.cut,
        pool=broker.pool,
        confidence=broker.confidence,
        lowest=broker.lowest,
    )


def law_of_buyers(config: VersionMarketConfig) -> "BuyerLaw":
    """Return the law of buyers."""
    from market_sim.pricing import BuyerLaw

    buyers = config.buyers
    return BuyerLaw(buyers.labels, buyers.worth, buyers.demand or None, buyers.spread)


def noise_of(config: VersionMarketConfig) -> "OwnerNoise":
    """Return how epsilon becomes noise."""
    from market_sim.versions import OwnerNoise

    return OwnerNoise(**config.noise.model_dump())


def _measured(
    config: VersionMarketConfig, pricing: str, task: "VersionTask | None", seed: int
) -> dict[str, dict[str, Any]]:
    """Run one market and return its tables, without the columns that place them."""
    market = market_of(config, pricing, task, seed)
    market.run(config.rounds)
    tables = market.tables()
    found: dict[str, dict[str, Any]] = {
        "version_markets": tables["versions_seasons"],
        "versions": tables["versions"],
        "version_owners": tables["version_owners"],
        "version_buyers": tables["version_buyers"],
        "version_ledger": tables["ledger"],
    }
    if config.choices:
        found["version_choices"] = _choices(market, config, pricing)
    return found


def _choices(market: "VersionMarket", config: VersionMarketConfig, pricing: str) -> dict[str, Any]:
    """Return the broker's choices on the survey of the last round, from what owners report."""
    from market_sim.versions import broker_choices, contest_play

    season, sale = market.last, sale_terms(config, pricing)
    play = contest_play(market.reported, market.owner_terms.data_size, market.terms.noise)
    found = broker_choices(season.survey, market.reported, play, sale, season.quotes)
    return {
        "versions": [choice.versions for choice in found],
        "pool": [choice.pool for choice in found],
        "cut": [choice.cut for choice in found],
        "expected_revenue": [choice.expected_revenue for choice in found],
        "expected_profit": [choice.expected_profit for choice in found],
    }


def task_of(scenario: Scenario, config: VersionMarketConfig, seed: int) -> "VersionTask":
    """Return the learning task of a market's owners.

    Raises
    ------
    ScenarioError
        If the scenario has no section [learning].
    """
    from market_sim.learning import VersionTask

    learning = scenario.learning
    if learning is None:
        raise ScenarioError("a market that learns needs a section [learning]")
    streams = Streams(seed)
    data = load_data(learning.dataset)
    partition = registry.build(
        "partition",
        learning.partition,
        labels=data.train.labels,
        owners=config.owners.number,
        rng=streams.generator("partition"),
    )
    return VersionTask(
        data,
        registry.build("model", learning.model),
        partition,
        rounds=config.noise.rounds,
        learning_rate=learning.learning_rate,
        clip=config.noise.clip,
        streams=streams,
    )
