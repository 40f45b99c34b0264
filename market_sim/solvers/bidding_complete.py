"""Bidding with open cards: owners who know all types answer each other until nobody moves."""

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.games.bidding import BiddingGame
from market_sim.shapes import Array, as_floats, as_number, whole_number
from market_sim.solvers.bidding_regret import profile_gains
from market_sim.solvers.bidding_result import BidProfile

_LEAST = 1e-3  # smallest part of the cap on the grid
_SHRINK = 4.0


def best_response_bids(  # noqa: PLR0913 - all but three are optional and by keyword
    game: BiddingGame,
    value: ArrayLike,
    cap: ArrayLike,
    *,
    bids: int = 41,
    offers: int = 17,
    highest_bid: float | None = None,
    refinements: int = 3,
    rounds: int = 500,
    tolerance: float = 1e-6,
    seed: int = 1,
) -> BidProfile:
    r"""Let owners in turn move to their best (bid, cap) until nobody gains: a pure equilibrium.

    Play starts at the truth. A mover tries a grid of bids and parts of her cap, finer points around
    what she says now, and the truth; she stays unless she gains. Once nobody moves, the finer
    points come closer, `refinements` times. Play that comes back to an earlier profile is a cycle:
    then the most contented profile of the cycle is returned, not converged.

    Parameters
    ----------
    game
        Its number of owners must be that of the types; its law is not used.
    value, cap
        True unit values and caps, shape `(owners,)`.
    bids, offers
        Points of the grid, from 0 to `highest_bid` and from a thousandth to the whole cap.
    highest_bid
        Twice the highest value, or the highest at which an owner's whole cap costs the budget at
        her mean share, whichever is more, if omitted.
    refinements
        How often the finer points come closer, each time by 4.
    rounds
        Where to stop at each refinement.
    tolerance
        Smallest gain for which an owner moves, as a part of the budget.
    seed
        Of the search that computes the regret afterwards.

    Raises
    ------
    InvalidInput
        If shapes do not fit the game or a number is outside its domain.

    Notes
    -----
    Source: privacy auction game [D].
    """
    types = _columns(game, value, cap)
    points = whole_number("bids", bids, 2)
    given = _top(game, *types) if highest_bid is None else highest_bid
    top = as_number("highest_bid", given, positive=True)
    parts = 1 if game.fixed_cap else whole_number("offers", offers, 1)
    table = _Table(game, *types, np.linspace(0.0, top, points), _parts(parts))
    slack = as_number("tolerance", tolerance, positive=True) * game.budget
    play = np.stack(types)
    history: list[float] = []
    moves, cycled, settled = 0, False, False
    for level in range(whole_number("refinements", refinements, 0) + 1):
        path = table.settle(play, level, whole_number("rounds", rounds, 1), slack)
        play, cycled, settled = path.play, path.cycled, path.settled
        history += path.gains
        moves += path.moves
        if not settled:
            break
    return _judged(game, types, play, table, np.array(history), moves, cycled, settled, seed)


class _Path:
    """Where a settling ended."""

    def __init__(
        self, play: Array, gains: list[float], moves: int, *, cycled: bool, settled: bool
    ) -> None:
        self.play, self.gains, self.moves = play, gains, moves
        self.cycled, self.settled = cycled, settled


