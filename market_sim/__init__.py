"""market_sim: the economics of markets in which federated learning buys privacy and models.

Arrays in, values out. Every array has optional leading axes, then `owners`. What needs torch or a
heavy library is imported when it is first used.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from market_sim.aggregation import (
    Aggregator,
    BiasOpt,
    DataSize,
    ErrorOpt,
    VarOpt,
    WaterFilling,
    error_bound,
)
from market_sim.errors import (
    AuditError,
    ChecksumMismatch,
    DataUnavailable,
    InvalidInput,
    LedgerImbalance,
    MarketSimError,
    ResultsError,
    ScenarioError,
    TrainingError,
)
from market_sim.lazy import lazy_names
from market_sim.mechanisms import (
    AllIn,
    Guarantees,
    KnownExpectation,
    LinearPrice,
    Mechanism,
    PiecewiseConstant,
    PostedPrice,
)
from market_sim.outcome import Outcome
from market_sim.population import (
    Population,
    PopulationLaw,
    budgets,
    fl_market_2021,
    fl_market_2022,
    privacy_auction_law,
)
from market_sim.reports import Reports
from market_sim.streams import Streams
from market_sim.valuation import KINDS, Valuations

if TYPE_CHECKING:
    from market_sim.auditing import AuditReport, AuditRow, audit
    from market_sim.bounds import FullInformationBound, full_information_bound
    from market_sim.games import (
        AcquisitionGame,
        ContestEquilibrium,
        DPMeanEstimation,
        FairValues,
        FederatedMeanEstimation,
        LearnedUtility,
        RewardContest,
        Utility,
        fair_values,
        sampled_fair_values,
    )
    from market_sim.mechanisms.networks import (
        MURBA,
        DMRegretNet,
        EquivariantRegretNet,
        MRegretNet,
        SequentialMenu,
    )
    from market_sim.pricing import FittedMenu, PriceMenu
    from market_sim.solvers import (
        Equilibrium,
        PlatformOptimum,
        ThresholdRule,
        best_response,
        optimal_alpha,
        optimal_alpha_unknown_costs,
        pure_equilibria,
        symmetric_equilibria,
    )

_HOME = {
    "auditing": ("AuditReport", "AuditRow", "audit"),
    "bounds": ("FullInformationBound", "full_information_bound"),
    "games": (
        "AcquisitionGame",
        "ContestEquilibrium",
        "DPMeanEstimation",
        "FairValues",
        "FederatedMeanEstimation",
        "LearnedUtility",
        "RewardContest",
        "Utility",
        "fair_values",
        "sampled_fair_values",
    ),
    "mechanisms.networks": (
        "MURBA",
        "DMRegretNet",
        "EquivariantRegretNet",
        "MRegretNet",
        "SequentialMenu",
    ),
    "pricing": ("FittedMenu", "PriceMenu"),
    "solvers": (
        "Equilibrium",
        "PlatformOptimum",
        "ThresholdRule",
        "best_response",
        "optimal_alpha",
        "optimal_alpha_unknown_costs",
        "pure_equilibria",
        "symmetric_equilibria",
    ),
}
try:
    __version__ = version("market-sim")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0+uninstalled"

__all__ = [
    "KINDS",
    "MURBA",
    "AcquisitionGame",
    "Aggregator",
    "AllIn",
    "AuditError",
    "AuditReport",
    "AuditRow",
    "BiasOpt",
    "ChecksumMismatch",
    "ContestEquilibrium",
    "DMRegretNet",
    "DPMeanEstimation",
    "DataSize",
    "DataUnavailable",
    "Equilibrium",
    "EquivariantRegretNet",
    "ErrorOpt",
    "FairValues",
    "FederatedMeanEstimation",
    "FittedMenu",
    "FullInformationBound",
    "Guarantees",
    "InvalidInput",
    "KnownExpectation",
    "LearnedUtility",
    "LedgerImbalance",
    "LinearPrice",
    "MRegretNet",
    "MarketSimError",
    "Mechanism",
    "Outcome",
    "PiecewiseConstant",
    "PlatformOptimum",
    "Population",
    "PopulationLaw",
    "PostedPrice",
    "PriceMenu",
    "Reports",
    "ResultsError",
    "RewardContest",
    "ScenarioError",
    "SequentialMenu",
    "Streams",
    "ThresholdRule",
    "TrainingError",
    "Utility",
    "Valuations",
    "VarOpt",
    "WaterFilling",
    "audit",
    "best_response",
    "budgets",
    "error_bound",
    "fair_values",
    "fl_market_2021",
    "fl_market_2022",
    "full_information_bound",
    "optimal_alpha",
    "optimal_alpha_unknown_costs",
    "privacy_auction_law",
    "pure_equilibria",
    "sampled_fair_values",
    "symmetric_equilibria",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME, __all__)
