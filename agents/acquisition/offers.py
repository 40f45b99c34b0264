"""Offers: what every level would bring each user, given who is there and what the others do."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from market_sim.games import AcquisitionGame, fair_values
from market_sim.shapes import Array

Levels = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Offers:
    """Fair payments among the users who are present.

    Who is absent is outside of every coalition. Users of one kind at one level see the same
    payments, so the work grows with the number of such types, not with the number of users.

    Parameters
    ----------
    game
        The data acquisition game.
    """

    game: AcquisitionGame

    def given(self, levels: Levels, present: Flags) -> Array:
        """Return what each user gives, 0 if she is absent, shape `(users,)`."""
        return np.where(present, self.game.level_values[levels], 0.0)

    def value(self, levels: Levels, present: Flags) -> float:
        """Return U of what the present users give, from the utility itself."""
        return float(self.game.utility.value(self.given(levels, present)))

    def payments(self, levels: Levels, present: Flags, rows: Levels) -> Array:
        """Return what each level would pay the users `rows` if only she moved.

        Parameters
        ----------
        levels
            Level number of each user, shape `(users,)`.
        present
            Who is there, shape `(users,)`; all of `rows` are.
        rows
            Users who ask.

        Returns
        -------
        Array
            phi_i(l, rho_-i) at alpha = 1, shape `(rows, levels)`.
        """
        game = self.game
        code = game.kinds[rows] * game.levels + levels[rows]
        types, first, place = np.unique(code, return_index=True, return_inverse=True)
        if not game.tabulated:
            return self._from_coalitions(levels, present, rows[first])[place]
        return self._from_table(self._counts(levels, present), types)[place]

    def _counts(self, levels: Levels, present: Flags) -> NDArray[np.int64]:
        """Return the present users of each kind at each level."""
        game = self.game
        code = (game.kinds * game.levels + levels)[present]
        shape = (int(game.table.kinds), game.levels)
        return np.bincount(code, minlength=shape[0] * shape[1]).reshape(shape)

    def _from_table(self, counts: NDArray[np.int64], types: Levels) -> Array:
        """Take differences of the potential, shape `(types, levels)`."""
        game, table = self.game, self.game.table
        kind, old = np.divmod(types, game.levels)
        without = np.repeat(counts[None], types.size, axis=0)
        without[np.arange(types.size), kind, old] -= 1
        joined = np.repeat(without[:, None], game.levels, axis=1)
        here, new = np.indices((types.size, game.levels))
        joined[here, new, kind[:, None], new] += 1
        before = table.potential[table.index(without)]
        return np.asarray(table.potential[table.index(joined)] - before[:, None])

    def _from_coalitions(self, levels: Levels, present: Flags, users: Levels) -> Array:
        """Compute every payment anew, for games too large for a table."""
        game = self.game
        profiles = np.repeat(self.given(levels, present)[None], users.size * game.levels, axis=0)
        who = np.repeat(users, game.levels)
        rows = np.arange(who.size)
        profiles[rows, who] = np.tile(game.level_values, users.size)
        paid = fair_values(game.utility, profiles).users[rows, who]
        return np.asarray(paid.reshape(users.size, game.levels))

    @cached_property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest payment that any user could get for any level.

        From the table of all profiles; of games without one, plus and minus U when all users give
        the most, an estimate.
        """
        game = self.game
        if not game.tabulated:
            worth = abs(float(game.value(np.full(game.users, game.levels - 1))))
            return -worth, worth
        lowest = float(self.extremes(np.fmin).min())
        return min(lowest, 0.0), max(float(self.most.max()), 0.0)

    @cached_property
    def most(self) -> Array:
        """The most that each kind could be paid at each level, shape `(kinds, levels)`."""
        return self.extremes(np.fmax)

    def extremes(self, extreme: np.ufunc) -> Array:
        """Return the largest (`np.fmax`) or smallest (`np.fmin`) payments, `(kinds, levels)`."""
        table = self.game.table
        return np.array(
            [
                [float(extreme.reduce(table.payment(kind, level))) for level in range(table.levels)]
                for kind in range(table.kinds)
            ]
        )
