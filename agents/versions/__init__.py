"""The market for versions of one model: buyers, a broker, owners who choose their privacy."""

from agents.versions.buyers import Purchases, VersionBuyer
from agents.versions.market import VersionMarket
from agents.versions.owners import (
    Choice,
    PlayEquilibrium,
    PrivacyChoice,
    RespondInTurn,
    VersionOwner,
)
from agents.versions.season import Season
from agents.versions.terms import OwnerTerms, TradeTerms

__all__ = [
    "Choice",
    "OwnerTerms",
    "PlayEquilibrium",
    "PrivacyChoice",
    "Purchases",
    "RespondInTurn",
    "Season",
    "TradeTerms",
    "VersionBuyer",
    "VersionMarket",
    "VersionOwner",
]
