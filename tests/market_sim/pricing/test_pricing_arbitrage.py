"""The arbitrage checker against two oracles: all multisets, and a table over whole masses."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.pricing import (
    Menu,
    arbitrage,
    cheapest_cover,
    check_arbitrage,
    price_versions,
)
from market_sim.pricing.survey import Survey


def cheapest_by_enumeration(labels, prices, version, exponent):
    """Try every multiset that is not larger than needed."""
    mass = labels**exponent
    most = np.ceil(mass[version] / mass - 1e-9).astype(int)
    copies = np.array(list(itertools.product(*(range(n + 1) for n in most))))
    covers = copies @ mass >= mass[version] * (1 - 1e-12)
    return (copies[covers] @ prices).min()


def cheapest_by_table(mass, prices, version):
    """Dynamic programme over the mass still to cover, a whole number."""
    least = [0.0]
    for need in range(1, int(mass[version]) + 1):
        least.append(
            min(p + least[max(0, need - int(m))] for m, p in zip(mass, prices, strict=True))
        )
    return least[-1]


def assert_witness(found, labels, prices, exponent):
    """Check a witness by arithmetic alone."""
    mass = labels**exponent
    assert found.copies.min() >= 0
    assert found.copies @ mass >= mass[found.version] * (1 - 1e-11)
    assert found.cost == pytest.approx(found.copies @ prices)
    assert found.cost < found.price == prices[found.version]
    assert found.reach == pytest.approx((found.copies @ mass) ** (1 / exponent))


@st.composite
def any_menu(draw, most=4):
    k = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = 1.0 + np.cumsum(rng.uniform(0.05, 2.0 / k, k))
    steepness = draw(st.floats(0.0, 3.0))
    prices = labels**steepness * np.exp(draw(st.sampled_from((0.02, 0.3))) * rng.normal(size=k))
    return labels, prices, draw(st.sampled_from((1, 2)))


@given(any_menu())
def test_all_multisets_agree(menu):
    labels, prices, exponent = menu
    least = [cheapest_by_enumeration(labels, prices, j, exponent) for j in range(labels.size)]
    found = arbitrage(labels, prices, exponent)
    undercut = np.asarray(least) < prices * (1 - 1e-9)
    assert (found is not None) == undercut.any()
    for j, cost in enumerate(least):
        assert cheapest_cover(labels, prices, j, exponent).cost == pytest.approx(cost, rel=1e-9)
    if found is not None:
        assert_witness(found, labels, prices, exponent)
        assert found.cost == pytest.approx(least[found.version])


@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 2)), st.floats(0.3, 1.6))
def test_a_table_over_whole_masses_agrees_for_eight_versions(seed, exponent, steepness):
    rng = np.random.default_rng(seed)
    mass = np.sort(rng.choice(np.arange(3, 60), 8, replace=False)).astype(float)
    prices = mass**steepness * np.exp(0.1 * rng.normal(size=8))
    labels = mass ** (1 / exponent)
    least = np.array([cheapest_by_table(mass, prices, j) for j in range(8)])
    found = arbitrage(labels, prices, exponent)
    assert (found is not None) == (least < prices * (1 - 1e-9)).any()
    if found is not None:
        assert_witness(found, labels, prices, exponent)
        assert found.cost == pytest.approx(least[found.version])
        assert found.cheapest


def random_menu(rng):
    """Up to eight versions, ideal prices that admit arbitrage more often than not."""
    k = int(rng.integers(1, 9))
    labels = np.cumsum(rng.uniform(0.02, 1.0, k))
    ideal = np.exp(rng.normal(0.0, rng.uniform(0.1, 2.0), k)) * labels ** rng.uniform(0, 3)
    return labels, ideal, rng.uniform(0.05, 1.0, k), int(rng.integers(1, 3))


def assert_priced_without_arbitrage(rng):
    labels, ideal, demand, exponent = random_menu(rng)
    menu = ms.PriceMenu(labels, ideal, demand, exponent)
    weight = 10.0 ** rng.uniform(-2, 5)
    projected = rng.random() < 0.2
    solved = menu.project() if projected else menu.solve(weight, normalized=True)
    assert solved.converged, solved.status
    assert solved.arbitrage() is None
    version = int(rng.integers(labels.size))  # by the search, which does not know the cone
    assert cheapest_cover(labels, solved.prices, version, exponent).saving == 0.0


def test_no_arbitrage_in_500_random_menus():
    rng = np.random.default_rng(0)
    for _ in range(500):
        assert_priced_without_arbitrage(rng)


@pytest.mark.slow
def test_no_arbitrage_in_10_000_random_menus():
    rng = np.random.default_rng(1)
    for _ in range(10_000):
        assert_priced_without_arbitrage(rng)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_no_arbitrage_in_menus_that_hypothesis_picks(seed):
    assert_priced_without_arbitrage(np.random.default_rng(seed))


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from(("fit-scaled", "complete-space", "flat")))
def test_no_arbitrage_in_menus_from_surveys(seed, rule):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 9))
    wanted = np.append(np.arange(k), rng.integers(0, k, 30))
    survey = Survey(np.cumsum(rng.uniform(0.05, 1.0, k)), wanted, rng.lognormal(0, 1, k + 30))
    menu = price_versions(survey, rule, exponent=int(rng.integers(1, 3)))
    assert menu.arbitrage() is None


def test_the_ideal_prices_of_the_reference_admit_arbitrage():
    found = arbitrage([0.5, 1.0, 1.6, 2.4], [5.0, 30.0, 28.0, 95.0])
    assert str(found) == (
        "The version of label 1 at 30 is undercut: 4 of label 0.5 cost 20 and give label 1."
    )
    assert found.saving == pytest.approx(10.0)


def test_a_mixed_combination_is_put_in_words():
    # masses 3, 5, 8: one of each of the first two, and nothing else is cheaper than 8 at 10
    found = arbitrage([3.0, 5.0, 8.0], [3.1, 5.2, 10.0], exponent=1)
    assert np.array_equal(found.copies, [1, 1, 0])
    assert "1 of label 3 and 1 of label 5 cost 8.3 and give label 8" in str(found)


def test_the_exponent_matters():
    labels, prices = [1.0, 2.0], [1.0, 3.0]
    assert arbitrage(labels, prices, exponent=2) is None
    assert np.array_equal(arbitrage(labels, prices, exponent=1).copies, [2, 0])


def test_prices_outside_the_cone_may_be_free_of_arbitrage():
    # the lemma's condition is sufficient only: 3 of 1.0 are needed for 2.1, because 2 give 2
    outside = check_arbitrage([1.0, 2.1], [1.0, 2.9], exponent=1)
    assert outside.free
    assert outside.method == "search"
    assert outside.nodes > 0
    inside = check_arbitrage([1.0, 2.1], [1.0, 2.0], exponent=1)
    assert inside.free
    assert inside.method == "cone"


def test_only_versions_in_doubt_are_searched():
    # the first four are in the cone among themselves; the last is dear, but two do not do
    checked = check_arbitrage([1.0, 1.1, 1.2, 1.3, 2.65], [1.0, 1.05, 1.1, 1.15, 2.6], exponent=1)
    assert checked.free
    assert 0 < checked.nodes <= 40


def test_prices_on_the_border_of_the_cone_are_not_undercut():
    labels = np.array([0.1, 0.3, 0.7, 0.9])  # 3 * 0.1 is not 0.3 in floating point
    for exponent in (1, 2):
        assert arbitrage(labels, labels**exponent, exponent) is None
        assert arbitrage(labels, np.ones(4), exponent) is None


def test_a_search_cut_short_says_so():
    rng = np.random.default_rng(0)
    labels = 1.0 + np.cumsum(rng.uniform(0.01, 0.1, 40))
    prices = labels * np.exp(0.01 * rng.normal(size=40))
    prices[-1] *= 1.01
    checked = check_arbitrage(labels, prices, 1, max_nodes=1)
    assert checked.free is None or checked.witness is not None
    hard = check_arbitrage([1.0, 2.1], [1.0, 2.9], 1, max_nodes=1)
    assert hard.free is None
    with pytest.raises(ms.MarketSimError, match="stopped after 1 combinations"):
        hard.decided()


def test_more_copies_than_can_be_counted_are_not_passed_over():
    checked = check_arbitrage([1e-6, 1e6], [1e-30, 1.0], 2)
    assert checked.free is None
    for ask in (arbitrage, lambda labels, prices: cheapest_cover(labels, prices, 1)):
        with pytest.raises(ms.MarketSimError, match="not decided"):
            ask([1e-6, 1e6], [1e-30, 1.0])


@pytest.mark.parametrize("inside", [True, False])
def test_a_thousand_versions(inside):
    rng = np.random.default_rng(5)
    labels = np.sort(rng.uniform(0.1, 10.0, 1000))
    prices = labels**1.5
    if not inside:
        prices[500] *= 1.2
    checked = check_arbitrage(labels, prices)
    assert checked.free is inside
    assert checked.method == ("cone" if inside else "search")
    if not inside:
        assert_witness(checked.witness, labels, prices, 2)


def test_a_given_menu_is_checked_like_a_solved_one():
    menu = Menu([1.0, 2.0], [1.0, 9.0])
    assert menu.arbitrage().cost == 4.0
    assert menu.check().status == str(menu.arbitrage())
    assert Menu([1.0, 2.0], [1.0, 3.0]).scaled(7.0).arbitrage() is None
