"""Bidding equilibria against closed forms, other solvers, brute force and the audit."""

import itertools

import bidding_rules
import numpy as np
import pytest
from scipy.integrate import quad

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.games import truthful
from market_sim.solvers import profile_gains, strategy_regret, typed_regret

CHEAP = {"types": 16, "profiles": 150, "tries": 24}


def winner_takes_all(owners):
    """Caps that cost the whole budget: whoever asks least sells B / b and keeps B (1 - v / b).

    1 / b(v) = E[1 / T | T > v], T the least value of the others; two uniform owners ask the
    logarithmic mean (h - v) / log(h / v) of the own and the highest value.
    """

    def bid(v):
        if v > 1 - 1e-9:
            return v
        weight = (1 - v) ** (owners - 1)
        total, _ = quad(lambda t: (owners - 1) * (1 - t) ** (owners - 2) / t, v, 1.0)
        return weight / total

    return lambda value, cap: (np.vectorize(bid)(value), cap)


def one_winner(owners):
    """All or nothing with money for one: the textbook's b = v + (1 - v) / N."""
    return lambda value, cap: (value + (1 - value) / owners, cap)


def dear_caps(owners):
    return ms.BiddingGame(ms.FirstPrice(), bidding_rules.law((0.5, 1.0), (2.0, 2.0)), owners, 1.0)


def one_sale(owners):
    rule, law = bidding_rules.PayAsBid(), bidding_rules.law((0.5, 1.0))
    return ms.BiddingGame(rule, law, owners, 1.0, fixed_cap=True)


KNOWN = {
    "first price, 2": (dear_caps(2), winner_takes_all(2)),
    "first price, 3": (dear_caps(3), winner_takes_all(3)),
    "all or nothing, 2": (one_sale(2), one_winner(2)),
    "all or nothing, 4": (one_sale(4), one_winner(4)),
}


def test_two_owners_ask_the_logarithmic_mean():
    bid, _ = winner_takes_all(2)(np.array([0.5, 0.8]), np.ones(2))
    np.testing.assert_allclose(bid, [0.5 / np.log(2), 0.2 / np.log(1.25)], rtol=1e-9)


@pytest.mark.parametrize("name", KNOWN)
def test_closed_forms_leave_no_regret_and_the_truth_does(name):
    game, closed = KNOWN[name]
    at_rest, honest = (strategy_regret(game, play, **CHEAP) for play in (closed, truthful))
    assert at_rest.mean <= 3 * at_rest.error + 1e-3 * game.budget
    assert honest.mean > 4 * max(at_rest.mean, honest.error)


@pytest.mark.parametrize("name", ["first price, 2", "all or nothing, 4"])
def test_best_responses_lead_to_the_closed_form(name):
    game, closed = KNOWN[name]
    found = ms.bayes_nash_bids(game, values=9, highest_bid=1.2, steps=30, profiles=400, offers=1)
    knots = found.strategy.values
    expected, _ = closed(knots, knots)
    np.testing.assert_allclose(found.strategy(knots, 1.0)[0], expected, atol=0.035)
    assert found.converged
    assert found.regret <= 0.02 * game.budget / game.owners + 3 * found.regret_error
    assert found.history.shape == (30,)
    assert found.history[-1] < 0.2 * found.history[0]
    assert "30 best responses" in found.status


def test_the_same_seed_gives_the_same_strategy():
    game = dear_caps(2)
    settings = {"values": 3, "bids": 9, "steps": 4, "profiles": 20}
    one, same, other = (ms.bayes_nash_bids(game, seed=s, **settings) for s in (1, 1, 2))
    assert (one.strategy.markup == same.strategy.markup).all()
    assert one.regret == same.regret
    assert (one.strategy.markup != other.strategy.markup).any()


def test_too_few_steps_are_said_not_to_have_converged():
    found = ms.bayes_nash_bids(dear_caps(2), values=3, bids=5, steps=1, profiles=50, highest_bid=4)
    assert not found.converged
    assert found.status.startswith("not converged")
    low = ms.bayes_nash_bids(dear_caps(2), values=3, bids=9, steps=6, profiles=50, highest_bid=0.6)
    assert "raise highest_bid" in low.status


def test_truth_is_where_a_truthful_rule_leads():
    """The price that clears the others' supply leaves nothing to gain."""
    law = bidding_rules.law((0.0, 1.0), (0.5, 1.5))
    game = ms.BiddingGame(ms.LeaveOneOut(), law, 4, 1.0)
    found = ms.bayes_nash_bids(game, values=5, bids=17, offers=2, steps=6, profiles=100)
    assert found.converged
    assert strategy_regret(game, truthful, **CHEAP).mean < 1e-6 * game.budget


@pytest.mark.parametrize("seed", range(4))
def test_shares_of_the_budget_are_a_reward_contest(seed):
    """MFG-Pricing with open cards is the contest with linear costs, caps as ceilings."""
    rng = np.random.default_rng(seed)
    value, cap = 0.3 + rng.random(4), 0.3 + 3 * rng.random(4)
    game = ms.BiddingGame(ms.MFGPricing(), bidding_rules.law(), 4, 2.0)
    found = ms.best_response_bids(game, value, cap, bids=2)
    exact = ms.RewardContest(value, high=cap).equilibrium(2.0)
    assert found.converged
    np.testing.assert_allclose(found.epsilon, exact.epsilon, atol=0.02 * exact.total)
    np.testing.assert_allclose(found.utility, exact.utility, atol=5e-3)
    assert found.regret < 1e-3


