"""Feasible purchases with a small error: what the lower bound is held against.

Weights and privacy are improved in turn: the best weights at given eps are ErrorOpt's, the best eps
at given weights is one price of money at which the budget is just spent. Neither step raises the
error.
"""

from collections.abc import Callable

import numpy as np

from market_sim.aggregation import ErrorOpt, error_bound
from market_sim.bounds._owner import fixed_weight_epsilon
from market_sim.bounds._problem import STEP, Problem
from market_sim.shapes import Array

_STEPS = 60
_TOLERANCE = 1e-11  # of the log of what is spent
_UNSPENT = 1e-12  # the part of the budget left, so that rounding never overspends
_SPAN = 60.0  # log of how far the price of money may lie from the error itself, either way


def error_of(problem: Problem, epsilon: Array) -> Array:
    """Return ERR at the best weights, in units of the squared clip; infinite where nobody sells."""
    dim = round(problem.noise / 8.0)
    return error_bound(
        ErrorOpt(dim=dim).weights(epsilon, problem.share), epsilon, problem.share, dim=dim
    )


def improve(problem: Problem, epsilon: Array, rounds: int) -> tuple[Array, Array]:
    """Return a feasible eps and its error, from eps that may cost too much, by `rounds` rounds.

    Who has eps 0 at the start never sells.
    """
    rule = ErrorOpt(dim=round(problem.noise / 8.0))
    epsilon = _without_dear_steps(problem, np.minimum(epsilon, problem.high))
    for _ in range(rounds):
        weight = rule.weights(epsilon, problem.share)
        epsilon = _spend(problem, weight)
    return epsilon, error_of(problem, epsilon)


def _without_dear_steps(problem: Problem, epsilon: Array) -> Array:
    """Drop owners of fixed cost, the dearest by unit first, until the others can be paid."""
    step = problem.kind == STEP
    if not step.any():
        return epsilon
    cost = np.where(step, problem.cost(epsilon), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = np.where(cost > 0, cost / (epsilon * problem.share), 0.0)
    order = np.argsort(unit, axis=1, kind="stable")
    fits = np.cumsum(np.take_along_axis(cost, order, axis=1), axis=1) <= 1.0
    kept = np.empty(fits.shape, dtype=bool)
    np.put_along_axis(kept, order, fits, axis=1)
    return np.where(step & ~kept, 0.0, epsilon)


def _spend(problem: Problem, weight: Array) -> Array:
    """Return argmin over eps of sum D lambda^2 / eps^2 with the budget just spent."""
    level = problem.noise * np.square(weight)
    rate, owners = problem.rate.reshape(-1), weight.shape[1]
    groups = [(int(c), np.flatnonzero(problem.kind == c)) for c in np.unique(problem.kind)]

    def bought(price: Array) -> Array:
        flat = np.empty(weight.size)
        for code, entry in groups:
            money = rate[entry] * price[entry // owners]
            flat[entry] = fixed_weight_epsilon(code, level.reshape(-1)[entry], money)
        sold = np.fmin(flat.reshape(weight.shape), problem.high)
        return np.where(weight > 0, sold, 0.0)

    def excess(log_price: Array) -> Array:
        with np.errstate(divide="ignore"):
            spent = np.log(problem.cost(bought(np.exp(log_price))).sum(axis=1))
        return np.asarray(np.maximum(spent + _UNSPENT, -1e3))

    top = np.log(np.maximum(level.max(axis=1), 1e-250))
    return bought(np.exp(_falling_root(excess, top - _SPAN, top + _SPAN)))


def _falling_root(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return x in [low, high] with -2 tolerance <= f(x) <= 0, row by row; `low` if f is <= 0 there.

    Ridders' method for a falling f with f(high) <= 0: it halves at least, and ends quadratically.
    Where it takes too long, the end with f(x) <= 0 is returned.
    """
    above, below = function(low), function(high)
    above = np.maximum(above, 0.0)
    high, below = np.where(above > 0, high, low), np.where(above > 0, below, 0.0)
    for _ in range(_STEPS):
        if (below >= -2.0 * _TOLERANCE).all():
            break
        middle = 0.5 * (low + high)
        value = function(middle)
        root = np.sqrt(np.square(value) - above * below)
        turn = np.divide(value + _TOLERANCE, root, out=np.zeros_like(root), where=root > 0)
        x = np.clip(middle + (middle - low) * turn, low, high)
        for place, height in ((middle, value), (x, function(x))):
            inside = (place > low) & (place < high)
            up = inside & (height > 0)
            down = inside & (height <= 0)
            low, above = np.where(up, place, low), np.where(up, height, above)
            high, below = np.where(down, place, high), np.where(down, height, below)
    return high
