"""Payments against a mixture that a huge number of identical users play."""

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games.gauss import binomial_rule, graded_panels
from market_sim.games.semivalue import PaymentsUnbalanced
from market_sim.games.utility import Utility, check_values
from market_sim.shapes import Array

_PANEL, _ATOMS, _SPREAD = 8, 3, 1e-12
_NEAR = {0: 1, 1: 40, 2: 20}  # nodes by number of levels in play
_NEAR_OF_MANY = 12
_TOLERANCE = 1e-8


def mixed_payments(utility: Utility, level: Array, share: Array) -> Array:
    r"""Return gamma_l = int E_{K ~ Mult(N-1; q share)}[U(K + e_l) - U(K)] dq.

    Multinomial counts are binomial one after the other: rare levels first, so that the last one
    has many trials left. Checked by E[U] = N sum_l share_l gamma_l.

    Parameters
    ----------
    utility
        Of N users of one kind.
    level, share
        Values of the levels that give something, and the probability of each, shape `(levels,)`.

    Raises
    ------
    InvalidInput
        If the utility does not interpolate between whole numbers of users.
    PaymentsUnbalanced
        If the check fails.
    """
    if not utility.smooth:
        raise InvalidInput(
            f"{utility.users} users are too many for a table of all counts, and this utility does "
            "not interpolate between whole numbers of users: use fewer users or levels"
        )
    order = np.argsort(share)
    gamma = np.zeros(level.size)
    chance, weight = graded_panels(utility.users, 1.0, _PANEL)
    for first in range(0, chance.size, _PANEL):
        q, w = chance[first : first + _PANEL], weight[first : first + _PANEL]
        counts, chances = _multinomial(utility, utility.users - 1, q[:, None] * share[order])
        joint = chances.reshape(q.size, -1) * w[:, None]
        before = _values(utility, level[order], counts)
        for place, cell in enumerate(order):
            joined = [*counts]
            joined[place] = joined[place] + 1.0
            gain = _values(utility, level[order], joined) - before
            gamma[cell] += float((joint.reshape(-1) * gain).sum())
    _check(utility, level[order], share[order], gamma[order])
    return gamma


def _multinomial(utility: Utility, trials: int, chances: Array) -> tuple[list[Array], Array]:
    """Return points, one array a cell, and their probabilities, for each row of `chances`."""
    left = np.full(len(chances), float(trials))
    rest = np.ones(len(chances))
    counts: list[Array] = []
    weights = np.ones(len(chances))
    for cell in range(chances.shape[1]):
        repeat = left.size // len(chances)
        chance = np.repeat(chances[:, cell] / rest, repeat)
        points, chance_of = binomial_rule(
            left,
            np.minimum(chance, 1.0 - 1e-15),
            atoms=max(utility.atoms, _ATOMS),
            near=_NEAR.get(int(np.count_nonzero(chances[0])), _NEAR_OF_MANY),
            tolerance=_SPREAD,
        )
        nodes = points.shape[1]
        counts = [np.repeat(count, nodes) for count in counts]
        counts.append(points.reshape(-1))
        weights = (weights[:, None] * chance_of).reshape(-1)
        left = np.maximum(np.repeat(left, nodes) - counts[-1], 0.0)
        rest = rest - chances[:, cell]
    return counts, weights


def _values(utility: Utility, level: Array, counts: list[Array]) -> Array:
    kind = np.zeros(level.size, dtype=np.intp)
    return check_values(np.asarray(utility.value_of_counts(kind, level, counts)))


def _check(utility: Utility, level: Array, share: Array, gamma: Array) -> None:
    counts, chances = _multinomial(utility, utility.users, share[None, :])
    values = _values(utility, level, counts)
    expected = float(chances @ values)
    paid = utility.users * float(share @ gamma)
    scale = float(np.abs(values).max())
    if abs(paid - expected) > _TOLERANCE * max(scale, np.finfo(np.float64).tiny):
        raise PaymentsUnbalanced(
            f"expected payments of {paid:.12g} miss the expected utility {expected:.12g}: "
            "the utility is not smooth enough in the number of users for this many of them"
        )
