"""Aggregators: weights for the bought gradients, and the bound on the error of their sum."""

from market_sim.aggregation.base import Aggregator, error_bound
from market_sim.aggregation.error_opt import ErrorOpt
from market_sim.aggregation.rules import BiasOpt, DataSize, EpsilonShare, VarOpt, WaterFilling

__all__ = [
    "Aggregator",
    "BiasOpt",
    "DataSize",
    "EpsilonShare",
    "ErrorOpt",
    "VarOpt",
    "WaterFilling",
    "error_bound",
]
