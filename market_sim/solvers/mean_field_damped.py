"""The damped fixed point p <- B / supply, with the damping taken from the measured slope."""

import numpy as np

from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array
from market_sim.solvers.mean_field_state import Trial, first_guess, open_rounds, trial

_FIRST, _LEAST, _MOST = 0.1, 1e-5, 1.0
_LONGEST = 0.5


def damped(game: MeanFieldGame, tolerance: float, steps: int) -> tuple[Trial, list[float]]:
    """Return the best price path, and the clearing errors on the way.

    Log prices move by gamma (1 - p S / b). Along the last move d the map had the slope
    l = d . (change of p S / b) / d . d, and gamma = 1 / l is the damping that would have hit the
    fixed point in that direction.

    Notes
    -----
    Source: the step is that of Barzilai and Borwein (1988).
    """
    money = game.money[open_rounds(game)]
    here = trial(game, first_guess(game))
    best, history, damping = here, [here.error], _FIRST
    for _ in range(steps):
        if best.error <= tolerance:
            break
        move = np.clip(-damping * here.excess / money, -_LONGEST, _LONGEST)
        there = trial(game, here.log_price + move)
        damping = _damping(move, there.excess - here.excess, money)
        here = there
        history.append(here.error)
        best = min(best, here, key=lambda found: found.error)
    return best, history


def _damping(move: Array, change: Array, money: Array) -> float:
    """Return 1 / slope along the move, in the metric of the money of each round."""
    along = float(move @ change)
    length = float(move @ (money * move))
    return float(np.clip(length / along, _LEAST, _MOST)) if along > 0 else _FIRST
