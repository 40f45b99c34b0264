"""Games: what users get as a function of what all of them do."""

from market_sim.games.acquisition import AcquisitionGame
from market_sim.games.base import Game
from market_sim.games.bidding import BiddingGame
from market_sim.games.bidding_strategy import Bidding, BidStrategy, truthful
from market_sim.games.bidding_types import TypedBidding, typed_bidding
from market_sim.games.contest import RewardContest
from market_sim.games.contest_result import ContestEquilibrium
from market_sim.games.dp_mean import DPMeanEstimation
from market_sim.games.fair_value import FairValues, fair_values
from market_sim.games.federated_mean import FederatedMeanEstimation
from market_sim.games.learned import LearnedUtility
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.games.potential import PotentialTable
from market_sim.games.sampling import sampled_fair_values
from market_sim.games.semivalue import PaymentsUnbalanced
from market_sim.games.symmetric import SymmetricPlay
from market_sim.games.utility import (
    FunctionUtility,
    SymmetricUtility,
    TableUtility,
    Utility,
)

__all__ = [
    "AcquisitionGame",
    "BidStrategy",
    "Bidding",
    "BiddingGame",
    "ContestEquilibrium",
    "DPMeanEstimation",
    "FairValues",
    "FederatedMeanEstimation",
    "FunctionUtility",
    "Game",
    "LearnedUtility",
    "MeanFieldGame",
    "PaymentsUnbalanced",
    "PotentialTable",
    "RewardContest",
    "SymmetricPlay",
    "SymmetricUtility",
    "TableUtility",
    "TypedBidding",
    "Utility",
    "fair_values",
    "sampled_fair_values",
    "truthful",
    "typed_bidding",
]
