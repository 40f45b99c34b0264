"""The Lagrangian dual of the purchase problem: a certified lower bound at any prices.

b^2 >= 2 beta b - beta^2 for every beta, so at all prices mu, beta >= 0 and nu

    ERR >= sum_i g_i(mu, nu, beta) + nu - beta^2 - mu ,

g_i the minimum of `market_sim.bounds._owner`. The right side is concave in the three prices.
"""

from dataclasses import dataclass

import numpy as np

from market_sim.bounds._owner import Owners, Prices, best_epsilon, best_weight
from market_sim.bounds._problem import Index, Mask, Problem
from market_sim.shapes import Array
from market_sim.valuation import KINDS, Valuations

_CUTS = 200  # most cuts; about a hundred are needed
_FADE = 0.1  # weight of the latest prices in the mean
_ROUNDING = 1e-13  # of the sum of all terms: what the last digits may add to the bound


@dataclass(frozen=True, eq=False)
class DualPoint:
    """The dual at some prices: `value` `(rows,)`, `slope` `(rows, 3)`, minimizers `epsilon`."""

    value: Array
    slope: Array
    epsilon: Array


class Dual:
    """The dual function of a problem; owners are grouped by family once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        owners = problem.share.shape[1]
        kind, rate = problem.kind.reshape(-1), problem.rate.reshape(-1)
        low, high, share = (a.reshape(-1) for a in (problem.low, problem.high, problem.share))
        self._groups: list[tuple[int, Index, Index, Owners]] = []
        for code in range(len(KINDS)):
            entry = np.flatnonzero(kind == code)
            if entry.size:
                group = Owners(
                    Valuations(kind[entry], rate[entry]),
                    low[entry],
                    high[entry],
                    share[entry],
                    problem.noise,
                )
                self._groups.append((code, entry, entry // owners, group))

    def __call__(self, prices: Array) -> DualPoint:
        """Return the dual at prices `(rows, 3)`: of money, of weight, of bias."""
        problem = self.problem
        flat = np.empty(problem.share.size)
        for code, entry, row, group in self._groups:
            flat[entry] = best_epsilon(code, group, Prices(*prices[row].T))
        epsilon = flat.reshape(problem.share.shape)
        money, level, bias = prices.T
        columns = Prices(money[:, None], level[:, None], bias[:, None])
        weight, value = best_weight(epsilon, problem.share, problem.noise, columns)
        cost = problem.cost(epsilon)
        terms = value + columns.money * cost
        slope = np.stack(
            [
                cost.sum(axis=1) - 1.0,
                1.0 - weight.sum(axis=1),
                2.0 * (np.abs(weight - problem.share).sum(axis=1) - bias),
            ],
            axis=1,
        )
        rounding = _ROUNDING * (np.abs(terms).sum(axis=1) + level + np.square(bias) + money)
        total = terms.sum(axis=1) + level - np.square(bias) - money - rounding
        return DualPoint(total, slope, epsilon)


@dataclass(frozen=True, eq=False)
class DualOptimum:
    """Best prices found `(rows, 3)`, the bound there, and purchases that go with it.

    `epsilon` minimizes at the best prices, `mean` averages over the last prices tried; `excess` is
    what each owner's part of the mean lies above her minimum, 0 where nothing is mixed. All three
    have shape `(rows, owners)`.
    """

    prices: Array
    value: Array
    epsilon: Array
    mean: Array
    excess: Array


@dataclass(eq=False)
class _Ellipsoid:
    """Where the best prices of each row may be: `(y - place)' shape^-1 (y - place) <= 1`."""

    place: Array
    shape: Array

    def rows(self, index: Mask) -> "_Ellipsoid":
        """Return some rows."""
        return _Ellipsoid(self.place[index], self.shape[index])

    def cut(self, point: DualPoint, best: Array) -> Array:
        """Cut off what cannot beat `best`, or is negative; return what may still be gained.

        Rows without a gain left stay as they are: nothing is left of their ellipsoids but rounding.
        The dual is concave: prices y with slope.(y - place) < best - value are worse than the best.
        """
        row = np.arange(len(best))
        worst = self.place.argmin(axis=1)
        outside = self.place[row, worst] < 0
        normal = np.where(outside[:, None], np.eye(3)[worst], point.slope)
        missing = np.where(outside, -self.place[row, worst], best - point.value)
        along = np.einsum("rij,rj->ri", self.shape, normal)
        square = np.einsum("ri,ri->r", normal, along)
        sizes = np.linalg.norm(normal, axis=1) * np.linalg.norm(along, axis=1)
        length = np.sqrt(np.maximum(square, 0.0))
        moves = (square > 1e-14 * sizes) & (missing < 0.999 * length)
        length = np.where(moves, length, 1.0)
        depth = np.where(moves, np.maximum(missing, 0.0) / length, 0.0)
        step = np.where(moves, (1.0 + 3.0 * depth) / 4.0, 0.0)
        shrink = 2.0 * step / (1.0 + depth)
        scale = np.where(moves, 9.0 / 8.0 * (1.0 - np.square(depth)), 1.0)
        along /= length[:, None]
        self.place = self.place + step[:, None] * along
        self.shape = scale[:, None, None] * (
            self.shape - shrink[:, None, None] * along[:, :, None] * along[:, None, :]
        )
        return np.where(moves, np.where(outside, np.inf, length - missing), 0.0)


def maximize(
    problem: Problem, center: Array, radius: Array, accuracy: float, enough: Array
) -> DualOptimum:
    """Maximize the dual over prices >= 0 by the ellipsoid method with deep cuts, row by row.

    Any prices give a valid bound, so nothing but the gap depends on how far this comes.

    Parameters
    ----------
    problem
        Rows to bound.
    center, radius
        Ellipsoid to start with, axes along the prices, `(rows, 3)` each.
    accuracy
        A row stops when no more than this relative improvement is possible.
    enough
        A row also stops when its bound reaches this, `(rows,)`.
    """
    best = np.full(len(center), -np.inf)
    prices, found, mean = center.copy(), problem.high.copy(), problem.high.copy()
    active, dual = np.arange(len(center)), Dual(problem)
    going = np.ones(len(center), dtype=bool)
    ellipsoid = _Ellipsoid(center, np.square(radius)[:, :, None] * np.eye(3))
    for _ in range(_CUTS):
        tried = np.maximum(ellipsoid.place, 0.0)
        point = dual(tried)
        better = going & (point.value > best[active])
        rise = active[better]
        best[rise], prices[rise] = point.value[better], tried[better]
        found[rise] = point.epsilon[better]
        fade = np.where(going, _FADE, 0.0)[:, None]
        mean[active] += fade * (point.epsilon - mean[active])
        gain = ellipsoid.cut(point, best[active])
        going &= (gain > accuracy * np.abs(best[active])) & (best[active] < enough[active])
        if not going.any():
            break
        if going.mean() < 0.7:
            active, ellipsoid = active[going], ellipsoid.rows(going)
            dual, going = Dual(problem.rows(active)), going[going]
    return DualOptimum(prices, best, found, mean, _excess(problem, prices, found, mean))


def _excess(problem: Problem, prices: Array, found: Array, mean: Array) -> Array:
    """Return each owner's Lagrangian at `mean` less that at her minimum `found`."""
    columns = Prices(*(price[:, None] for price in prices.T))
    parts = [
        best_weight(epsilon, problem.share, problem.noise, columns)[1]
        + columns.money * problem.cost(epsilon)
        for epsilon in (mean, found)
    ]
    return np.asarray(parts[0] - parts[1])
