"""Audit: individual rationality, budget and regret of any mechanism, tested by attack."""

from market_sim.auditing.auditor import audit
from market_sim.auditing.checked import Clears
from market_sim.auditing.collusion import CollusionReport, collusion_audit
from market_sim.auditing.default import default_audit
from market_sim.auditing.deviations import best_deviations
from market_sim.auditing.report import AuditReport, AuditRow, Verdict

__all__ = [
    "AuditReport",
    "AuditRow",
    "Clears",
    "CollusionReport",
    "Verdict",
    "audit",
    "best_deviations",
    "collusion_audit",
    "default_audit",
]
