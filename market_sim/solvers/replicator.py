"""The replicator: one symmetric equilibrium of any number of users and levels."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.games import AcquisitionGame, SymmetricPlay
from market_sim.games.acquisition import check_alpha
from market_sim.shapes import Array
from market_sim.solvers.equilibrium import Equilibrium
from market_sim.solvers.regret import symmetric_regret

_STALLED = 1e-12  # a step so short that rounding decides where it goes
_EVERY, _NEAR = 25, 0.05
_IN_USE = 1e-4


def replicator(
    game: AcquisitionGame,
    alpha: float,
    start: ArrayLike | None = None,
    *,
    max_steps: int = 20_000,
    tolerance: float = 1e-13,
) -> Equilibrium:
    r"""Follow the replicator, x_l <- x_l exp(rate u_l(x)) / sum, to one symmetric equilibrium.

    For games too large for the complete search. Payoffs are the slope of the expected potential,
    which rises at every step. Now and then Newton's method tries to finish on the levels in use; a
    level whose chance comes to 0 stays there.

    Parameters
    ----------
    game
        Of identical users.
    alpha
        Share of the value that is paid out.
    start
        Chance of each level; equal if omitted. A level that starts at 0 stays there.
    max_steps
        Where to stop; the status tells if it was reached.
    tolerance
        Regret to reach, relative to the size of payoffs.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain.

    Notes
    -----
    Source: Cheng et al. (2004), Notes on Equilibria in Symmetric Games, Section 4.
    """
    share = check_alpha(alpha)
    play = game.symmetric
    given = np.full(game.levels, 1.0 / game.levels) if start is None else start
    mixture = play.check_mixture(given)
    payoffs = play.payoffs(mixture, share)
    scale = max(float(np.abs(payoffs).max()), 1e-300)
    rate, steps = 1.0 / scale, 0
    miss = float(payoffs.max() - payoffs @ mixture)
    while miss > tolerance * scale and steps < max_steps and rate * scale > _STALLED:
        grown = mixture * np.exp(rate * (payoffs - payoffs.max()))
        moved = grown / grown.sum()
        there = play.payoffs(moved, share)
        steps += 1
        # payoffs are the slope of the expected potential: behind its top along this step, shorten
        if there @ (moved - mixture) < 0:
            rate /= 2.0
            continue
        mixture, payoffs, rate = moved, there, rate * 1.5
        miss = float(payoffs.max() - payoffs @ mixture)
        if steps % _EVERY == 0 and miss < _NEAR * scale:
            mixture, miss = _finished(play, share, mixture, miss)
    settled = miss <= tolerance * scale
    status = (
        f"settled after {steps} steps" if settled else f"stopped after {steps} steps, unsettled"
    )
    return symmetric_equilibrium(game, share, mixture, status, steps, "replicator", miss)


def symmetric_equilibrium(
    game: AcquisitionGame,
    alpha: float,
    mixture: Array,
    status: str,
    steps: int,
    solver: str,
    residual: float,
) -> Equilibrium:
    """Return a mixture with its regret, computed by other code than found it."""
    return Equilibrium(
        strategy=mixture,
        regret=symmetric_regret(game, mixture, alpha),
        residual=residual,
        status=status,
        steps=steps,
        solver=solver,
        alpha=alpha,
        utility=float(game.symmetric.value(mixture)),
    )


def _finished(
    play: SymmetricPlay, alpha: float, mixture: Array, miss: float
) -> tuple[Array, float]:
    """Return what Newton's method makes of the levels in use, if that is closer."""
    used = np.flatnonzero(mixture > _IN_USE)
    point = np.where(mixture > _IN_USE, mixture, 0.0)
    point = point / point.sum()
    for _ in range(12 if used.size > 1 else 0):
        gap = _gaps(play, alpha, point, used)
        step = np.linalg.lstsq(_slopes(play, alpha, point, used), -gap, rcond=None)[0]
        point[used[1:]] += step
        point[used[0]] -= step.sum()
        if (point[used] <= 0).any():
            return mixture, miss
    payoffs = play.payoffs(point, alpha)
    closer = float(payoffs.max() - payoffs @ point)
    return (point, closer) if closer < miss else (mixture, miss)


def _gaps(play: SymmetricPlay, alpha: float, point: Array, used: NDArray[np.intp]) -> Array:
    payoffs = play.payoffs(point, alpha)[used]
    return np.asarray(payoffs[1:] - payoffs[0])


def _slopes(play: SymmetricPlay, alpha: float, point: Array, used: NDArray[np.intp]) -> Array:
    """Return the Jacobian by central differences; Newton corrects its error."""
    width = 1e-5 * float(point[used].min())
    columns = []
    for level in used[1:]:
        ahead, behind = point.copy(), point.copy()
        ahead[[level, used[0]]] += [width, -width]
        behind[[level, used[0]]] += [-width, width]
        rise = _gaps(play, alpha, ahead, used) - _gaps(play, alpha, behind, used)
        columns.append(rise / (2.0 * width))
    return np.stack(columns, axis=1)
