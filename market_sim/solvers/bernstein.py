"""Polynomials in Bernstein form: all their roots on [0, 1], isolated with proof."""

from dataclasses import dataclass
from math import comb

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games.binomial import binomial_weights
from market_sim.shapes import Array

MAX_PRODUCT_DEGREE = 1000
_MAX_SPLIT_DEGREE = 20_000
_NARROW = 2.0**-44
_BESIDE = 1e-6  # a double root is known to the square root of rounding
_ROUNDING = 16.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Root:
    """One root, or roots that are closer than rounding can tell apart.

    Attributes
    ----------
    at
        Where.
    low, high
        Interval that holds it and no other.
    simple
        Whether the sign changes exactly once there by Descartes' rule: proof that there is one
        root. If not, it is a multiple root within rounding.
    """

    at: float
    low: float
    high: float
    simple: bool


@dataclass(frozen=True)
class Roots:
    """All roots on [0, 1].

    Attributes
    ----------
    found
        In ascending order.
    everywhere
        Whether the polynomial is zero within rounding, so that every point is a root.
    splits
        How many intervals were cut in two.
    """

    found: tuple[Root, ...]
    everywhere: bool
    splits: int


def evaluate(coefficients: Array, at: float) -> float:
    """Return sum_k Bin(n, k; at) coefficients[k], the polynomial's value on [0, 1]."""
    first, weights = binomial_weights(coefficients.size - 1, at)
    return float(coefficients[first : first + weights.size] @ weights)


def derivative(coefficients: Array) -> Array:
    """Return the coefficients of the derivative."""
    if coefficients.size == 1:
        return np.zeros(1)
    return np.asarray((coefficients.size - 1) * np.diff(coefficients))


def product(first: Array, second: Array) -> Array:
    """Return the coefficients of a product of two polynomials.

    Raises
    ------
    InvalidInput
        If its degree is above `MAX_PRODUCT_DEGREE`, where binomials overflow.
    """
    m, n = first.size - 1, second.size - 1
    if m + n > MAX_PRODUCT_DEGREE:
        raise InvalidInput(
            f"a polynomial of degree {m + n} is above {MAX_PRODUCT_DEGREE}: with a private option "
            "that gives data, symmetric play is solved for fewer users"
        )
    return np.asarray(np.convolve(first * _ways(m), second * _ways(n)) / _ways(m + n))


def elevate(coefficients: Array, degree: int) -> Array:
    """Return the same polynomial in a form of higher degree."""
    more = degree - (coefficients.size - 1)
    return coefficients if more == 0 else product(coefficients, np.ones(more + 1))


def added(*terms: Array) -> Array:
    """Return the sum of polynomials of any degrees."""
    degree = max(term.size for term in terms) - 1
    return np.asarray(sum((elevate(term, degree) for term in terms), np.zeros(degree + 1)))


def divide_by_rest(coefficients: Array) -> Array:
    """Return p(s) / (1 - s) for a polynomial with p(1) = 0."""
    n = coefficients.size - 1
    return np.asarray(coefficients[:-1] * n / np.arange(n, 0, -1))


def roots(coefficients: Array, scale: float | None = None) -> Roots:
    """Return all roots on [0, 1], each in an interval of its own.

    The signs of Bernstein coefficients change as often as there are roots, or an even number more
    (Descartes): none proves that there is no root, one that there is one; else the interval is cut
    in two (de Casteljau), which averages and so amplifies no rounding.

    Parameters
    ----------
    coefficients
        Shape `(degree + 1,)`.
    scale
        Size of the numbers that the coefficients are differences of; what is below rounding of it
        counts as zero. Their own largest if omitted.

    Raises
    ------
    InvalidInput
        If the degree is too large to cut and the signs leave the number of roots open.
    """
    largest = float(np.abs(coefficients).max())
    noise = _ROUNDING * max(largest, scale or 0.0)
    if largest <= noise:
        return Roots((), True, 0)
    simple: list[Root] = []
    doubtful: list[tuple[float, float]] = []
    stack = [(coefficients, 0.0, 1.0)]
    splits = 0
    while stack:
        local, low, high = stack.pop()
        doubtful += _ends(local, low, high, noise)
        signs = np.sign(local[np.abs(local) > noise])
        changes = int(np.count_nonzero(np.diff(signs)))
        if changes == 1:
            simple.append(_refined(coefficients, low, high, float(signs[0]), noise))
        elif changes > 1 or signs.size == 0:
            if high - low <= _NARROW or signs.size == 0:
                doubtful.append((low, high))
                continue
            splits += 1
            left, right = _cut(local)
            middle = (low + high) / 2.0
            stack += [(left, low, middle), (right, middle, high)]
    return Roots(_merged(coefficients, simple, doubtful), False, splits)


