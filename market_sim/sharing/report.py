"""SharingAuditReport: which lies were tried on a market of models, and what they brought."""

import textwrap
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["held", "violated", "not tested"]
_WIDTH = 79


@dataclass(frozen=True)
class SharingAuditRow:
    """What one kind of lie brought, over all participants of all markets.

    Attributes
    ----------
    rule, graph
        The payment rule and its graph.
    deviation
        "lower cost", "higher cost", "size" or "gain": what one participant lies about, to all;
        "cost to one buyer": a lower cost told to one buyer only, counted over edges.
    markets, lies
        How many markets there were, and misreports tried.
    method
        "exact": no other lie of this kind brings more; "search": a grid, a lower bound.
    regret_mean, regret_max
        Utility of the best lie found less that of the truth, at least 0, in money.
    gain_share
        Share of participants (edges, in the last row) to whom a lie found pays.
    lie_share
        Share of the lies tried that pay. Costs below the truth are spread evenly from 0 to it, so
        that this is the chance that a random one pays.
    """

    rule: str
    graph: str
    deviation: str
    markets: int
    lies: int
    method: str
    regret_mean: float
    regret_max: float
    gain_share: float
    lie_share: float


@dataclass(frozen=True)
class SharingVerdict:
    """One promise: held, violated or not tested, with the evidence in a sentence."""

    promise: str
    status: Status
    evidence: str


@dataclass(frozen=True)
class SharingAuditReport:
    """What an audit found about one payment rule on one sample of markets.

    Attributes
    ----------
    rule, graph
        The payment rule and its graph.
    markets, edges, buyers
        How many markets, imports and buyers with an import there were.
    edge_violations, edge_loss_max
        Imports for which the seller got less than its cost, and the most that one lost, in money.
    buyer_violations, buyer_loss_max
        Buyers who paid more than they gained, and the most that one lost, in money.
    unbalanced, imbalance_max
        Markets whose net payments do not sum to 0 but for rounding, and the largest |sum|, in
        money.
    deficit_mean, deficit_max
        What sellers got less what buyers paid, a market, in money.
    optimal_share_mean, optimal_share_min
        Net welfare as a share of the exact graph's; None where it was not asked for.
    rows
        One `SharingAuditRow` a kind of lie.
    witness
        The lie that brought most, as concrete numbers; None where none pays.
    verdicts
        Each promise of the rule.
    """

    rule: str
    graph: str
    markets: int
    edges: int
    buyers: int
    edge_violations: int
    edge_loss_max: float
    buyer_violations: int
    buyer_loss_max: float
    unbalanced: int
    imbalance_max: float
    deficit_mean: float
    deficit_max: float
    optimal_share_mean: float | None
    optimal_share_min: float | None
    rows: tuple[SharingAuditRow, ...]
    witness: dict[str, Any] | None
    verdicts: tuple[SharingVerdict, ...]

    @property
    def lies(self) -> int:
        """Number of misreports tried, over all kinds."""
        return sum(row.lies for row in self.rows)

    @property
    def violations(self) -> tuple[SharingVerdict, ...]:
        """The promises that did not hold."""
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
        lines = [
            f"audit of {self.rule} payments on the {self.graph} graph",
            f"  {self.markets:,} markets, {self.edges:,} imports, {self.lies:,} misreports",
            "",
            f"  {'lie in':<18}{'method':<8}{'misreports':>11}{'regret mean':>12}{'max':>9}"
            f"{'gainers':>9}{'lies pay':>10}",
            *map(_line, self.rows),
            "",
            f"  sellers below cost on {self.edge_violations:,} imports, "
            f"{self.buyer_violations:,} of {self.buyers:,} buyers above their gain",
            f"  deficit of a market: mean {self.deficit_mean:.3g}, largest {self.deficit_max:.3g}",
        ]
        if self.optimal_share_mean is not None:
            lines.append(
                f"  welfare {self.optimal_share_mean:.2%} of the exact graph's on average, "
                f"{self.optimal_share_min:.2%} at worst"
            )
        texts = [f"{v.status.upper()}: {v.promise} - {v.evidence}" for v in self.verdicts]
        if self.witness is not None:
            texts.append(_sentence(self.witness))
        for text in texts:
            lines += textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")
        return "\n".join(lines)


def _line(row: SharingAuditRow) -> str:
    """Return one row of the table."""
    return (
        f"  {row.deviation:<18}{row.method:<8}{row.lies:>11,}{row.regret_mean:>12.3g}"
        f"{row.regret_max:>9.3g}{row.gain_share:>9.1%}{row.lie_share:>10.1%}"
    )


def _sentence(witness: dict[str, Any]) -> str:
    """Tell the best lie in one sentence."""
    return (
        f"best lie: in market {witness['market']} participant {witness['participant']} (both "
        f"counted from 0) reports {witness['deviation']} {witness['reported']:.4g} instead of "
        f"{witness['true']:.4g} and gains {witness['regret']:.4g}"
    )
