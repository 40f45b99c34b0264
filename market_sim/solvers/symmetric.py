"""Symmetric mixed equilibria: all mixtures that are a best response to themselves."""

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.games.acquisition import check_alpha
from market_sim.shapes import Array
from market_sim.solvers.bernstein import roots
from market_sim.solvers.equilibrium import Equilibrium
from market_sim.solvers.replicator import symmetric_equilibrium
from market_sim.solvers.simplex_roots import Net, faces, zeros

Indices = NDArray[np.int64]
TOLERANCE = 1e-12
"""Of payoffs, relative to their size: a level this little better is no reason to leave."""
_PROVEN = "isolated by proof"
_TOUCHING = "a multiple root within rounding: it vanishes or splits when alpha changes a little"
_CONTINUUM = "every mixture of these levels is an equilibrium; this is an end of the continuum"


def symmetric_equilibria(
    game: AcquisitionGame, alpha: float, *, tolerance: float = TOLERANCE
) -> list[Equilibrium]:
    r"""Return all symmetric mixed equilibria, those on the boundary included.

    x is one when all levels that it uses are worth the same, alpha gamma_l(x) - c_l, and no other
    is worth more. For each set of levels gamma is a polynomial in Bernstein form on a simplex:
    pure play is checked, two levels take the roots of a polynomial on [0, 1] (isolated by
    Descartes' rule), more take the common zeros on a simplex (isolated by subdivision).

    Parameters
    ----------
    game
        Of identical users.
    alpha
        Share of the value that is paid out, from 0 to 1.
    tolerance
        What counts as equally good, relative to the size of payoffs.

    Returns
    -------
    list of Equilibrium
        `strategy` is the chance of each level, shape `(levels,)`; the most private first. There
        is always one.

    Raises
    ------
    InvalidInput
        If the users are not identical, alpha is outside [0, 1], there are too many counts for the
        complete search, or the equilibria with three or more levels are a continuum.

    Notes
    -----
    Source: Fair Value of Data [D], algorithm G; Cheng et al. (2004): a symmetric game has one.
    """
    share = check_alpha(alpha)
    counts, payoffs = payoff_nets(game, share)
    scale = max(float(np.abs(payoffs).max()), 1e-300)
    found: list[tuple[Array, str, int]] = []
    for support in faces(game.levels):
        inside = np.flatnonzero((np.delete(counts, support, axis=1) == 0).all(axis=1))
        local = counts[np.ix_(inside, np.array(support))]
        for play, status, steps in _on_face(local, payoffs[inside][:, support], scale):
            mixture = np.zeros(game.levels)
            mixture[list(support)] = play
            found.append((mixture, status, steps))
    return _checked(game, share, found, tolerance * scale)


def payoff_nets(game: AcquisitionGame, alpha: float) -> tuple[Indices, Array]:
    """Return counts of the others at each level, and what each level is worth against them.

    Shapes `(counts, levels)`: these are the Bernstein coefficients of payoffs on the simplex.
    """
    play = game.symmetric
    if play.binary:
        sharing = np.arange(game.users)
        counts = np.column_stack([game.users - 1 - sharing, sharing])
        payments = np.column_stack([np.zeros(game.users), play.coefficients])
        return counts, np.asarray(alpha * payments - game.costs[0])
    if not play.tabulated:
        raise InvalidInput(
            f"{game.users} users with {game.levels} levels are too many for the complete search: "
            "use replicator for single equilibria"
        )
    counts, _, payments = play.states
    return counts, np.asarray(alpha * payments - game.costs[0])


def _on_face(counts: Indices, payoffs: Array, scale: float) -> list[tuple[Array, str, int]]:
    """Return the points inside a face at which all its levels are worth the same."""
    levels = counts.shape[1]
    if levels == 1:
        return [(np.ones(1), "pure play, checked", 1)]
    if levels == 2:
        order = np.argsort(counts[:, 1])
        gap = payoffs[order, 1] - payoffs[order, 0]
        result = roots(gap, scale)
        if result.everywhere:
            return [(np.array([0.5, 0.5]), _CONTINUUM.replace("an end", "the middle"), 1)]
        return [
            (
                np.array([1.0 - root.at, root.at]),
                _PROVEN if root.simple else _TOUCHING,
                result.splits,
            )
            for root in result.found
            if 0.0 < root.at < 1.0
        ]
    if counts.sum(axis=1).max() == 0:
        return []
    gaps = (payoffs[:, 1:] - payoffs[:, :1]).T
    common = zeros(Net(counts), gaps, scale)
    return [
        (point, _PROVEN if simple else _TOUCHING, common.pieces)
        for point, simple in zip(common.points, common.simple, strict=True)
        if point.min() > 1e-13
    ]


def _checked(
    game: AcquisitionGame, alpha: float, found: list[tuple[Array, str, int]], slack: float
) -> list[Equilibrium]:
    """Keep the points that are equilibria, each once."""
    kept: list[Equilibrium] = []
    for mixture, status, steps in found:
        if any(np.abs(mixture - other.strategy).max() < 1e-10 for other in kept):
            continue
        miss = float(game.symmetric.regret(mixture, alpha))
        if miss <= slack:
            kept.append(
                symmetric_equilibrium(game, alpha, mixture, status, steps, "supports", miss)
            )
    return sorted(kept, key=lambda equilibrium: tuple(-equilibrium.strategy))
