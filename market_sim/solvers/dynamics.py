"""Dynamics: users who answer each other, exactly or with noise, until nobody moves."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.games.acquisition import check_alpha
from market_sim.shapes import Array, as_floats
from market_sim.solvers.equilibrium import Equilibrium
from market_sim.solvers.moves import TOLERANCE, Board, Moves, Profile, Turns, start_profile
from market_sim.solvers.regret import pure_regret
from market_sim.streams import Streams


def best_response(
    game: AcquisitionGame,
    alpha: float,
    start: ArrayLike | str | None = None,
    order: str = "cyclic",
    *,
    seed: int = 0,
    max_moves: int = 1_000_000,
    tolerance: float = TOLERANCE,
) -> Equilibrium:
    r"""Let users move to their best level, one after the other, until nobody gains.

    Each move raises the potential Psi = alpha P - sum_i c_i by exactly what the user gains, so no
    profile comes twice and play ends in a pure equilibrium. Psi before and after every move is
    returned as the witness.

    Parameters
    ----------
    game
        The data acquisition game.
    alpha
        Share of the value that is paid out.
    start
        Level number of each user; all private if omitted; "random" draws it by the seed.
    order
        "cyclic": in turn. "random": in a new order each round, drawn by the seed.
    seed
        Of start and order.
    max_moves
        Where to stop; the status tells if it was reached.
    tolerance
        Smallest gain for which a user moves, relative to the largest utility or cost.

    Returns
    -------
    Equilibrium
        `steps` counts moves; `witness` is ascending.

    Raises
    ------
    InvalidInput
        If alpha, start or order is outside its domain.

    Notes
    -----
    Source: Fair Value of Data [D], algorithm F; Monderer and Shapley (1996).
    """
    share = check_alpha(alpha)
    board = Board(game)
    turns = Turns(game.users, order, seed)
    moves = Moves(board, start_profile(game, start, seed))
    slack = tolerance * board.scale
    path = settle(moves, share, turns, max_moves, slack)
    return _finished(moves, share, path, slack, len(path) - 1 < max_moves)


def logit_response(
    game: AcquisitionGame,
    alpha: float,
    rationality: float,
    start: ArrayLike | str | None = None,
    *,
    steps: int = 10_000,
    seed: int = 0,
) -> Equilibrium:
    r"""Let one random user at a time choose a level with chance ~ exp(rationality * payoff).

    The long run is the Gibbs law exp(rationality * Psi) over profiles, Psi the potential: high
    rationality stays near its maximum. The result is the profile after the last step; its regret
    tells how far from an equilibrium it is.

    Parameters
    ----------
    game
        The data acquisition game.
    alpha
        Share of the value that is paid out.
    rationality
        >= 0, per unit of payoff; 0 chooses at random.
    start, seed
        As in `best_response`.
    steps
        Choices made.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain.

    Notes
    -----
    Source: Blume (1993), log-linear learning in potential games.
    """
    share = check_alpha(alpha)
    rate = float(as_floats("rationality", rationality, minimum=0.0))
    if steps < 1:
        raise InvalidInput(f"steps must be at least 1, got {steps}")
    board = Board(game)
    moves = Moves(board, start_profile(game, start, seed))
    rng = Streams(seed).generator("logit")
    path = [moves.potential(share)] if board.tabulated else []
    users, draws = rng.integers(0, game.users, steps), rng.random(steps)
    for user, draw in zip(users.tolist(), draws.tolist(), strict=True):
        chances = logit_choice(moves.gains(user, share), rate)
        moves.move(user, int(np.searchsorted(np.cumsum(chances)[:-1], draw, side="right")))
        if board.tabulated:
            path.append(moves.potential(share))
    regret = pure_regret(game, moves.profile, share)
    return Equilibrium(
        strategy=moves.profile,
        regret=regret,
        residual=regret,
        status=f"the profile after {steps} noisy choices; a user would gain {regret:.3g} by moving",
        steps=steps,
        solver="logit_response",
        alpha=share,
        utility=float(game.value(moves.profile)),
        witness=np.array(path) if path else None,
    )


def logit_choice(payoffs: ArrayLike, rationality: float) -> Float[NDArray[np.float64], "*levels"]:
    """Return the chance of each level, ~ exp(rationality * payoff), over the last axis."""
    values = rationality * as_floats("payoffs", payoffs)
    weights = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Basins:
    """Where best response ends from many starts.

    Attributes
    ----------
    counts
        Users of each kind at each level at each end, shape `(ends, kinds, levels)`.
    share
        Share of the starts that end there, descending.
    utility
        U at each end.
    profiles
        One profile of each end, shape `(ends, users)`.
    """

    counts: NDArray[np.int64]
    share: Array
    utility: Array
    profiles: Profile

    def mean_utility(self) -> float:
        """Return the expected U at the end."""
        return float(self.share @ self.utility)


def basins(
    game: AcquisitionGame, alpha: float, *, starts: int = 1000, order: str = "random", seed: int = 0
) -> Basins:
    """Follow best response from random starts and gather where it ends, by partition.

    Parameters
    ----------
    game
        The data acquisition game.
    alpha
        Share of the value that is paid out.
    starts
        Number of starts, each level equally likely for each user.
    order
        As in `best_response`; random orders differ between starts.
    seed
        Of starts and orders.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain.
    """
    share = check_alpha(alpha)
    if starts < 1:
        raise InvalidInput(f"starts must be at least 1, got {starts}")
    board = Board(game)
    streams = Streams(seed)
    profiles = streams.generator("starts").integers(0, game.levels, (starts, game.users))
    slack = TOLERANCE * board.scale
    for number, profile in enumerate(profiles):
        moves = Moves(board, profile)
        turns = Turns(game.users, order, streams.seed("order", number))
        settle(moves, share, turns, None, slack)
        profiles[number] = moves.profile
    counts = game.counts(profiles)
    _, first, size = np.unique(
        counts.reshape(starts, -1), axis=0, return_index=True, return_counts=True
    )
    order_of = np.argsort(-size, kind="stable")
    ends = profiles[first[order_of]]
    return Basins(counts[first[order_of]], size[order_of] / starts, game.value(ends), ends)


def settle(
    moves: Moves, alpha: float, turns: Turns, limit: int | None, slack: float
) -> list[float]:
    """Move until a whole round passes without a move; return the potential along the way."""
    path = [_height(moves, alpha)]
    turn = quiet = 0
    while quiet < turns.users and (limit is None or len(path) <= limit):
        user = turns.user(turn)
        gains = moves.gains(user, alpha)
        best = max(range(len(gains)), key=gains.__getitem__)
        turn += 1
        quiet += 1
        if gains[best] > slack:
            moves.move(user, best)
            path.append(_height(moves, alpha))
            quiet = -turns.rest(turn)
    return path


def _height(moves: Moves, alpha: float) -> float:
    return moves.potential(alpha) if moves.board.tabulated else float("nan")


def _finished(
    moves: Moves, alpha: float, path: list[float], slack: float, settled: bool
) -> Equilibrium:
    game = moves.board.game
    regret = pure_regret(game, moves.profile, alpha)
    count = len(path) - 1
    if settled:
        status = f"nobody gains by moving alone, after {count} moves that each raised the potential"
    else:
        status = f"stopped after {count} moves: a user still gains {regret:.3g}, raise max_moves"
    witness = np.array(path) if moves.board.tabulated else None
    return Equilibrium(
        strategy=moves.profile,
        regret=regret,
        residual=slack,
        status=status,
        steps=count,
        solver="best_response",
        alpha=alpha,
        utility=float(game.value(moves.profile)),
        witness=witness,
    )
