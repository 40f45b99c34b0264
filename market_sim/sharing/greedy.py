"""The greedy sharing graph: sellers in the order of the data at which they stop paying off."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.shapes import Array
from market_sim.sharing.imports import Edges, ImportProblems, PerEdge, PerRow

Values = Float[NDArray[np.float64], " values"]
_STEPS = 60
_CHUNK = 1 << 15  # values a pass, so that the iteration stays in the cache
_FLAT = 1e-60  # below it every total that a computer can add up is worth the import


def stopping_totals(problems: ImportProblems) -> PerEdge:
    """Return n*_ij, the root x > N_j of sqrt(K_i / (x - N_j)) - sqrt(K_i / x) = w_ij.

    A model is worth its cost as long as the buyer's data with it stay below n*_ij. It is infinite
    where w_ij <= 0, and -inf where the edge cannot be or K_i = 0.

    Parameters
    ----------
    problems
        The buyers, shape `(rows, sellers)`.

    Notes
    -----
    Source: iPFL [S], graph step; [D] one equation for all edges: with u = x / N_j and
    r = w_ij sqrt(N_j / K_i) it reads 1 / sqrt(u - 1) - 1 / sqrt(u) = r, which
    s = sqrt(u) + sqrt(u - 1) turns into the quartic r (s^4 - 1) = 4 s. It is convex with one root
    above 1, and Newton's method from an upper bound falls to it without a safeguard.
    """
    weight = problems.weight
    able = problems.possible & (problems.scale[:, None] > 0)
    found = np.full(weight.shape, -np.inf)
    found[able & (weight <= 0)] = np.inf
    row, seller = np.nonzero(able & (weight > 0))
    size = problems.size[row, seller]
    ratio = weight[row, seller] * (np.sqrt(size) / np.sqrt(problems.scale[row]))
    found[row, seller] = size * relative_roots(ratio)
    return found


def relative_roots(ratio: Values) -> Values:
    """Return the u > 1 with 1 / sqrt(u - 1) - 1 / sqrt(u) = ratio, for ratios above 0."""
    root = np.empty_like(ratio)
    for start in range(0, ratio.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        root[part] = _roots(np.maximum(ratio[part], _FLAT))
    return root


def _roots(ratio: Array) -> Array:
    """Solve r v (v^3 + 4 v^2 + 6 v + 4) = 4 (1 + v) for v = s - 1 from above."""
    above = np.cbrt(4.0 / ratio)
    over = np.where(ratio > 4.0, np.minimum(above, 2.0 / ratio), above)
    for _ in range(_STEPS):
        one = 1.0 + over
        value = ratio * over * (((over + 4.0) * over + 6.0) * over + 4.0) - 4.0 * one
        step = value / (4.0 * (ratio * one * one * one - 1.0))
        over -= step
        if not (step > 1e-15 * over).any():
            break
    half = over * (over + 2.0) / (2.0 * (1.0 + over))  # sqrt(u - 1)
    return np.asarray(1.0 + half * half)


def greedy_imports(problems: ImportProblems, stops: PerEdge | None = None) -> Edges:
    """Return the imports of each row: sellers by falling n*_ij while the data stay below it.

    The first seller who fails ends the row. Equal n*_ij are taken in the sellers' order.

    Parameters
    ----------
    problems
        The buyers, shape `(rows, sellers)`.
    stops
        `stopping_totals(problems)`, if it is known.

    Notes
    -----
    Source: iPFL [S], greedy graph step.
    """
    stops = stopping_totals(problems) if stops is None else stops
    order = np.argsort(-stops, axis=1, kind="stable")
    total = problems.own[:, None] + np.cumsum(np.take_along_axis(problems.size, order, 1), axis=1)
    # totals rise and n* falls along a row, so that all fail after the first failure
    fits = total < np.take_along_axis(stops, order, 1)
    imports = np.zeros(stops.shape, dtype=np.bool_)
    np.put_along_axis(imports, order, fits, axis=1)
    return imports


def critical_totals(problems: ImportProblems, imports: Edges, stops: PerEdge) -> PerRow:
    """Return the data at which a winner's model is worth exactly her critical cost.

    It is max(n, n*_f) with n the buyer's data after the greedy and f the seller who ended it: a
    winner would still be imported if her own n*_ij were any number above this one, and would not
    be below it.

    Parameters
    ----------
    problems, imports, stops
        The buyers, `greedy_imports` and `stopping_totals`.

    Notes
    -----
    Source: [D], proof in the documentation; it replaces the bisection over c_j by one formula.
    """
    ended = np.where(imports, -np.inf, stops).max(axis=1, initial=-np.inf)
    return np.asarray(np.maximum(problems.total(imports), ended))
