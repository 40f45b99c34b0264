"""What one owner should sell when money, weight and bias have prices: the dual's inner minimum.

With prices mu of money, nu of weight and beta of bias, owner i is to minimize over lambda >= 0 and
eps in [low, high]

    D lambda^2 / eps^2 - nu lambda + 2 beta |lambda - w| + mu c(eps) .

The best lambda is r rho with rho = eps^2 / (2 D) and r = clip(w / rho, nu - 2 beta, nu + 2 beta).
What is left is a smooth function of eps in three pieces: in eps^2 the weight's part is linear, then
convex (where lambda = w), then linear. Its minima lie at the ends or at stationary points, which
each family has in closed form or by a few Newton steps.
"""

from dataclasses import dataclass

import numpy as np

from market_sim.bounds._problem import STEP
from market_sim.shapes import Array
from market_sim.valuation import Valuations

_NEWTON_STEPS = 7  # quadratic from a start on the right side: to the last digits
_HUGE = 700.0  # no exponential owner sells more: her cost would overflow


@dataclass(frozen=True, eq=False)
class Prices:
    """mu of money, nu of weight, beta of bias; any common shape."""

    money: Array
    weight: Array
    bias: Array


@dataclass(frozen=True, eq=False)
class Owners:
    """Owners of one family from any rows, as flat arrays of one shape."""

    valuations: Valuations
    low: Array
    high: Array
    share: Array
    noise: float


def best_weight(epsilon: Array, share: Array, noise: float, prices: Prices) -> tuple[Array, Array]:
    """Return the best lambda at given eps, and its part of the minimum (all but the money)."""
    rho = np.square(epsilon) / (2.0 * noise)
    with np.errstate(divide="ignore"):
        ratio = share / rho
    slope = np.clip(ratio, prices.weight - 2.0 * prices.bias, prices.weight + 2.0 * prices.bias)
    weight = slope * rho
    value = (0.5 * slope - prices.weight) * weight + 2.0 * prices.bias * np.abs(weight - share)
    return weight, value


def best_epsilon(code: int, owners: Owners, prices: Prices) -> Array:
    """Return the eps of the minimum of each entry."""
    points = candidates(code, owners, prices)
    if len(points) == 1:
        return np.asarray(points[0])
    value = best_weight(points, owners.share, owners.noise, prices)[1]
    value += prices.money * owners.valuations.cost(points)
    return np.asarray(np.take_along_axis(points, value.argmin(axis=0)[None], axis=0)[0])


def candidates(code: int, owners: Owners, prices: Prices) -> Array:
    """Return eps among which the minimum lies, `(candidates, entries)`, for one family."""
    low, high = owners.low, owners.high
    if code == STEP:
        return np.stack([low, high])
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        price = prices.money * owners.valuations.rate
        steep = np.square(prices.weight + 2.0 * prices.bias) / (4.0 * owners.noise)
        flat = np.square(np.maximum(prices.weight - 2.0 * prices.bias, 0.0)) / (4.0 * owners.noise)
        level = owners.noise * np.square(owners.share)
        # Where lambda = w: from the first to the last eps with w / rho between the two slopes.
        first = np.sqrt(2.0 * level / owners.share / (prices.weight + 2.0 * prices.bias))
        last = np.sqrt(
            2.0 * level / owners.share / np.maximum(prices.weight - 2.0 * prices.bias, 0.0)
        )
        middle = np.clip(fixed_weight_epsilon(code, level, price), first, last)
        found = [low, high, middle]
        if code == 1:
            # Convex in eps^2: one stationary point, at an end of it where a slope says so.
            found = [np.where(price >= steep, 0.0, np.where(price <= flat, np.inf, middle))]
        elif code == 3:
            found += [_upper_root(2.0 * slope / price) for slope in (steep, flat)]
    points = np.stack(found)
    return np.asarray(np.clip(np.nan_to_num(points, nan=0.0, posinf=_HUGE), low, high))


def fixed_weight_epsilon(code: int, level: Array, price: Array) -> Array:
    """Return argmin over eps of level / eps^2 + price base(eps); inf where it is free."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = level / price
        if code == 0:
            return np.cbrt(ratio)
        if code == 1:
            return np.sqrt(np.sqrt(ratio))
        if code == 2:
            return np.asarray((2.0 * ratio) ** 0.4)
        if code == 3:
            return _product_root(2.0 * ratio)
    return np.full(ratio.shape, np.inf)


def _product_root(target: Array) -> Array:
    """Return eps with eps^3 e^eps = target, by Newton steps on log eps from above (convex)."""
    goal = np.clip(np.log(target), -2000.0, 2.0 * _HUGE)
    root = np.where(goal > 3.0, np.log(np.maximum(goal, 3.0)), goal / 3.0)
    for _ in range(_NEWTON_STEPS):
        power = np.exp(root)
        root -= (power + 3.0 * root - goal) / (power + 3.0)
    return np.asarray(np.exp(root))


def _upper_root(target: Array) -> Array:
    """Return the larger eps with e^eps = target eps, by Newton steps from above; NaN if none."""
    goal = np.minimum(np.log(target), 2.0 * _HUGE)
    beyond = np.where(goal >= 1.0, goal - 1.0, np.nan)
    root = 1.0 + np.sqrt(2.0 * beyond) + beyond
    for _ in range(_NEWTON_STEPS):
        # At the double root eps = 1 both parts of the step vanish.
        step = (root - np.log(root) - goal) / np.maximum(1.0 - 1.0 / root, 1e-9)
        root = np.maximum(root - step, 1.0)
    return root
