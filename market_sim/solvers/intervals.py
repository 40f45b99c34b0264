"""Partitions that are equilibria, and for which alpha: intervals found without a grid."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_sim.shapes import Array
from market_sim.solvers.contentment import Contentment, Flags, Pool, hall

Indices = NDArray[np.int64]
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of alpha on which partitions are equilibria, closed at both ends.

    Attributes
    ----------
    partition
        Which partition, shape `(intervals,)`; one may have several intervals.
    left, right
        Ends.
    utility
        U of the partition.
    """

    partition: Indices
    left: Array
    right: Array
    utility: Array

    @property
    def best(self) -> Array:
        """The most that the platform keeps on each interval."""
        end = np.where(self.utility >= 0, self.left, self.right)
        return np.asarray((1.0 - end) * self.utility)


def partition_intervals(content: Contentment) -> Intervals:
    """Return all intervals of all partitions."""
    candidates = necessary(content)
    if all(pool.sizes.size == 1 for pool in content.pools):
        return candidates
    return joined([refined(content, part) for part in _blocks(content, candidates)])


def best_intervals(content: Contentment) -> Intervals:
    """Return intervals among which is the one where the platform keeps most.

    Necessary conditions bound what each partition may bring; those that cannot beat the best
    found are not refined.
    """
    candidates = necessary(content)
    if all(pool.sizes.size == 1 for pool in content.pools):
        return candidates
    order = np.argsort(-candidates.best, kind="stable")
    found: list[Intervals] = []
    reached = -np.inf
    for part in _blocks(content, taken(candidates, order)):
        if part.best[0] < reached:
            break
        found.append(refined(content, part))
        reached = max(reached, float(found[-1].best.max(initial=-np.inf)))
    return joined(found)


def necessary(content: Contentment) -> Intervals:
    """Return intervals outside of which a partition is no equilibrium: exact without groups."""
    size = content.states.size
    left, right = np.zeros(size), np.ones(size)
    for pool in content.pools:
        first = np.full((size, pool.sizes.size), np.inf)
        last = np.full((size, pool.sizes.size), -np.inf)
        for level in range(content.game.levels):
            least, greatest = content.bounds(pool, level)
            counts = content.counts[:, pool.kind, level]
            some = counts > 0
            np.maximum(left, _enough(least, pool.sizes, counts), out=left, where=some)
            np.minimum(right, -_enough(-greatest, pool.sizes, counts), out=right, where=some)
            np.minimum(first, least, out=first)
            np.maximum(last, greatest, out=last)
        if pool.sizes.size > 1:
            left = np.maximum(left, first.max(axis=1))
            right = np.minimum(right, last.min(axis=1))
    rows = np.flatnonzero(left <= right)
    return Intervals(rows, left[rows], right[rows], content.utility[rows])


def refined(content: Contentment, part: Intervals) -> Intervals:
    """Return the intervals on which Hall's condition holds, by testing every piece."""
    rows = part.partition
    ends = [_ends(content, pool, rows) for pool in content.pools]
    breaks = [end.reshape(rows.size, -1) for pair in ends for end in pair]
    breaks += [part.left[:, None], part.right[:, None]]
    points = np.concatenate(breaks, axis=1)
    points = np.sort(np.clip(points, part.left[:, None], part.right[:, None]), axis=1)
    points = _with_midpoints(points)
    holds = np.ones(points.shape, dtype=bool)
    for pool, (least, greatest) in zip(content.pools, ends, strict=True):
        at = points[:, :, None, None]
        accepted = (least[:, None] <= at) & (at <= greatest[:, None])
        masks = accepted @ (1 << np.arange(content.game.levels))
        holds &= hall(masks, pool.sizes, content.counts[rows, None, pool.kind])
    return _runs(part, points, holds)


def taken(intervals: Intervals, rows: Indices | Flags | slice) -> Intervals:
    """Return some of the intervals."""
    return Intervals(
        intervals.partition[rows],
        intervals.left[rows],
        intervals.right[rows],
        intervals.utility[rows],
    )


def joined(parts: list[Intervals]) -> Intervals:
    """Return the intervals of all parts."""
    return Intervals(
        np.concatenate([part.partition for part in parts]),
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.utility for part in parts]),
    )


def _enough(least: Array, sizes: Indices, counts: Indices) -> Array:
    """Return the least alpha at which as many users as are needed are content."""
    if sizes.size == 1:
        return least[:, 0]
    order = np.argsort(least, axis=1)
    enough = np.cumsum(sizes[order], axis=1) >= counts[:, None]
    place = np.take_along_axis(order, enough.argmax(axis=1)[:, None], axis=1)
    return np.take_along_axis(least, place, axis=1)[:, 0]


def _ends(content: Contentment, pool: Pool, rows: Indices) -> tuple[Array, Array]:
    """Return both ends of contentment, shape `(rows, groups, levels)`."""
    pairs = [content.bounds(pool, level, rows) for level in range(content.game.levels)]
    return np.stack([p[0] for p in pairs], axis=-1), np.stack([p[1] for p in pairs], axis=-1)


def _with_midpoints(points: Array) -> Array:
    result = np.empty((len(points), 2 * points.shape[1] - 1))
    result[:, ::2] = points
    result[:, 1::2] = (points[:, 1:] + points[:, :-1]) / 2.0
    return result


def _runs(part: Intervals, points: Array, holds: Flags) -> Intervals:
    """Return the maximal runs of points at which the condition holds."""
    edge = np.zeros((len(points), 1), dtype=bool)
    starts = holds & ~np.concatenate([edge, holds[:, :-1]], axis=1)
    stops = holds & ~np.concatenate([holds[:, 1:], edge], axis=1)
    rows, first = np.nonzero(starts)
    last = np.nonzero(stops)[1]
    return Intervals(
        part.partition[rows], points[rows, first], points[rows, last], part.utility[rows]
    )


def _blocks(content: Contentment, candidates: Intervals) -> Iterator[Intervals]:
    """Cut candidates so that a block's test of all pieces fits in memory."""
    ends = sum(pool.sizes.size for pool in content.pools) * content.game.levels
    step = max(_CELLS_AT_ONCE // (ends * (4 * ends + 3)), 1)
    for first in range(0, max(candidates.left.size, 1), step):
        yield taken(candidates, slice(first, first + step))
