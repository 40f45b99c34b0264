"""Agents: owners, buyers and a broker who trade private gradients, in Mesa."""

from agents.broker import Broker, Delivery
from agents.buyer import BuyerTerms, ModelBuyer
from agents.ledger import Ledger
from agents.market import Market
from agents.owner import DataOwner
from agents.presets import FLMarket
from agents.strategies import BestResponding, MarketView, Scaled, Strategy, Truthful

__all__ = [
    "BestResponding",
    "Broker",
    "BuyerTerms",
    "DataOwner",
    "Delivery",
    "FLMarket",
    "Ledger",
    "Market",
    "MarketView",
    "ModelBuyer",
    "Scaled",
    "Strategy",
    "Truthful",
]
