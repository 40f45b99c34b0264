"""Solvers: where play settles, and what a platform does best, each with its evidence.

A solver takes a game and knows no mechanism.
"""

from market_sim.solvers.design import optimal_alpha
from market_sim.solvers.dynamics import (
    Basins,
    basins,
    best_response,
    logit_choice,
    logit_response,
)
from market_sim.solvers.equilibrium import Equilibrium
from market_sim.solvers.intervals import Intervals
from market_sim.solvers.optimum import REGIMES, PlatformOptimum, Thresholds
from market_sim.solvers.pure import (
    equilibrium_interval,
    equilibrium_partitions,
    pure_equilibria,
)
from market_sim.solvers.regime_map import RegimeMap, cost_map, users_map, variance_map
from market_sim.solvers.regret import mixed_regret, pure_regret, symmetric_regret
from market_sim.solvers.replicator import replicator
from market_sim.solvers.responses import Path, response_paths
from market_sim.solvers.symmetric import symmetric_equilibria
from market_sim.solvers.symmetric_design import symmetric_thresholds
from market_sim.solvers.two_users import mixed_equilibria
from market_sim.solvers.unknown_costs import ThresholdRule, optimal_alpha_unknown_costs

__all__ = [
    "REGIMES",
    "Basins",
    "Equilibrium",
    "Intervals",
    "Path",
    "PlatformOptimum",
    "RegimeMap",
    "ThresholdRule",
    "Thresholds",
    "basins",
    "best_response",
    "cost_map",
    "equilibrium_interval",
    "equilibrium_partitions",
    "logit_choice",
    "logit_response",
    "mixed_equilibria",
    "mixed_regret",
    "optimal_alpha",
    "optimal_alpha_unknown_costs",
    "pure_equilibria",
    "pure_regret",
    "replicator",
    "response_paths",
    "symmetric_equilibria",
    "symmetric_regret",
    "symmetric_thresholds",
    "users_map",
    "variance_map",
]
