"""Lies that a mechanism offers against itself, tried beside those that the audit finds."""

from collections.abc import Mapping, Sequence

import numpy as np

from market_sim.auditing.best import Best, best_report
from market_sim.auditing.deviations import Deviator
from market_sim.auditing.exact import Deviation
from market_sim.errors import AuditError
from market_sim.mechanisms.base import KnownExpectation
from market_sim.reports import Reports

Offered = Mapping[Deviation, Reports]


def offered_lies(
    mechanism: KnownExpectation, market: Deviator, wanted: Sequence[Deviation], seed: int
) -> Offered:
    """Return the lies that the mechanism finds, in each deviation wanted.

    Raises
    ------
    AuditError
        If they are not of the shape of the truth.
    """
    lies: dict[Deviation, Reports] = {}
    for part in wanted:
        found = mechanism.strongest_lies(market.truth, market.budget, part, seed)
        if found.shape != market.truth.shape:
            raise AuditError(
                f"strongest_lies returned reports of shape {found.shape} for owners of shape "
                f"{market.truth.shape}: it must return one lie an owner"
            )
        lies[part] = found
    return lies


def with_offered(
    market: Deviator, owner: int, found: Mapping[Deviation, Best], offered: Offered
) -> dict[Deviation, Best]:
    """Return the better of what was found and what was offered; lies in both parts know all."""
    merged = dict(found)
    profile = np.arange(len(market.budget))
    for part, lies in offered.items():
        kind, rate = lies.valuations.kind[:, owner], lies.valuations.rate[:, owner]
        tried = best_report(market, owner, profile, rate, lies.cap[:, owner], kind)
        merged[part] = merged[part].merged(tried, market.budget)
    if "both" in merged:
        for part in ("value", "cap"):
            if part in merged:
                merged["both"] = merged["both"].improved(merged[part], market.budget)
    return merged
