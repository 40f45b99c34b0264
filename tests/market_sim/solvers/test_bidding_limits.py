"""Mean-field bids, what play buys, and regret against the number of owners."""

import bidding_rules
import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.games import truthful
from market_sim.solvers.bidding_measures import _fitted, knapsack

UNIFORM = ms.privacy_auction_law("uniform")
SCALE = bidding_rules.UNIT  # unit value of rate 1


@pytest.mark.parametrize("owners", [10, 1000])
def test_the_price_of_the_uniform_law(owners):
    """p N E[cap] F(p) = B: sqrt(B / (2.55 N)) for values from U[0, 1]."""
    law = bidding_rules.law((0.0, 1.0), (0.1, 5.0))
    game = ms.BiddingGame(ms.FirstPrice(), law, owners, owners / 2)
    found = ms.mean_field_bids(game, types=4, profiles=2)
    assert found.price == pytest.approx(np.sqrt(0.5 / 2.55), rel=1e-12)
    assert found.residual <= 1e-12 * game.budget
    assert found.steps == len(found.history)


@pytest.mark.parametrize("name", ["uniform", "bimodal", "realistic"])
def test_the_price_is_that_of_the_static_mean_field(name):
    game = ms.BiddingGame(ms.FirstPrice(), ms.privacy_auction_law(name), 10, 4.0)
    found = ms.mean_field_bids(game, types=4, profiles=2)
    drawn = (column.reshape(-1) for column in game.types(np.random.default_rng(0), 40_000))
    sampled = ms.mean_field_price(*drawn, 0.4 * 400_000)
    assert found.price == pytest.approx(sampled, rel=0.01)


def test_a_budget_that_buys_all_raises_the_price_above_all_values():
    law = bidding_rules.law((0.0, 1.0), (1.0, 3.0))
    found = ms.mean_field_bids(ms.BiddingGame(ms.FirstPrice(), law, 5, 40.0), types=4, profiles=2)
    assert found.price == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("pays", "bid", "share"), [("bid", 0.5, 1.0), ("price", 0.2, 1.0), ("share", 0.2, 1.0)]
)
def test_the_best_reply_to_a_price(pays, bid, share):
    said, offer = ms.PriceTaker(0.5, pays)(np.array([0.2, 0.7]), np.array([2.0, 3.0]))
    np.testing.assert_allclose(said, [bid, 0.7])
    assert offer[0] == 2.0 * share
    assert (offer[1] < 1e-6) == (pays == "share")


def test_against_a_crowd_the_price_takers_reply_is_best():
    """With 200 owners nobody moves the share of MFG-Pricing: full cap if p >= v, else nothing."""
    game = ms.BiddingGame(ms.MFGPricing(), UNIFORM, 200, 100.0)
    found = ms.mean_field_bids(game, "share", types=16, profiles=20)
    assert found.converged
    assert found.regret < 1e-6
    honest = ms.strategy_regret(game, truthful, types=16, profiles=20)
    assert honest.mean > 0.1


def test_few_owners_are_no_crowd():
    game = ms.BiddingGame(ms.FirstPrice(), UNIFORM, 5, 2.5)
    found = ms.mean_field_bids(game, types=16, profiles=60)
    assert not found.converged
    assert found.status.startswith("no equilibrium of so few owners")


def test_what_the_money_buys_by_hand():
    """Values .1 .2 .5, caps 1 2 4, budget 1: .1 + .4 for three units, .5 for the fourth."""
    bought = knapsack(np.array([[0.5, 0.1, 0.2]]), np.array([[4.0, 1.0, 2.0]]), 1.0)
    assert bought == pytest.approx(4.0)
    assert knapsack(np.zeros((1, 2)), np.ones((1, 2)), 1.0) == pytest.approx(2.0)


def test_what_the_money_buys_is_the_bound_of_the_library():
    game = ms.BiddingGame(ms.FirstPrice(), UNIFORM, 20, 10.0)
    value, cap = game.types(np.random.default_rng(0), 50)
    expected = ms.purchase_bound(game.reports(value, cap), 10.0)
    np.testing.assert_allclose(knapsack(value, cap, 10.0), expected, rtol=1e-6)


