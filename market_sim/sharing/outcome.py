"""SharingOutcome: the graph of imports, the money on its edges, and what they come to."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.sharing.exact import best_imports

if TYPE_CHECKING:
    from market_sim.sharing.market import SharingMarket

Vector = Float[NDArray[np.float64], " participants"]
Matrix = Float[NDArray[np.float64], "buyers sellers"]
Links = Bool[NDArray[np.bool_], "buyers sellers"]


@dataclass(frozen=True, eq=False)
class SharingOutcome:
    """What a market decided. Every matrix is [buyer, seller], and 0 where nothing is imported.

    Attributes
    ----------
    market
        The market as it was reported.
    rule, graph_kind
        Names of the payment rule and of the graph: "greedy", "exact" or "given".
    imports
        a_ij, whether i imports j's model.
    payment, received
        What the buyer pays and the seller gets for it, in money; they differ only under
        "two_sided".

    Notes
    -----
    Source: iPFL [S], utility and social welfare.
    """

    market: "SharingMarket"
    rule: str
    graph_kind: str
    imports: Links
    payment: Matrix
    received: Matrix

    @cached_property
    def gain(self) -> Vector:
        """G_i(S_i) in money, from the data sizes as reported."""
        return self.market.problems.gain(self.imports)

    @property
    def exports(self) -> Int[NDArray[np.int64], " participants"]:
        """How many buyers import each participant's model."""
        return np.asarray(self.imports.sum(axis=0), dtype=np.int64)

    @property
    def spent(self) -> Vector:
        """What each participant pays as a buyer."""
        return np.asarray(self.payment.sum(axis=1))

    @property
    def earned(self) -> Vector:
        """What each participant gets as a seller."""
        return np.asarray(self.received.sum(axis=0))

    @property
    def net(self) -> Vector:
        """What each participant pays in the end, spent less earned; sums to -deficit."""
        return np.asarray((self.payment - self.received.T).sum(axis=1))

    @property
    def utility(self) -> Vector:
        """U_i = G_i(S_i) - c_i exports_i - net payment, in money, if the reports are the truth."""
        return np.asarray(self.gain - self.market.cost * self.exports - self.net)

    def true_utility(self, truth: "SharingMarket") -> Vector:
        """Return the utilities of this outcome where `truth` holds and not what was reported.

        Raises
        ------
        InvalidInput
            If the true market has another number of participants.
        """
        if truth.participants != self.market.participants:
            raise InvalidInput(
                f"the true market has {truth.participants} participants, the outcome "
                f"{self.market.participants}: give the market that was reported on"
            )
        gain = truth.problems.gain(self.imports)
        return np.asarray(gain - truth.cost * self.exports - self.net)

    @property
    def welfare(self) -> float:
        """SW = sum of G_i(S_i) - c_i exports_i, in money."""
        return float((self.gain - self.market.cost * self.exports).sum())

    @property
    def net_welfare(self) -> float:
        """SW - lam sum of a_ij (N_j / N_i) d_ij, what the graph step maximizes."""
        return float(self.market.problems.worth(self.imports).sum())

    @property
    def deficit(self) -> float:
        """What sellers get less what buyers pay; a negative one is a surplus of the platform."""
        return float((self.received - self.payment).sum())

    @cached_property
    def best_net_welfare(self) -> float:
        """Net welfare of the exact graph, computed when it is first asked for.

        Raises
        ------
        InvalidInput
            If the exact graph is out of reach.
        """
        if self.graph_kind == "exact":
            return self.net_welfare
        return float(best_imports(self.market.problems)[1].sum())

    @property
    def optimal_share(self) -> float:
        """Net welfare as a share of the exact graph's; 1 where that graph has no edge either."""
        best = self.best_net_welfare
        return self.net_welfare / best if best > 0 else 1.0

    @property
    def gap(self) -> float:
        """1 - optimal_share, what the graph loses against the exact one."""
        return 1.0 - self.optimal_share

    @property
    def refused(self) -> Links:
        """Edges that were refused because their distance is not a finite number."""
        return self.market.refused

    @property
    def status(self) -> str:
        """One sentence: how much was traded, or why nothing was, and which edges were refused."""
        refused = int(self.refused.sum())
        note = f"; {refused} edges refused, their distance is not finite" if refused else ""
        return self._trade() + note

    def _trade(self) -> str:
        """Say what was traded or why nothing was."""
        market, edges = self.market, int(self.imports.sum())
        if edges:
            plural = "s" if edges > 1 else ""
            return f"traded: {edges} import{plural} among {market.participants} participants"
        if market.participants == 1:
            return "no trade: a participant alone has nobody to import from"
        if not market.gain.any():
            return "no trade: every gain K is 0"
        if not market.possible.any():
            return "no trade: no edge is possible"
        if self.graph_kind == "given":
            return "no trade: the method imports nothing"
        return "no trade: no model is worth its cost and distance to anybody"

    @cached_property
    def graph(self) -> Any:
        """The imports as a `networkx.DiGraph`, edges from seller to buyer, plain attributes.

        Edges: `price` (the buyer pays), `received` (the seller gets), `gain` (G with this model
        less G without it), `penalty`, `cost` and `distance`. Nodes: `data_size`, `gain_scale` (K),
        `cost`, `gain`, `spent`, `earned`, `utility`. The graph: `rule`, `graph_kind`, `status`.
        """
        import networkx as nx  # heavy, and needed only by who asks for the graph

        graph = nx.DiGraph(rule=self.rule, graph_kind=self.graph_kind, status=self.status)
        for name, values in _node_values(self).items():
            for node, value in enumerate(values.tolist()):
                graph.add_node(node, **{name: value})
        buyer, seller = np.nonzero(self.imports)
        edges = {name: m[buyer, seller].tolist() for name, m in _edge_values(self).items()}
        for edge, (i, j) in enumerate(zip(buyer.tolist(), seller.tolist(), strict=True)):
            graph.add_edge(j, i, **{name: values[edge] for name, values in edges.items()})
        return graph

    def __str__(self) -> str:
        return (
            f"{self.rule} on the {self.graph_kind} graph, {self.status}: welfare "
            f"{self.welfare:.6g}, paid {self.payment.sum():.6g}, deficit {self.deficit:.6g}"
        )


def _node_values(outcome: SharingOutcome) -> dict[str, Vector]:
    """Return what a node of the graph tells."""
    market = outcome.market
    return {
        "data_size": market.data_size,
        "gain_scale": market.gain,
        "cost": market.cost,
        "gain": outcome.gain,
        "spent": outcome.spent,
        "earned": outcome.earned,
        "utility": outcome.utility,
    }


def _edge_values(outcome: SharingOutcome) -> dict[str, Matrix]:
    """Return what an edge of the graph tells."""
    problems = outcome.market.problems
    return {
        "price": outcome.payment,
        "received": outcome.received,
        "gain": problems.added(outcome.imports),
        "penalty": problems.penalty,
        "cost": problems.cost,
        "distance": outcome.market.distance,
    }
