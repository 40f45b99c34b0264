"""Agents: owners, buyers and a broker who trade private gradients, in Mesa."""

from agents.broker import Broker, Delivery
from agents.buyer import BuyerTerms, ModelBuyer
from agents.drift import Drift, ReflectedDiffusion
from agents.following import MeanFieldFollowing, PriceTaking
from agents.learners import InertBestResponding, Learner, NoRegretReporting
from agents.ledger import Ledger
from agents.market import Market
from agents.owner import DataOwner
from agents.presets import FLMarket
from agents.strategies import Auction, BestResponding, MarketView, Scaled, Strategy, Truthful

__all__ = [
    "Auction",
    "BestResponding",
    "Broker",
    "BuyerTerms",
    "DataOwner",
    "Delivery",
    "Drift",
    "FLMarket",
    "InertBestResponding",
    "Learner",
    "Ledger",
    "Market",
    "MarketView",
    "MeanFieldFollowing",
    "ModelBuyer",
    "NoRegretReporting",
    "PriceTaking",
    "ReflectedDiffusion",
    "Scaled",
    "Strategy",
    "Truthful",
]
