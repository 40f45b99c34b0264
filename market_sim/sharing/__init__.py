"""The market of models: who imports whose model, at which price."""

from market_sim.sharing.audit import audit_sharing
from market_sim.sharing.distances import model_distances
from market_sim.sharing.law import SharingLaw
from market_sim.sharing.market import SharingMarket
from market_sim.sharing.outcome import SharingOutcome
from market_sim.sharing.payments import RULES, SharingPromises
from market_sim.sharing.report import SharingAuditReport, SharingAuditRow, SharingVerdict

__all__ = [
    "RULES",
    "SharingAuditReport",
    "SharingAuditRow",
    "SharingLaw",
    "SharingMarket",
    "SharingOutcome",
    "SharingPromises",
    "SharingVerdict",
    "audit_sharing",
    "model_distances",
]
