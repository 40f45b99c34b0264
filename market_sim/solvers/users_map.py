"""Symmetric play of N identical users for many costs at once."""

from dataclasses import dataclass

import numpy as np

from market_sim.games import AcquisitionGame, Utility
from market_sim.shapes import Array
from market_sim.solvers.bernstein_values import bernstein_values
from market_sim.solvers.group_map import Planes
from market_sim.solvers.optimum import Thresholds
from market_sim.solvers.symmetric_design import BinaryPlay, symmetric_optimum

_TABLE = 129
_NEWTON_STEPS = 10


@dataclass(frozen=True, eq=False)
class SymmetricLine:
    """The optimum at every cost for one number of users."""

    planes: Planes
    thresholds: Thresholds


def best_symmetric(utility: Utility, cost: Array, level: float) -> SymmetricLine:
    """Return alpha, value and chance of sharing at each cost.

    With decreasing gains U(k+1) - U(k) the best chance solves E[U(K+1) - U(K)] = c, which falls in
    the chance: Newton steps in a bracket from a table serve all costs. Otherwise each cost is
    solved by itself.
    """
    pairs = np.column_stack([np.zeros(utility.users), np.full(utility.users, cost[0])])
    play = BinaryPlay(AcquisitionGame(utility, pairs, (0.0, level)))
    gains = np.diff(play.utility)
    if play.users > 1 and (np.diff(gains) < 0).all() and gains[-1] >= 0:
        return SymmetricLine(_concave(play, gains, cost), play.thresholds)
    games = [
        AcquisitionGame(utility, np.tile([0.0, c], (utility.users, 1)), (0.0, level)) for c in cost
    ]
    found = [symmetric_optimum(game, "optimistic") for game in games]
    planes = np.array([(f.alpha, f.value, f.profile[1]) for f in found]).T
    return SymmetricLine((planes[0], planes[1], planes[2]), play.thresholds)


def _concave(play: BinaryPlay, gains: Array, cost: Array) -> Planes:
    users = play.users
    grid = np.linspace(0.0, 1.0, _TABLE)
    heights = bernstein_values(gains, grid)
    place = np.clip(np.searchsorted(-heights, -cost, side="right"), 1, _TABLE - 1)
    low, high = grid[place - 1], grid[place]
    slopes = (users - 1) * np.diff(gains)
    s = (low + high) / 2.0
    for _ in range(_NEWTON_STEPS):
        miss = bernstein_values(gains, s) - cost
        low, high = np.where(miss > 0, s, low), np.where(miss > 0, high, s)
        slope = bernstein_values(slopes, s) if slopes.size else np.full(s.shape, -np.inf)
        s = s - miss / np.where(slope < 0, slope, -np.inf)
        s = np.where((s < low) | (s > high), (low + high) / 2.0, s)
    s = np.where(cost <= gains[-1], 1.0, np.where(cost >= gains[0], 0.0, s))
    gamma = bernstein_values(play.gamma, s)
    value = users * s * (gamma - cost)
    s = np.where((value > 0) | (cost == 0), s, 0.0)  # at the switch-off rounding decides
    return np.where(s > 0, cost / gamma, 0.0), np.maximum(value, 0.0), s
