"""Mechanisms: one module each, all behind `Mechanism.clear(reports, budget)`."""

from market_sim.mechanisms.all_in import AllIn
from market_sim.mechanisms.base import Guarantees, KnownExpectation, Mechanism, PiecewiseConstant
from market_sim.mechanisms.baselines import NoPrivacy, UniformEpsilon
from market_sim.mechanisms.budget_capped_threshold import BudgetCappedThreshold
from market_sim.mechanisms.csra import CSRA
from market_sim.mechanisms.first_price import FirstPrice
from market_sim.mechanisms.leave_one_out import LeaveOneOut
from market_sim.mechanisms.linear_price import LinearPrice
from market_sim.mechanisms.mfg_pricing import MFGPricing
from market_sim.mechanisms.pac import PAC
from market_sim.mechanisms.posted_price import PostedPrice
from market_sim.mechanisms.proportional_share import ProportionalShare
from market_sim.mechanisms.vcg import VCG

__all__ = [
    "CSRA",
    "PAC",
    "VCG",
    "AllIn",
    "BudgetCappedThreshold",
    "FirstPrice",
    "Guarantees",
    "KnownExpectation",
    "LeaveOneOut",
    "LinearPrice",
    "MFGPricing",
    "Mechanism",
    "NoPrivacy",
    "PiecewiseConstant",
    "PostedPrice",
    "ProportionalShare",
    "UniformEpsilon",
]
