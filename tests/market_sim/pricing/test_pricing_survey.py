"""What a survey says: ideal prices, shares, revenue, the best scale, subsets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import market_sim as ms
from market_sim.pricing import PRICING_RULES, PriceMenu, Survey, price_versions

LABELS = [0.5, 1.0, 2.0]
WANTED = [0, 0, 0, 1, 1, 2, 2, 2]
VALUE = [1.0, 2.0, 4.0, 3.0, 3.0, 9.0, 5.0, 2.0]


@pytest.fixture
def survey():
    return Survey(LABELS, WANTED, VALUE)


def random_survey(seed, versions=4, buyers=40):
    rng = np.random.default_rng(seed)
    wanted = np.append(np.arange(versions), rng.integers(0, versions, buyers - versions))
    labels = np.cumsum(rng.uniform(0.1, 1.0, versions))
    return Survey(labels, wanted, labels[wanted] * rng.lognormal(0.0, 0.6, buyers))


def test_ideal_prices_by_hand(survey):
    # 4 * 1 and 2 * 2 tie for the first version: the lower price serves more buyers
    assert np.array_equal(survey.ideal_prices, [2.0, 3.0, 5.0])
    assert np.array_equal(survey.counts, [3, 2, 3])
    assert np.allclose(survey.demand, [3 / 8, 2 / 8, 3 / 8])
    assert survey.revenue_bound == pytest.approx((4 + 6 + 10) / 8)


def test_revenue_by_hand_and_in_batches(survey):
    assert survey.revenue([1.0, 3.0, 5.0]) == pytest.approx((3 + 6 + 10) / 8)
    assert survey.revenue([1.0, 3.1, 5.0]) == pytest.approx((3 + 10) / 8)
    menus = np.array([[1.0, 3.0, 5.0], [2.0, 3.0, 9.0], [0.0, 0.0, 0.0]])
    assert np.allclose(survey.revenue(menus), [19 / 8, 19 / 8, 0.0])
    assert survey.revenue(menus[None]).shape == (1, 3)


@given(st.integers(0, 2**32 - 1))
def test_no_price_earns_more_than_the_ideal_one(seed):
    survey = random_survey(seed)
    ideal = survey.ideal_prices
    for j in range(survey.versions):
        worth = survey.value[survey.wanted == j]
        earned = [p * (worth >= p).sum() for p in worth]
        assert ideal[j] * (worth >= ideal[j]).sum() == pytest.approx(max(earned))
    assert survey.revenue(ideal) == pytest.approx(survey.revenue_bound)


@given(st.integers(0, 2**32 - 1))
def test_no_scale_earns_more_than_the_best_one(seed):
    survey = random_survey(seed)
    rng = np.random.default_rng(seed)
    prices = np.cumsum(rng.uniform(0.1, 1.0, survey.versions))
    best = float(survey.revenue(prices * survey.best_scale(prices)))
    borders = survey.value / prices[survey.wanted]
    scales = np.concatenate([borders * (1 - 1e-12), rng.uniform(0, borders.max(), 200)])
    others = survey.revenue(scales[:, None] * prices)
    assert others.max() == pytest.approx(best, rel=1e-9)
    assert best <= survey.revenue_bound * (1 + 1e-12)


def test_the_buyer_at_the_border_still_buys():
    for seed in range(200):
        survey = random_survey(seed, versions=1, buyers=1)
        prices = np.array([np.random.default_rng(seed + 1).uniform(0.1, 3.0)])
        assert survey.revenue(prices * survey.best_scale(prices)) > 0


@pytest.mark.parametrize("rule", PRICING_RULES)
def test_rules_price_the_survey_and_say_which_they_are(survey, rule):
    menu = price_versions(survey, rule)
    assert menu.rule == {"fit-scaled": "fit, scaled"}.get(rule, rule)
    assert rule == "ideal" or menu.arbitrage() is None
    assert 0 < survey.revenue(menu.prices) <= survey.revenue_bound
    assert f"{menu.prices[0]:.6g}" in str(menu)


def test_scaling_does_not_lose_and_the_complete_space_is_best():
    for seed in range(30):
        survey = random_survey(seed)
        earned = {
            rule: float(survey.revenue(price_versions(survey, rule).prices))
            for rule in PRICING_RULES
        }
        assert earned["fit"] <= earned["fit-scaled"] * (1 + 1e-9)
        assert earned["fit-scaled"] <= earned["complete-space"] * (1 + 1e-9)
        assert earned["flat"] <= earned["complete-space"] * (1 + 1e-9)
        assert earned["complete-space"] <= earned["ideal"] * (1 + 1e-9)
        assert earned["ideal"] == pytest.approx(survey.revenue_bound)


def test_ideal_prices_do_not_keep_arbitrage_out():
    survey = Survey([0.5, 1.0, 1.1], [0, 0, 1, 1, 2, 2], [1.0, 1.0, 9.0, 9.0, 5.0, 5.0])
    menu = price_versions(survey, "ideal")
    assert np.array_equal(menu.prices, [1.0, 9.0, 5.0])
    assert menu.arbitrage().saving == pytest.approx(5.0)  # four of the cheapest give label 1


def test_the_fit_weighs_versions_by_demand(survey):
    menu = PriceMenu(LABELS, survey.ideal_prices, survey.demand).solve(10.0, normalized=True)
    assert np.array_equal(price_versions(survey, "fit", weight=10.0).prices, menu.prices)


def test_versions_nobody_wants_are_left_out():
    survey = Survey(LABELS, [0, 0, 2, 1], [1.0, 2.0, 5.0, 0.0])
    with pytest.raises(ms.InvalidInput, match=r"label 1: survey more buyers or drop it"):
        _ = survey.ideal_prices
    smaller, kept = survey.only_wanted()
    assert np.array_equal(kept, [0, 2])
    assert np.array_equal(smaller.labels, [0.5, 2.0])
    assert np.array_equal(smaller.wanted, [0, 0, 1])
    assert np.array_equal(smaller.ideal_prices, [1.0, 5.0])
    # the complete space needs no ideal prices: the price of the middle one is free
    assert price_versions(survey, "complete-space").arbitrage() is None


def test_a_subset(survey):
    some = survey.subset(np.arange(8) != 5)
    assert some.buyers == 7
    assert 9.0 not in some.value


def test_answers_cannot_be_changed(survey):
    with pytest.raises(ValueError, match="read-only"):
        survey.value[0] = 7.0
