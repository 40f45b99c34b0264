"""Experiment "incentives": the promises of payment rules, tried on random markets for models."""

from typing import TYPE_CHECKING, Any

import numpy as np

from market_sim import Streams
from scenarios.config import Scenario
from scenarios.joining import joined
from scenarios.sharing_markets import IncentiveConfig
from scenarios.units import Unit

if TYPE_CHECKING:
    from market_sim.sharing import SharingAuditReport, SharingMarket, SharingOutcome

_TABLES = ("incentives", "incentive_markets", "incentive_edges")
_FACTS = (
    "edges",
    "buyers",
    "edge_violations",
    "edge_loss_max",
    "buyer_violations",
    "buyer_loss_max",
    "imbalance_max",
    "deficit_mean",
    "deficit_max",
    "optimal_share_mean",
    "optimal_share_min",
)


def run_incentives(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Draw the markets that a unit names and audit every rule on the same ones.

    Returns
    -------
    The tables "incentives", "incentive_markets" and "incentive_edges".
    """
    entry = next(each for each in scenario.incentives if each.name == unit.setting)
    markets = _markets(entry, unit.seed)
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    for rule in entry.rules:
        for name, blocks in _tried(entry, markets, rule).items():
            where = {
                "seed": unit.seed,
                "market": entry.name,
                "title": entry.title or entry.name,
                "rule": rule,
            }
            parts[name] += [where | block for block in blocks]
    return {name: joined(name, blocks) for name, blocks in parts.items()}


def _markets(entry: IncentiveConfig, seed: int) -> list["SharingMarket"]:
    from market_sim.sharing import SharingLaw

    fields = ("data_size", "gain", "cost", "distance", "penalty")
    law = SharingLaw(entry.number, **{name: getattr(entry, name) for name in fields})
    rng = Streams(seed).generator("sharing markets")
    return [law.sample(rng) for _ in range(entry.markets)]


def _tried(
    entry: IncentiveConfig, markets: list["SharingMarket"], rule: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the blocks of each table under one rule."""
    from market_sim.sharing import audit_sharing

    report = audit_sharing(markets, rule, lies=entry.lies)
    outcomes = [market.clear(rule) for market in markets]
    return {
        "incentives": _lies(report),
        "incentive_markets": [_market(draw, outcome) for draw, outcome in enumerate(outcomes)],
        "incentive_edges": [
            _edges(draw, outcome)
            for draw, outcome in enumerate(outcomes[: entry.shown])
            if outcome.imports.any()
        ],
    }


def _lies(report: "SharingAuditReport") -> list[dict[str, Any]]:
    facts = {name: getattr(report, name) for name in _FACTS}
    names = ("deviation", "lies", "regret_mean", "regret_max", "gain_share", "lie_share")
    return [
        {"graph": report.graph, "markets": report.markets, "test": row.method}
        | {name: getattr(row, name) for name in names}
        | facts
        for row in report.rows
    ]


def _market(draw: int, outcome: "SharingOutcome") -> dict[str, Any]:
    return {
        "graph": outcome.graph_kind,
        "draw": draw,
        "imports": int(outcome.imports.sum()),
        "money": float(outcome.payment.sum()),
        "deficit": outcome.deficit,
        "welfare": outcome.welfare,
        "net_welfare": outcome.net_welfare,
        "optimal_share": outcome.optimal_share,
    }


def _edges(draw: int, outcome: "SharingOutcome") -> dict[str, Any]:
    market, problems = outcome.market, outcome.market.problems
    buyer, seller = np.nonzero(outcome.imports)
    marginal = problems.added(outcome.imports)
    return {
        "graph": outcome.graph_kind,
        "draw": draw,
        "seller": seller,
        "buyer": buyer,
        "price": outcome.payment[buyer, seller],
        "received": outcome.received[buyer, seller],
        "gained": marginal[buyer, seller],
        "penalty": market.edge_penalty[buyer, seller],
        "cost": market.cost[seller],
        "buyer_gain": outcome.gain[buyer],
        "buyer_spent": outcome.spent[buyer],
    }
