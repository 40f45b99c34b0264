"""Single moves on the potential of a game: what dynamics are made of."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.streams import Streams

Profile = NDArray[np.intp]
TOLERANCE = 1e-12
"""Of payoffs, relative to the largest utility or cost: a smaller gain moves nobody."""


class Board:
    """A game prepared for many moves: neighbors in its table are looked up once.

    Parameters
    ----------
    game
        The data acquisition game. Without a table (too many profiles) payments are computed from
        coalitions at every look, which is exact and slow.
    """

    def __init__(self, game: AcquisitionGame) -> None:
        self.game = game
        self.tabulated = game.tabulated
        self._neighbors: dict[tuple[int, int, int], NDArray[np.int64]] = {}

    @cached_property
    def scale(self) -> float:
        """Size of payoffs."""
        if self.tabulated:
            worth = float(np.abs(self.game.table.utility).max())
        else:
            worth = abs(float(self.game.value(np.full(self.game.users, self.game.levels - 1))))
        return max(worth, float(self.game.costs.max()), 1e-300)

    def neighbor(self, kind: int, old: int, new: int, state: int) -> int:
        """Return the table's state after a user of a kind moves."""
        key = (kind, old, new)
        if key not in self._neighbors:
            self._neighbors[key] = self.game.table.neighbor(*key)
        return int(self._neighbors[key][state])


class Moves:
    """A profile that moves user by user, with what each of her levels would bring her.

    Parameters
    ----------
    board
        The game.
    profile
        Level number of each user.
    """

    def __init__(self, board: Board, profile: Profile) -> None:
        self.board = board
        self.profile = profile.copy()
        self.kinds = board.game.kinds
        self.state = -1
        if board.tabulated:
            self.state = int(board.game.table.index(board.game.counts(profile)))

    def copy(self) -> "Moves":
        """Return the same profile, to move on its own."""
        twin = object.__new__(Moves)
        twin.board, twin.kinds, twin.state = self.board, self.kinds, self.state
        twin.profile = self.profile.copy()
        return twin

    def payments(self, user: int) -> list[float]:
        """Return how the user's payment would change by moving to each level."""
        game = self.board.game
        if not self.board.tabulated:
            changes: list[float] = game.payment_gains(self.profile)[user].tolist()
            return changes
        potential = game.table.potential
        here = float(potential[self.state])
        return [float(potential[self._there(user, new)]) - here for new in range(game.levels)]

    def costs(self, user: int) -> list[float]:
        """Return how the user's cost would change by moving to each level."""
        row = self.board.game.costs[user]
        changes: list[float] = (row - row[self.profile[user]]).tolist()
        return changes

    def gains(self, user: int, alpha: float) -> list[float]:
        """Return what the user would gain by moving to each level."""
        pairs = zip(self.payments(user), self.costs(user), strict=True)
        return [alpha * paid - cost for paid, cost in pairs]

    def move(self, user: int, new: int) -> None:
        """Move a user."""
        if self.board.tabulated:
            self.state = self._there(user, new)
        self.profile[user] = new

    def potential(self, alpha: float) -> float:
        """Return alpha P - sum of costs, from the table."""
        game = self.board.game
        cost = float(game.costs[np.arange(game.users), self.profile].sum())
        return alpha * float(game.table.potential[self.state]) - cost

    def _there(self, user: int, new: int) -> int:
        old = int(self.profile[user])
        if new == old:
            return self.state
        return self.board.neighbor(int(self.kinds[user]), old, new, self.state)


def start_profile(game: AcquisitionGame, start: ArrayLike | str | None, seed: int) -> Profile:
    """Return where dynamics start: a given profile, all private (None), or "random".

    Raises
    ------
    InvalidInput
        If the start is not one of these.
    """
    if start is None:
        return np.zeros(game.users, dtype=np.intp)
    if isinstance(start, str):
        if start != "random":
            raise InvalidInput(f'start must be a profile, None or "random", got {start!r}')
        return Streams(seed).generator("start").integers(0, game.levels, game.users)
    levels = game.check_profile(start)
    if levels.ndim != 1:
        raise InvalidInput(f"start must be one profile, got shape {levels.shape}")
    return levels


class Turns:
    """Who moves when: all users in turn, or in a new random order each time.

    Parameters
    ----------
    users
        Number of users.
    order
        "cyclic" or "random".
    seed
        Of the random order.

    Raises
    ------
    InvalidInput
        If the order is unknown.
    """

    def __init__(self, users: int, order: str, seed: int) -> None:
        if order not in ("cyclic", "random"):
            raise InvalidInput(f'order must be "cyclic" or "random", got {order!r}')
        self.users = users
        self._rng = Streams(seed).generator("order") if order == "random" else None
        self._sweeps: list[list[int]] = []

    def user(self, turn: int) -> int:
        """Return whose turn it is; the same at every call."""
        sweep, place = divmod(turn, self.users)
        if self._rng is None:
            return place
        while len(self._sweeps) <= sweep:
            self._sweeps.append(self._rng.permutation(self.users).tolist())
        return self._sweeps[sweep][place]

    def rest(self, turn: int) -> int:
        """Return how many turns to let pass after a move before all are asked again.

        In a random order the same user may come twice before another is asked.
        """
        return 0 if self._rng is None else -turn % self.users
