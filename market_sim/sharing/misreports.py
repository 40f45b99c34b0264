"""What a participant gets by lying about cost, size or gain while the others tell the truth."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from market_sim.shapes import Array
from market_sim.sharing.imports import ImportProblems
from market_sim.sharing.market import SharingMarket
from market_sim.sharing.payments import GraphKind, choose, critical, payments, vcg

PerLie = Float[NDArray[np.float64], " lies"]
Liars = Int[NDArray[np.int64], " lies"]


def utility_as_buyer(
    market: SharingMarket,
    liar: Liars,
    rule: str,
    graph: GraphKind,
    *,
    size: PerLie | None = None,
    gain: PerLie | None = None,
) -> PerLie:
    """Return G_i(S_i) at the truth less what the liar pays for S_i, in money, for each lie.

    Parameters
    ----------
    market
        The truth.
    liar
        Who lies, shape `(lies,)`.
    rule, graph
        The payment rule and its graph.
    size, gain
        N_i and K_i as reported, shape `(lies,)`; the truth if None.
    """
    truth = market.problems.rows(liar)
    own = truth.own if size is None else size
    scale = truth.scale if gain is None else gain
    said = replace(truth, own=own, scale=scale, penalty=_scaled(truth, truth.own / own))
    imports = choose(said, graph)
    paid = payments(said, imports, rule)[0]
    return np.asarray(truth.gain(imports) - paid.sum(axis=1))


def utility_as_seller(
    market: SharingMarket,
    liar: Liars,
    rule: str,
    graph: GraphKind,
    *,
    size: PerLie | None = None,
    cost: PerLie | None = None,
) -> PerLie:
    """Return what the liar gets for all exports less what they truly cost, in money, for each lie.

    Parameters
    ----------
    market
        The truth.
    liar
        Who lies, shape `(lies,)`.
    rule, graph
        The payment rule and its graph.
    size, cost
        N_j and c_j as reported, shape `(lies,)`; the truth if None.
    """
    lie, buyer = np.nonzero(liar[:, None] != np.arange(market.participants))
    seller = liar[lie]
    said = _reported(
        market.problems.rows(buyer),
        seller,
        market.data_size[seller] if size is None else size[lie],
        market.cost[seller] if cost is None else cost[lie],
    )
    earned = _earned(market, said, seller, rule, graph)
    return np.asarray(np.bincount(lie, weights=earned, minlength=liar.size), dtype=np.float64)


def utility_on_edge(
    market: SharingMarket, edge: tuple[Liars, Liars], rule: str, graph: GraphKind, cost: PerLie
) -> PerLie:
    """Return what a seller gets from one buyer less what the export truly costs, for each lie.

    Parameters
    ----------
    market
        The truth.
    edge
        Buyer and seller, each of shape `(lies,)`.
    rule, graph
        The payment rule and its graph.
    cost
        c_j as reported to this buyer, shape `(lies,)`.
    """
    buyer, seller = edge
    said = _reported(market.problems.rows(buyer), seller, market.data_size[seller], cost)
    return _earned(market, said, seller, rule, graph)


def _earned(
    market: SharingMarket, said: ImportProblems, seller: Liars, rule: str, graph: GraphKind
) -> PerLie:
    """Return what one seller of each row earns in it."""
    imports = choose(said, graph)
    own = np.zeros(imports.shape, dtype=np.bool_)
    own[np.arange(seller.size), seller] = True
    received = payments(said, imports, rule, own)[1]
    return np.asarray(np.where(imports & own, received - market.cost, 0.0).sum(axis=1))


def cost_thresholds(market: SharingMarket, graph: GraphKind) -> Array:
    """Return the c_j below which buyer i imports j's model, the others' reports unchanged.

    Parameters
    ----------
    market
        The truth.
    graph
        "greedy" or "exact".

    Returns
    -------
    ndarray
        Shape `(buyers, sellers)`; 0 where j is not imported even if it asks for nothing.
    """
    buyer, seller = np.nonzero(market.possible)
    found = np.zeros(market.possible.shape)
    if not buyer.size:
        return found
    said = _reported(
        market.problems.rows(buyer), seller, market.data_size[seller], np.zeros(seller.size)
    )
    imports = choose(said, graph)
    edge = (np.arange(buyer.size), seller)
    only = np.zeros(imports.shape, dtype=np.bool_)
    only[edge] = True
    found[buyer, seller] = (
        critical(said, imports)[edge] if graph == "greedy" else vcg(said, imports, only)[edge]
    )
    return np.maximum(found, 0.0)


def decisive_costs(market: SharingMarket, graph: GraphKind) -> list[Array]:
    """Return, for each participant, reports of c_j that between them cause all that any report can.

    The buyers of j change only at its thresholds, and no payment depends on its own report while
    they stay the same. One report in each interval between two thresholds is thus enough.

    Parameters
    ----------
    market, graph
        The truth, and the graph: "greedy" or "exact".
    """
    reports = []
    for own in cost_thresholds(market, graph).T:
        ends = np.concatenate([[0.0], np.unique(own[own > 0])])
        reports.append(np.append((ends[1:] + ends[:-1]) / 2.0, 2.0 * ends[-1] + 1.0))
    return reports


def _scaled(problems: ImportProblems, factor: PerLie) -> Array:
    """Return the penalties of each row times its factor; infinite ones stay."""
    return np.asarray(problems.penalty * factor[:, None])


def _reported(
    problems: ImportProblems, seller: Liars, size: PerLie, cost: PerLie
) -> ImportProblems:
    """Return the rows with another size and cost of one seller each."""
    at = (np.arange(seller.size), seller)
    sizes, costs, penalty = problems.size.copy(), problems.cost.copy(), problems.penalty.copy()
    penalty[at] *= size / sizes[at]
    sizes[at], costs[at] = size, cost
    return replace(problems, size=sizes, cost=costs, penalty=penalty)
