"""The cheapest multiset of versions that covers one of them: an unbounded covering knapsack."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from market_sim.shapes import Array

REACHED = 1e-12  # of a version's mass: what rounding may leave uncovered
MOST_COPIES = 2.0**53


class Search:
    """Depth-first branch and bound over multisets of versions.

    Versions are tried from the best price per mass on. With r mass to go, nothing from version i
    on costs less than r times its price per mass; where that reaches the best cost known, the
    whole branch and all after it are left out. The result is exact.

    Parameters
    ----------
    mass
        What each version contributes, eps^m in any unit, increasing.
    price
        Its price.
    max_nodes
        Combinations to look at, over all calls.

    Attributes
    ----------
    nodes
        Combinations looked at so far.
    exhausted
        Whether the limit was met, or 2^53 copies of a version would not do.
    """

    def __init__(self, mass: Array, price: Array, max_nodes: int) -> None:
        self.mass, self.price, self.max_nodes = mass, price, max_nodes
        self.nodes, self.exhausted = 0, False
        self._best = np.inf
        self._mass: list[float] = []
        self._price: list[float] = []
        self._ratio: list[float] = []
        self._chosen: list[tuple[int, int]] = []
        self._found: list[tuple[int, int]] = []

    def cheapest(self, target: int, below: float) -> NDArray[np.int64] | None:
        """Return the copies of each version in the cheapest cover that costs less than `below`.

        None if there is none (or the limit was met before one was found).
        """
        whole = float(self.mass[target])
        items = self._undominated(target)
        self._mass = [min(float(self.mass[i]), whole) for i in items]
        self._price = [float(self.price[i]) for i in items]
        self._ratio = [p / m for p, m in zip(self._price, self._mass, strict=True)]
        self._best, self._found, self._chosen = below, [], []
        self._branch(0, whole * (1.0 - REACHED), 0.0)
        if not self._found:
            return None
        copies = np.zeros(self.mass.size, dtype=np.int64)
        for place, count in self._found:
            copies[items[place]] += count
        return copies

    def _undominated(self, target: int) -> list[int]:
        """Return versions that none cheaper covers, by price per mass."""
        mass = np.minimum(self.mass, self.mass[target])
        order = np.lexsort((-mass, self.price))
        kept, largest = [], -np.inf
        for i in order:
            if mass[i] > largest:
                kept.append(int(i))
                largest = mass[i]
        return sorted(kept, key=lambda i: self.price[i] / mass[i])

    def _branch(self, first: int, left: float, cost: float) -> None:
        """Complete a combination that still lacks `left`, by versions from `first` on."""
        for place in range(first, len(self._mass)):
            if cost + left * self._ratio[place] >= self._best:
                return
            enough = left / self._mass[place]
            for count in range(ceil(min(enough, MOST_COPIES)), 0, -1):
                if self.nodes >= self.max_nodes or enough > MOST_COPIES:
                    self.exhausted = True
                    return
                self.nodes += 1
                self._choose(place, count, left, cost)
                rest = left - (count - 1) * self._mass[place]
                after = self._ratio[place + 1] if place + 1 < len(self._mass) else np.inf
                if cost + (count - 1) * self._price[place] + rest * after >= self._best:
                    break  # with fewer of this version, dearer ones take over

    def _choose(self, place: int, count: int, left: float, cost: float) -> None:
        """Take `count` of one version and go on, or note a cover that is cheaper than the best."""
        spent = cost + count * self._price[place]
        rest = left - count * self._mass[place]
        if spent >= self._best:
            return
        self._chosen.append((place, count))
        if rest <= 0.0:
            self._best, self._found = spent, list(self._chosen)
        else:
            self._branch(place + 1, rest, spent)
        self._chosen.pop()


def homogeneous_costs(search: Search, targets: NDArray[np.intp]) -> Array:
    """Return what each target costs in copies of the one version that covers it most cheaply."""
    need = search.mass[targets, None] * (1.0 - REACHED)
    return np.asarray((np.ceil(need / search.mass) * search.price).min(axis=1))
