"""The lower bound of revenue: what it is made of, and that it holds about as often as it says."""

import numpy as np
import pytest
from scipy import stats

import market_sim as ms
from market_sim.pricing import Survey, price_versions, revenue_bound

LABELS = np.linspace(0.5, 2.5, 5)
WORTH = 10.0 * (1.0 - np.exp(-LABELS))
SPREAD = 0.3


def survey_of(buyers, seed):
    rng = np.random.default_rng(seed)
    wanted = rng.integers(0, 5, buyers)
    return Survey(LABELS, wanted, WORTH[wanted] * rng.lognormal(0.0, SPREAD, buyers))


def true_revenue(prices):
    """What a buyer of the law of `survey_of` pays on average."""
    return float((prices * stats.norm.sf(np.log(prices / WORTH) / SPREAD)).mean())


def test_the_bound_holds_where_the_surveyed_revenue_does_not():
    holds = flattered = 0
    for seed in range(60):
        bound = revenue_bound(survey_of(100, seed), seed=seed)
        true = true_revenue(bound.menu.prices)
        holds += bound.lower <= true
        flattered += bound.surveyed > true
        assert 0 < bound.lower < bound.expected < bound.surveyed
    assert holds >= 54  # 57 expected, two standard deviations below
    assert flattered >= 50


def test_the_bound_tightens_with_more_buyers_and_less_confidence():
    few, many = revenue_bound(survey_of(100, 1)), revenue_bound(survey_of(2000, 1))
    assert few.lower / few.expected < many.lower / many.expected < 1
    weak = revenue_bound(survey_of(100, 1), confidence=0.8)
    assert few.lower < weak.lower
    assert weak.expected == few.expected
    half = revenue_bound(survey_of(100, 1), confidence=0.5)
    assert half.lower == pytest.approx(half.expected)


def test_the_interval_by_hand():
    # one version, valuations 1 and 3: without a buyer the others' price is 1, which all would pay
    survey = Survey([1.0], [0] * 4, [1.0, 1.0, 3.0, 1.0])
    bound = revenue_bound(survey, folds=4)
    assert bound.expected == pytest.approx(1.0)
    assert bound.lower == pytest.approx(1.0)
    survey = Survey([1.0], [0, 0], [1.0, 2.0])
    for confidence in (0.6, 0.95):  # the first meets 2 and leaves, the second meets 1
        bound = revenue_bound(survey, folds=2, confidence=confidence)
        assert bound.expected == pytest.approx(0.5)
        width = 1.2 * stats.t.ppf(confidence, 1) * np.std([0.0, 1.0], ddof=1) / np.sqrt(2)
        assert bound.lower == pytest.approx(max(0.0, 0.5 - width))


@pytest.mark.parametrize("rule", ["fit", "fit-scaled", "complete-space", "flat"])
def test_each_rule_is_bounded_by_its_own_menu(rule):
    survey = survey_of(200, 3)
    bound = revenue_bound(survey, rule, exponent=1)
    menu = price_versions(survey, rule, exponent=1)
    assert np.array_equal(bound.menu.prices, menu.prices)
    assert bound.surveyed == pytest.approx(float(survey.revenue(menu.prices)))
    assert bound.lower < bound.expected


def test_a_version_that_one_buyer_wants_counts_as_unsold_without_her():
    survey = Survey([1.0, 2.0], [0, 0, 0, 1], [1.0, 1.0, 1.0, 2.0])
    assert revenue_bound(survey, "fit-scaled", folds=4).expected == pytest.approx(0.75)


def test_the_same_seed_gives_the_same_bound():
    survey = survey_of(100, 2)
    assert revenue_bound(survey, seed=4).lower == revenue_bound(survey, seed=4).lower
    assert revenue_bound(survey, seed=4).lower != revenue_bound(survey, seed=5).lower


def test_the_pool_leaves_the_broker_her_cut():
    bound = revenue_bound(survey_of(200, 1))
    assert bound.pool(buyers=200, cut=0.2) == pytest.approx(0.8 * 200 * bound.lower)
    assert bound.pool(buyers=0, cut=0.0) == 0.0
    for cut in (-0.1, 1.0, [0.1, 0.2]):
        with pytest.raises(ms.InvalidInput, match="cut must be"):
            bound.pool(10, cut)
    with pytest.raises(ms.InvalidInput, match="buyers must be a whole number"):
        bound.pool(1.5, 0.1)


def test_buyers_held_out_by_hand():
    survey = Survey([1.0], [0] * 6, [2.0] * 6)
    bound = revenue_bound(survey, method="held-out", confidence=0.5)
    assert bound.menu.prices[0] == 2.0
    assert bound.expected == bound.surveyed == 2.0
    assert bound.lower == pytest.approx(2.0 - 2.0 * np.sqrt(np.log(2.0) / 6.0))
    assert bound.method == "held-out"


def test_the_proved_bound_always_held():
    for seed in range(60):
        bound = revenue_bound(survey_of(100, seed), method="held-out", seed=seed)
        assert 0 < bound.lower < true_revenue(bound.menu.prices)


def test_settings_are_refused():
    survey = survey_of(50, 0)
    with pytest.raises(ms.InvalidInput, match="confidence must be one number from"):
        revenue_bound(survey, confidence=0.3)
    with pytest.raises(ms.InvalidInput, match='method must be "cross-fitted" or "held-out"'):
        revenue_bound(survey, method="guess")
    with pytest.raises(ms.InvalidInput, match="folds must be a whole number of at least 2"):
        revenue_bound(survey, folds=1)
    with pytest.raises(ms.InvalidInput, match="at least 2 surveyed buyers"):
        revenue_bound(Survey([1.0], [0], [1.0]))
    with pytest.raises(ms.InvalidInput, match="rule must be one of fit, fit-scaled"):
        revenue_bound(survey, "cheap")
