"""Mixed play of two users with identical data for many pairs of costs at once (Fig. 9)."""

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games import Utility
from market_sim.shapes import Array
from market_sim.solvers.group_map import Planes


def best_mixed(utility: Utility, costs: tuple[Array, Array], level: float) -> Planes:
    r"""Return alpha, value and share of givers of the platform's favorite equilibrium.

    The best of four candidates: nobody (0); one, U(1) - c_min at alpha = c_min / U(1); both,
    U(2) - 2 c_max at alpha = 2 c_max / U(2); both mixing, p = (c_2 z - U(2)/2) / d and
    q = (c_1 z - U(2)/2) / d with z = 1 / alpha and d = U(1) - U(2)/2. There U is
    z (c_1 (1 - p) + c_2 (1 - q)) = A z^2 + B z, so that (1 - alpha) U is greatest at
    z = (A - B) / (2 A), clamped to where p and q are chances.

    Raises
    ------
    InvalidInput
        If there are not two users with identical data, or U(1) does not exceed U(2) / 2, where
        sharing is no substitute and the candidates are others.

    Notes
    -----
    Source: Fair Value of Data [S] Fig. 9, [D] with eq. (26) corrected.
    """
    if utility.users != 2 or int(utility.kinds.max()) > 0:
        raise InvalidInput('play="mixed" maps two users with identical data: use play="pure"')
    counts = np.array([1.0, 2.0])
    one, two = np.asarray(utility.value_of_counts([0], [level], [counts])).tolist()
    drop = one - two / 2.0
    if not (drop > 0 and two > 0 and two >= one):
        raise InvalidInput(
            f"the map of mixed play needs U(1) <= U(2) < 2 U(1), got {one:g} and {two:g}: use "
            'optimal_alpha(game, play="mixed") at single points'
        )
    low, high = np.minimum(*costs), np.maximum(*costs)
    nobody = (np.zeros(low.shape), np.zeros(low.shape), np.zeros(low.shape))
    single = (low / one, one - low, np.full(low.shape, 0.5))
    both = (2.0 * high / two, two - 2.0 * high, np.ones(low.shape))
    best = list(nobody)
    for alpha, value, share in (single, both, _mixing(low, high, two / 2.0, drop, one)):
        better = (alpha <= 1.0) & (value > best[1])
        for plane, new in zip(best, (alpha, value, share), strict=True):
            np.copyto(plane, new, where=better)
    return best[0], best[1], best[2]


def _mixing(low: Array, high: Array, half: float, drop: float, one: float) -> Planes:
    """Return the best point of the curve on which both users are indifferent."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a = -2.0 * low * high / drop
        b = (low + high) * (1.0 + half / drop)
        z = (a - b) / (2.0 * a)
        # chances from 0 to 1 for both: half <= c z <= one
        z = np.clip(z, np.maximum(half / low, 1.0), one / high)
        private = (((low + high) * z / 2.0) - half) / drop
        value = (1.0 - 1.0 / z) * (a * z + b) * z
        alpha = 1.0 / z
    exists = (low > 0) & (np.maximum(half * high, low * high) <= one * low)
    return np.where(exists, alpha, 0.0), np.where(exists, value, -np.inf), 1.0 - private
