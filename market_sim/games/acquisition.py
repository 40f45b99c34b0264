"""The data acquisition game: users choose how much to give for fair payments."""

from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.base import Game
from market_sim.games.fair_value import fair_values
from market_sim.games.potential import MAX_STATES, PotentialTable, table_shape
from market_sim.games.symmetric import SymmetricPlay
from market_sim.games.utility import as_utility, check_empty
from market_sim.shapes import Array, as_floats, frozen

Indices = NDArray[np.intp]


class AcquisitionGame(Game):
    r"""User i gets alpha * phi_i(rho) - c_i(rho_i): a share of the fair payment, less her cost.

    The platform keeps (1 - alpha) U(rho). The game has the exact potential
    alpha P(rho) - sum_i c_i(rho_i), so a pure equilibrium exists for every alpha and better
    responses converge.

    Parameters
    ----------
    utility
        A `Utility`, or a function from levels `(rows, users)` to U `(rows,)`.
    costs
        c_i(level) >= 0, shape `(users, levels)`, at least two levels; column 0 is zero.
    level_values
        What a user gives at each level, ascending from 0, shape `(levels,)`; 0, 1, 2, ... if
        omitted. Infinity is allowed.
    private_gives
        Let the first level value be positive: then the private option gives data too, and is paid
        for.

    Attributes
    ----------
    utility, costs, level_values
        As given.

    Raises
    ------
    InvalidInput
        If U(0) is not 0, a cost is negative, not finite or not zero at level 0, or the shapes or
        level values do not fit.

    Notes
    -----
    Source: Fair Value of Data [S] Section 5; [D] the potential.
    """

    def __init__(
        self,
        utility: Any,
        costs: ArrayLike,
        level_values: ArrayLike | None = None,
        *,
        private_gives: bool = False,
    ) -> None:
        self.costs = frozen(_checked_costs(costs))
        self.utility = as_utility(utility, len(self.costs))
        values = np.arange(self.levels) if level_values is None else level_values
        self.level_values = frozen(_checked_values(values, self.levels, private_gives))
        check_empty(self.utility)

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.costs)

    @property
    def levels(self) -> int:
        """Number of levels, the private one included."""
        return int(self.costs.shape[1])

    @property
    def kinds(self) -> Indices:
        """Kind of each user: users of one kind are interchangeable in U, shape `(users,)`."""
        return self.utility.kinds

    @cached_property
    def groups(self) -> Indices:
        """Group of each user: identical users, of one kind and with the same costs."""
        code = self.kinds
        for column in self.costs[:, 1:].T:
            place = np.unique(column, return_inverse=True)[1]
            code = np.unique(code * self.users + place, return_inverse=True)[1]
        return np.asarray(code, dtype=np.intp)

    @property
    def tabulated(self) -> bool:
        """Whether all profiles fit in a table; if not, payments are computed one by one."""
        states = 1
        for size in table_shape(self.utility, self.level_values):
            states *= size
        return states <= MAX_STATES

    @cached_property
    def table(self) -> PotentialTable:
        """U and P of all profiles, by counts of each kind at each level; made on first use."""
        return PotentialTable(self.utility, self.level_values)

    @cached_property
    def symmetric(self) -> SymmetricPlay:
        """Mixed play in which all users use one mixture; for identical users."""
        if self.groups.max() > 0:
            raise InvalidInput(
                f"symmetric play needs identical users, but there are {self.groups.max() + 1} "
                "groups that differ in data or costs"
            )
        return SymmetricPlay(self.utility, self.costs[0], self.level_values)

    def value(self, profile: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
        """Return U of profiles of level numbers, shape `(*profiles, users)`."""
        return self.utility.value(self.level_values[self.check_profile(profile)])

    def platform_utility(
        self, profile: ArrayLike, alpha: float
    ) -> Float[NDArray[np.float64], "*profiles"]:
        """Return what the platform keeps, (1 - alpha) U."""
        return np.asarray((1.0 - check_alpha(alpha)) * self.value(profile))

    def cost(self, profile: ArrayLike) -> Float[NDArray[np.float64], "*profiles users"]:
        """Return what each user's level costs her."""
        return np.asarray(self.costs[np.arange(self.users), self.check_profile(profile)])

    def payments(self, profile: ArrayLike) -> Float[NDArray[np.float64], "*profiles users"]:
        """Return the fair payments phi_i of Theorem 2 (alpha = 1)."""
        levels = self.check_profile(profile)
        if not self.tabulated:
            return fair_values(self.utility, self.level_values[levels]).users
        counts = self.counts(levels)
        left = self._after(counts, levels, None)
        here = self.table.potential[self.table.index(counts)]
        return np.asarray(here[..., None] - self.table.potential[left])

    def payoff(
        self, profile: ArrayLike, alpha: float = 1.0
    ) -> Float[NDArray[np.float64], "*profiles users"]:
        """Return alpha phi_i - c_i of each user.

        Raises
        ------
        InvalidInput
            If alpha is outside [0, 1] or the profile does not fit the game.
        """
        return np.asarray(check_alpha(alpha) * self.payments(profile) - self.cost(profile))

    def potential(
        self, profile: ArrayLike, alpha: float = 1.0
    ) -> Float[NDArray[np.float64], "*profiles"]:
        """Return alpha P - sum of costs: a user's move changes it by exactly her own gain."""
        state = self.table.index(self.counts(profile))
        cost = self.cost(profile).sum(axis=-1)
        return np.asarray(check_alpha(alpha) * self.table.potential[state] - cost)

    def payment_gains(
        self, profile: ArrayLike
    ) -> Float[NDArray[np.float64], "*profiles users levels"]:
        """Return how each user's payment phi_i would change by moving alone to each level."""
        levels = self.check_profile(profile)
        if not self.tabulated:
            return self._direct_gains(levels)
        counts = self.counts(levels)
        here = self.table.potential[self.table.index(counts)][..., None]
        gains = [
            self.table.potential[self._after(counts, levels, new)] - here
            for new in range(self.levels)
        ]
        return np.stack(gains, axis=-1)

    def deviation_gains(
        self, profile: ArrayLike, alpha: float = 1.0
    ) -> Float[NDArray[np.float64], "*profiles users levels"]:
        """Return what each user would gain by moving alone to each level (0 at her own)."""
        return self._gains(self.check_profile(profile), self.payment_gains(profile), alpha)

    def regret(
        self, profile: ArrayLike, alpha: float = 1.0
    ) -> Float[NDArray[np.float64], "*profiles"]:
        """Return the most that a user gains by moving alone, without the potential table.

        Every payment is a sum over coalitions of its own (`fair_values`): slower than
        `deviation_gains`, and independent of the code by which equilibria are found.
        """
        levels = self.check_profile(profile)
        gains = self._gains(levels, self._direct_gains(levels), alpha)
        return np.asarray(gains.max(axis=(-2, -1)))

    def counts(self, profile: ArrayLike) -> NDArray[np.int64]:
        """Return how many users of each kind are at each level, shape `(..., kinds, levels)`."""
        levels = self.check_profile(profile)
        kinds = int(self.kinds.max()) + 1
        rows = levels.reshape(-1, self.users)
        code = self.kinds * self.levels + rows
        code = code + np.arange(len(rows))[:, None] * (kinds * self.levels)
        result = np.bincount(code.reshape(-1), minlength=len(rows) * kinds * self.levels)
        return result.reshape(*levels.shape[:-1], kinds, self.levels)

    def check_profile(self, profile: ArrayLike) -> Indices:
        """Return level numbers of shape `(*profiles, users)`.

        Raises
        ------
        InvalidInput
            If one is not a whole number from 0 to `levels - 1` or the number of users differs.
        """
        given = as_floats("profile", profile)
        if given.ndim == 0 or given.shape[-1] != self.users:
            raise InvalidInput(
                f"profile needs a last axis of {self.users} users, got shape {given.shape}"
            )
        levels = given.astype(np.intp)
        bad = (levels != given) | (levels < 0) | (levels >= self.levels)
        if bad.any():
            raise InvalidInput(
                f"profile must hold level numbers 0 to {self.levels - 1}, "
                f"got {given[bad].reshape(-1)[0]:g}"
            )
        return levels

    def _gains(self, levels: Indices, payment_gains: Array, alpha: float) -> Array:
        """Return alpha times the change of payment, less the change of cost."""
        extra = self.costs - self.costs[np.arange(self.users), levels][..., None]
        return np.asarray(check_alpha(alpha) * payment_gains - extra)

    def _after(
        self, counts: NDArray[np.int64], levels: Indices, new: int | None
    ) -> NDArray[np.int64]:
        """Return the table's state after each user, alone, has moved to `new` (None: has left)."""
        kinds, number = counts.shape[-2:]
        moved = np.repeat(counts[..., None, :, :], kinds * number, axis=-3)
        for g in range(kinds):
            for old in range(number):
                moved[..., g * number + old, g, old] -= 1
                if new is not None:
                    moved[..., g * number + old, g, new] += 1
        states = self.table.index(np.maximum(moved, 0))
        return np.take_along_axis(states, self.kinds * number + levels, axis=-1)

    def _direct_gains(self, levels: Indices) -> Array:
        """Return changes of payments from payments that are each computed from coalitions."""
        rows = levels.reshape(-1, self.users)
        gains = np.empty((len(rows), self.users, self.levels))
        for row, profile in enumerate(rows):
            here = self._direct_payments(profile)
            code = self.kinds * self.levels + profile
            for user in np.unique(code, return_index=True)[1]:
                for new in range(self.levels):
                    moved = profile.copy()
                    moved[user] = new
                    changed = new != profile[user]
                    paid = self._direct_payments(moved)[user] if changed else here[user]
                    gains[row, code == code[user], new] = paid - here[user]
        return gains.reshape(*levels.shape, self.levels)

    def _direct_payments(self, profile: Indices) -> Array:
        return fair_values(self.utility, self.level_values[profile]).users


def check_alpha(alpha: float) -> float:
    """Return the share of the value that is paid out, refused outside [0, 1]."""
    number = as_floats("alpha", alpha)
    if number.ndim or not 0.0 <= float(number) <= 1.0:
        raise InvalidInput(f"alpha must be one number from 0 to 1, got {alpha}")
    return float(number)


def _checked_costs(costs: ArrayLike) -> Array:
    array = as_floats("costs", costs, minimum=0.0)
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 2:
        raise InvalidInput(
            f"costs needs shape (users, levels) with at least two levels, got {array.shape}"
        )
    paid = np.flatnonzero(array[:, 0])
    if paid.size:
        raise InvalidInput(
            f"the most private level costs nothing: column 0 of costs must be 0, "
            f"got {array[paid[0], 0]:g} for user {paid[0]}"
        )
    return array


def _checked_values(values: ArrayLike, levels: int, private_gives: bool) -> Array:
    array = as_floats("level_values", values, minimum=0.0, finite=False)
    if array.shape != (levels,):
        raise InvalidInput(
            f"level_values must be one number a level ({levels} columns of costs), "
            f"got shape {array.shape}"
        )
    if (np.diff(np.where(np.isinf(array), np.finfo(np.float64).max, array)) <= 0).any():
        raise InvalidInput(f"level_values must ascend, got {array.tolist()}")
    if array[0] != 0 and not private_gives:
        raise InvalidInput(
            f"level_values must start at 0, got {array[0]:g}: if the most private level gives "
            "data too, say private_gives=True"
        )
    return array
