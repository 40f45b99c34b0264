"""Owners in ascending unit value, with running sums: what the sorted rules of the game share.

Equal unit values keep the order of the owners. A rule that serves a prefix of that order pays its
last tied owners exactly what they ask, so that it makes no difference to them who is served.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_sim.mechanisms._greedy import Mask, Ranked, rank
from market_sim.shapes import Array

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Sorted:
    """Rows in ascending unit value.

    Attributes
    ----------
    ranked
        Unit values, masses, budgets, and where each entry stood; arrays `(rows, owners)`.
    total
        Mass of an owner and of all before her, same shape.
    """

    ranked: Ranked
    total: Array

    @property
    def unit(self) -> Array:
        """Unit values, ascending, `(rows, owners)`."""
        return self.ranked.unit

    @property
    def mass(self) -> Array:
        """Masses in the same order."""
        return self.ranked.mass

    @property
    def budget(self) -> Array:
        """Money of each row, as a column `(rows, 1)`."""
        return self.ranked.budget[:, None]


def in_order(value: Array, mass: Array, budget: Array) -> Sorted:
    """Sort rows `(rows, owners)` by `value / mass`; `budget` has shape `(rows,)`."""
    ranked = rank(value, mass, budget)
    return Sorted(ranked, np.cumsum(ranked.mass, axis=1))


def prefix(fits: Mask) -> Index:
    """Return how many entries of each row come before its first False, `(rows,)`."""
    length = fits.shape[1]
    if length == 0:
        return np.zeros(len(fits), dtype=np.intp)
    return np.asarray(np.where(fits.all(axis=1), length, (~fits).argmax(axis=1)))


def entry(array: Array, index: Index, beyond: float = np.inf) -> Array:
    """Return `array[row, index[row]]` as `(rows,)`, `beyond` where the index is past the end."""
    length = array.shape[1]
    found = array[np.arange(len(index)), np.minimum(index, length - 1)]
    return np.where(index < length, found, beyond)


def first_of(owners: int, count: Index) -> Mask:
    """Return True for the first `count[row]` owners of each row, `(rows, owners)`."""
    return np.asarray(np.arange(owners) < count[:, None])


def tie_ends(unit: Array) -> Index:
    """Return the last index of an equal unit value, `(rows, owners)`."""
    owners = unit.shape[1]
    last = np.ones(unit.shape, dtype=bool)
    last[:, :-1] = unit[:, 1:] != unit[:, :-1]
    ends = np.where(last, np.arange(owners), owners)
    return np.asarray(np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1])


def rows_at(array: Array, index: Index) -> Array:
    """Return `array[row, index[row, i]]`, `(rows, owners)`, for indices within the rows."""
    if len(array) == 1:  # one long row: a plain gather is faster
        return np.asarray(array[0].take(index[0])[None])
    return np.asarray(np.take_along_axis(array, index, axis=1))


def counts_below(ascending: Array, points: Array) -> Index:
    """Return how many entries of an ascending row are at most each point, `(rows, points)`."""
    if len(ascending) == 1:
        return np.asarray(np.searchsorted(ascending[0], points[0], side="right")[None])
    low = np.zeros(points.shape, dtype=np.intp)
    high = np.full(points.shape, ascending.shape[1])
    while (low < high).any():
        middle = (low + high) // 2
        inside = np.minimum(middle, ascending.shape[1] - 1)
        below = (rows_at(ascending, inside) <= points) & (middle < high)
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    return low
