"""Best response for all alpha at once: the intervals of alpha on which it goes the same way."""

from dataclasses import dataclass
from itertools import pairwise

from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.solvers.moves import Board, Moves, Profile, Turns, start_profile

MAX_PATHS = 100_000


@dataclass(frozen=True, eq=False)
class Path:
    """Where best response ends for alpha strictly between `left` and `right`.

    Attributes
    ----------
    left, right
        Ends of the interval.
    profile
        Where play ends.
    utility
        U there.
    moves
        Moves made on the way.
    """

    left: float
    right: float
    profile: Profile
    utility: float
    moves: int

    @property
    def end(self) -> float:
        """The end at which the platform keeps more."""
        return self.left if self.utility >= 0 else self.right

    @property
    def limit(self) -> float:
        """The most that the platform keeps on the interval, as alpha comes to its better end."""
        return (1.0 - self.end) * self.utility


@dataclass
class _Branch:
    """Play in progress on an interval of alpha."""

    left: float
    right: float
    moves: Moves
    turn: int
    quiet: int
    made: int


def response_paths(
    game: AcquisitionGame,
    start: ArrayLike | str | None = None,
    order: str = "cyclic",
    seed: int = 0,
) -> list[Path]:
    """Return where best response ends for every alpha but the ends of finitely many intervals.

    At each turn a user's best level is the highest of straight lines in alpha; where it changes
    the interval is cut in two. No alpha is sampled.

    Parameters
    ----------
    game
        The data acquisition game.
    start, order, seed
        As in `best_response`; the same for all alpha.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain or there are more than `MAX_PATHS` intervals.
    """
    board = Board(game)
    turns = Turns(game.users, order, seed)
    stack = [_Branch(0.0, 1.0, Moves(board, start_profile(game, start, seed)), 0, 0, 0)]
    ends: list[Path] = []
    while stack:
        branch = stack.pop()
        stack += _advance(branch, turns, board.scale)
        if branch.quiet >= turns.users:
            profile = branch.moves.profile
            worth = float(game.value(profile))
            ends.append(Path(branch.left, branch.right, profile, worth, branch.made))
        if len(ends) + len(stack) > MAX_PATHS:
            raise InvalidInput(
                f"best response goes more than {MAX_PATHS} ways between alpha 0 and 1: use "
                "best_response at the alpha of interest"
            )
    return ends


def _advance(branch: _Branch, turns: Turns, scale: float) -> list[_Branch]:
    """Play on until everyone is quiet; return the branches that were cut off."""
    cut: list[_Branch] = []
    while branch.quiet < turns.users:
        user = turns.user(branch.turn)
        pieces = _choices(branch, user, 1e-13 * scale)
        for left, right, level in pieces[1:]:
            twin = _Branch(left, right, branch.moves.copy(), branch.turn, branch.quiet, branch.made)
            _take(twin, user, level, turns)
            cut.append(twin)
        branch.left, branch.right = pieces[0][:2]
        _take(branch, user, pieces[0][2], turns)
    return cut


def _take(branch: _Branch, user: int, level: int, turns: Turns) -> None:
    branch.turn += 1
    branch.quiet += 1
    if level != branch.moves.profile[user]:
        branch.moves.move(user, level)
        branch.made += 1
        branch.quiet = -turns.rest(branch.turn)


def _choices(branch: _Branch, user: int, noise: float) -> list[tuple[float, float, int]]:
    """Return the pieces of the interval on each of which one level is the user's best."""
    slopes = branch.moves.payments(user)
    costs = branch.moves.costs(user)
    stay = int(branch.moves.profile[user])
    cuts = sorted(_crossings(slopes, costs, branch.left, branch.right, noise))
    ends = [branch.left, *cuts, branch.right]
    pieces: list[tuple[float, float, int]] = []
    for left, right in pairwise(ends):
        middle = (left + right) / 2.0
        gains = [middle * slope - cost for slope, cost in zip(slopes, costs, strict=True)]
        level = max(range(len(gains)), key=gains.__getitem__)
        level = level if gains[level] > noise else stay
        if pieces and pieces[-1][2] == level:
            pieces[-1] = (pieces[-1][0], right, level)
        else:
            pieces.append((left, right, level))
    return pieces


def _crossings(
    slopes: list[float], costs: list[float], left: float, right: float, noise: float
) -> set[float]:
    """Return where two of the lines alpha slope - cost cross inside the interval."""
    gap = 1e-14  # narrower pieces are rounding
    result = set()
    for i in range(len(slopes)):
        for j in range(i):
            slope = slopes[i] - slopes[j]
            if abs(slope) > noise:
                at = (costs[i] - costs[j]) / slope
                if left + gap < at < right - gap:
                    result.add(at)
    return result
