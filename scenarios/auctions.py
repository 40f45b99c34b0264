"""Experiment "auctions": every mechanism and aggregator on the same sampled profiles."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from market_sim import Aggregator, Mechanism, Population, Streams, budgets, error_bound
from market_sim.bounds import purchase_bound, purchase_limit
from market_sim.shapes import Array
from scenarios import registry
from scenarios.config import Scenario
from scenarios.markets import one_thread
from scenarios.units import Unit, law_of, mechanisms_at, population_of

Columns = dict[str, Any]
POSSIBLE = ("full-information", "full-information-bound")
"""Names of the rows of what is possible: a purchase with full information, a proved bound."""
_NUMBERS_AT_ONCE = 1_000_000  # bounds the memory of a unit: profiles times owners of a batch


def run_auctions(scenario: Scenario, unit: Unit) -> dict[str, Columns]:
    """Clear all profiles of a unit by every mechanism and weigh the sales by every aggregator.

    The profiles depend on the seed, the setting and the number of owners only, so mechanisms,
    aggregators and budgets meet the same ones (common random numbers).

    Returns
    -------
    The table "auctions" with a row for each mechanism and aggregator and, if the scenario asks for
    the bound, two for what full information makes possible.
    """
    error = scenario.error
    mechanisms = {
        name: registry.build("mechanism", item)
        for name, item in mechanisms_at(scenario, unit).items()
    }
    aggregators = {
        registry.label("aggregator", item): registry.build_aggregator(item, error.clip, error.dim)
        for item in scenario.aggregators
    }
    parts: dict[tuple[str, str], list[Columns]] = defaultdict(list)
    with one_thread("torch" in sys.modules):
        for population in _batches(scenario, unit):
            money = budgets(population, unit.level, unit.law)  # type: ignore[arg-type]
            possible = _possible(population, money, scenario)
            least = {"possible": possible[POSSIBLE[1]]["error_bound"]} if possible else {}
            least |= {"most": _most(population, money)}
            for name, mechanism in mechanisms.items():
                for key, found in _measure(population, money, mechanism, aggregators, scenario):
                    parts[name, key].append(found | least)
            for name, found in possible.items():
                parts[name, "error-opt"].append(found | least)
    limit = _limit(scenario, unit)
    rows = [_row(scenario, unit, *names, found, limit) for names, found in parts.items()]
    return {"auctions": {name: [row[name] for row in rows] for name in rows[0]}}


def _batches(scenario: Scenario, unit: Unit) -> Iterator[Population]:
    """Draw the profiles in batches that fit in memory."""
    law = law_of(population_of(scenario, unit))
    streams = Streams(unit.seed)
    most = max(1, _NUMBERS_AT_ONCE // law.owners)
    for batch, first in enumerate(range(0, scenario.profiles, most)):
        size = min(most, scenario.profiles - first)
        yield law.sample(streams.generator("profiles", batch), (size,))


def _measure(
    population: Population,
    money: Array,
    mechanism: Mechanism,
    aggregators: dict[str, Aggregator],
    scenario: Scenario,
) -> Iterator[tuple[str, Columns]]:
    """Yield, for each aggregator, what one mechanism did: arrays with one number a profile."""
    outcome = mechanism.clear(population.reports(), money)
    sold, size = outcome.epsilon, population.data_size
    utility = outcome.utility(population.valuations, population.cap, size)
    common = {
        "spent_share": outcome.spent / money,
        "winners": outcome.winners.sum(axis=-1),
        "epsilon": sold.mean(axis=-1),
        "cost": population.cost(sold).mean(axis=-1),
        "owner_utility": utility.mean(axis=-1),
    }
    for name, aggregator in aggregators.items():
        weights = aggregator.weights(sold, size)
        bound = error_bound(weights, sold, size, scenario.error.clip, scenario.error.dim)
        yield name, common | {"error_bound": bound}


def _possible(population: Population, money: Array, scenario: Scenario) -> dict[str, Columns]:
    """Return the least error with full information, a purchase and a proved bound; or nothing."""
    if not scenario.bound:
        return {}
    from market_sim import full_information_bound

    error = scenario.error
    best = full_information_bound(population.reports(), money, clip=error.clip, dim=error.dim)
    bought = np.isfinite(best.upper)
    purchase = {
        "error_bound": best.upper,
        "spent_share": population.cost(best.epsilon).sum(axis=-1) / money,
        "winners": (best.epsilon > 0).sum(axis=-1),
        "epsilon": best.epsilon.mean(axis=-1),
        "cost": population.cost(best.epsilon).mean(axis=-1),
        "owner_utility": np.zeros(money.shape),
    }
    unknown = dict.fromkeys(
        ("spent_share", "epsilon", "cost", "owner_utility"), np.full(money.shape, np.nan)
    )
    proof = unknown | {"error_bound": best.lower, "winners": np.where(bought, 1, 0)}
    return dict(zip(POSSIBLE, (purchase, proof), strict=True))


def _most(population: Population, money: Array) -> Array:
    """Return the epsilon that the money buys with full information; NaN if costs are not linear."""
    if set(np.unique(population.valuations.names)) != {"linear"}:
        return np.full(money.shape, np.nan)
    return purchase_bound(population.reports(), money)


def _limit(scenario: Scenario, unit: Unit) -> float:
    """Return what the best truthful rule buys of that among very many owners; NaN if unknown."""
    law = law_of(population_of(scenario, unit))
    if set(law.kinds) != {"linear"} or law.sizes != "none" or unit.law == "proportional":
        return float("nan")
    money = unit.level if unit.law == "per-owner" else unit.level / unit.owners
    return purchase_limit(law, money).ratio


def _row(
    scenario: Scenario,
    unit: Unit,
    mechanism: str,
    aggregator: str,
    parts: list[Columns],
    limit: float,
) -> Columns:
    """Return a row: means over profiles, and the error bound over those with a winner."""
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    won = found["winners"] > 0
    bound = found["error_bound"][won]
    ratio = unit.owners * found["epsilon"] / found["most"]
    least = found["possible"][won].mean() if "possible" in found and bound.size else np.nan
    return {
        "seed": unit.seed,
        "setting": unit.setting,
        "owners": unit.owners,
        "budget_law": unit.law,
        "budget": unit.level,
        "mechanism": mechanism,
        "aggregator": aggregator,
        "profiles": scenario.profiles,
        "profiles_with_winner": bound.size,
        "error_bound_mean": bound.mean() if bound.size else np.inf,
        "error_bound_se": bound.std(ddof=1) / np.sqrt(bound.size) if bound.size > 1 else np.nan,
        "error_bound_median": np.median(bound) if bound.size else np.inf,
        "spent_share_mean": found["spent_share"].mean(),
        "winners_mean": np.nan if mechanism == POSSIBLE[1] else found["winners"].mean(),
        "epsilon_mean": found["epsilon"].mean(),
        "owner_utility_mean": found["owner_utility"].mean(),
        "ratio_to_possible": bound.mean() / least if bound.size else np.nan,
        "cost_mean": found["cost"].mean(),
        "purchase_ratio_mean": ratio.mean(),
        "purchase_ratio_se": ratio.std(ddof=1) / np.sqrt(ratio.size) if ratio.size > 1 else np.nan,
        "purchase_limit": limit,
    }
