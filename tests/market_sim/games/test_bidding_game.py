"""The bidding game: one owner against others, strategies between knots, few types enumerated."""

import itertools

import bidding_rules
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.games import truthful

RULES = [
    bidding_rules.PayAsBid(),
    bidding_rules.ShareOfBudget(),
    ms.FirstPrice(),
    ms.MFGPricing(),
    ms.PostedPrice(0.6, order="given"),  # here the seat matters
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_one_owner_alone_is_the_market_cleared_with_her_report(rule):
    """Every seat, by building each market by hand."""
    game = ms.BiddingGame(rule, bidding_rules.law((0.0, 1.0), (0.5, 2.0)), 4, 1.5)
    rng = np.random.default_rng(3)
    others = rng.random((6, 3)), 0.5 + rng.random((6, 3))
    bids, caps = rng.random((5, 1)), 0.5 + rng.random((5, 6))
    epsilon, payment = game.alone(bids, caps, *others)
    assert epsilon.shape == payment.shape == (5, 6)
    for choice, profile in itertools.product(range(5), range(6)):
        seat = profile % 4
        bid = np.insert(others[0][profile], seat, bids[choice, 0])
        cap = np.insert(others[1][profile], seat, caps[choice, profile])
        one = rule.clear(game.reports(bid, cap), 1.5)
        assert epsilon[choice, profile] == one.epsilon[seat]
        assert payment[choice, profile] == one.payment[seat]


def test_an_owner_may_be_alone_in_the_market():
    game = ms.BiddingGame(ms.FirstPrice(), bidding_rules.law(), 1, 1.0)
    epsilon, payment = game.alone(0.5, 1.0, np.zeros((3, 0)), np.zeros((3, 0)))
    np.testing.assert_allclose(payment, 0.5)
    np.testing.assert_allclose(epsilon, 1.0)


@given(st.floats(1e-6, 1e6), st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=20))
def test_who_asks_the_same_is_tied_whatever_the_cap(bid, caps):
    reports = ms.BiddingGame.reports(np.full(len(caps), bid), caps)
    assert np.unique(reports.unit_value).size == 1
    np.testing.assert_allclose(reports.unit_value, bid, rtol=1e-8)
    assert (reports.cap <= caps).all()
    np.testing.assert_allclose(reports.cap, caps, rtol=2e-7)


@pytest.mark.parametrize("name", ["uniform", "bimodal", "realistic"])
def test_quantiles_and_shares_are_those_of_drawn_types(name):
    game = ms.BiddingGame(ms.FirstPrice(), ms.privacy_auction_law(name), 5, 2.0)
    value, cap = game.types(np.random.default_rng(0), 8000)
    at = game.value_quantile([0.1, 0.5, 0.9])
    np.testing.assert_allclose(game.value_share(at), [0.1, 0.5, 0.9], atol=1e-12)
    assert [(value <= x).mean() for x in at] == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    assert (cap <= game.cap_quantile(0.7)).mean() == pytest.approx(0.7, abs=0.01)
    assert cap.mean() == pytest.approx(game.mean_cap, rel=0.02)


def test_utility_is_payment_less_true_cost():
    game = ms.BiddingGame(ms.FirstPrice(), bidding_rules.law(), 2, 10.0)
    utility = game.utility(np.array([0.3, 0.5]), np.array([0.4, 0.9]), np.array([2.0, 1.0]))
    np.testing.assert_allclose(utility, [0.2, 0.4], rtol=1e-6)


