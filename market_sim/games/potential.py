"""The potential of the fair-payment game, for all profiles at once."""

from collections.abc import Sequence
from functools import cached_property
from math import comb, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.utility import Utility, check_values
from market_sim.shapes import Array, as_floats, frozen

Indices = NDArray[np.int64]
MAX_STATES = 5_000_000
"""A larger table is refused: it would take gigabytes."""


def simplex_size(users: int, cells: int) -> int:
    """Return the number of ways to put at most `users` users into `cells` cells."""
    return comb(users + cells, cells)


def simplex(users: int, cells: int) -> Indices:
    """Return all counts of at most `users` users in `cells` cells, by total, shape (.., cells).

    The order does not depend on `users`: a smaller table is the beginning of a larger one, and
    `simplex_rank` is the place of a vector in it.
    """
    if cells == 0:
        return np.zeros((1, 0), dtype=np.int64)
    if cells == 1:
        return np.arange(users + 1)[:, None]
    inner = simplex(users, cells - 1)
    total = inner.sum(axis=1)
    blocks = []
    for n in range(users + 1):
        end = simplex_size(n, cells - 1)
        blocks.append(np.column_stack([n - total[:end], inner[:end]]))
    return np.concatenate(blocks)


def simplex_rank(counts: NDArray[np.integer]) -> Indices:
    """Return the place of count vectors, shape `(..., cells)`, in `simplex`."""
    cells = counts.shape[-1]
    rank = np.zeros(counts.shape[:-1], dtype=np.int64)
    tail = np.zeros(counts.shape[:-1], dtype=np.int64)
    for j in reversed(range(cells)):
        tail = tail + counts[..., j]
        size = cells - j
        term = np.ones_like(rank)
        for i in range(size):  # C(tail - 1 + size, size), exact at every step
            term = term * (tail + i) // (i + 1)
        rank += term
    return rank


