"""audit_sharing: look for imports that harm, money that leaks and lies that pay."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, whole_number
from market_sim.sharing.market import SharingMarket
from market_sim.sharing.misreports import (
    decisive_costs,
    utility_as_buyer,
    utility_as_seller,
    utility_on_edge,
)
from market_sim.sharing.outcome import SharingOutcome
from market_sim.sharing.payments import RULES, GraphKind, known_pairing
from market_sim.sharing.report import SharingAuditReport, SharingAuditRow
from market_sim.sharing.verdicts import judge

DEVIATIONS = ("lower cost", "higher cost", "size", "gain", "cost to one buyer")
_ROUNDING = 1e-10  # of sqrt(K / N), the most that any import can gain
_FACTOR = 8.0  # sizes and gains are reported from an eighth to eight times the truth


def audit_sharing(
    markets: Iterable[SharingMarket],
    rule: str = "published",
    graph: GraphKind | None = None,
    *,
    lies: int = 16,
    deviations: Iterable[str] = DEVIATIONS,
    welfare: bool = True,
) -> SharingAuditReport:
    """Audit a payment rule on markets whose participants tell the truth, except one at a time.

    Lies in the cost are exact: one report in each interval between two critical costs, between
    them all that a report can bring. Lies in size and gain are a grid.

    Parameters
    ----------
    markets
        The true markets; see `SharingLaw` for random ones.
    rule, graph
        As in `SharingMarket.clear`.
    lies
        Misreports a participant and kind on the grids, at least 2.
    deviations
        The kinds of lie to try, of `market_sim.sharing.audit.DEVIATIONS`; none audits only what
        happens at the truth.
    welfare
        Whether to compare with the exact graph, which takes time on the greedy one.

    Raises
    ------
    InvalidInput
        If there is no market, a setting is unknown, or rule and graph do not go together.

    Notes
    -----
    Source: iPFL [D], incentives.
    """
    whole_number("lies", lies, 2)
    kinds = tuple(deviations)
    if unknown := set(kinds) - set(DEVIATIONS):
        raise InvalidInput(f"deviations must be among {DEVIATIONS}, got {sorted(unknown)}")
    kind = known_pairing(rule, graph)
    sums, tallies, number = _Truths(), {name: _Tally() for name in kinds}, 0
    for number, market in enumerate(markets, start=1):
        sums.add(market.clear(rule, kind), welfare=welfare)
        for name in kinds:
            tallies[name].add(number - 1, _Trial(market, rule, kind, name, lies))
    if not number:
        raise InvalidInput("markets is empty: an audit needs at least one market")
    rows = tuple(tally.row(rule, kind, name, number) for name, tally in tallies.items())
    witnesses = [t.witness | {"deviation": name} for name, t in tallies.items() if t.witness]
    facts = sums.facts(number)
    return SharingAuditReport(
        rule=rule,
        graph=kind,
        rows=rows,
        witness=max(witnesses, key=lambda w: w["regret"]) if witnesses else None,
        verdicts=judge(RULES[rule], facts, rows),
        **facts,
    )


class _Truths:
    """What happens where all tell the truth, over markets."""

    def __init__(self) -> None:
        self._counts = np.zeros(5, dtype=np.int64)
        self._worst = np.zeros(3)
        self._deficits: list[float] = []
        self._shares: list[float] = []

    def add(self, outcome: SharingOutcome, *, welfare: bool) -> None:
        """Take in one market."""
        slack = _slack(outcome.market)
        edge_loss = (outcome.market.cost - outcome.received)[outcome.imports]
        buys = outcome.imports.any(axis=1)
        buyer_loss = (outcome.spent - outcome.gain)[buys]
        imbalance = abs(outcome.net.sum())
        self._counts += (
            edge_loss.size,
            int(buys.sum()),
            int((edge_loss > slack).sum()),
            int((buyer_loss > slack).sum()),
            int(imbalance > slack),
        )
        found = (edge_loss.max(initial=0.0), buyer_loss.max(initial=0.0), imbalance)
        self._worst = np.maximum(self._worst, found)
        self._deficits.append(outcome.deficit)
        if welfare:
            self._shares.append(outcome.optimal_share)

    def facts(self, markets: int) -> dict[str, Any]:
        """Return the fields of the report."""
        edges, buyers, edge_violations, buyer_violations, unbalanced = self._counts.tolist()
        edge_loss, buyer_loss, imbalance = self._worst.tolist()
        return {
            "markets": markets,
            "edges": edges,
            "buyers": buyers,
            "edge_violations": edge_violations,
            "edge_loss_max": edge_loss,
            "buyer_violations": buyer_violations,
            "buyer_loss_max": buyer_loss,
            "unbalanced": unbalanced,
            "imbalance_max": imbalance,
            "deficit_mean": float(np.mean(self._deficits)),
            "deficit_max": float(np.max(self._deficits)),
            "optimal_share_mean": float(np.mean(self._shares)) if self._shares else None,
            "optimal_share_min": float(np.min(self._shares)) if self._shares else None,
        }


class _Trial:
    """Lies of one kind on one market: who lied, what was said, what it brought.

    Attributes
    ----------
    group, groups
        The participant (or edge) of each lie, and how many of these there are.
    liar, said, true
        Who lied, what was reported, and the truth.
    change
        Utility of the lie less that of the truth, in money.
    drawn
        Which lies are spread evenly and so tell the chance that a random one pays.
    slack
        What counts as rounding.
    """

    def __init__(
        self, market: SharingMarket, rule: str, graph: GraphKind, kind: str, lies: int
    ) -> None:
        self._market, self._rule, self._graph = market, rule, graph
        everyone = np.arange(market.participants)
        self.slack, self.groups = _slack(market), everyone.size
        if kind == "cost to one buyer":
            self._one_buyer(lies)
            return
        self.liar, self.said = _reports(market, graph, kind, lies)
        self.group = self.liar
        self.true = {"size": market.data_size, "gain": market.gain}.get(kind, market.cost)
        self.true = self.true[self.liar]
        told, lied = self._utility(kind, everyone, None), self._utility(kind, self.liar, self.said)
        self.change = lied - told[self.liar]
        self.drawn = np.ones(self.liar.size, dtype=np.bool_)
        if kind == "lower cost":  # the decisive reports come first, the even ones last
            after = np.arange(self.liar.size) + lies
            self.drawn = np.searchsorted(self.liar, self.liar, side="right") <= after

    def _utility(self, kind: str, liar: Any, said: Array | None) -> Array:
        """Return the part of the liar's utility that a lie of this kind can touch."""
        setting = (self._market, liar, self._rule, self._graph)
        if kind == "gain":
            return utility_as_buyer(*setting, gain=said)
        if kind == "size":
            return utility_as_buyer(*setting, size=said) + utility_as_seller(*setting, size=said)
        return utility_as_seller(*setting, cost=said)

    def _one_buyer(self, lies: int) -> None:
        """Try lower costs on one buyer at a time."""
        market = self._market
        buyers, sellers = np.nonzero(market.possible)
        edge = (buyers, sellers)
        self.groups = buyers.size
        self.group = np.repeat(np.arange(self.groups), lies)
        buyer, self.liar = buyers[self.group], sellers[self.group]
        self.true = market.cost[self.liar]
        self.said = self.true * np.tile(_spread(lies), self.groups)
        setting = (self._rule, self._graph)
        told = utility_on_edge(market, edge, *setting, market.cost[sellers])
        lied = utility_on_edge(market, (buyer, self.liar), *setting, self.said)
        self.change = lied - told[self.group]
        self.drawn = np.ones(self.group.size, dtype=np.bool_)


