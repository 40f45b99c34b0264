"""Mechanisms: one module each, all behind `Mechanism.clear(reports, budget)`."""

from market_sim.mechanisms.all_in import AllIn
from market_sim.mechanisms.base import Guarantees, KnownExpectation, Mechanism, PiecewiseConstant
from market_sim.mechanisms.linear_price import LinearPrice
from market_sim.mechanisms.posted_price import PostedPrice

__all__ = [
    "AllIn",
    "Guarantees",
    "KnownExpectation",
    "LinearPrice",
    "Mechanism",
    "PiecewiseConstant",
    "PostedPrice",
]