def test_identical_owners_offer_what_tullock_says():
    """Sum of offers B (N - 1) / (N v), as long as the caps allow it."""
    game = ms.BiddingGame(ms.MFGPricing(), bidding_rules.law(), 5, 3.0)
    found = ms.best_response_bids(game, np.full(5, 0.8), np.full(5, 4.0), bids=2)
    assert found.cap.sum() == pytest.approx(3.0 * 4 / (5 * 0.8), rel=1e-2)
    bound = ms.best_response_bids(game, np.full(5, 0.1), np.full(5, 1.0), bids=2)
    np.testing.assert_allclose(bound.cap, 1.0)


def test_with_open_cards_the_cheapest_asks_what_the_next_one_costs():
    found = ms.best_response_bids(one_sale(3), [0.55, 0.7, 0.8], np.ones(3), highest_bid=1.0)
    assert found.converged
    np.testing.assert_allclose(found.payment, [0.7, 0.0, 0.0], rtol=1e-6)
    assert found.regret < 1e-6


def test_pay_as_bid_may_chase_in_circles_and_says_so():
    game = ms.BiddingGame(bidding_rules.PayAsBid(), bidding_rules.law(), 3, 1.5)
    found = ms.best_response_bids(game, [0.2, 0.4, 0.6], [1.0, 1.2, 0.8], refinements=0, rounds=9)
    assert not found.converged
    assert found.status.startswith("not converged")
    assert found.regret > 1e-3


@pytest.mark.parametrize("rule", [ms.FirstPrice(), ms.MFGPricing(), ms.CSRA()])
def test_gains_with_open_cards_are_those_of_the_audit(rule):
    """The audit searches in another way; both are lower bounds of one number."""
    game = ms.BiddingGame(rule, bidding_rules.law((0.0, 1.0), (0.5, 2.0)), 4, 1.5)
    value, cap = (column[0] for column in game.types(np.random.default_rng(5), 1))
    truth = game.reports(value[None], cap[None])
    ours = profile_gains(game, truth.unit_value[0], truth.cap[0], value, truth.cap[0])
    theirs = ms.audit(rule, truth, budget=1.5, deviations=("both",)).rows[0]
    assert ours.max() == pytest.approx(theirs.regret_max, rel=0.01, abs=1e-6)


def grid_of(owners, types, bids):
    return ms.typed_bidding(one_sale(owners), types, np.linspace(0.5, 1.0, bids))


@pytest.mark.parametrize(("owners", "types", "bids"), [(2, 5, 21), (3, 4, 11)])
def test_few_types_agree_with_the_law_to_a_step_of_the_grid(owners, types, bids):
    game = grid_of(owners, types, bids)
    found = ms.typed_equilibrium(game)
    expected = one_winner(owners)(game.value, 1.0)[0]
    assert found.converged
    assert found.regret <= 1e-9
    np.testing.assert_allclose(found.mean_bid, expected, atol=1.01 * 0.5 / (bids - 1))
    np.testing.assert_allclose(found.strategy.sum(axis=1), 1.0)


def test_the_regret_of_few_types_by_brute_force():
    game = ms.TypedBidding(
        ms.FirstPrice(), [0.2, 0.7], [1, 1], [0.4, 0.6], [0.3, 0.7, 0.9], [1, 1, 1], 3, 0.9
    )
    play = np.array([[0.5, 0.5, 0.0], [0.0, 0.3, 0.7]])
    worth = np.zeros((2, 3))
    chance = game.chance @ play
    for own, one, other in itertools.product(range(3), repeat=3):
        for said in itertools.permutations((own, one, other)):
            bids = game.bid[list(said)]
            cleared = ms.FirstPrice().clear(ms.BiddingGame.reports(bids, np.ones(3)), 0.9)
            hers = np.array(said) == own
            gain = (cleared.payment - np.outer(game.value, cleared.epsilon))[:, hers].mean(axis=1)
            worth[:, own] += chance[one] * chance[other] * gain / 6
    expected = (worth.max(axis=1) - (play * worth).sum(axis=1)).max()
    assert typed_regret(game, play) == pytest.approx(expected, abs=1e-14)
    found = ms.typed_equilibrium(game, steps=500)
    assert found.regret == pytest.approx(typed_regret(game, found.strategy), abs=1e-14)
    assert found.regret == pytest.approx(found.residual, abs=1e-12)


def test_matching_that_ends_too_early_is_polished_or_says_so():
    found = ms.typed_equilibrium(grid_of(2, 3, 8), steps=3)
    assert found.converged == (found.regret <= 0.5e-9)
    if not found.converged:
        assert found.status.startswith("not converged")


@pytest.mark.parametrize(
    "call",
    [
        lambda: ms.bayes_nash_bids(one_sale(2), offers=3),
        lambda: ms.bayes_nash_bids(dear_caps(2), steps=0),
        lambda: ms.bayes_nash_bids(dear_caps(2), tolerance=0.0),
        lambda: ms.best_response_bids(dear_caps(2), [0.5], [1.0, 2.0]),
        lambda: ms.typed_equilibrium(grid_of(2, 2, 3), steps=0),
        lambda: ms.strategy_regret(dear_caps(2), truthful, types=3),
        lambda: ms.strategy_regret(dear_caps(2), truthful, types=5),
    ],
)
def test_settings_outside_their_domain_are_refused(call):
    with pytest.raises(InvalidInput):
        call()


def test_results_are_named_in_one_line():
    one = ms.best_response_bids(dear_caps(2), [0.5, 0.6], [2.0, 2.0], rounds=2)
    two = ms.typed_equilibrium(grid_of(2, 2, 3))
    three = ms.mean_field_bids(dear_caps(2), types=4, profiles=4)
    for found in (one, two, three):
        assert str(found).startswith(found.solver)
        assert "regret" in str(found)
