"""The dynamic programme against all sets of buyers that can be served."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.pricing import Survey, best_complete_prices
from market_sim.pricing.complete_space import _best_in_windows
from market_sim.pricing.cone import in_cone


def best_by_sets(survey, exponent):
    """For each set of buyers to serve, the highest prices in the cone at which they all buy."""
    mass = survey.labels**exponent
    # v_j <= v_i from a higher label i, and v_j <= v_i mass_j / mass_i from a lower one
    limit = np.maximum(mass[:, None] / mass, 1.0)
    best = 0.0
    for served in itertools.product((False, True), repeat=survey.buyers):
        chosen = np.array(served)
        if not chosen.any():
            continue
        caps = np.full(survey.versions, np.inf)
        np.minimum.at(caps, survey.wanted[chosen], survey.value[chosen])
        prices = (limit * caps).min(axis=1)
        best = max(best, float(survey.revenue(prices * (1 - 1e-12))))
    return best


@st.composite
def surveys(draw):
    k = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(k, 8))
    wanted = rng.integers(0, k, n)
    labels = np.cumsum(rng.uniform(0.1, 1.0, k))
    value = np.round(labels[wanted] * rng.lognormal(0.0, 0.8, n), draw(st.sampled_from((1, 6))))
    value[0] = 1.0
    return Survey(labels, wanted, value), draw(st.sampled_from((1, 2)))


@settings(max_examples=60)
@given(surveys())
def test_serving_any_set_of_buyers_earns_no_more(case):
    survey, exponent = case
    menu = best_complete_prices(survey, exponent)
    assert survey.revenue(menu.prices) == pytest.approx(best_by_sets(survey, exponent), rel=1e-9)
    assert in_cone(menu.labels, menu.prices, exponent, 1e-11)
    assert menu.arbitrage() is None


def test_one_version_gets_its_ideal_price():
    survey = Survey([1.0], [0, 0, 0], [1.0, 2.0, 4.0])
    assert best_complete_prices(survey).prices[0] == survey.ideal_prices[0]


def test_the_steepest_rise_binds():
    # alone the second version would sell at 45; four of the first are as good
    survey = Survey([1.0, 2.0], [0, 0, 0, 1], [10.0, 10.0, 10.0, 45.0])
    assert np.array_equal(best_complete_prices(survey, 2).prices, [10.0, 40.0])
    assert np.array_equal(best_complete_prices(survey, 1).prices, [10.0, 20.0])


def test_a_dear_small_version_lifts_the_large_one_or_gives_way():
    survey = Survey([1.0, 2.0], [0, 1, 1], [10.0, 4.0, 4.0])
    assert np.array_equal(best_complete_prices(survey).prices, [4.0, 4.0])
    survey = Survey([1.0, 2.0], [0, 1, 1], [10.0, 2.0, 2.0])
    assert np.array_equal(best_complete_prices(survey).prices, [10.0, 40.0])


def test_the_status_compares_with_the_bound():
    survey = Survey([1.0, 2.0], [0, 1, 1], [10.0, 6.0, 6.0])
    assert "6 a buyer, 0.8182 of what no menu exceeds" in best_complete_prices(survey).status


def test_nobody_who_pays_is_an_error():
    with pytest.raises(ms.InvalidInput, match="nothing to price"):
        best_complete_prices(Survey([1.0], [0], [0.0]))


@given(st.integers(0, 2**32 - 1))
def test_the_best_place_in_each_window(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 40))
    earned = rng.integers(0, 8, size).astype(float)
    low = rng.integers(0, size, 30)
    high = rng.integers(low + 1, size + 1)
    place = _best_in_windows(earned, low, high)
    assert ((low <= place) & (place < high)).all()
    expected = [earned[a:b].max() for a, b in zip(low, high, strict=True)]
    assert np.array_equal(earned[place], expected)
