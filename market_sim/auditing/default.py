"""The audit of All-in that the command runs by default: three payments, two populations."""

from collections.abc import Callable

import numpy as np

from market_sim.auditing.auditor import audit
from market_sim.auditing.report import AuditReport
from market_sim.mechanisms.all_in import AllIn, Payment
from market_sim.population import PopulationLaw
from market_sim.reports import Reports
from market_sim.shapes import Array

_PAYMENTS: tuple[Payment, ...] = ("published", "critical", "singer")


def default_audit(
    profiles: int = 100,
    seed: int = 0,
    *,
    owners: int = 10,
    rate: float = 0.5,
    cap_grid: int = 12,
    progress: Callable[[AuditReport], None] | None = None,
) -> tuple[AuditReport, ...]:
    """Audit {published, critical, singer} x {single-minded, multi-minded} on the law of 2021.

    Parameters
    ----------
    profiles, seed, owners
        Sampled profiles of each audit; all audits of a population meet the same owners.
    rate
        Budget, as a share of what all owners of a profile ask together.
    cap_grid
        Caps to try; see `audit`.
    progress
        Called with each report as soon as it is there.

    Returns
    -------
    tuple of AuditReport
        Six reports, the single-minded population first.

    Notes
    -----
    What it shows: "published" is manipulable; "critical" and "singer" are not by single-minded
    owners; all three are by multi-minded owners, who report a smaller cap.
    """

    def money(reports: Reports) -> Array:
        return np.asarray(rate * reports.value.sum(axis=-1))

    found = []
    for single_minded in (True, False):
        law = PopulationLaw(owners=owners, single_minded=single_minded)
        for payment in _PAYMENTS:
            report = audit(
                AllIn(payment), law, budget=money, profiles=profiles, seed=seed, cap_grid=cap_grid
            )
            found.append(report)
            if progress is not None:
                progress(report)
    return tuple(found)
