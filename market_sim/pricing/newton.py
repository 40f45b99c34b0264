"""Eq. (26) by damped Newton steps, each a tridiagonal system of 2 k - 1 unknowns.

With v_{j+1} = v_j + a_j x_j the slacks of a step are x_j and w_j = v_j - b_j x_j, up to constants
that do not move the minimum (a_j / b_j = h_j, both at most 1). Newton's step in (v, x) under this
recursion is Newton's step of Eq. (26) in v; eliminating x leaves prices and multipliers in turn, a
tridiagonal matrix whose entries keep their size where labels nearly coincide or lie far apart.
Where the Hessian in v alone would be formed, its entries 1 / slack^2 would drown the fit.

The last stage keeps slacks and gradients in extended precision, so that the identity can be
certified also where the barrier is a hundred-millionth of the fit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from market_sim.pricing.cone import PerStep, PerVersion
from market_sim.shapes import Array

Floats = NDArray[np.floating[Any]]  # float64, in the last stage np.longdouble
START, FACTOR = 1e-2, 100.0
STEPS = 200  # a stage; ten are usual
SMALL = 1e-9  # Newton decrement at which the last stage is done
ACCEPTED = 1e-6  # the objective is then within 1e-12 of its minimum
QUADRATIC = 0.25  # below it full steps are safe and converge quadratically


@dataclass(frozen=True, eq=False)
class Fit:
    """Prices in the unit of the ideal ones, and how well Newton's method did.

    Attributes
    ----------
    prices
        Shape `(versions,)`.
    decrement
        Newton decrement before the last step: f - min f was at most its square.
    identity_error
        Relative error of sum q v (v - P) = (2k - 1) / (2 weight), in extended precision.
    steps
        Newton steps of all stages.
    converged
        Whether the decrement came down to 1e-6 and the identity holds to 1e-9 and rounding.
    """

    prices: PerVersion
    decrement: float
    identity_error: float
    steps: int
    converged: bool


@dataclass(frozen=True, eq=False)
class _Problem:
    """Eq. (26) for one weight; `weighted` is 2 lambda q."""

    ideal: Array
    weighted: Array
    rise: Array
    fall: Array
    solves: int = 1  # solutions of each linear system, the last ones corrections


@dataclass(frozen=True, eq=False)
class _Point:
    """Prices v and the slacks x (rise) and w (fall) of each step."""

    v: Floats
    x: Floats
    w: Floats


def fit(ideal: PerVersion, demand: PerVersion, grown: PerStep, weight: float) -> Fit:
    """Minimize weight * sum q (v - P)^2 - barrier by continuation in the weight.

    Parameters
    ----------
    ideal
        P, best of mean 1, shape `(versions,)`.
    demand
        q > 0, shape `(versions,)`.
    grown
        h of `cone.growth`, shape `(versions - 1,)`.
    weight
        lambda > 0.
    """
    rise, fall = np.minimum(grown, 1.0), 1.0 / np.maximum(grown, 1.0)
    first = min(START, weight)
    point = _start(_Problem(ideal, 2.0 * first * demand, rise, fall), grown)
    steps = 0
    for stage in _stages(first, weight):
        last = stage == weight
        problem = _Problem(ideal, 2.0 * stage * demand, rise, fall, 2 if last else 1)
        enough = SMALL if last else QUADRATIC
        point = _cast(problem, point, np.longdouble if last else np.float64)
        point, decrement, used = _minimize(problem, point, enough)
        steps += used
    error, rounding = _identity_error(problem, point)
    return Fit(
        prices=np.asarray(point.v, dtype=np.float64),
        decrement=decrement,
        identity_error=error,
        steps=steps,
        converged=decrement <= ACCEPTED and error <= 1e-9 + rounding,
    )


def _stages(first: float, weight: float) -> list[float]:
    """Return weights from `first` to `weight`, each at most a hundred times the last."""
    count = int(np.ceil(np.log(weight / first) / np.log(FACTOR) - 1e-9))
    return [first * (weight / first) ** (i / count) for i in range(1, count)] + [weight]


def _start(problem: _Problem, grown: Array) -> _Point:
    """Return v ~ eps^{m/2}, scaled to the least loss plus barrier along its ray."""
    half = np.expm1(0.5 * np.log1p(grown.astype(np.longdouble)))
    v = np.cumprod(np.concatenate([[np.longdouble(1)], 1 + half]))
    x = v[:-1] * half / problem.rise
    square = (problem.weighted * v * v).sum()
    line = (problem.weighted * v * problem.ideal).sum()
    terms = 2 * v.size - 1  # scale^2 square - scale line = terms
    scale = (line + np.sqrt(line * line + 4 * square * terms)) / (2 * square)
    gap = 1 - half / grown  # w = v - b x
    return _Point(scale * v, scale * x, scale * v[:-1] * gap)


def _cast(problem: _Problem, point: _Point, kind: type[np.floating[Any]]) -> _Point:
    """Return a point in another precision, prices and slacks made to agree in it."""
    parts = (np.asarray(part, dtype=kind) for part in (point.v, point.x, point.w))
    return _agreed(problem, _Point(*parts))


def _minimize(problem: _Problem, point: _Point, enough: float) -> tuple[_Point, float, int]:
    """Step until the decrement is small enough; return the point, the decrement and the steps."""
    best = np.inf
    for step in range(1, STEPS + 1):
        move = _direction(problem, point)
        decrement = _decrement(problem, point, move)
        stalled = best <= QUADRATIC and not decrement < best
        if stalled or not np.isfinite(decrement):
            return point, best, step
        best = decrement
        length = 1.0 if decrement <= QUADRATIC else _length(problem, point, move)
        moved = _moved(problem, point, move, length)
        if not _inside(moved):
            return point, best, step
        point = moved
        if decrement <= enough:
            return point, best, step
    return point, best, STEPS


def _moved(problem: _Problem, point: _Point, move: _Point, length: float) -> _Point:
    """Go along a step; of each pair of slacks the smaller keeps its digits, the other follows."""
    v = point.v + length * move.v
    x, w = point.x + length * move.x, point.w + length * move.w
    thin = w < problem.fall * x
    x = np.where(thin, (v[:-1] - w) / problem.fall, x)
    moved = _Point(v, x, np.where(thin, w, v[:-1] - problem.fall * x))
    return _agreed(problem, moved) if length < 1.0 else moved


def _agreed(problem: _Problem, point: _Point) -> _Point:
    """Recompute prices and slacks from one another, so that no rounding adds up.

    Where slacks are below the rounding of the prices they are left as they are.
    """
    v = np.concatenate([point.v[:1], point.v[0] + np.cumsum(problem.rise * point.x)])
    fresh = _Point(v, point.x, v[:-1] - problem.fall * point.x)
    return fresh if _inside(fresh) else point


def _inside(point: _Point) -> bool:
    return bool(point.v[0] > 0 and (point.x > 0).all() and (point.w > 0).all())


def _direction(problem: _Problem, point: _Point) -> _Point:
    """Return Newton's step in prices and slacks."""
    v, x, w, fall = point.v, point.x, point.w, problem.fall
    spread = w * w + fall * fall * x * x
    share = fall * x * x / spread  # by which a move of v_j moves x_j
    soft = x * x * w * w / spread  # 1 / second derivative in x_j
    soft_gradient = x * w * (fall * x - w) / spread
    right = problem.weighted * (problem.ideal - v)  # minus the gradient, x_j eliminated
    right[0] += 1 / v[0]
    right[:-1] += v[:-1] / spread
    diagonal = problem.weighted + np.zeros_like(v)
    diagonal[0] += 1 / v[0] ** 2
    diagonal[:-1] += 1 / spread
    dv, multiplier = _solve(problem, diagonal, share, soft, (right, soft_gradient))
    pull = soft_gradient + soft * problem.rise * multiplier
    dx = share * dv[:-1] - pull
    dw = w * w / spread * dv[:-1] + fall * pull
    return _Point(dv, dx, dw)


