"""Values of a polynomial in Bernstein form at many points."""

import numpy as np

from market_sim.shapes import Array
from market_sim.solvers.bernstein import evaluate

_CELLS_AT_ONCE = 2_000_000
_DENSE_DEGREE = 2_000


def bernstein_values(coefficients: Array, points: Array) -> Array:
    """Return sum_k Bin(n, k; x) coefficients[k] at every x of `points`, on [0, 1]."""
    n = coefficients.size - 1
    if n > _DENSE_DEGREE:
        return np.array([evaluate(coefficients, float(x)) for x in points])
    k = np.arange(n + 1.0)
    logs = np.append(0.0, np.cumsum(np.log(np.arange(1.0, n + 1.0))))
    ways = logs[-1] - logs - logs[::-1]
    result = np.empty(points.size)
    step = max(_CELLS_AT_ONCE // (n + 1), 1)
    for first in range(0, points.size, step):
        x = points[first : first + step, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.exp(ways + k * np.log(x) + (n - k) * np.log1p(-x))
        weights = np.where(x <= 0, k == 0, np.where(x >= 1, k == n, weights))
        result[first : first + step] = weights @ coefficients
    return result
