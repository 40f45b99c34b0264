"""When users are content: bounds on alpha from the potential table, partition by partition."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame, PotentialTable
from market_sim.shapes import Array

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
MAX_LEVELS = 12
_KEPT = 20_000_000


@dataclass(frozen=True, eq=False)
class Pool:
    """Users of one kind, gathered in groups of equal costs.

    Attributes
    ----------
    kind
        Its number.
    groups
        Numbers of the groups in the game.
    sizes
        Users of each group.
    costs
        Shape `(groups, levels)`.
    """

    kind: int
    groups: Indices
    sizes: Indices
    costs: Array


class Contentment:
    r"""Which users of each group are content with which level, in every partition.

    A partition says how many users of each kind are at each level. There, a user who moves from l
    to l' changes her payment by D = P(k - e_l + e_l') - P(k), whoever she is: she is content with
    l when alpha D <= c(l') - c(l) for all l', which is an interval of alpha.

    Parameters
    ----------
    game
        With a table of all profiles.

    Attributes
    ----------
    states
        The table's states that are partitions of all users, shape `(partitions,)`.
    counts
        Users of each kind at each level, shape `(partitions, kinds, levels)`.
    utility
        U of each partition.
    noise
        What rounding may leave in a difference of payments.

    Notes
    -----
    Source: Fair Value of Data [D], algorithms D and E.
    """

    def __init__(self, game: AcquisitionGame) -> None:
        if game.levels > MAX_LEVELS:
            raise InvalidInput(
                f"pure equilibria look at all sets of levels: at most {MAX_LEVELS} levels, "
                f"got {game.levels}; use best_response for one equilibrium"
            )
        if not game.tabulated:
            raise InvalidInput(
                f"{game.users} users of {int(game.kinds.max()) + 1} kinds are too many for a "
                "table of all profiles: use best_response for one equilibrium, "
                "symmetric_equilibria if all are alike, or give users of one kind the same data"
            )
        self.game = game
        self.pools = _pools(game)
        table = self.table
        full = table.full
        self._all = bool(full.all())
        self.states: Indices = np.flatnonzero(full)
        self.counts = table.counts if self._all else table.counts[self.states]
        self.utility = table.utility if self._all else table.utility[self.states]
        scale = max(float(np.abs(table.potential).max()), float(np.abs(table.utility).max()))
        self.noise = (game.users + 8) * float(np.finfo(np.float64).eps) * max(scale, 1e-300)
        self._kept: dict[tuple[int, int, int], Array] = {}

    @property
    def table(self) -> PotentialTable:
        """Potential of all profiles."""
        return self.game.table

    @cached_property
    def scale(self) -> float:
        """Size of payoffs, to which tolerances relate."""
        return max(float(np.abs(self.utility).max()), float(self.game.costs.max()), 1e-300)

    def change(self, kind: int, old: int, new: int) -> Array:
        """Return D, the change of payment by moving; NaN where nobody of the kind is at `old`."""
        key = (kind, old, new)
        if key in self._kept:
            return self._kept[key]
        there = self.table.neighbor(kind, old, new)
        potential = self.table.potential
        if not self._all:
            there = there[self.states]
            potential = potential[self.states]
        result = np.where(there >= 0, self.table.potential[there] - potential, np.nan)
        if (len(self._kept) + 1) * result.size <= _KEPT:
            self._kept[key] = result
        return result

    def bounds(self, pool: Pool, level: int, rows: Indices | None = None) -> tuple[Array, Array]:
        """Return the least and greatest alpha at which each group is content with `level`.

        Shapes `(rows, groups)`; the least is above the greatest where none is. Widened by what
        rounding may hide, so that an equilibrium at a single alpha is not missed.
        """
        size = self.states.size if rows is None else rows.size
        least = np.zeros((size, pool.sizes.size))
        greatest = np.ones((size, pool.sizes.size))
        for new in range(self.game.levels):
            if new == level:
                continue
            change = self.change(pool.kind, level, new)
            change = (change if rows is None else change[rows])[:, None]
            extra = pool.costs[:, new] - pool.costs[:, level] + self.noise
            with np.errstate(divide="ignore", invalid="ignore"):
                limit = extra / change
            np.minimum(greatest, limit, out=greatest, where=change >= 0)
            np.maximum(least, limit, out=least, where=change < 0)
        nobody = (self.counts if rows is None else self.counts[rows])[:, pool.kind, level] == 0
        least[nobody], greatest[nobody] = np.inf, -np.inf
        return least, greatest

    def content(self, pool: Pool, level: int, alpha: float, tolerance: float) -> Flags:
        """Return whether groups are content with `level` at alpha, `(partitions, groups)`."""
        here = np.repeat(self.counts[:, pool.kind, level, None] > 0, pool.sizes.size, axis=1)
        for new in range(self.game.levels):
            if new != level:
                extra = pool.costs[:, new] - pool.costs[:, level] + tolerance
                here &= alpha * self.change(pool.kind, level, new)[:, None] <= extra
        return here


def hall(masks: Indices, sizes: Indices, counts: Indices) -> Flags:
    """Return whether groups can be assigned to levels in these numbers (Hall's condition).

    For every set of levels, the users who accept no other must fit in it.

    Parameters
    ----------
    masks
        Bit l of `masks[..., j]`: group j accepts level l, shape `(..., groups)`.
    sizes
        Users of each group, shape `(groups,)`.
    counts
        Users at each level, shape `(..., levels)`; they add up to all users.
    """
    levels = counts.shape[-1]
    possible = np.ones(np.broadcast_shapes(masks.shape[:-1], counts.shape[:-1]), dtype=bool)
    for chosen in range((1 << levels) - 1):
        room = counts[..., [level for level in range(levels) if chosen >> level & 1]].sum(axis=-1)
        possible &= ((masks & ~chosen) == 0) @ sizes <= room
    return possible


def _pools(game: AcquisitionGame) -> tuple[Pool, ...]:
    """Gather the game's groups by kind."""
    groups, first, sizes = np.unique(game.groups, return_index=True, return_counts=True)
    kinds = game.kinds[first]
    return tuple(
        Pool(kind, groups[kinds == kind], sizes[kinds == kind], game.costs[first[kinds == kind]])
        for kind in range(int(game.kinds.max()) + 1)
    )
