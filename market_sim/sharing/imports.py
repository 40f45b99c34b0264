"""What one buyer gains from data, and many buyers' import problems side by side as rows."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from market_sim.shapes import Array

PerRow = Float[NDArray[np.float64], " rows"]
PerEdge = Float[NDArray[np.float64], "rows sellers"]
Edges = Bool[NDArray[np.bool_], "rows sellers"]


def drop(scale: Array, data: Array, more: Array) -> Array:
    """Return sqrt(K / n) - sqrt(K / (n + x)): the gain of x more samples beside n of them.

    Written without the difference of two near numbers, so that small gains keep their digits.

    Parameters
    ----------
    scale
        K, at least 0.
    data
        n, above 0.
    more
        x, at least 0; the three broadcast.
    """
    before, after = np.sqrt(data), np.sqrt(data + more)
    return np.asarray(np.sqrt(scale) * more / (before * after * (before + after)))


@dataclass(frozen=True, eq=False)
class ImportProblems:
    """Buyers who each choose a set of models to import, one a row: max G(S) - sum over S of w.

    Attributes
    ----------
    own, scale
        N_i > 0 and K_i >= 0 of each buyer, shape `(rows,)`.
    size
        N_j of each seller, shape `(rows, sellers)`.
    cost, penalty
        c_j and lam (N_j / N_i) d_ij, shape `(rows, sellers)`; the penalty is infinite where the
        edge cannot be.

    Notes
    -----
    Source: iPFL [S], the graph step, which is separable per buyer; w = cost + penalty. The rows
    need not belong to one market: reports of one buyer's sellers may differ from row to row.
    """

    own: PerRow
    scale: PerRow
    size: PerEdge
    cost: PerEdge
    penalty: PerEdge

    @property
    def weight(self) -> PerEdge:
        """w_ij = c_j + lam (N_j / N_i) d_ij, infinite where the edge cannot be."""
        return np.asarray(self.cost + self.penalty)

    @property
    def possible(self) -> Edges:
        """Edges that may be chosen."""
        return np.isfinite(self.penalty)

    def gain(self, imports: Edges) -> PerRow:
        """Return G_i(S_i) of each row."""
        return drop(self.scale, self.own, (self.size * imports).sum(axis=1))

    def worth(self, imports: Edges) -> PerRow:
        """Return W_i(S_i) = G_i(S_i) - sum of w_ij of each row."""
        return np.asarray(self.gain(imports) - np.where(imports, self.weight, 0.0).sum(axis=1))

    def total(self, imports: Edges) -> PerRow:
        """Return N_i + sum of N_j over S_i of each row."""
        return np.asarray(self.own + (self.size * imports).sum(axis=1))

    def added(self, imports: Edges, beyond: Array | float = 0.0) -> PerEdge:
        """Return G(S) - G(S without j) of each imported model j, else 0.

        The other models' samples are added up and not subtracted from the total, where they would
        be lost beside a very large one.

        Parameters
        ----------
        imports
            S of each row.
        beyond
            Samples that the buyer has besides, shape `(rows,)` or one number.
        """
        data = self.size * imports
        before, after = np.zeros(data.shape), np.zeros(data.shape)
        before[:, 1:] = np.cumsum(data[:, :-1], axis=1)
        after[:, :-1] = np.cumsum(data[:, :0:-1], axis=1)[:, ::-1]
        own = (self.own + beyond)[:, None]
        return drop(self.scale[:, None], own + before + after, data)

    def rows(self, chosen: NDArray[np.int64]) -> "ImportProblems":
        """Return the rows `chosen`, repeated as often as they are named."""
        return ImportProblems(
            self.own[chosen],
            self.scale[chosen],
            self.size[chosen],
            self.cost[chosen],
            self.penalty[chosen],
        )

    def without(self, seller: NDArray[np.int64]) -> "ImportProblems":
        """Return the same rows, each without its entry of `seller`, shape `(rows,)`."""
        penalty = self.penalty.copy()
        penalty[np.arange(len(penalty)), seller] = np.inf
        return replace(self, penalty=penalty)
