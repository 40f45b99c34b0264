"""Users who choose privacy levels for fair payments, and platforms that set or learn the share."""

from agents.acquisition.behaviors import Behavior, BestResponse, LogitResponse, NoRegret
from agents.acquisition.market import AcquisitionMarket
from agents.acquisition.platform import (
    BreakpointLearner,
    LearningPlatform,
    Platform,
    PlatformRegret,
)
from agents.acquisition.three_ways import MeanField, ThreeWays, mean_field, solve_three_ways
from agents.acquisition.users import DataUser

__all__ = [
    "AcquisitionMarket",
    "Behavior",
    "BestResponse",
    "BreakpointLearner",
    "DataUser",
    "LearningPlatform",
    "LogitResponse",
    "MeanField",
    "NoRegret",
    "Platform",
    "PlatformRegret",
    "ThreeWays",
    "mean_field",
    "solve_three_ways",
]