class PotentialTable:
    r"""P over all count vectors: how many users of each kind are at each level.

    P(k) = (U(k) + sum_t k_t P(k - e_t)) / |k| over the cells t = (kind, level) that give
    something; the fair payment of a user in cell t is P(k) - P(k - e_t), and a user of cell t who
    moves to s changes her payment by P(k - e_t + e_s) - P(k). Averages of payments only: no
    rounding is amplified.

    Parameters
    ----------
    utility
        Its kinds are the groups of the table.
    level_values
        What a user gives at each level, shape `(levels,)`. A value of 0 gives nothing. If no
        value is 0, the table also holds the coalitions in which users are missing, and `full`
        marks the states that are profiles.

    Attributes
    ----------
    sizes
        Users of each kind, shape `(kinds,)`.
    shape
        States of each kind; a state of the table is an index into their product, C order.
    utility, potential
        U and P of each state, shape `(states,)`.

    Raises
    ------
    InvalidInput
        If the table would have more than `MAX_STATES` states or U is not finite.

    Notes
    -----
    Source: Fair Value of Data [D], algorithm B; Hart and Mas-Colell (1989) for the potential.
    """

    def __init__(self, utility: Utility, level_values: ArrayLike) -> None:
        self.level_values = frozen(as_floats("level_values", level_values, finite=False))
        self.sizes = np.bincount(utility.kinds)
        self._cells = np.flatnonzero(self.level_values != 0)
        self.shape = table_shape(utility, self.level_values)
        if prod(self.shape) > MAX_STATES:
            raise InvalidInput(
                f"a table of all profiles would have {prod(self.shape):.3g} states, above "
                f"{MAX_STATES:.0g}: compute single profiles with fair_values, or give users of "
                "one kind the same data"
            )
        self._local = [simplex(int(n), self._cells.size) for n in self.sizes]
        self._strides = [prod(self.shape[g + 1 :]) for g in range(self.kinds)]
        self.utility = frozen(self._utilities(utility))
        self.potential = frozen(self._sweep())

    @property
    def kinds(self) -> int:
        """Number of kinds."""
        return int(self.sizes.size)

    @property
    def levels(self) -> int:
        """Number of levels."""
        return int(self.level_values.size)

    @property
    def states(self) -> int:
        """Number of states."""
        return prod(self.shape)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Users of each kind at each level, shape `(states, kinds, levels)`.

        Where all levels give something the counts of a coalition do not add up to the sizes.
        """
        result = np.zeros((self.states, self.kinds, self.levels), dtype=np.int64)
        for g in range(self.kinds):
            result[:, g, self._cells] = self._local[g][self._place(g)]
        if self._cells.size < self.levels:
            result[:, :, self._nothing] = self.sizes - result.sum(axis=2)
        return result

    @cached_property
    def full(self) -> NDArray[np.bool_]:
        """Which states are profiles: every user is at a level."""
        if self._cells.size < self.levels:
            return np.ones(self.states, dtype=bool)
        return np.asarray((self.counts.sum(axis=2) == self.sizes).all(axis=1))

    def index(self, counts: ArrayLike) -> Indices:
        """Return the states of counts of shape `(..., kinds, levels)`."""
        given = np.asarray(counts, dtype=np.int64)
        if given.shape[-2:] != (self.kinds, self.levels):
            raise InvalidInput(
                f"counts must end in (kinds, levels) = {(self.kinds, self.levels)}, "
                f"got shape {given.shape}"
            )
        rank = simplex_rank(given[..., self._cells])
        return np.asarray((rank * np.array(self._strides)).sum(axis=-1))

    def neighbor(self, kind: int, old: int | None, new: int | None) -> Indices:
        """Return, for each state, the one in which a user of `kind` moves from `old` to `new`.

        A level of None is outside of every coalition, like a level that gives nothing. -1 where
        no user can make the move.
        """
        local, size = self._local[kind], int(self.sizes[kind])
        cell_of = {int(level): cell for cell, level in enumerate(self._cells)}
        leave = None if old is None else cell_of.get(old)
        enter = None if new is None else cell_of.get(new)
        someone = local.sum(axis=1) < size if leave is None else local[:, leave] > 0
        moved = local.copy()
        if leave is not None:
            moved[:, leave] -= 1
        if enter is not None:
            moved[:, enter] += 1
        possible = someone & (moved.sum(axis=1) <= size)
        place = np.where(possible, simplex_rank(np.maximum(moved, 0)), -1)[self._place(kind)]
        change = (place - self._place(kind)) * self._strides[kind]
        return np.where(place >= 0, np.arange(self.states) + change, -1)

    def payment(self, kind: int, level: int) -> Array:
        """Return the fair payment of a user of `kind` at `level` in each state, NaN if none is."""
        gone = self.neighbor(kind, level, None)
        return np.where(gone >= 0, self.potential - self.potential[gone], np.nan)

    @property
    def _nothing(self) -> int:
        return int(np.flatnonzero(self.level_values == 0)[0])

    def _place(self, kind: int) -> Indices:
        """Return the place of each state in the table of one kind."""
        return np.asarray(np.arange(self.states) // self._strides[kind] % self.shape[kind])

    def _utilities(self, utility: Utility) -> Array:
        if self._cells.size == 0:
            return np.zeros(self.states)
        kind, level, counts = [], [], []
        for g in range(self.kinds):
            shape = [1] * self.kinds
            shape[g] = self.shape[g]
            for cell, place in enumerate(self._cells):
                kind.append(g)
                level.append(self.level_values[place])
                counts.append(self._local[g][:, cell].astype(np.float64).reshape(shape))
        return check_values(utility.value_of_counts(kind, level, counts).reshape(-1))

    def _sweep(self) -> Array:
        """Fill P from the smallest coalitions up, all of one size at a time."""
        if self.kinds == self._cells.size == 1:  # P(k) - P(k - 1) = U(k) / k
            k = np.arange(1, self.states)
            return np.concatenate([[0.0], np.cumsum(self.utility[1:] / k)])
        places = [self._place(g) for g in range(self.kinds)]
        totals = [local.sum(axis=1) for local in self._local]
        degree = sum((t[p] for t, p in zip(totals, places, strict=True)), np.zeros(1, np.int64))
        order = np.argsort(degree, kind="stable")
        ends = np.cumsum(np.bincount(degree))
        drops = [self._drops(g) for g in range(self.kinds)]
        potential = np.zeros(self.states)
        for size in range(1, ends.size):
            block = order[ends[size - 1] : ends[size]]
            total = self.utility[block]
            for g in range(self.kinds):
                place = places[g][block]
                for cell in range(self._cells.size):
                    before = potential[block - drops[g][cell][place]]
                    total = total + self._local[g][place, cell] * before
            potential[block] = total / size
        return potential

    def _drops(self, kind: int) -> Sequence[Indices]:
        """Return how far down the table a user of each cell moves it by leaving."""
        local = self._local[kind]
        result = []
        for cell in range(local.shape[1]):
            fewer = local.copy()
            fewer[:, cell] = np.maximum(fewer[:, cell] - 1, 0)
            result.append((np.arange(len(local)) - simplex_rank(fewer)) * self._strides[kind])
        return result


def table_shape(utility: Utility, level_values: Array) -> tuple[int, ...]:
    """Return the shape that the table of a utility would have."""
    cells = int(np.count_nonzero(level_values))
    return tuple(simplex_size(int(n), cells) for n in np.bincount(utility.kinds))