def _reports(market: SharingMarket, graph: GraphKind, kind: str, lies: int) -> tuple[Any, Array]:
    """Return who lies and what is reported."""
    everyone = np.arange(market.participants)
    if kind in ("size", "gain"):
        factor = np.geomspace(1.0 / _FACTOR, _FACTOR, lies)
        true = market.data_size if kind == "size" else market.gain
        return np.repeat(everyone, lies), np.outer(true, factor).ravel()
    decisive = decisive_costs(market, graph)
    reports = []
    for true, own in zip(market.cost, decisive, strict=True):
        lower = np.concatenate([own[own < true], true * _spread(lies)])
        reports.append(lower if kind == "lower cost" else own[own > true])
    return np.repeat(everyone, [r.size for r in reports]), np.concatenate(reports)


def _spread(lies: int) -> Array:
    """Return shares of a true cost, spread evenly from 0 to 1."""
    return np.asarray((np.arange(lies) + 0.5) / lies)


@dataclass
class _Tally:
    """What one kind of lie brought so far."""

    best: list[Array] = field(default_factory=list)
    lies: int = 0
    drawn: int = 0
    paying: int = 0
    gainers: int = 0
    witness: dict[str, Any] | None = None

    def add(self, market: int, trial: _Trial) -> None:
        """Take in one market."""
        best = np.zeros(trial.groups)
        np.maximum.at(best, trial.group, trial.change)
        best[best <= trial.slack] = 0.0
        self.best.append(best)
        self.lies += trial.change.size
        self.drawn += int(trial.drawn.sum())
        self.paying += int((trial.change[trial.drawn] > trial.slack).sum())
        self.gainers += int((best > 0).sum())
        if best.max(initial=0.0) > (self.witness["regret"] if self.witness else 0.0):
            top = int(np.argmax(trial.change))
            self.witness = {
                "market": market,
                "participant": int(trial.liar[top]),
                "reported": float(trial.said[top]),
                "true": float(trial.true[top]),
                "regret": float(trial.change[top]),
            }

    def row(self, rule: str, graph: str, deviation: str, markets: int) -> SharingAuditRow:
        """Return the row of the report."""
        best = np.concatenate(self.best)
        exact = deviation in ("lower cost", "higher cost")
        return SharingAuditRow(
            rule=rule,
            graph=graph,
            deviation=deviation,
            markets=markets,
            lies=self.lies,
            method="exact" if exact else "search",
            regret_mean=float(best.mean()) if best.size else 0.0,
            regret_max=float(best.max(initial=0.0)),
            gain_share=self.gainers / best.size if best.size else 0.0,
            lie_share=self.paying / self.drawn if self.drawn else 0.0,
        )


def _slack(market: SharingMarket) -> float:
    """Return the money that counts as rounding in one market."""
    return _ROUNDING * float(np.sqrt(market.gain / market.data_size).max())