def extremum(coefficients: Array, *, greatest: bool) -> tuple[float, float]:
    """Return where on [0, 1] a polynomial is greatest (or least), and its value there."""
    points = [0.0, 1.0, *(root.at for root in roots(derivative(coefficients)).found)]
    values = [evaluate(coefficients, at) for at in points]
    place = int(np.argmax(values) if greatest else np.argmin(values))
    return points[place], values[place]


def _ways(n: int) -> Array:
    return np.array([float(comb(n, k)) for k in range(n + 1)])


def _ends(local: Array, low: float, high: float, noise: float) -> list[tuple[float, float]]:
    """Return the ends of an interval that are roots."""
    result = []
    if abs(local[0]) <= noise:
        result.append((low, low))
    if abs(local[-1]) <= noise:
        result.append((high, high))
    return result


def _cut(coefficients: Array) -> tuple[Array, Array]:
    """Return the coefficients on both halves (de Casteljau)."""
    n = coefficients.size - 1
    if n > _MAX_SPLIT_DEGREE:
        raise InvalidInput(
            f"a polynomial of degree {n} with several changes of sign is too large to isolate its "
            f"roots: use at most {_MAX_SPLIT_DEGREE} users, or a utility with decreasing gains"
        )
    left, right = np.empty(n + 1), np.empty(n + 1)
    row = coefficients
    left[0], right[n] = row[0], row[-1]
    for step in range(1, n + 1):
        row = (row[1:] + row[:-1]) / 2.0
        left[step], right[n - step] = row[0], row[-1]
    return left, right


def _refined(coefficients: Array, low: float, high: float, sign: float, noise: float) -> Root:
    """Return the one root of an interval, whose sign at the lower end is known."""
    from scipy.optimize import brentq

    a, b = low, high
    # an end may be a root of its own: halve until both ends show their sign beyond rounding
    for _ in range(60):
        below, above = sign * evaluate(coefficients, a), sign * evaluate(coefficients, b)
        if below > noise and above < -noise:
            break
        middle = (a + b) / 2.0
        if sign * evaluate(coefficients, middle) > 0:
            a = middle
        else:
            b = middle
    if sign * evaluate(coefficients, a) <= 0 or sign * evaluate(coefficients, b) >= 0:
        return Root((a + b) / 2.0, low, high, True)
    at = brentq(lambda x: evaluate(coefficients, x), a, b, xtol=1e-300, rtol=8.9e-16, maxiter=500)
    return Root(float(at), low, high, True)


def _merged(
    coefficients: Array, simple: list[Root], doubtful: list[tuple[float, float]]
) -> tuple[Root, ...]:
    """Gather doubtful intervals that touch, and drop those around a root that is proven."""
    result = list(simple)
    near = 64.0 * _NARROW
    groups: list[list[float]] = []
    for low, high in sorted(doubtful):
        if groups and low <= groups[-1][1] + near:
            groups[-1][1] = max(groups[-1][1], high)
        else:
            groups.append([low, high])
    for low, high in groups:
        if not any(low - near <= root.at <= high + near for root in simple):
            result.append(Root(_touching(coefficients, low, high), low, high, False))
    return tuple(sorted(result, key=lambda root: root.at))


def _touching(coefficients: Array, low: float, high: float) -> float:
    """Return where the polynomial comes closest to 0 in a tiny interval, or just beside it."""
    from scipy.optimize import brentq

    slope = derivative(coefficients)
    a, b = max(low - _BESIDE, 0.0), min(high + _BESIDE, 1.0)
    points = [low, high, (low + high) / 2.0]
    if evaluate(slope, a) * evaluate(slope, b) < 0:
        points.append(float(brentq(lambda x: evaluate(slope, x), a, b, xtol=1e-16)))
    return min(points, key=lambda x: abs(evaluate(coefficients, x)))
