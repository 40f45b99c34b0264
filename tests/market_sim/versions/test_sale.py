"""From a survey to an offer: pools, choices of the broker and when nothing is sold."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.pricing import BuyerLaw, Survey, price_versions
from market_sim.versions import (
    OwnerNoise,
    Quotes,
    SaleTerms,
    best_sale,
    broker_choices,
    contest_play,
    plan_sale,
)

LABELS = (0.1, 0.2, 0.4)
SIZES = np.full(20, 30.0)
NOISE = OwnerNoise()


@pytest.fixture(scope="module")
def survey():
    law = BuyerLaw(LABELS, [5.0, 12.0, 30.0], [2, 1, 1], "lognormal")
    return law.sample(np.random.default_rng(1), 120)


@pytest.fixture(scope="module")
def contest():
    return ms.RewardContest(np.linspace(0.5, 1.5, 20), SIZES, 1, 2)


@pytest.fixture(scope="module")
def play(contest):
    return contest_play(contest, SIZES, NOISE)


def test_a_plan_promises_a_share_of_the_lower_bound(survey, play):
    plan = plan_sale(survey, play, SaleTerms(100, cut=0.3))
    assert plan.offer.trade
    assert plan.offer.pool == pytest.approx(0.7 * plan.revenue_bound)
    assert 0 < plan.revenue_bound < plan.expected_revenue
    assert plan.expected_profit == pytest.approx(plan.expected_revenue - plan.offer.pool)
    assert plan.offer.global_label >= plan.offer.labels[-1]


def test_a_given_pool_is_kept_and_a_dropped_version_loses_its_buyers(survey, play):
    plan = plan_sale(survey, play, SaleTerms(120, pool=15.0))
    sold = plan.offer.labels.size
    assert plan.offer.pool == 15.0
    assert 0 < sold < 3
    assert plan.buyers == pytest.approx((survey.wanted < sold).sum())
    again = Survey(LABELS[:sold], survey.wanted[survey.wanted < sold],
                   survey.value[survey.wanted < sold])  # fmt: skip
    assert np.array_equal(plan.offer.prices, price_versions(again, "complete-space").prices)


def test_a_pool_too_small_for_the_lowest_version_is_no_trade(survey, play):
    plan = plan_sale(survey, play, SaleTerms(100, pool=1e-3))
    assert not plan.offer.trade
    assert plan.offer.status.startswith("no trade: the model reaches")
    assert (plan.expected_revenue, plan.revenue_bound, plan.expected_profit) == (0.0, 0.0, 0.0)


def test_or_its_label_is_lowered(survey, play):
    plan = plan_sale(survey, play, SaleTerms(100, pool=1.0, lowest="lower"))
    assert plan.offer.trade
    assert plan.offer.lowered_from == 0.1
    assert plan.offer.labels[0] < 0.1
    whole = plan_sale(survey, play, SaleTerms(100, pool=15.0)).revenue.menu.prices[0]
    assert plan.offer.prices[0] < whole  # in proportion: it is worth less


def test_the_smallest_pools_are_smallest(survey, contest, play):
    choices = broker_choices(survey, contest, play, SaleTerms(100))
    assert [choice.versions for choice in choices] == [1, 2, 3]
    for choice in choices:
        label = LABELS[choice.versions - 1]
        assert play(choice.pool)[1] >= label
        assert play(choice.pool * (1 - 1e-6))[1] < label
        plan = plan_sale(survey, play, SaleTerms(100, pool=choice.pool))
        assert plan.offer.labels.size == choice.versions
        assert plan.expected_profit == pytest.approx(choice.expected_profit)
        promised = plan_sale(survey, play, SaleTerms(100, cut=max(choice.cut, 0.0)))
        assert promised.offer.labels.size >= choice.versions or choice.cut < 0


def test_no_pool_on_a_grid_beats_the_best_one(survey, contest, play):
    best = best_sale(survey, contest, play, SaleTerms(100))
    quotes = Quotes(survey, SaleTerms(100))
    for pool in np.geomspace(0.1, 3000.0, 60):
        plan = plan_sale(survey, play, SaleTerms(100, pool=float(pool)), quotes)
        assert plan.expected_profit <= best.expected_profit + 1e-6


def test_the_broker_does_not_trade_at_a_loss(survey):
    dear = ms.RewardContest(np.linspace(500, 1500, 20), SIZES, 1, 2)
    plan = best_sale(survey, dear, contest_play(dear, SIZES, NOISE), SaleTerms(100))
    assert not plan.offer.trade
    assert "would earn" in plan.offer.status


def test_nor_where_no_pool_reaches_the_lowest_version(survey):
    shy = ms.RewardContest(np.linspace(0.5, 1.5, 20), SIZES, 1, 2, high=1e-3)
    play = contest_play(shy, SIZES, NOISE)
    assert broker_choices(survey, shy, play, SaleTerms(100)) == ()
    plan = best_sale(survey, shy, play, SaleTerms(100))
    assert plan.offer.status.startswith("no trade: the model reaches")


def test_quotes_price_each_number_of_versions_once(survey, monkeypatch):
    calls = []
    quotes = Quotes(survey, SaleTerms(100))
    made = quotes._made
    monkeypatch.setattr(quotes, "_made", lambda labels: calls.append(labels) or made(labels))
    for _ in range(3):
        quotes(np.array(LABELS))
        quotes(np.array(LABELS[:2]))
    assert len(calls) == 2


def test_one_answer_promises_nothing(play):
    few = Survey(LABELS, [0, 1, 2], [4.0, 9.0, 30.0])
    bound, buyers = Quotes(few, SaleTerms(9))(np.array(LABELS[:1]))
    assert (bound.lower, bound.expected, buyers) == (0.0, 0.0, 3.0)
    assert bound.menu.prices[0] == pytest.approx(4.0)
    assert plan_sale(few, play, SaleTerms(9, cut=0.99)).offer.trade is False


def test_nobody_would_pay():
    with pytest.raises(ms.InvalidInput, match="no surveyed buyer would pay anything"):
        Quotes(Survey(LABELS, [0, 1, 2], [0.0, 0.0, 0.0]), SaleTerms(3))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"buyers": 0}, "buyers must be a whole number of at least 1"),
        ({"pricing": "cheap"}, "pricing must be one of 'fit', .*got 'cheap'"),
        ({"cut": 1.0}, "cut must be one share from 0 to below 1, got 1"),
        ({"cut": -0.1}, "cut"),
        ({"pool": 0.0}, "pool"),
        ({"lowest": "drop"}, "lowest must be 'lower' or 'refuse', got 'drop'"),
    ],
)
def test_terms_out_of_range(wrong, message):
    with pytest.raises(ms.InvalidInput, match=message):
        SaleTerms(**({"buyers": 10} | wrong))
