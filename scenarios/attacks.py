"""Experiment "attack": what attacks of growing strength find, and the error bound beside it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from market_sim import Mechanism, Population, Reports, Streams, audit, budgets, error_bound
from market_sim.shapes import Array
from scenarios import registry
from scenarios.config import AttackConfig, Scenario
from scenarios.markets import one_thread
from scenarios.schemas import TABLES
from scenarios.units import Unit, law_of, mechanisms_at, population_of

Row = dict[str, Any]


def run_attack(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Attack one mechanism: a learned auction by gradients, any other as an audit does.

    Owners are drawn from the seed, the setting and the budget law only, so mechanisms meet the
    same ones. Owners of learned auctions are attacked in expected utility.

    Returns
    -------
    The tables "attack" and "certificates". A learned auction has a row for the test that was
    published with it and one for each strength; any other mechanism has one row.
    """
    with one_thread(wanted=True):
        mechanism = registry.build("mechanism", mechanisms_at(scenario, unit)[unit.mechanism])
        population, money = owners_of(scenario, unit, scenario.profiles)
        error = _error(scenario, unit, mechanism)
        rows = [row | error for row in _attacks(scenario, unit, mechanism, population, money)]
        proved = list(_certificates(scenario, unit, mechanism))
    where = {
        "seed": unit.seed,
        "setting": unit.setting,
        "owners": unit.owners,
        "budget_law": unit.law,
        "budget": unit.level,
        "mechanism": unit.mechanism,
        "profiles": scenario.profiles,
    }
    found = {"attack": [where | row for row in rows], "certificates": [where | p for p in proved]}
    return {
        table: {name: [entry[name] for entry in entries] for name in TABLES[table]}
        for table, entries in found.items()
    }


def owners_of(scenario: Scenario, unit: Unit, profiles: int) -> tuple[Population, Array]:
    """Draw the owners of a unit and the money of each profile."""
    law = law_of(population_of(scenario, unit))
    population = law.sample(Streams(unit.seed).generator("profiles", 0), (profiles,))
    return population, budgets(population, unit.level, unit.law)  # type: ignore[arg-type]


def _attacks(
    scenario: Scenario, unit: Unit, mechanism: Mechanism, population: Population, money: Array
) -> Iterator[Row]:
    from market_sim.mechanisms.networks.base import DifferentiableMechanism

    if isinstance(mechanism, DifferentiableMechanism):
        yield from _gradient_rows(scenario, unit, mechanism, population, money)
    else:
        yield _audit_row(unit, mechanism, population, money)


def _gradient_rows(
    scenario: Scenario, unit: Unit, mechanism: Any, population: Population, money: Array
) -> Iterator[Row]:
    """Yield the published test and then every strength, all on the same owners."""
    from market_sim.mechanisms.networks.attack_curve import attack_curve
    from market_sim.mechanisms.networks.published_test import published_test

    config = scenario.attack or AttackConfig()
    reports = population.reports()
    seed = Streams(unit.seed).seed("attack")
    curve = attack_curve(mechanism, reports, money, config.strengths, seed=seed).results
    weak = published_test(mechanism, reports, money, config.published_steps).regret
    paid, loss = curve[0].payment, np.maximum(-curve[0].utility, 0.0)
    rational = {"ir_violation_mean": loss.mean(), "ir_violation_max": loss.max()}
    own = {"method": "published", "restarts": 1, "steps": config.published_steps}
    yield own | _regret(weak, paid) | rational | {"gain_share": float((weak > 0.01 * paid).mean())}
    for found in curve:
        strength = {"method": "gradient", "restarts": found.restarts, "steps": found.steps}
        share = {"gain_share": found.gain_share}
        yield strength | _regret(found.regret, paid) | rational | share


def _regret(regret: Array, paid: Array) -> Row:
    total = float(paid.sum())
    return {
        "regret_mean": regret.mean(),
        "regret_p95": np.quantile(regret, 0.95),
        "regret_max": regret.max(),
        "regret_share": float(regret.sum()) / total if total > 0 else np.nan,
    }


def _audit_row(unit: Unit, mechanism: Mechanism, population: Population, money: Array) -> Row:
    """Return what the audit of any mechanism finds, lies in value and cap together."""
    report = audit(mechanism, population, budget=money, seed=unit.seed)
    row = next(row for row in report.rows if row.deviation == "both")
    outcome = mechanism.clear(population.reports(), money)
    utility = outcome.utility(population.valuations, population.cap, population.data_size)
    paid = float(outcome.payment.mean())
    return {
        "method": row.method,
        "restarts": 0,
        "steps": 0,
        "regret_mean": row.regret_mean,
        "regret_p95": row.regret_p95,
        "regret_max": row.regret_max,
        "regret_share": row.regret_mean / paid if paid > 0 else np.nan,
        "gain_share": row.gain_share,
        "ir_violation_mean": np.maximum(-utility, 0.0).mean(),
        "ir_violation_max": row.ir_violation_max,
    }


def _certificates(scenario: Scenario, unit: Unit, mechanism: Any) -> Iterator[Row]:
    """Yield the proved bounds of a mechanism for which they are asked, a row a radius."""
    config = scenario.attack or AttackConfig()
    if unit.mechanism not in config.certify:
        return
    from market_sim.mechanisms.networks.attack_starts import Region
    from market_sim.mechanisms.networks.certificate import certify

    population, money = owners_of(scenario, unit, config.certified_profiles)
    reports = population.reports()
    paid = _expected_payment(mechanism, reports, money)
    for radius in config.radii:
        region = Region(rate=(1.0 - radius, 1.0 + radius), cap=(1.0 - radius, 1.0))
        proof = certify(mechanism, reports, money, region=region, boxes=config.boxes)
        yield {
            "radius": radius,
            "profiles": config.certified_profiles,
            "lower_mean": proof.lower.mean(),
            "upper_mean": proof.upper.mean(),
            "lower_max": proof.lower.max(),
            "upper_max": proof.upper.max(),
            "lower_share": proof.lower.sum() / paid if paid > 0 else np.nan,
            "upper_share": proof.upper.sum() / paid if paid > 0 else np.nan,
            "closed_share": proof.closed.mean(),
            "boxes": proof.boxes,
        }


def _expected_payment(mechanism: Any, reports: Reports, money: Array) -> float:
    """Return the money that all truthful owners together can expect."""
    import torch

    from market_sim.mechanisms.networks.base import Bids

    outcome = mechanism.expected_outcome(Bids.from_reports(reports), torch.tensor(money))
    return float(outcome.payment.detach().sum())


def _error(scenario: Scenario, unit: Unit, mechanism: Mechanism) -> Row:
    """Return the error bound of the first aggregator, over the profiles with a winner."""
    population, money = owners_of(scenario, unit, (scenario.attack or AttackConfig()).clears)
    item, error = scenario.aggregators[0], scenario.error
    outcome = mechanism.clear(population.reports(), money)
    aggregator = registry.build_aggregator(item, error.clip, error.dim)
    weights = aggregator.weights(outcome.epsilon, population.data_size)
    bound = error_bound(weights, outcome.epsilon, population.data_size, error.clip, error.dim)
    won = bound[outcome.winners.any(axis=-1)]
    return {
        "aggregator": registry.label("aggregator", item),
        "no_winner": 1.0 - won.size / bound.size,
        "error_bound_mean": won.mean() if won.size else np.inf,
        "error_bound_se": won.std(ddof=1) / np.sqrt(won.size) if won.size > 1 else np.nan,
    }
