"""What buyers pay and sellers get for each import, under the rules of the market."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.sharing.exact import best_imports
from market_sim.sharing.greedy import critical_totals, greedy_imports, stopping_totals
from market_sim.sharing.imports import Edges, ImportProblems, PerEdge

GraphKind = Literal["greedy", "exact"]


@dataclass(frozen=True)
class SharingPromises:
    """What a payment rule promises, and on which graphs.

    Attributes
    ----------
    graphs
        The graphs on which the promises hold, the default first.
    rational
        No seller gets less than her cost on any edge, no buyer pays more than her gain.
    balanced
        What buyers pay is what sellers get.
    truthful_in
        Reports in which no lie pays, whatever the others report: "cost" (c_j) or "gain" (K_i). No
        rule is truthful in the data size.
    """

    graphs: tuple[GraphKind, ...]
    rational: bool
    balanced: bool
    truthful_in: tuple[str, ...]


RULES: dict[str, SharingPromises] = {
    "published": SharingPromises(("greedy", "exact"), True, True, ()),
    "vcg": SharingPromises(("exact",), True, True, ("cost",)),
    "critical": SharingPromises(("greedy",), True, True, ("cost",)),
    "two_sided": SharingPromises(("exact",), True, False, ("cost", "gain")),
}
_REFUSED = {
    ("vcg", "greedy"): "its payments are truthful only where the graph is the best one",
    ("critical", "exact"): "on the exact graph the critical cost is what 'vcg' pays",
    ("two_sided", "greedy"): "buyers would gain by lying where the graph is not the best one",
}


def known_pairing(rule: str, graph: str | None) -> GraphKind:
    """Return the graph of a rule, the rule's own if None is asked for.

    Raises
    ------
    InvalidInput
        If rule or graph is unknown, or the rule's promises do not hold on this graph.
    """
    if rule not in tuple(RULES):  # also where it cannot be hashed
        raise InvalidInput(f"rule must be one of {', '.join(map(repr, RULES))}, got {rule!r}")
    fitting = RULES[rule].graphs
    for kind in fitting:
        if graph in (None, kind):
            return kind
    if (reason := _REFUSED.get((rule, str(graph)))) is None:
        raise InvalidInput(f"graph must be 'greedy' or 'exact', got {graph!r}")
    raise InvalidInput(
        f"rule {rule!r} does not go with graph={graph!r}, {reason}: use graph={fitting[0]!r}"
    )


def choose(problems: ImportProblems, graph: GraphKind) -> Edges:
    """Return the imports of each row on the greedy or the exact graph."""
    return greedy_imports(problems) if graph == "greedy" else best_imports(problems)[0]


def payments(
    problems: ImportProblems, imports: Edges, rule: str, priced: Edges | None = None
) -> tuple[PerEdge, PerEdge]:
    """Return what each buyer pays and what each seller gets, in money, 0 where nothing is imported.

    Parameters
    ----------
    problems, imports
        The buyers and the graph that `choose` gave for a graph of the rule.
    rule
        A rule of `RULES`.
    priced
        Imports whose vcg amount is wanted, each of which asks for one more exact graph; all if
        None. Others are left at 0 where they are not needed.

    Notes
    -----
    Source: iPFL [S], payment p_ij; [D] vcg, critical and two_sided.
    """
    if rule == "published":
        price = published(problems, imports)
        return price, price
    if rule == "critical":
        price = critical(problems, imports)
        return price, price
    received = vcg(problems, imports, priced)
    if rule == "two_sided":
        return np.where(imports, problems.weight, 0.0), received
    return received, received


def published(problems: ImportProblems, imports: Edges) -> PerEdge:
    """Return p_ij = G_i(S) - G_i(S without j) - lam (N_j / N_i) d_ij."""
    return np.where(imports, problems.added(imports) - problems.penalty, 0.0)


def critical(problems: ImportProblems, imports: Edges) -> PerEdge:
    """Return the largest c_j at which the greedy still imports j, the others' reports unchanged."""
    stops = stopping_totals(problems)
    beyond = critical_totals(problems, imports, stops) - problems.total(imports)
    return np.where(imports, problems.added(imports, beyond) - problems.penalty, 0.0)


def vcg(problems: ImportProblems, imports: Edges, priced: Edges | None = None) -> PerEdge:
    """Return c_j + W(S*) - max of W over the sets without j, for the best sets S* = `imports`."""
    row, seller = np.nonzero(imports if priced is None else imports & priced)
    paid = np.zeros(imports.shape)
    if row.size:
        best = problems.worth(imports)
        second = best_imports(problems.rows(row).without(seller))[1]
        paid[row, seller] = problems.cost[row, seller] + np.maximum(best[row] - second, 0.0)
    return paid
