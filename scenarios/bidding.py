"""Experiment "bidding": where bids settle under each rule, what it costs, who can collude."""

from dataclasses import asdict
from typing import Any

import numpy as np

from market_sim import (
    BiddingGame,
    FirstPrice,
    Mechanism,
    MFGPricing,
    PopulationLaw,
    bayes_nash_bids,
    bidding_efficiency,
    collusion_audit,
    regret_scaling,
)
from market_sim.errors import InvalidInput, ScenarioError
from market_sim.games import Bidding, truthful
from market_sim.solvers.bidding_mean_field import Pays
from scenarios import registry
from scenarios.config import Scenario
from scenarios.joining import joined
from scenarios.privacy_games import BiddingConfig
from scenarios.units import Unit, law_of, mechanisms_at, plan, population_of

_TABLES = ("bidding", "bidding_strategies", "bidding_collusion", "bidding_crowds")
_POINTS = 41
_PAYS: dict[type[Mechanism], Pays] = {FirstPrice: "bid", MFGPricing: "share"}
"""Rules under which the truth is no equilibrium, and how they pay: see `mean_field_bids`."""
_COLLUSION = (
    "size",
    "profiles",
    "coalitions",
    "joint_lies",
    "gain_mean",
    "gain_max",
    "share",
    "paired_gain_mean",
    "paired_gain_max",
    "paired_share",
    "status",
)


def run_bidding(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Solve the bidding game of a unit's rule, judge it, and try coalitions and larger crowds.

    Returns
    -------
    The tables "bidding", "bidding_strategies", "bidding_collusion" and "bidding_crowds".
    """
    config = scenario.bidding or BiddingConfig()
    law = law_of(population_of(scenario, unit))
    mechanism = registry.build("mechanism", mechanisms_at(scenario, unit)[unit.mechanism])
    money = unit.level * unit.owners if unit.law == "per-owner" else unit.level
    game = BiddingGame(mechanism, law, unit.owners, money, fixed_cap=config.fixed_cap)
    blocks = _solved(game, config, unit.seed) | {
        "bidding_collusion": [
            _collusion(mechanism, law, money, config, size, unit.seed)
            for size in config.coalitions
            if size <= unit.owners
        ],
        "bidding_crowds": _crowds(mechanism, law, money / unit.owners, config, unit.seed),
    }
    where = {
        "seed": unit.seed,
        "setting": unit.setting,
        "owners": unit.owners,
        "budget_law": unit.law,
        "budget": unit.level,
        "mechanism": unit.mechanism,
    }
    return {name: joined(name, [where | each for each in blocks[name]]) for name in _TABLES}


def check_bidding(scenario: Scenario, origin: str) -> None:
    """Refuse owners whose costs are not linear, before anything runs.

    Raises
    ------
    ScenarioError
        Naming the file and what is wrong.
    """
    for unit in plan(scenario):
        law = law_of(population_of(scenario, unit))
        try:
            _ = law.unit_value_law
        except InvalidInput as problem:
            raise ScenarioError(
                f"{origin}: bidding games need linear costs, such as population.law = 'uniform': "
                f"{problem}"
            ) from problem


def _solved(game: BiddingGame, config: BiddingConfig, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Return the equilibrium with its evidence, and the strategy at the mean cap."""
    found = bayes_nash_bids(
        game,
        values=config.values,
        bids=config.bids,
        offers=None if config.fixed_cap else config.offers,
        steps=config.steps,
        profiles=config.profiles,
        seed=seed,
    )
    names = ("regret", "regret_error", "worst_regret", "residual", "status", "steps")
    facts = {name: getattr(found, name) for name in names} | {"converged": int(found.converged)}
    efficiency = bidding_efficiency(game, found.strategy, profiles=config.judged, seed=seed + 1)
    value = np.asarray(game.value_quantile(np.linspace(0.01, 0.99, _POINTS)))
    cap = np.full(_POINTS, game.law.cap_law.mean)
    bid, offered = found.strategy(value, cap)
    strategy = {"value": value, "bid": bid, "offered": offered / cap}
    return {"bidding": [facts | asdict(efficiency)], "bidding_strategies": [strategy]}


def _collusion(
    mechanism: Mechanism,
    law: PopulationLaw,
    money: float,
    config: BiddingConfig,
    size: int,
    seed: int,
) -> dict[str, Any]:
    report = collusion_audit(
        mechanism, law, budget=money, size=size, profiles=config.coalition_profiles, seed=seed
    )
    return {name: getattr(report, name) for name in _COLLUSION}


def _crowds(
    mechanism: Mechanism, law: PopulationLaw, share: float, config: BiddingConfig, seed: int
) -> list[dict[str, Any]]:
    """Return the regret of the truth, and of the mean field's bids, in ever larger markets."""
    if not config.crowds:
        return []
    plays: dict[str, Bidding | Pays] = {"truth": truthful}
    if (pays := _PAYS.get(type(mechanism))) is not None:
        plays["mean field"] = pays
    return [
        _regrets(name, play, mechanism, law, share, config, seed) for name, play in plays.items()
    ]


def _regrets(
    name: str,
    play: Bidding | Pays,
    mechanism: Mechanism,
    law: PopulationLaw,
    share: float,
    config: BiddingConfig,
    seed: int,
) -> dict[str, Any]:
    """Return regrets in money, by the number of owners."""
    found = regret_scaling(
        mechanism,
        law,
        config.crowds,
        share,
        play,
        fixed_cap=config.fixed_cap,
        draws=config.crowd_draws,
        seed=seed,
    )
    return {
        "play": name,
        "crowd": found.owners.astype(np.int64),
        "regret": share * found.regret,
        "regret_error": share * found.error,
        "slope": found.slope,
        "slope_low": found.interval[0],
        "slope_high": found.interval[1],
        "status": found.status,
    }
