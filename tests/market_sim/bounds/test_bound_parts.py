"""The parts of the bound: an owner's minimum, the dual's slopes, spending the money."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.bounds._dual import Dual, maximize
from market_sim.bounds._feasible import error_of, improve
from market_sim.bounds._owner import Owners, Prices, best_epsilon, best_weight
from market_sim.bounds._problem import Problem, affordable


def problem(rows=30, owners=4, seed=0, money=0.3, kinds=5):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, kinds, (rows, owners)).astype(np.int8)
    rate, cap = rng.uniform(0.1, 1.0, (2, rows, owners))
    share = rng.dirichlet(np.ones(owners), rows)
    high = affordable(kind, rate / money, 6.0 * cap)
    return Problem(kind, rate / money, np.zeros((rows, owners)), high, share, 8.0)


def prices(rng, shape):
    """Draw prices of all sizes; some of bias are 0, some above those of weight."""
    money, weight, bias = np.exp(rng.normal(0.0, 2.0, (3, *shape)))
    return Prices(money, weight, np.where(rng.random(shape) < 0.2, 0.0, bias))


@pytest.mark.parametrize("kind", ms.KINDS)
def test_no_point_of_a_grid_is_better_for_an_owner(kind):
    rng = np.random.default_rng(ms.KINDS.index(kind))
    size = 3000
    rate, share = rng.uniform(0.0, 2.0, size), rng.uniform(0.001, 1.0, size)
    rate[:50] = 0.0
    high = rng.uniform(0.05, 6.0, size)
    low = np.where(rng.random(size) < 0.5, 0.0, rng.uniform(0.0, 1.0, size) * high)
    owners = Owners(ms.Valuations(kind, rate), low, high, share, 8.0)
    asked = prices(rng, (size,))

    def value(epsilon):
        part = best_weight(epsilon, share, 8.0, asked)[1]
        return part + asked.money * owners.valuations.cost(epsilon)

    best = best_epsilon(ms.KINDS.index(kind), owners, asked)
    assert (best >= low).all()
    assert (best <= high).all()
    grid = low + np.linspace(0.0, 1.0, 300)[:, None] * (high - low)
    least = value(grid).min(axis=0)
    assert (value(best) <= least + 1e-9 * (1.0 + np.abs(least))).all()


def test_the_best_weight_beats_a_grid():
    rng = np.random.default_rng(1)
    epsilon, share = rng.uniform(0.01, 5.0, 500), rng.uniform(0.01, 1.0, 500)
    asked = prices(rng, (500,))
    weight, value = best_weight(epsilon, share, 8.0, asked)
    grid = np.linspace(0.0, 4.0, 800)[:, None] * np.maximum(weight, share)
    rival = 8.0 * np.square(grid / epsilon) - asked.weight * grid
    rival += 2.0 * asked.bias * np.abs(grid - share)
    assert (value <= rival.min(axis=0) + 1e-9).all()


def test_the_dual_is_concave_with_these_slopes_and_below_every_purchase():
    purchase = problem()
    rng, dual = np.random.default_rng(2), Dual(purchase)
    points = np.exp(rng.normal(0.0, 1.5, (20, 30, 3)))
    values = [dual(point) for point in points]
    for here, there in pairwise(points):
        start, end = dual(here), dual(there)
        reach = start.value + ((there - here) * start.slope).sum(axis=1)
        assert (end.value <= reach + 1e-9 * np.abs(reach)).all()
    sold = rng.uniform(0.0, 1.0, (200, *purchase.high.shape)) * purchase.high
    for epsilon in sold:
        paid = purchase.cost(epsilon).sum(axis=1) <= 1.0
        error = error_of(purchase, epsilon)[paid]
        for point in values[:5]:
            assert (point.value[paid] <= error).all()


def test_the_best_prices_are_found():
    purchase = problem()
    _, error = improve(purchase, purchase.high, 10)
    start = np.where(np.isfinite(error), error, 50.0)
    center = np.stack([2.0 * start, 2.0 * start, np.ones(30)], axis=1)
    never = np.full(30, np.inf)
    found = maximize(purchase, center, 2.0 * center, 1e-7, never)
    other = maximize(purchase, 0.3 * center, 20.0 * center, 1e-7, never)
    assert_allclose(found.value, other.value, rtol=1e-5)
    rng, dual = np.random.default_rng(3), Dual(purchase)
    for spread in (0.01, 0.1, 1.0):
        near = found.prices * np.exp(rng.normal(0.0, spread, (50, *found.prices.shape)))
        rivals = np.stack([dual(point).value for point in near])
        assert (rivals <= found.value + 1e-5 * np.abs(found.value)).all()
    assert (found.excess >= -1e-9).all()


def test_improving_spends_the_money_and_never_hurts():
    purchase = problem(rows=200, money=0.2, kinds=4)
    first, before = improve(purchase, purchase.high, 1)
    assert_allclose(purchase.cost(first).sum(axis=1), 1.0, rtol=1e-9)
    later, after = improve(purchase, first, 5)
    assert (purchase.cost(later).sum(axis=1) <= 1.0).all()
    assert (after <= before * (1 + 1e-8)).all()
    assert (after < 0.95 * before).mean() > 0.2


def test_fixed_costs_are_dropped_until_the_rest_fits():
    kind = np.full((1, 3), 4, dtype=np.int8)
    rate = np.array([[0.6, 0.3, 0.9]])
    wide = Problem(kind, rate, np.zeros((1, 3)), np.ones((1, 3)), np.full((1, 3), 1 / 3), 8.0)
    sold, _ = improve(wide, wide.high, 1)
    assert sold.tolist() == [[1.0, 1.0, 0.0]]


def test_affordable():
    kind = np.arange(5, dtype=np.int8)
    rate, cap = np.full(5, 0.25), np.full(5, 100.0)
    most = affordable(kind, rate, cap)
    assert_allclose(ms.Valuations(kind, rate).cost(most)[:4], 1.0)
    assert most[4] == 100.0
    assert affordable(kind, np.full(5, 2.0), cap)[4] == 0.0
    assert affordable(kind, np.zeros(5), cap).tolist() == [100.0] * 5