class _Table:
    """What a mover can try, and what it brings her."""

    def __init__(
        self, game: BiddingGame, value: Array, cap: Array, bids: Array, parts: Array
    ) -> None:
        self.game, self.value, self.cap = game, value, cap
        self.bids, self.parts = bids, parts

    def settle(self, play: Array, level: int, rounds: int, slack: float) -> _Path:
        """Move round after round; play is `(2, owners)`: bids, then caps."""
        play = play.copy()
        gains: list[float] = []
        seen: dict[bytes, int] = {}
        states: list[Array] = []
        moves = 0
        for round_ in range(rounds):
            key = np.round(play, 12).tobytes()
            if key in seen:
                cycle = range(seen[key], round_)
                calm = min(cycle, key=lambda at: gains[at])
                return _Path(states[calm], gains, moves, cycled=True, settled=False)
            seen[key] = round_
            states.append(play.copy())
            total = 0.0
            for owner in range(self.value.size):
                reply, gain = self.reply(play, owner, level)
                if gain > slack:
                    play[:, owner] = reply
                    total += gain
                    moves += 1
            gains.append(total)
            if total == 0.0:
                return _Path(play, gains, moves, cycled=False, settled=True)
        return _Path(play, gains, moves, cycled=False, settled=False)

    def reply(self, play: Array, owner: int, level: int) -> tuple[Array, float]:
        """Return the best report of an owner and what she gains by it."""
        tried = self.reports(play[:, owner], owner, level)
        said = np.repeat(play[:, None], tried.shape[1], axis=1)
        said[:, :, owner] = tried
        epsilon, payment = self.game.outcome(said[0], said[1])
        worth = payment[:, owner] - self.value[owner] * epsilon[:, owner]
        best = int(worth.argmax())
        return tried[:, best], float(worth[best] - worth[0])

    def reports(self, now: Array, owner: int, level: int) -> Array:
        """Return reports to try, `(2, choices)`: what is said now, the truth, the grid, around."""
        cap = self.cap[owner]
        shrink = np.arange(-4, 5) / _SHRINK ** (level + 1)
        step = self.bids[1] - self.bids[0]
        near_bids = np.clip(now[0] + step * shrink, 0.0, self.bids[-1])
        ratio = self.parts[0] / self.parts[1] if self.parts.size > 1 else 1.0
        near_caps = np.minimum(now[1] * ratio**shrink, cap)
        grid = np.stack(np.meshgrid(self.bids, self.parts * cap)).reshape(2, -1)
        near = np.stack(np.meshgrid(near_bids, near_caps)).reshape(2, -1)
        first = np.array([[now[0], self.value[owner]], [now[1], cap]])
        return np.concatenate([first, near, grid], axis=1)

    def residual(self, play: Array, level: int) -> float:
        """Return the largest gain on the grid."""
        return max(self.reply(play, owner, level)[1] for owner in range(self.value.size))


def _judged(  # noqa: PLR0913, PLR0917 - what the run left
    game: BiddingGame,
    types: tuple[Array, Array],
    play: Array,
    table: _Table,
    history: Array,
    moves: int,
    cycled: bool,
    settled: bool,
    seed: int,
) -> BidProfile:
    epsilon, payment = game.outcome(play[0], play[1])
    gain = profile_gains(game, *types, play[0], play[1], seed)
    if settled:
        status = f"nobody gains on the grid, after {moves} moves"
    elif cycled:
        status = f"not converged: play came back to an earlier profile after {moves} moves"
    else:
        status = f"not converged: stopped after {moves} moves, raise rounds"
    return BidProfile(
        bid=play[0],
        cap=play[1],
        epsilon=epsilon,
        payment=payment,
        utility=payment - types[0] * epsilon,
        gain=gain,
        regret=max(0.0, float(gain.max())),
        residual=table.residual(play, 0),
        converged=settled,
        status=f"{status}; a finer search finds {gain.max():.2g}",
        steps=moves,
        solver="best_response_bids",
        history=history,
    )


def _columns(game: BiddingGame, value: ArrayLike, cap: ArrayLike) -> tuple[Array, Array]:
    values = as_floats("value", value, minimum=0.0)
    caps = as_floats("cap", cap, positive=True)
    for name, column in (("value", values), ("cap", caps)):
        if column.shape != (game.owners,):
            raise InvalidInput(
                f"{name} must be one number for each of {game.owners} owners, "
                f"got shape {column.shape}"
            )
    return values, caps


def _parts(count: int) -> Array:
    """Return parts of a cap, the whole first."""
    return np.geomspace(1.0, _LEAST, count) if count > 1 else np.ones(1)


def _top(game: BiddingGame, value: Array, cap: Array) -> float:
    return 2.0 * max(float(value.max()), game.budget / float(cap.sum()))
