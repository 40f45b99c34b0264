"""Terms: how a market for models chooses its graph and its payments."""

from dataclasses import dataclass

import numpy as np

from market_sim import InvalidInput
from market_sim.shapes import as_floats
from market_sim.sharing import RULES
from market_sim.sharing.payments import GraphKind, known_pairing


@dataclass(frozen=True)
class TradeRule:
    """How a round's graph and payments are found.

    Parameters
    ----------
    rule
        "published", "vcg", "critical" or "two_sided"; "free" where a learning method chooses the
        graph itself and nobody pays.
    graph
        "greedy" or "exact"; the rule's own if None.
    penalty
        lam >= 0, money for a distance of 1.

    Raises
    ------
    InvalidInput
        If the rule is unknown, its promises do not hold on the graph, or the penalty is negative.
    """

    rule: str = "published"
    graph: GraphKind | None = None
    penalty: float = 2.0

    def __post_init__(self) -> None:
        known = ["free", *RULES]
        if self.rule not in known:
            raise InvalidInput(f"unknown rule {self.rule!r}, expected one of {known}")
        if self.pays:
            known_pairing(self.rule, self.graph)
        if np.ndim(as_floats("penalty", self.penalty, minimum=0.0)):
            raise InvalidInput(f"penalty must be one number, got {self.penalty}")

    @property
    def pays(self) -> bool:
        """Whether money flows: the market chooses the graph."""
        return self.rule != "free"
