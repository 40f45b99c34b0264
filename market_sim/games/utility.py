"""Utility: what the data of a coalition is worth, as a function of who gives how much."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats, frozen, whole_number

Indices = NDArray[np.intp]
_NUMBERS_AT_ONCE = 4_000_000  # of a block of profiles, so that a large table does not fill memory


class Utility(ABC):
    """U(levels): the joint value of what all users give; level 0 means that a user gives nothing.

    Users of one *kind* are interchangeable: U depends only on how many users of each kind are at
    each level. Algorithms use this through `value_of_counts`.
    """

    smooth = False
    """Whether `value_of_counts` also interpolates between whole numbers of users, smoothly."""

    atoms = 1
    """Counts below this are apart: the interpolation is smooth from here on."""

    @property
    @abstractmethod
    def users(self) -> int:
        """Number of users."""

    @cached_property
    def kinds(self) -> Indices:
        """Kind of each user, numbers from 0 on, shape `(users,)`; all different if not said."""
        return np.arange(self.users)

    @abstractmethod
    def value(self, levels: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
        """Return U, shape `profiles`, of levels of shape `(*profiles, users)`."""

    def value_of_counts(self, kind: ArrayLike, level: ArrayLike, counts: Sequence[Array]) -> Array:
        """Return U when `counts[t]` users of kind `kind[t]` give `level[t]`, all others nothing.

        Parameters
        ----------
        kind, level
            Shape `(groups,)`.
        counts
            One array a group; they broadcast against each other to the shape of the result, so an
            open grid costs no more than the numbers on it.
        """
        kinds, given = np.atleast_1d(kind), np.atleast_1d(as_floats("level", level, finite=False))
        shape = np.broadcast_shapes(*(count.shape for count in counts))
        rows = prod(shape)
        flat = [np.broadcast_to(count, shape).reshape(rows) for count in counts]
        result = np.empty(rows)
        step = max(_NUMBERS_AT_ONCE // max(self.users, 1), 1)
        for first in range(0, rows, step):
            part = slice(first, first + step)
            result[part] = self.value(self._profiles(kinds, given, [f[part] for f in flat]))
        return result.reshape(shape)

    def _profiles(self, kind: Indices, level: Array, counts: Sequence[Array]) -> Array:
        """Return profiles with these counts: the first users of a kind give."""
        profiles = np.zeros((len(counts[0]), self.users))
        taken = {int(k): np.zeros(len(counts[0])) for k in kind}
        places = {int(k): np.flatnonzero(self.kinds == k) for k in kind}
        for k, given, count in zip(kind.tolist(), level.tolist(), counts, strict=True):
            rank = np.arange(places[k].size)
            start, end = taken[k], taken[k] + count
            here = (rank >= start[:, None]) & (rank < end[:, None])
            profiles[:, places[k]] += np.where(here, given, 0.0)
            taken[k] = end
        return profiles


class FunctionUtility(Utility):
    """A utility given as a function of levels.

    Parameters
    ----------
    function
        Maps levels of shape `(rows, users)` to U of shape `(rows,)`.
    users
        Number of users.
    kinds
        Kind of each user, if some are interchangeable.
    """

    def __init__(
        self,
        function: Callable[[Array], Any],
        users: int,
        kinds: ArrayLike | None = None,
    ) -> None:
        self._function = function
        self._users = whole_number("users", users, 1)
        if kinds is not None:
            given = np.asarray(kinds)
            if given.shape != (self._users,):
                raise InvalidInput(f"kinds must be one a user ({users}), got shape {given.shape}")
            self.kinds = np.unique(given, return_inverse=True)[1].astype(np.intp)

    @property
    def users(self) -> int:
        """Number of users."""
        return self._users

    def value(self, levels: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
        """Return U of levels of shape `(*profiles, users)`."""
        given = as_levels(levels, self.users)
        values = np.asarray(self._function(given.reshape(-1, self.users)), dtype=np.float64)
        if values.shape != (prod(given.shape[:-1]),):
            raise InvalidInput(
                f"the utility must return one number a profile, shape ({prod(given.shape[:-1])},), "
                f"but returned shape {values.shape}"
            )
        return values.reshape(given.shape[:-1])


class TableUtility(Utility):
    """A utility given by all its values: `values[levels of user 0, of user 1, ...]`.

    Parameters
    ----------
    values
        One axis a user, one entry a level 0, 1, ...
    """

    def __init__(self, values: ArrayLike) -> None:
        self.values = frozen(as_floats("values", values))
        if self.values.ndim == 0:
            raise InvalidInput("values needs one axis a user, got a single number")

    @property
    def users(self) -> int:
        """Number of users."""
        return self.values.ndim

    def value(self, levels: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
        """Return the entry at levels of shape `(*profiles, users)`, whole numbers."""
        given = as_levels(levels, self.users)
        places = np.where(np.isfinite(given), given, -1.0).astype(np.intp)
        shape = np.array(self.values.shape)
        bad = (places != given) | (places < 0) | (places >= shape)
        if bad.any():
            raise InvalidInput(
                f"levels must be whole numbers below the table's shape {self.values.shape}, "
                f"got {given[bad][0]:g}"
            )
        return np.asarray(self.values[tuple(np.moveaxis(places, -1, 0))])


class SymmetricUtility(Utility):
    """Identical users with two levels: `values[k]` is U when k of them give.

    Parameters
    ----------
    values
        U(0), U(1), ..., U(users).
    """

    def __init__(self, values: ArrayLike) -> None:
        self.values = frozen(as_floats("values", values))
        if self.values.ndim != 1 or self.values.size < 2:
            raise InvalidInput(
                f"values must be U(0), U(1), ..., U(users), got shape {self.values.shape}"
            )
        self.kinds = np.zeros(self.users, dtype=np.intp)

    @property
    def users(self) -> int:
        """Number of users."""
        return self.values.size - 1

    def value(self, levels: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
        """Return U of levels of shape `(*profiles, users)`; every level above 0 gives alike."""
        return np.asarray(self.values[(as_levels(levels, self.users) > 0).sum(axis=-1)])

    def value_of_counts(self, kind: ArrayLike, level: ArrayLike, counts: Sequence[Array]) -> Array:
        """Return U by the number of users who give."""
        given = np.atleast_1d(as_floats("level", level, finite=False))
        zero = np.zeros(np.broadcast_shapes(*(count.shape for count in counts)))
        total = sum((c for c, positive in zip(counts, given > 0, strict=True) if positive), zero)
        return np.asarray(self.values[np.asarray(total).astype(np.intp)])


@dataclass(frozen=True, eq=False)
class Groups:
    """Users who give something, gathered by kind and level.

    Attributes
    ----------
    kind, level, size
        Of each group, shape `(groups,)`.
    member
        Group of each user, -1 for who gives nothing, shape `(users,)`.
    """

    kind: Indices
    level: Array
    size: Indices
    member: Indices

    @property
    def states(self) -> int:
        """Number of count vectors, prod (size + 1)."""
        return prod(int(size) + 1 for size in self.size)

    @property
    def active(self) -> int:
        """Number of users who give something."""
        return int(self.size.sum())


def gather(utility: Utility, levels: Array) -> Groups:
    """Group the users of one profile, shape `(users,)`, who are interchangeable in it."""
    given, place = np.unique(levels, return_inverse=True)
    code = utility.kinds * given.size + place
    present = np.bincount(code, minlength=1)
    codes = np.flatnonzero(present)
    codes = codes[given[codes % given.size] != 0]
    number = np.full(present.size, -1)
    number[codes] = np.arange(codes.size)
    return Groups(codes // given.size, given[codes % given.size], present[codes], number[code])


def as_utility(utility: object, users: int) -> Utility:
    """Return a `Utility`, or one around a function or any object with `value(levels)`.

    Raises
    ------
    InvalidInput
        If it is none of these or is made for another number of users.
    """
    if isinstance(utility, Utility):
        if utility.users != users:
            raise InvalidInput(f"the utility is one of {utility.users} users, got {users}")
        return utility
    function = getattr(utility, "value", utility)
    if not callable(function):
        raise InvalidInput(
            f"utility must be a Utility, or a function from levels to a number a profile, "
            f"got {utility!r:.80}"
        )
    return FunctionUtility(function, users)


def as_levels(levels: ArrayLike, users: int) -> Array:
    """Return levels, >= 0, infinity allowed, with a last axis of `users`."""
    array = as_floats("levels", levels, minimum=0.0, finite=False)
    if array.ndim == 0 or array.shape[-1] != users:
        raise InvalidInput(f"levels needs a last axis of {users} users, got shape {array.shape}")
    return array


def check_values(utility: Array) -> Array:
    """Return values of a utility, refused if one is not finite.

    Raises
    ------
    InvalidInput
        Naming the first such value.
    """
    if not np.isfinite(utility).all():
        bad = utility[~np.isfinite(utility)].reshape(-1)[0]
        raise InvalidInput(f"the utility must be finite for every coalition, got {bad:g}")
    return utility


def check_empty(utility: Utility, scale: float = 1.0) -> None:
    """Refuse a utility that is not 0 when nobody gives anything."""
    nothing = float(utility.value(np.zeros(utility.users)))
    if not abs(nothing) <= 1e-12 * max(scale, 1.0):
        raise InvalidInput(
            f"the utility of no data must be 0 so that payments add up, got {nothing:g}: "
            "subtract it from the utility"
        )
