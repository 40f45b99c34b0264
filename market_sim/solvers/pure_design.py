"""The platform's best share of the value when users play pure equilibria."""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from market_sim.games import AcquisitionGame
from market_sim.shapes import Array
from market_sim.solvers.dynamics import settle
from market_sim.solvers.intervals import Intervals
from market_sim.solvers.moves import Board, Moves, Turns, start_profile
from market_sim.solvers.optimum import PlatformOptimum, optimum
from market_sim.solvers.ordered import OrderedPartitions
from market_sim.solvers.partitions import Partitions, Profile, partitions
from market_sim.solvers.pure import TOLERANCE, certified, equilibrium_interval
from market_sim.solvers.responses import response_paths

_WIDTH = 1e-9


def optimistic(game: AcquisitionGame) -> PlatformOptimum:
    """Let users play the equilibrium that the platform likes best (the published problem)."""
    parts = partitions(game)
    intervals = parts.best()
    row = int(intervals.best.argmax())
    partition, utility = int(intervals.partition[row]), float(intervals.utility[row])
    alpha = float(intervals.left[row] if utility >= 0 else intervals.right[row])
    profile, alpha = _exact(game, parts, partition, alpha, utility >= 0)
    slack = TOLERANCE * parts.scale
    found = certified(game, profile, alpha, slack, "optimistic", parts.steps, utility=utility)
    status = (
        f"no other equilibrium at any alpha leaves more: the best end among the intervals of alpha "
        f"of {parts.steps} partitions"
    )
    return optimum(found, found.value, status, selection="optimistic", play="pure", attained=True)


def pessimistic(game: AcquisitionGame) -> PlatformOptimum:
    """Let users play the equilibrium that the platform likes least, whatever alpha is."""
    parts = partitions(game)
    intervals = parts.intervals()
    worst = _worst(intervals)
    partition = int(intervals.partition[worst.row])
    rising = float(intervals.utility[worst.row]) >= 0
    slack = TOLERANCE * parts.scale
    profile = parts.profile(partition, worst.alpha, slack)
    found = certified(game, profile, worst.alpha, slack, "pessimistic", parts.steps)
    side = "right" if rising else "left"
    status = (
        "the worst equilibrium at this alpha reaches the value"
        if worst.attained
        else f"the value is the limit as alpha comes to this one from the {side}: at this alpha "
        "itself there is a worse equilibrium"
    )
    return optimum(
        found,
        worst.value,
        status,
        selection="pessimistic",
        play="pure",
        attained=worst.attained,
    )


def dynamic(
    game: AcquisitionGame, start: ArrayLike | str | None, order: str, seed: int
) -> PlatformOptimum:
    """Let users play where best response takes them from a start, path by path in alpha."""
    paths = response_paths(game, start, order, seed)
    board = Board(game)
    slack = TOLERANCE * board.scale
    turns = Turns(game.users, order, seed)
    first = start_profile(game, start, seed)
    best = max(paths, key=lambda path: path.limit)
    alpha, profile, value = best.end, best.profile, best.limit
    attained = False
    for at in sorted({path.left for path in paths} | {1.0}):
        moves = Moves(board, first)
        settle(moves, at, turns, None, slack)
        kept = (1.0 - at) * float(game.value(moves.profile))
        if kept > value or (not attained and kept >= value - slack):
            alpha, profile, value, attained = at, moves.profile, kept, True
    found = certified(game, profile, alpha, TOLERANCE * board.scale, "dynamics", best.moves)
    status = f"the best of {len(paths)} intervals of alpha on which best response goes one way"
    if not attained:
        status += "; approached and not reached, at this alpha itself play ends elsewhere"
    return optimum(found, value, status, selection="dynamics", play="pure", attained=attained)


@dataclass(frozen=True)
class _Worst:
    """The supremum of the worst case: an interval's row, alpha, the value, and if it is met."""

    row: int
    alpha: float
    value: float
    attained: bool


def _worst(intervals: Intervals) -> _Worst:
    """Sweep alpha from 0 to 1, keeping the worst partition at and just after each breakpoint.

    At a breakpoint the equilibria of both sides meet, so the worst case is lower semicontinuous:
    between breakpoints it is best at the left end (at the right end where U is negative), which
    may be out of reach.
    """
    order = np.argsort(intervals.left, kind="stable")
    breaks = np.unique(np.concatenate([intervals.left, intervals.right, [0.0, 1.0]]))
    heap: list[tuple[float, float, int]] = []
    added = 0
    at_break: list[tuple[float, int]] = []
    after: list[tuple[float, int]] = []
    for alpha in breaks.tolist():
        while added < order.size and intervals.left[order[added]] <= alpha:
            row = int(order[added])
            utility, right = float(intervals.utility[row]), float(intervals.right[row])
            heapq.heappush(heap, (utility, right, row))
            added += 1
        at_break.append(_least(heap, alpha, closed=True))
        if alpha < 1.0:
            after.append(_least(heap, alpha, closed=False))
    return _supremum(breaks, at_break, after)


def _least(
    heap: list[tuple[float, float, int]], alpha: float, *, closed: bool
) -> tuple[float, int]:
    """Return the least utility among intervals that hold alpha (or alpha and what follows)."""
    while heap[0][1] < alpha or (not closed and heap[0][1] == alpha):
        heapq.heappop(heap)
    return heap[0][0], heap[0][2]


def _supremum(
    breaks: Array, at_break: list[tuple[float, int]], after: list[tuple[float, int]]
) -> _Worst:
    best = _Worst(-1, 0.0, -np.inf, False)
    for place, alpha in enumerate(breaks.tolist()):
        utility, row = at_break[place]
        if (1.0 - alpha) * utility > best.value:
            best = _Worst(row, alpha, (1.0 - alpha) * utility, True)
        if place < len(after):
            utility, row = after[place]
            end = alpha if utility >= 0 else float(breaks[place + 1])
            if (1.0 - end) * utility > best.value:
                best = _Worst(row, end, (1.0 - end) * utility, False)
    return best


def _exact(
    game: AcquisitionGame, parts: Partitions, partition: int, alpha: float, left: bool
) -> tuple[Profile, float]:
    """Return a profile and the end of its interval, free of the width left for rounding."""
    profile = parts.profile(partition, alpha, TOLERANCE * parts.scale)
    if not game.tabulated or isinstance(parts, OrderedPartitions):
        return profile, alpha
    ends = equilibrium_interval(game, profile)
    if ends is None:
        return profile, alpha
    end = ends[0] if left else ends[1]
    return profile, end if abs(end - alpha) <= _WIDTH else alpha
