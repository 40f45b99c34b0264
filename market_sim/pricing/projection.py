"""The limit of Eq. (26) for a large weight: the closest prices in the closed cone, exactly.

Let F_j(y) be the least loss of versions 1..j if v_j = y. Then F_{j+1}(y) is q (y - P)^2 plus the
least F_j over [y / (1 + h_j), y]: left of its minimum F_j is kept, right of it stretched by
1 + h_j, and flat in between. F_j' is piecewise linear; one pass forward finds all minima, one back
the prices. The pass back also tells which neighbors are tied, and each tied block is then one
weighted mean.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.pricing.cone import (
    PerStep,
    PerVersion,
    check_exponent,
    check_labels,
    check_prices,
    growth,
)
from market_sim.shapes import Array


def project(
    labels: ArrayLike, ideal_prices: ArrayLike, demand: ArrayLike | None = None, exponent: int = 2
) -> Float[NDArray[np.float64], "versions"]:
    """Return the prices of least sum q (v - P)^2 with v_j <= v_{j+1} <= v_j (1 + h_j).

    Parameters
    ----------
    labels
        Privacy labels, increasing, shape `(versions,)`.
    ideal_prices
        P > 0, shape `(versions,)`.
    demand
        q > 0, shape `(versions,)`; ones if omitted.
    exponent
        m in h_j = (eps_{j+1} / eps_j)^m - 1: 1 or 2.

    Raises
    ------
    InvalidInput
        If labels do not increase, a price or demand is not positive, or lengths differ.

    Notes
    -----
    [D] Limit of PIECE's Eq. (26). A finite algorithm; at most k^2 operations.
    """
    checked = check_labels(labels)
    ideal = check_prices("ideal_prices", ideal_prices, checked.size)
    shares = np.ones(checked.size) if demand is None else demand
    weights = check_prices("demand", shares, checked.size)
    return closest(ideal, weights, growth(checked, check_exponent(exponent)))


def closest(ideal: PerVersion, demand: PerVersion, grown: PerStep) -> PerVersion:
    """Return the projection for growth limits h, shape `(versions - 1,)`."""
    ratio = 1.0 + grown
    minima = _minima(ideal, demand, ratio)
    tie = np.zeros(ideal.size)  # of v_j to v_{j+1}: 0 free, 1 equal, ratio steep
    price = minima[-1]
    for j in range(ideal.size - 2, -1, -1):
        low = price / ratio[j]
        tie[j] = 1.0 if minima[j] >= price else ratio[j] if minima[j] <= low else 0.0
        price = min(max(minima[j], low), price)
    return _blocks(ideal, demand, tie)


def _minima(ideal: Array, demand: Array, ratio: Array) -> Array:
    """Return where each F_j is least; its derivative is a chain of knots and two outer slopes."""
    found = np.empty(ideal.size)
    found[0] = ideal[0]
    knots, values = ideal[:1], np.zeros(1)
    slopes = np.full(2, 2.0 * demand[0])
    for j, stretch in enumerate(ratio):
        least, weight, target = found[j], 2.0 * demand[j + 1], ideal[j + 1]
        left, right = knots < least, knots > least
        knots = np.concatenate([knots[left], [least, least * stretch], knots[right] * stretch])
        values = np.concatenate([values[left], [0.0, 0.0], values[right] / stretch])
        values += weight * (knots - target)
        slopes = slopes / np.array([1.0, stretch * stretch]) + weight
        found[j + 1] = _root(knots, values, slopes)
    return found


def _root(knots: Array, values: Array, slopes: Array) -> float:
    """Return where an increasing chain of lines is zero."""
    place = int(np.searchsorted(values, 0.0))
    if place == 0:
        return float(knots[0] - values[0] / slopes[0])
    if place == knots.size:
        return float(knots[-1] - values[-1] / slopes[1])
    rise = values[place] - values[place - 1]
    share = -values[place - 1] / rise
    return float(knots[place - 1] + share * (knots[place] - knots[place - 1]))


def _blocks(ideal: Array, demand: Array, tie: Array) -> Array:
    """Return prices c g in each block of tied neighbors, c = sum q g P / sum q g^2."""
    prices = np.empty(ideal.size)
    ends = np.flatnonzero(tie == 0.0)
    for first, last in zip(np.append(0, ends[:-1] + 1), ends, strict=True):
        block = slice(int(first), int(last) + 1)
        shape = np.cumprod(np.append(1.0, tie[first:last]))
        shape = shape / shape[-1]
        scale = (demand[block] * shape * ideal[block]).sum() / (demand[block] * shape**2).sum()
        prices[block] = scale * shape
    return prices


def polar_violation(
    ideal: PerVersion, demand: PerVersion, grown: PerStep, prices: PerVersion
) -> float:
    """Return by how much prices miss the two conditions that single out the projection.

    The gap z = q (P - v) must be orthogonal to v, and have no positive product with any price
    vector of the cone; the largest product among those that end at 1 is found step by step.
    Relative to sum q P v.
    """
    gap = demand * (ideal - prices)
    product = float(gap[0])
    for j, ratio in enumerate(1.0 + grown):
        product = float(gap[j + 1]) + max(product, product / float(ratio))
    scale = float((demand * ideal * prices).sum())
    return max(abs(float(gap @ prices)), product * float(prices[-1]), 0.0) / scale
