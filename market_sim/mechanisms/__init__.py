"""Mechanisms: one module each, all behind `Mechanism.clear(reports, budget)`."""

from market_sim.mechanisms.all_in import AllIn
from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant

__all__ = ["AllIn", "Guarantees", "Mechanism", "PiecewiseConstant"]
