"""The market for models: participants who learn from each other and pay for it."""

from agents.sharing.market import ModelMarket, Participant
from agents.sharing.records import SharingRound
from agents.sharing.roles import (
    ROLES,
    Attacker,
    Buyer,
    Leaver,
    Liar,
    Role,
    Seller,
    Terms,
    Trader,
)
from agents.sharing.terms import TradeRule

__all__ = [
    "ROLES",
    "Attacker",
    "Buyer",
    "Leaver",
    "Liar",
    "ModelMarket",
    "Participant",
    "Role",
    "Seller",
    "SharingRound",
    "Terms",
    "TradeRule",
    "Trader",
]