def _solve(
    problem: _Problem,
    diagonal: Floats,
    share: Floats,
    soft: Floats,
    right: tuple[Floats, Floats],
) -> tuple[Floats, Floats]:
    """Solve for moves of prices and multipliers in turn: v_1, mu_1, v_2, mu_2, ..., v_k.

    Residuals in extended precision correct the solution: multipliers are as large as the weight,
    and their rounding would move prices.
    """
    from scipy.linalg import solve_banded

    main = _alternate(diagonal, -soft * problem.rise**2)
    beside = _alternate(1 + problem.rise * share, -np.ones_like(share))
    target = _alternate(right[0], problem.rise * right[1])
    banded = np.zeros((3, main.size))  # float64, as all that LAPACK sees
    banded[1], banded[0, 1:], banded[2, :-1] = main, beside, beside
    solution, left = np.zeros_like(target), target
    for _ in range(problem.solves):
        solution = solution + solve_banded((1, 1), banded, left, check_finite=False)
        left = target - main * solution
        left[1:] -= beside * solution[:-1]
        left[:-1] -= beside * solution[1:]
    return solution[::2], solution[1::2]


def _alternate(even: Floats, odd: Floats) -> Floats:
    """Return even[0], odd[0], even[1], odd[1], ..."""
    both = np.empty(even.size + odd.size, dtype=even.dtype)
    both[::2], both[1::2] = even, odd
    return both


def _ratios(point: _Point, move: _Point) -> Array:
    """Return the relative change of every slack, v_1 among them."""
    first, x, w = move.v[:1] / point.v[:1], move.x / point.x, move.w / point.w
    return np.asarray(np.concatenate([first, x, w]), dtype=np.float64)


def _decrement(problem: _Problem, point: _Point, move: _Point) -> float:
    """Return the length of a step in the norm of the Hessian, a sum of squares."""
    ratio = _ratios(point, move)
    return float(np.sqrt((problem.weighted * move.v * move.v).sum() + (ratio * ratio).sum()))


def _length(problem: _Problem, point: _Point, move: _Point) -> float:
    """Return how far to go: short of the boundary and not beyond the minimum on the line."""
    ratio = _ratios(point, move)
    t = min(1.0, 0.98 / max(-float(ratio.min()), 1e-300))
    start = float((problem.weighted * (point.v - problem.ideal) * move.v).sum())
    bend = float((problem.weighted * move.v * move.v).sum())
    while t > 1e-12 and start + t * bend > float((ratio / (1.0 + t * ratio)).sum()):
        t *= 0.6
    return t


def _identity_error(problem: _Problem, point: _Point) -> tuple[float, float]:
    """Return the relative error of sum 2 lambda q v (v - P) = 2k - 1, and what rounding may add."""
    terms = 2 * point.v.size - 1
    left = (problem.weighted * point.v * (point.v - problem.ideal)).sum()
    size = (problem.weighted * point.v * point.v).sum()
    rounding = 64.0 * point.v.size * np.finfo(np.longdouble).eps * size
    return float(abs(left / terms - 1)), float(rounding / terms)
