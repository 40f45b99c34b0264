"""Solvers: where play settles, and what a platform does best, each with its evidence.

A solver takes a game and knows no mechanism.
"""

from market_sim.solvers.bidding_bayes import bayes_nash_bids
from market_sim.solvers.bidding_complete import best_response_bids
from market_sim.solvers.bidding_mean_field import PriceTaker, mean_field_bids
from market_sim.solvers.bidding_measures import (
    BiddingEfficiency,
    RegretScaling,
    bidding_efficiency,
    regret_scaling,
)
from market_sim.solvers.bidding_mixed import typed_equilibrium
from market_sim.solvers.bidding_regret import (
    StrategyRegret,
    profile_gains,
    strategy_regret,
    typed_regret,
)
from market_sim.solvers.bidding_result import (
    BiddingEquilibrium,
    BidProfile,
    TypedEquilibrium,
)
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
from market_sim.solvers.mean_field import solve_mean_field
from market_sim.solvers.mean_field_players import PlayersGap
from market_sim.solvers.mean_field_result import MeanFieldSolution
from market_sim.solvers.mean_field_static import (
    StaticMeanField,
    mean_field_price,
    static_mean_field,
    static_regret,
)
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
    "BidProfile",
    "BiddingEfficiency",
    "BiddingEquilibrium",
    "Equilibrium",
    "Intervals",
    "MeanFieldSolution",
    "Path",
    "PlatformOptimum",
    "PlayersGap",
    "PriceTaker",
    "RegimeMap",
    "RegretScaling",
    "StaticMeanField",
    "StrategyRegret",
    "ThresholdRule",
    "Thresholds",
    "TypedEquilibrium",
    "basins",
    "bayes_nash_bids",
    "best_response",
    "best_response_bids",
    "bidding_efficiency",
    "cost_map",
    "equilibrium_interval",
    "equilibrium_partitions",
    "logit_choice",
    "logit_response",
    "mean_field_bids",
    "mean_field_price",
    "mixed_equilibria",
    "mixed_regret",
    "optimal_alpha",
    "optimal_alpha_unknown_costs",
    "profile_gains",
    "pure_equilibria",
    "pure_regret",
    "regret_scaling",
    "replicator",
    "response_paths",
    "solve_mean_field",
    "static_mean_field",
    "static_regret",
    "strategy_regret",
    "symmetric_equilibria",
    "symmetric_regret",
    "symmetric_thresholds",
    "typed_equilibrium",
    "typed_regret",
    "users_map",
    "variance_map",
]
