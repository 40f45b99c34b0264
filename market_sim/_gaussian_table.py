"""The calibration of Gaussian noise for crowds: one table of exact points a delta, read by cubics.

Solving delta(epsilon; mu) = delta takes some twenty passes over special functions. For each delta
the solution is one smooth curve of log mu against log epsilon, whose fourth derivative is below
0.1: cubics between exact values and slopes lose less than the solver itself, 1e-11 of a number.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from market_sim._gaussian_privacy import calibration_slope, epsilon_for_mu, mu_for_epsilon
from market_sim.shapes import Array

CROWD = 4_000
"""From so many numbers on, a table is cheaper than the solver."""
_SPACING = 5e-3
_RANGE = (1e-6, 1e3)  # of epsilon; beyond it the solver is asked
_BLOCK = 2**15  # numbers at a time, which fit the processor's cache


@dataclass(frozen=True, eq=False)
class _Curve:
    """Points of equally spaced log epsilon, and the cubics between them both ways.

    Row k of `mu` gives log mu and row k of `epsilon` gives epsilon between points k and k + 1, as
    coefficients, lowest first, of the share of the way. At a positive mu epsilon falls to 0; there
    its logarithm is not smooth, but it is itself.
    """

    log_epsilon: Array
    log_mu: Array
    mu: Array
    epsilon: Array


def crowd_mu(epsilon: Array, delta: float) -> Array:
    """Return `mu_for_epsilon`; from the table where there are `CROWD` numbers or more."""
    if epsilon.size < CROWD:
        return mu_for_epsilon(epsilon, delta)
    curve, result = _curve(delta), np.empty(epsilon.size)
    given = epsilon.ravel()
    inside = np.empty(given.size, dtype=bool)
    for block in _blocks(given.size):
        with np.errstate(divide="ignore"):
            place = (np.log(given[block]) - curve.log_epsilon[0]) / _SPACING
        inside[block] = (place >= 0) & (place < len(curve.mu))
        place = np.where(inside[block], place, 0.0)
        left = place.astype(np.intp)
        result[block] = np.exp(_cubic(curve.mu, left, place - left))
    _solve_others(mu_for_epsilon, given, inside, delta, result)
    return result.reshape(epsilon.shape)


def crowd_epsilon(mu: Array, delta: float) -> Array:
    """Return `epsilon_for_mu`; from the same table, read the other way round."""
    if mu.size < CROWD:
        return epsilon_for_mu(mu, delta)
    curve, result = _curve(delta), np.empty(mu.size)
    given = mu.ravel()
    inside = np.empty(given.size, dtype=bool)
    for block in _blocks(given.size):
        with np.errstate(divide="ignore"):
            log_mu = np.log(given[block])
        left = np.searchsorted(curve.log_mu, log_mu, side="right") - 1
        inside[block] = (left >= 0) & (left < len(curve.epsilon))
        left = np.where(inside[block], left, 0)
        start = curve.log_mu[left]
        part = np.where(inside[block], log_mu - start, 0.0) / (curve.log_mu[left + 1] - start)
        result[block] = _cubic(curve.epsilon, left, part)
    _solve_others(epsilon_for_mu, given, inside, delta, result)
    return result.reshape(mu.shape)


def _solve_others(
    solve: Callable[[Array, float], Array],
    given: Array,
    inside: NDArray[np.bool_],
    delta: float,
    result: Array,
) -> None:
    """Fill in what the table does not cover: 0 and infinity as they are, the rest by the solver."""
    limit = (given == 0) | np.isposinf(given)
    result[limit] = given[limit]
    other = np.flatnonzero(~(inside | limit))
    if other.size:
        result[other] = solve(given[other], delta)


def _blocks(size: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, size, _BLOCK))


def _cubic(table: Array, row: NDArray[np.intp], part: Array) -> Array:
    """Evaluate cubics, one row of coefficients for each number."""
    start, rise, bend, curl = table[row].T
    return np.asarray(start + part * (rise + part * (bend + part * curl)))


def _hermite(value: Array, slope: Array, width: Array | float) -> Array:
    """Return the coefficients of the cubics through values with given slopes, `(pieces, 4)`."""
    start, step = value[:-1], np.diff(value)
    rise, fall = slope[:-1] * width, slope[1:] * width
    return np.stack([start, rise, 3.0 * step - 2.0 * rise - fall, rise + fall - 2.0 * step], axis=1)


@lru_cache(maxsize=8)
def _curve(delta: float) -> _Curve:
    low, high = np.log(_RANGE)
    log_epsilon = np.arange(low, high + _SPACING, _SPACING)
    epsilon = np.exp(log_epsilon)
    mu = mu_for_epsilon(epsilon, delta)
    log_mu, slope = np.log(mu), calibration_slope(epsilon, mu)
    forth = _hermite(log_mu, slope, _SPACING)
    back = _hermite(epsilon, epsilon / slope, np.diff(log_mu))
    return _Curve(log_epsilon, log_mu, forth, back)
