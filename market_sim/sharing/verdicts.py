"""Hold the promises of a payment rule against what an audit found."""

from typing import Any

from market_sim.sharing.payments import SharingPromises
from market_sim.sharing.report import SharingAuditRow, SharingVerdict, Status

_LIES = {
    "cost": ("lower cost", "higher cost", "cost to one buyer"),
    "gain": ("gain",),
}


def judge(
    promises: SharingPromises, facts: dict[str, Any], rows: tuple[SharingAuditRow, ...]
) -> tuple[SharingVerdict, ...]:
    """Return one verdict a promise.

    Parameters
    ----------
    promises
        What the rule promises.
    facts
        Fields of the report about the truth.
    rows
        What lies brought.
    """
    verdicts = []
    if promises.rational:
        verdicts += [
            _verdict(
                "no seller below cost",
                facts["edge_violations"] == 0,
                f"{facts['edge_violations']:,} violations on {facts['edges']:,} imports",
            ),
            _verdict(
                "no buyer above the gain",
                facts["buyer_violations"] == 0,
                f"{facts['buyer_violations']:,} violations of {facts['buyers']:,} buyers",
            ),
        ]
    if promises.balanced:
        worst = facts["imbalance_max"]
        verdicts.append(
            _verdict(
                "payments balance",
                facts["unbalanced"] == 0,
                f"net payments sum to {worst:.2g} at most",
            )
        )
    verdicts += [_truthful(what, rows) for what in promises.truthful_in]
    return tuple(verdicts)


def _verdict(promise: str, held: bool, evidence: str) -> SharingVerdict:
    """Return held or violated."""
    status: Status = "held" if held else "violated"
    return SharingVerdict(promise, status, evidence)


def _truthful(what: str, rows: tuple[SharingAuditRow, ...]) -> SharingVerdict:
    """Return whether a lie of this kind was found to pay."""
    promise = f"truthful in {what}"
    tried = [row for row in rows if row.deviation in _LIES[what]]
    lies = sum(row.lies for row in tried)
    if not lies:
        return SharingVerdict(promise, "not tested", "no such lie was tried")
    regret = max(row.regret_max for row in tried)
    evidence = f"{lies:,} lies, the best gains {regret:.3g}"
    return _verdict(promise, regret == 0.0, evidence)