def test_a_strategy_is_linear_between_its_knots_and_level_beyond():
    plan = ms.BidStrategy([0.0, 1.0], [1.0, 3.0], [[0.2, 0.4], [0.0, 0.2]], [[1, 1], [0.5, 1]])
    bid, cap = plan([0.0, 0.5, 1.0, 2.0], [1.0, 2.0, 3.0, 9.0])
    np.testing.assert_allclose(bid, [0.2, 0.7, 1.2, 2.2])
    np.testing.assert_allclose(cap, [1.0, 2.0 * 0.875, 3.0, 9.0])
    bid, _ = ms.BidStrategy([0.5], [1.0], -0.7)([0.2, 0.9], 1.0)
    np.testing.assert_allclose(bid, [0.0, 0.2])


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_strategies_stay_feasible(seed):
    rng = np.random.default_rng(seed)
    shape = (4, 3)
    knots = np.cumsum(rng.random(4)), np.cumsum(0.1 + rng.random(3))
    plan = ms.BidStrategy(*knots, rng.normal(size=shape), 0.01 + 0.99 * rng.random(shape))
    value, cap = 5 * rng.random(50), 0.01 + 5 * rng.random(50)
    bid, offer = plan(value, cap)
    assert (bid >= 0).all()
    assert ((offer > 0) & (offer <= cap)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 1.0], [1.0], 0.0), "ascending"),
        (([1.0, 2.0], [1.0], [0.1, 0.2]), r"shape \(2, 1\)"),
        (([1.0], [1.0], 0.0, 0.0), r"\(0, 1\]"),
    ],
)
def test_strategies_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        ms.BidStrategy(*arguments)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_payoffs_of_few_types_by_brute_force(rule):
    """Sum over types and reports of the two others and over the three seats, one by one."""
    value, cap, chance = [0.2, 0.6], [1.0, 0.5], [0.7, 0.3]
    bid, offer = [0.2, 0.6, 0.6], [1.0, 1.0, 0.5]
    game = ms.TypedBidding(rule, value, cap, chance, bid, offer, 3, 0.8)
    play = np.array([[0.2, 0.5, 0.3], [0.0, 0.0, 1.0]])
    expected = np.zeros((2, 3))
    rivals = list(itertools.product(range(2), range(3)))
    for own, one, other, seat in itertools.product(range(3), rivals, rivals, range(3)):
        weight = np.prod([chance[t] * play[t, a] for t, a in (one, other)]) / 3
        said = np.insert([one[1], other[1]], seat, own)
        cleared = rule.clear(game_reports(bid, offer, said), 0.8)
        gain = cleared.payment[seat] - np.array(value) * cleared.epsilon[seat]
        expected[:, own] += weight * gain
    expected[1, :2] = -np.inf  # above her cap
    np.testing.assert_allclose(game.payoffs(play), expected, atol=1e-14)


def game_reports(bid, offer, said):
    return ms.BiddingGame.reports(np.array(bid)[said], np.array(offer)[said])


def test_a_game_is_made_discrete_at_the_middles_of_its_law():
    game = ms.BiddingGame(ms.FirstPrice(), bidding_rules.law((0.5, 1.0)), 2, 1.0)
    typed = ms.typed_bidding(game, types=2, bids=[0.6, 0.8], offers=2)
    np.testing.assert_allclose(typed.value, [0.625, 0.875])
    np.testing.assert_allclose(typed.bid, [0.6, 0.6, 0.8, 0.8])
    np.testing.assert_allclose(typed.offer, [0.5, 1.0, 0.5, 1.0])
    assert ms.typed_bidding(game, bids=4).choices == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owners": 0}, "owners"),
        ({"budget": 0.0}, "budget"),
        ({"mechanism": object()}, "clear"),
        ({"law": "uniform"}, "PopulationLaw"),
        ({"law": ms.fl_market_2021()}, "linear"),
    ],
)
def test_games_that_make_no_sense_are_refused(change, message):
    given_ = {"mechanism": ms.FirstPrice(), "law": bidding_rules.law(), "owners": 2, "budget": 1.0}
    with pytest.raises(InvalidInput, match=message):
        ms.BiddingGame(**given_ | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chance": [0.5, 0.6]}, "add up to 1"),
        ({"owners": 30}, "too many"),
        ({"cap": [1.0, 0.1]}, "no report within her cap"),
        ({"bid": [0.1]}, "one length"),
    ],
)
def test_few_types_that_make_no_sense_are_refused(change, message):
    given_ = {
        "mechanism": ms.FirstPrice(),
        "value": [0.1, 0.2],
        "cap": [1.0, 1.0],
        "chance": [0.5, 0.5],
        "bid": [0.1, 0.2],
        "offer": [1.0, 1.0],
        "owners": 2,
        "budget": 1.0,
    }
    with pytest.raises(InvalidInput, match=message):
        ms.TypedBidding(**given_ | change)


def test_owners_who_are_all_alike_are_one_point_of_the_law():
    game = ms.BiddingGame(ms.FirstPrice(), bidding_rules.law((0.5, 0.5), (2.0, 2.0)), 3, 1.0)
    assert game.mean_cap == 2.0
    np.testing.assert_allclose(game.value_quantile([0.0, 0.4, 1.0]), 0.5)
    np.testing.assert_allclose(game.value_share([0.4, 0.5, 0.6]), [0, 1, 1])
    value, cap = game.types(np.random.default_rng(0), 2)
    assert truthful(value, cap) == (value, cap)
