"""AuditReport: what an audit tried, what it found, and which promises held."""

import textwrap
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["held", "violated", "not tested"]
_WIDTH = 79


@dataclass(frozen=True)
class AuditRow:
    """Measures of one mechanism under one kind of deviation, over all (profile, owner).

    Attributes
    ----------
    mechanism, population
        Names; the population is "single-minded", "multi-minded" or the caller's label.
    deviation
        Part of the report that lies: "value", "cap" or "both".
    profiles, owners
        Number of profiles, and of owners in each.
    regret_mean, regret_p95, regret_max
        Utility of the best lie found less that of the truth, in money: mean, 95th percentile and
        maximum over (profile, owner).
    gain_share
        Share of (profile, owner) whose regret exceeds 1 % of her payment at the truth; where that
        is 0, of her payment under the lie.
    ir_violation_max
        Largest loss of a truthful owner, max(0, -utility).
    budget_excess_max, budget_excess_relative
        Largest overspending, at the truth and under every lie tried: in money, and as a share of
        that profile's budget.
    method
        "exact" (exact in value, grid x zoom in cap), "search" (a lower bound of the regret), or
        "gradient" (the better of a search and of the mechanism's own lies, a lower bound too).
    lies
        Number of misreports tried, without those of a search of the mechanism's own.
    witness
        The worst (profile, owner) in concrete numbers, as JSON; "null" where no lie pays.
    """

    mechanism: str
    population: str
    deviation: str
    profiles: int
    owners: int
    regret_mean: float
    regret_p95: float
    regret_max: float
    gain_share: float
    ir_violation_max: float
    budget_excess_max: float
    budget_excess_relative: float
    method: str
    lies: int
    witness: str


@dataclass(frozen=True)
class Verdict:
    """One stated guarantee: held, violated or not tested, with the evidence in a sentence."""

    guarantee: str
    status: Status
    evidence: str


@dataclass(frozen=True)
class AuditReport:
    """What an audit found about one mechanism on one population.

    Attributes
    ----------
    rows
        One `AuditRow` a deviation.
    witness
        The worst profile of all rows as concrete numbers (budget, true values and caps, the owner,
        her misreport, her utility at the truth and under the lie); None where no lie pays.
    verdicts
        Each guarantee that the mechanism states; empty if it states none.
    seed
        Seed of the profiles and of the search.
    """

    mechanism: str
    population: str
    profiles: int
    owners: int
    seed: int
    rows: tuple[AuditRow, ...]
    witness: dict[str, Any] | None
    verdicts: tuple[Verdict, ...]

    @property
    def lies(self) -> int:
        """Number of misreports tried, over all deviations."""
        return sum(row.lies for row in self.rows)

    @property
    def violations(self) -> tuple[Verdict, ...]:
        """The guarantees that did not hold."""
        return tuple(verdict for verdict in self.verdicts if verdict.status == "violated")

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain numbers, strings, lists and dicts, ready for JSON."""
        return {
            **asdict(self),
            "rows": [asdict(row) for row in self.rows],
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "lies": self.lies,
        }

    def __str__(self) -> str:
        """Return a table of at most 80 columns that says what was tried and what was found."""
        owners = f"{self.population} owner" + ("s" if self.owners != 1 else "")
        markets = f"{self.profiles:,} profile" + ("s" if self.profiles != 1 else "")
        lines = [
            f"audit of {self.mechanism}",
            f"  {markets} of {self.owners:,} {owners}, {self.lies:,} misreports, seed {self.seed}",
            "",
            f"  {'lie in':<7}{'method':<9}{'misreports':>11}{'regret mean':>13}"
            f"{'95th pct':>11}{'max':>11}{'gain > 1 %':>12}",
            *map(_line, self.rows),
            "",
            f"  largest loss of a truthful owner {max(r.ir_violation_max for r in self.rows):.3g},"
            f" largest overspending {max(r.budget_excess_max for r in self.rows):.3g}",
        ]
        for verdict in self.verdicts:
            text = f"{verdict.status.upper()}: {verdict.guarantee} - {verdict.evidence}"
            lines += textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")
        if not self.verdicts:
            lines.append("  the mechanism states no guarantees")
        if self.witness is not None:
            text = _witness_sentence(self.witness)
            lines += textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")
        return "\n".join(lines)


def _line(row: AuditRow) -> str:
    """Return one row of the table."""
    return (
        f"  {row.deviation:<7}{row.method:<9}{row.lies:>11,}{row.regret_mean:>13.4g}"
        f"{row.regret_p95:>11.4g}{row.regret_max:>11.4g}{row.gain_share:>11.1%} "
    ).rstrip()


def _witness_sentence(witness: dict[str, Any]) -> str:
    """Tell the worst case in one sentence."""
    owner = witness["owner"]
    truth, lie = witness["truth"], witness["lie"]
    value, cap = witness["true_value"][owner], witness["true_cap"][owner]
    kind = "" if lie["kind"] == witness["kind"][owner] else f" in the {lie['kind']} family"
    return (
        f"worst case: budget {witness['budget']:.4g}, owner {owner} (counted from 0) has value "
        f"{value:.4g} at cap {cap:.4g}; she reports value {lie['value']:.4g} at cap "
        f"{lie['cap']:.4g}{kind}, is paid {lie['payment']:.4g} instead of "
        f"{truth['payment']:.4g}, and her utility is {lie['utility']:.4g} instead of "
        f"{truth['utility']:.4g}"
    )
