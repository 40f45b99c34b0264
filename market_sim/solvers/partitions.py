"""Pure play by partitions: who is where, when it is an equilibrium, how many profiles it means."""

from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from market_sim.games import AcquisitionGame
from market_sim.shapes import Array
from market_sim.solvers.assignment import assignment, ways
from market_sim.solvers.contentment import Contentment, Flags, Pool, hall
from market_sim.solvers.intervals import Intervals, best_intervals, partition_intervals
from market_sim.solvers.ordered import OrderedPartitions, alike

Indices = NDArray[np.int64]
Profile = NDArray[np.intp]


class Partitions(Protocol):
    """What the search for pure equilibria needs to know of a game."""

    @property
    def steps(self) -> int:
        """Number of partitions."""

    @property
    def scale(self) -> float:
        """Size of payoffs."""

    def intervals(self) -> Intervals:
        """Return all intervals of alpha of all partitions."""

    def best(self) -> Intervals:
        """Return intervals that hold the platform's best."""

    def equilibria(self, alpha: float, tolerance: float) -> Indices:
        """Return the partitions that are equilibria at alpha."""

    def profile(self, partition: int, alpha: float, tolerance: float) -> Profile:
        """Return a profile of the partition that is an equilibrium at alpha."""

    def ways(self, partition: int, alpha: float, tolerance: float) -> int:
        """Return how many profiles of the partition are equilibria at alpha."""


def partitions(game: AcquisitionGame) -> Partitions:
    """Return the partitions of a game, by order of costs where users differ in nothing else."""
    if alike(game):
        return OrderedPartitions(game)
    return TablePartitions(game)


class TablePartitions:
    """Partitions from the table of all profiles."""

    def __init__(self, game: AcquisitionGame) -> None:
        self.content = Contentment(game)
        self.game = game

    @property
    def steps(self) -> int:
        """Number of partitions."""
        return int(self.content.states.size)

    @property
    def scale(self) -> float:
        """Size of payoffs."""
        return self.content.scale

    def intervals(self) -> Intervals:
        """Return all intervals of alpha of all partitions."""
        return partition_intervals(self.content)

    def best(self) -> Intervals:
        """Return intervals that hold the platform's best."""
        return best_intervals(self.content)

    def equilibria(self, alpha: float, tolerance: float) -> Indices:
        """Return the partitions that are equilibria at alpha."""
        holds = np.ones(self.content.states.size, dtype=bool)
        for pool in self.content.pools:
            masks = np.zeros((holds.size, pool.sizes.size), dtype=np.int64)
            for level in range(self.game.levels):
                accepted = self.content.content(pool, level, alpha, tolerance)
                masks |= accepted.astype(np.int64) << level
            holds &= hall(masks, pool.sizes, self.content.counts[:, pool.kind])
        return np.flatnonzero(holds)

    def profile(self, partition: int, alpha: float, tolerance: float) -> Profile:
        """Return a profile of the partition that is an equilibrium at alpha."""
        result = np.zeros(self.game.users, dtype=np.intp)
        for pool in self.content.pools:
            accepted = self._accepted(pool, partition, alpha, tolerance)
            counts = self.content.counts[partition, pool.kind]
            placed = assignment(accepted, pool.sizes, counts)
            for group, row in zip(pool.groups, placed, strict=True):
                members = self._members[group]
                result[members] = np.repeat(np.arange(self.game.levels)[::-1], row[::-1])
        return result

    def ways(self, partition: int, alpha: float, tolerance: float) -> int:
        """Return how many profiles of the partition are equilibria at alpha."""
        total = 1
        for pool in self.content.pools:
            accepted = self._accepted(pool, partition, alpha, tolerance)
            total *= ways(accepted, pool.sizes, self.content.counts[partition, pool.kind])
        return total

    @cached_property
    def _members(self) -> list[Profile]:
        order = np.argsort(self.game.groups, kind="stable")
        sizes = np.bincount(self.game.groups)
        return np.split(order, np.cumsum(sizes)[:-1])

    def _accepted(self, pool: Pool, partition: int, alpha: float, tolerance: float) -> Flags:
        """Return whether each group is content with each level, shape `(groups, levels)`."""
        counts = self.content.counts[partition, pool.kind]
        gains = self._changes(pool.kind, partition) * alpha
        extra = pool.costs[:, None, :] - pool.costs[:, :, None]
        return np.asarray((gains <= extra + tolerance).all(axis=2) & (counts > 0))

    def _changes(self, kind: int, partition: int) -> Array:
        """Return changes of payment from each level to each other, shape `(levels, levels)`."""
        levels = self.game.levels
        table = self.content.table
        counts = self.content.counts[partition]
        result = np.zeros((levels, levels))
        here = table.potential[table.index(counts)]
        for old in np.flatnonzero(counts[kind]):
            moved = np.repeat(counts[None], levels, axis=0)
            moved[:, kind, old] -= 1
            moved[np.arange(levels), kind, np.arange(levels)] += 1
            result[old] = table.potential[table.index(moved)] - here
        return result
