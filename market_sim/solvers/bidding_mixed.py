"""Symmetric mixed equilibria of bidding games with few types: regret matching, then Newton."""

import numpy as np

from market_sim.games.bidding_types import TypedBidding
from market_sim.shapes import Array, as_number, whole_number
from market_sim.solvers.bidding_regret import typed_regret
from market_sim.solvers.bidding_result import TypedEquilibrium

_CHECK = 100
_SUPPORTS = (0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001)


def typed_equilibrium(
    game: TypedBidding, *, steps: int = 20_000, tolerance: float = 1e-9
) -> TypedEquilibrium:
    r"""Find a mixture of reports for each type that is a best response to itself.

    Every type matches her positive regrets (regret matching plus, averaged with growing weights),
    all at once against the exact expected payoffs. The reports that the average uses are then made
    equally good by Newton's method, for several ideas of which ones it uses; what comes out counts
    only if its regret is smaller.

    Parameters
    ----------
    game
        Few types, few reports.
    steps
        Most steps of the matching; it ends earlier where the tolerance is reached.
    tolerance
        Regret that counts as converged, as a part of B / N.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.

    Notes
    -----
    Source: privacy auction game [D]; Hart and Mas-Colell (2000) with the plus of Tammelin (2014).
    A symmetric finite game has a symmetric equilibrium (Nash 1951); no method here must find it.
    """
    whole_number("steps", steps, 1)
    slack = as_number("tolerance", tolerance, positive=True) * game.budget / game.owners
    play, history, taken = _matched(game, steps, slack)
    best, left = play, history[-1]
    if left > slack:
        for least in _SUPPORTS:
            polished = _polished(game, play, least)
            residual = _residual(game, polished)
            if residual < left:
                best, left = polished, residual
    regret = typed_regret(game, best)
    good = regret <= max(slack, 1e-12 * game.budget)
    said = f"a type gains {regret:.2g} by another report, after {taken} steps"
    status = said if good else f"not converged: {said}; raise steps or the number of reports"
    return TypedEquilibrium(
        strategy=best,
        mean_bid=game.mean_bid(best),
        regret=max(0.0, regret),
        residual=left,
        converged=good,
        status=status,
        steps=taken,
        solver="typed_equilibrium",
        history=np.array([*history, left]),
    )


def _matched(game: TypedBidding, steps: int, slack: float) -> tuple[Array, list[float], int]:
    """Return the weighted average of play, residuals at the checks, and the steps taken."""
    regret = np.zeros((game.types, game.choices))
    play = _normalized(game.open.astype(np.float64))
    average, history = np.zeros_like(play), []
    for step in range(1, steps + 1):
        worth = np.where(game.open, game.payoffs(play), 0.0)
        now = (play * worth).sum(axis=1, keepdims=True)
        regret = np.maximum(regret + np.where(game.open, worth - now, 0.0), 0.0)
        total = regret.sum(axis=1, keepdims=True)
        play = np.where(total > 0, regret / np.where(total > 0, total, 1.0), play)
        average += step * play
        if step % _CHECK == 0 or step == steps:
            found = _normalized(average)
            history.append(_residual(game, found))
            if history[-1] <= slack:
                return found, history, step
    return _normalized(average), history, steps


def _polished(game: TypedBidding, play: Array, least: float) -> Array:
    """Return play whose used reports are equally good, nearby; `play` where there is none.

    Used are reports of at least `least` of the most likely one of a type.
    """
    from scipy.optimize import least_squares

    used = play >= least * play.max(axis=1, keepdims=True)
    count = int(used.sum())
    scale = game.budget / game.owners

    def residuals(unknown: Array) -> Array:
        mixed = np.zeros_like(play)
        mixed[used] = unknown[:count]
        worth = np.where(game.open, game.payoffs(mixed), 0.0)
        gaps = (worth - unknown[count:, None])[used] / scale
        return np.concatenate([gaps, mixed.sum(axis=1) - 1.0])

    start = np.where(used, play, 0.0)
    start /= start.sum(axis=1, keepdims=True)
    worth = (start * np.where(game.open, game.payoffs(start), 0.0)).sum(axis=1)
    low = np.concatenate([np.zeros(count), np.full(game.types, -np.inf)])
    found = least_squares(
        residuals,
        np.concatenate([np.maximum(start[used], 1e-12), worth]),
        bounds=(low, np.inf),
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
        max_nfev=50,
    )
    mixed = np.zeros_like(play)
    mixed[used] = np.maximum(found.x[:count], 0.0)
    total = mixed.sum(axis=1, keepdims=True)
    return mixed / total if (total > 0).all() else play


def _residual(game: TypedBidding, play: Array) -> float:
    """Return the largest gain of a type by the solver's payoffs."""
    worth = game.payoffs(play)
    now = (play * np.where(game.open, worth, 0.0)).sum(axis=1)
    return float((worth.max(axis=1) - now).max())


def _normalized(play: Array) -> Array:
    return np.asarray(play / play.sum(axis=1, keepdims=True))