def test_at_the_truth_first_price_buys_all_and_leaves_nothing():
    game = ms.BiddingGame(ms.FirstPrice(), UNIFORM, 10, 5.0)
    found = ms.bidding_efficiency(game, truthful, profiles=200)
    assert found.ratio == found.ratio_truthful == pytest.approx(1.0, abs=1e-6)
    assert found.price_of_anarchy == pytest.approx(1.0, abs=1e-6)
    assert found.surplus == pytest.approx(0.0, abs=1e-6)
    assert found.losing == 0.0
    assert found.payment == found.payment_truthful


def test_price_takers_buy_less_and_keep_the_difference():
    game = ms.BiddingGame(ms.FirstPrice(), UNIFORM, 50, 25.0)
    found = ms.bidding_efficiency(game, ms.PriceTaker(2.0), profiles=100)
    assert found.purchased == pytest.approx(12.5, rel=1e-6)  # everybody asks 2
    assert found.payment == pytest.approx(25.0, rel=1e-6)
    assert found.ratio == pytest.approx(found.purchased / found.bound)
    assert found.price_of_anarchy == pytest.approx(1 / found.ratio)
    everyone = ms.bidding_efficiency(ms.BiddingGame(ms.MFGPricing(), UNIFORM, 10, 5.0), truthful)
    assert 0.5 < everyone.losing < 1.0


def test_the_regret_of_the_truth_grows_and_that_of_the_limit_falls():
    settings = {"types": 24, "draws": 1000, "tries": 12}
    limit = ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10, 50), 0.5, "bid", **settings)
    assert -1.0 < limit.slope < -0.2
    truth = ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10, 50), 0.5, **settings)
    assert (truth.regret > limit.regret).all()
    assert truth.slope > 0


def test_slopes_are_those_of_the_points():
    owners = np.array([10.0, 100.0, 1000.0])
    regret = 3.0 * owners**-0.5
    found = _fitted(owners, regret, 0.01 * regret)
    assert found.slope == pytest.approx(-0.5)
    low, high = found.interval
    assert high - low == pytest.approx(2 * 1.96 * 0.01 / (np.log(10) * np.sqrt(2)), rel=1e-3)
    bent = _fitted(owners, regret * np.array([1.0, 1.5, 1.0]), 0.01 * regret)
    assert bent.interval[1] - bent.interval[0] > 10 * (high - low)


def test_no_slope_is_drawn_through_noise():
    owners = np.array([10.0, 100.0])
    found = _fitted(owners, np.array([0.1, 0.01]), np.array([0.01, 0.02]))
    assert np.isnan(found.slope)
    assert found.status.startswith("no slope")


@pytest.mark.parametrize(
    "call",
    [
        lambda: ms.PriceTaker(-1.0),
        lambda: ms.PriceTaker(1.0, "nothing"),
        lambda: ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10,), 0.5),
        lambda: ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10, 20), 0.0),
        lambda: ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10, 20), [0.5, 0.6]),
        lambda: ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10, 20), 0.5, draws=0),
        lambda: ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10, 20), 0.5, draws=-5),
        lambda: ms.regret_scaling(ms.FirstPrice(), UNIFORM, (10, 20), 0.5, types=0),
        lambda: ms.BiddingGame(ms.FirstPrice(), UNIFORM, 2, [1.0, 2.0]),
        lambda: ms.bayes_nash_bids(
            ms.BiddingGame(ms.FirstPrice(), UNIFORM, 2, 1.0), highest_bid=[1.0, 2.0]
        ),
        lambda: ms.bayes_nash_bids(ms.BiddingGame(ms.FirstPrice(), UNIFORM, 2, 1.0), offers=0),
        lambda: ms.bayes_nash_bids(UNIFORM),
        lambda: ms.mean_field_bids(UNIFORM),
        lambda: ms.bidding_efficiency(
            ms.BiddingGame(ms.FirstPrice(), UNIFORM, 2, 1.0), truthful, profiles=1
        ),
    ],
)
def test_settings_outside_their_domain_are_refused(call):
    with pytest.raises(InvalidInput):
        call()
