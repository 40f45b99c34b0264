"""The parts of the greedy: ranking, the prefix, and what a refusal means to who came before."""

import numpy as np
import pytest
from brute_force import greedy
from generators import FAMILIES, random_market
from numpy.testing import assert_allclose, assert_array_equal

from market_sim.mechanisms import _greedy


def ranked(market):
    return _greedy.rank(market.value, market.cap, market.budget)


@pytest.mark.parametrize("family", FAMILIES)
def test_rank_is_ascending_and_stable(family):
    market = random_market(family, np.random.default_rng(0), 50, 40)
    rows = ranked(market)
    order = rows.place - 40 * np.arange(50)[:, None]
    assert_array_equal(order, np.argsort(market.value / market.cap, axis=1, kind="stable"))
    assert_array_equal(rows.mass, np.take_along_axis(market.cap, order, axis=1))
    assert_array_equal(rows.scatter(rows.mass), market.cap)


@pytest.mark.parametrize("family", FAMILIES)
def test_prefix_ends_at_the_first_refusal(family):
    market = random_market(family, np.random.default_rng(1), 50, 12)
    rows = ranked(market)
    count, total = _greedy.accept_prefix(rows)
    for row in range(50):
        sums = np.cumsum(rows.mass[row])
        fits = sums * rows.unit[row] <= market.budget[row]
        assert fits[: count[row]].all()
        assert count[row] == 12 or not fits[count[row]]
        assert total[row] == (sums[count[row] - 1] if count[row] else 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_in_goes_on_after_a_refusal(family):
    market = random_market(family, np.random.default_rng(2), 60, 12)
    rows = ranked(market)
    accepted = rows.scatter(_greedy.accept_all_in(rows)[0])
    for row in range(60):
        value, mass = market.value[row].tolist(), market.cap[row].tolist()
        assert np.flatnonzero(accepted[row]).tolist() == sorted(
            greedy(value, mass, float(market.budget[row]))
        )


def test_a_refusal_states_what_was_missing():
    # 3 at 1.0 is taken; 4 at 2.0 would fit into 10 / 2 = 5 had 2 of the 3 not been bought.
    rows = _greedy.rank(np.array([[3.0, 8.0]]), np.array([[3.0, 4.0]]), np.array([10.0]))
    accepted, refusals, _ = _greedy.accept_all_in(rows)
    assert accepted.tolist() == [[True, False]]
    assert refusals == [[_greedy.Refusal(position=1, unit=2.0, missing=2.0)]]
    assert_allclose(_greedy.critical_prices(rows)[1][0, 0], 2.0)


def test_dense_and_searched_displacement_agree(monkeypatch):
    rng = np.random.default_rng(3)
    market = random_market("pareto", rng, 200, 60)
    prices = []
    for events in (10**6, 0):
        monkeypatch.setattr(_greedy, "_DENSE_EVENTS", events)
        accepted, price = _greedy.critical_prices(ranked(market))
        prices.append(np.where(accepted, price, 0.0))
    assert_array_equal(prices[0], prices[1])
