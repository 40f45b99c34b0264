"""Newton's method on log prices: each step is damped by the measured slope of supply."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array
from market_sim.solvers.mean_field_slope import supply_slope
from market_sim.solvers.mean_field_state import Trial, first_guess, open_rounds, trial

_COARSE = 32
_LONGEST = 1.0
_LEAST_DAMPING = 1e-9
_MOST_DAMPING = 1e6


def newton(game: MeanFieldGame, tolerance: float, steps: int) -> tuple[Trial, list[float]]:
    """Return the best price path, and the clearing errors on the way; a coarse grid comes first."""
    start = first_guess(game)
    history: list[float] = []
    if max(game.cells, game.nodes) > 1.5 * _COARSE:
        coarse = game.refined(min(game.cells, _COARSE), min(game.nodes, _COARSE + 1))
        start = _minimize(coarse, start, tolerance, steps, history).log_price
    return _minimize(game, start, tolerance, steps, history), history


def _minimize(
    game: MeanFieldGame,
    start: Float[NDArray[np.float64], "open"],
    tolerance: float,
    steps: int,
    history: list[float],
) -> Trial:
    """Minimize g by Levenberg and Marquardt's method; returns the best iterate."""
    here = trial(game, start)
    best, damping = here, 1e-3
    for _ in range(steps):
        history.append(here.error)
        if here.error <= tolerance:
            break
        hessian = _hessian(game, here)
        moved = None
        while moved is None and damping <= _MOST_DAMPING:
            moved = _step(game, here, hessian, damping)
            damping = max(damping / 10.0, _LEAST_DAMPING) if moved else damping * 10.0
        if moved is None:
            break
        here = moved
        best = min(best, here, key=lambda found: found.error)
    return best


def _hessian(game: MeanFieldGame, here: Trial) -> Array:
    """Return the second derivative of g: diag(p S) + diag(p) (dS / dp) diag(p)."""
    rounds = open_rounds(game)
    price = here.price[rounds]
    slope = supply_slope(game, here.response, here.flow.law)[np.ix_(rounds, rounds)]
    return np.asarray(np.diag(price * here.flow.supply[rounds]) + price[:, None] * slope * price)


def _step(game: MeanFieldGame, here: Trial, hessian: Array, damping: float) -> Trial | None:
    """Return the next iterate, or None if it does not bring g or its gradient down."""
    money = game.money[open_rounds(game)]
    move = -np.linalg.solve(hessian + damping * np.diag(money), here.excess)
    longest = float(np.abs(move).max())
    if longest > _LONGEST:
        move *= _LONGEST / longest
    there = trial(game, here.log_price + move)
    lower = there.dual < here.dual + 1e-4 * float(here.excess @ move)
    return there if lower or there.error < 0.5 * here.error else None
