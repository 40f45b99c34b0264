"""Branch and bound over the owners' eps: closes what the dual leaves open, many profiles at once.

A node is a profile with narrower bounds of eps. Every round splits, in each profile that is still
open, the nodes with the smallest bounds, at the owner and the eps where the node's relaxation mixes
two purchases that cannot be had at once.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from market_sim.bounds._dual import maximize
from market_sim.bounds._feasible import improve
from market_sim.bounds._problem import STEP, Index, Mask, Problem, affordable
from market_sim.shapes import Array

_BATCH = 64  # nodes split in a round, at least
_ROUNDS = 2  # of improvement of a node's purchase


@dataclass(frozen=True, eq=False)
class Nodes:
    """Open nodes: their profile, bounds of eps, dual bound and prices, and where to split."""

    row: Index
    low: Array
    high: Array
    bound: Array
    prices: Array
    owner: Index
    split: Array

    def take(self, index: object) -> Self:
        """Return some nodes."""
        return type(self)(*(getattr(self, n)[index] for n in self.__dataclass_fields__))

    def joined(self, other: Self) -> Self:
        """Return both sets of nodes."""
        names = self.__dataclass_fields__
        return type(self)(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))


@dataclass(eq=False)
class Search:
    """Bounds of all rows so far: `lower`, `upper` `(rows,)` and the best purchase `epsilon`."""

    problem: Problem
    lower: Array
    upper: Array
    epsilon: Array
    accuracy: float

    def offer(self, row: Index, epsilon: Array, error: Array) -> None:
        """Keep purchases that beat the best of their rows."""
        better = np.flatnonzero(error < self.upper[row])
        better = better[np.argsort(-error[better], kind="stable")]  # the best is written last
        self.upper[row[better]], self.epsilon[row[better]] = error[better], epsilon[better]

    @property
    def target(self) -> Array:
        """Bound at which a node of each row is closed."""
        return self.upper * (1.0 - self.accuracy)


def relaxed(
    search: Search, row: Index, low: Array, high: Array, center: Array, radius: Array
) -> Nodes:
    """Bound nodes, offer their purchases, and say where to split them."""
    problem = replace(search.problem.rows(row), low=low, high=high)
    found = maximize(problem, center, radius, 0.1 * search.accuracy, search.target[row])
    wide = replace(problem, high=search.problem.high[row])
    for start in (found.mean, found.epsilon):
        search.offer(row, *improve(wide, start, _ROUNDS))
    width = high - low
    score = np.where(width > 0, found.excess, -1.0)
    owner = score.argmax(axis=1)
    at = (np.arange(len(row)), owner)
    split = np.clip(found.mean[at], low[at] + 0.1 * width[at], high[at] - 0.1 * width[at])
    return Nodes(row, low, high, found.value, found.prices, owner, split)


def _children(search: Search, parents: Nodes) -> Nodes:
    """Split nodes, drop children that cannot be paid, and bound the others."""
    at = (np.arange(len(parents.row)), parents.owner)
    below, above = parents.high.copy(), parents.low.copy()
    # A fixed cost buys everything or nothing.
    whole = search.problem.kind[parents.row, parents.owner] == STEP
    below[at] = np.where(whole, 0.0, parents.split)
    above[at] = np.where(whole, parents.high[at], parents.split)
    row = np.tile(parents.row, 2)
    low = np.concatenate([parents.low, above])
    high = np.concatenate([below, parents.high])
    problem = search.problem.rows(row)
    owed = problem.cost(low)
    rest = 1.0 - (owed.sum(axis=1, keepdims=True) - owed)
    possible = (rest >= owed * (1.0 - 1e-12)).all(axis=1) & (rest > 0).all(axis=1)
    rest = np.where(rest > 0, rest, 1.0)
    high = np.maximum(affordable(problem.kind, problem.rate / rest, high), low)
    prices = np.tile(parents.prices, (2, 1))
    row, low, high, prices = (a[possible] for a in (row, low, high, prices))
    parent = np.tile(parents.bound, 2)[possible]
    radius = 0.5 * prices + 0.05 * prices.max(axis=1, keepdims=True)
    nodes = relaxed(search, row, low, high, prices, radius)
    return replace(nodes, bound=np.maximum(nodes.bound, parent))


def _smallest(nodes: Nodes) -> Mask:
    """Tell which nodes to split: those with the smallest bounds of each profile.

    As many of each as fill a batch: a round of few nodes takes as long as one of many.
    """
    order = np.lexsort((nodes.bound, nodes.row))
    _, start, count = np.unique(nodes.row[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(start, count)
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order] = rank < max(1, _BATCH // len(start))
    return chosen


def close(search: Search, nodes: Nodes, rounds: int) -> None:
    """Split nodes for some rounds, or until lower and upper bounds of all rows meet."""
    for _ in range(rounds):
        nodes = nodes.take(nodes.bound < search.target[nodes.row])
        if not len(nodes.row):
            break
        first = _smallest(nodes)
        nodes = nodes.take(~first).joined(_children(search, nodes.take(first)))
    # What has been dropped was within the accuracy of the best purchase, or beyond it.
    least = search.target
    np.minimum.at(least, nodes.row, nodes.bound)
    search.lower = np.maximum(search.lower, least)
