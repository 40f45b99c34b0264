"""The best report, against formulas and against an optimizer that knows nothing of the search."""

from dataclasses import dataclass

import numpy as np
import pytest
from mfg_markets import market, network
from numpy.testing import assert_allclose
from scipy.optimize import differential_evolution

import market_sim as ms
from market_sim.mechanisms.networks.exact_response import best_responses
from market_sim.mechanisms.networks.plain_ascent import ascent_regret


@dataclass(frozen=True)
class Rule(ms.Mechanism):
    """Sells all of the cap; pays `pay(unit value, cap)`."""

    pay: object
    name = "rule"
    guarantees = ms.Guarantees()

    def clear(self, reports, budget):
        return ms.Outcome(reports.cap, self.pay(reports.unit_value, reports.cap), budget)


def reports(profiles=6, owners=3, seed=0):
    law = ms.privacy_auction_law("uniform", owners)
    return law.sample(np.random.default_rng(seed), (profiles,)).reports()


@pytest.mark.parametrize("deviation", ["cap", "both"])
def test_a_constant_payment_is_taken_for_nothing(deviation):
    told = reports()
    found = best_responses(
        Rule(lambda value, _: np.full_like(value, 5.0)), told, 50.0, deviation=deviation
    )
    cost = told.unit_value * told.cap
    assert_allclose(found.regret, cost, rtol=2e-6)
    assert_allclose(found.cost, cost)
    assert found.regret_per_cost == pytest.approx(1.0, abs=2e-6)
    assert (found.cap <= 1.01e-6 * told.cap).all()
    in_value = best_responses(
        Rule(lambda value, _: np.full_like(value, 5.0)), told, 50.0, deviation="value"
    )
    assert (in_value.regret == 0).all()
    assert_allclose(in_value.value, told.unit_value)


def test_a_posted_price_per_unit_leaves_nothing_to_gain():
    told = reports()
    found = best_responses(Rule(lambda _, cap: 1.5 * cap), told, 50.0)
    assert (found.regret == 0).all()
    assert_allclose(found.cap, told.cap)
    assert_allclose(found.utility, (1.5 - told.unit_value) * told.cap)


def test_hidden_hills_are_climbed():
    def pay(value, cap):  # a wide low hill and a narrow high one
        wide = np.exp(-(((value - 0.8) / 0.2) ** 2))
        narrow = 2.0 * np.exp(-(((value - 0.31) / 0.03) ** 2) - ((cap - 0.07) / 0.02) ** 2)
        return wide + narrow

    told = reports(profiles=4)
    found = best_responses(Rule(pay), told, 50.0, grid=65)
    assert_allclose(found.value, 0.31, atol=2e-3)
    assert_allclose(found.cap, 0.07, atol=2e-3)


def test_an_optimizer_finds_no_better_report_of_a_network():
    told, _, _ = market(owners=10, profiles=1, seed=3)
    mechanism = ms.PublishedMFGRegretNet()
    found = best_responses(mechanism, told, 50.0, grid=9, zooms=10)
    honest = mechanism.clear(told, 50.0).utility(told.valuations, told.cap)[0]
    for owner in (0, 4):
        cap, value = told.cap[0, owner], told.unit_value[0, owner]

        def loss(places, owner=owner, value=value):
            lies = told.replace(owner, rate=0.5 * places[0][:, None], cap=places[1][:, None])
            outcome = mechanism.clear(lies, 50.0)
            return (value * outcome.epsilon - outcome.payment)[:, 0, owner]

        bounds = [(0.0, 1.0), (1e-6 * cap, cap)]
        best = differential_evolution(
            loss, bounds, seed=0, tol=1e-10, maxiter=60, popsize=12, vectorized=True,
            updating="deferred", polish=False,
        )  # fmt: skip
        assert found.regret[0, owner] >= -best.fun - honest[owner] - 1e-6
        assert_allclose(found.utility[0, owner], honest[owner], atol=1e-9)


def test_finer_searches_find_no_less_and_short_ascents_no_more():
    told, _, _ = market(owners=10, profiles=4)
    mechanism = ms.PublishedMFGRegretNet()
    rough = best_responses(mechanism, told, 50.0, grid=5, zooms=0)
    fine = best_responses(mechanism, told, 50.0, grid=9, zooms=6)
    assert fine.resolution < rough.resolution
    assert (fine.regret >= rough.regret - 1e-9).all()
    assert (fine.regret >= ascent_regret(mechanism, told, 50.0) - 1e-5).all()
    alone = best_responses(mechanism, told, 50.0, grid=9, zooms=6, deviation="cap")
    assert (fine.regret >= alone.regret - 1e-5).all()
    assert_allclose(alone.value[alone.regret > 0], told.unit_value[alone.regret > 0])


def test_a_range_far_beyond_the_law_hides_nothing_within_it():
    told, _, _ = market(owners=10, profiles=2)
    mechanism = ms.PublishedMFGRegretNet()
    near, far = (
        best_responses(mechanism, told, 50.0, grid=9, zooms=4, largest_value=top)
        for top in (told.unit_value.max(), 1e4)
    )
    assert (far.regret >= near.regret - 1e-12).all()
    assert far.regret.mean() > 20.0  # a share of any value told is paid, up to the budget


def test_the_lie_brings_what_is_said():
    told, _, _ = market(owners=10, profiles=2)
    mechanism = ms.PublishedMFGRegretNet()
    found = best_responses(mechanism, told, 50.0, grid=9)
    for profile, owner in ((0, 1), (1, 7)):
        one = ms.Reports(told.valuations[profile], told.cap[profile])
        lie = one.replace(
            owner, rate=0.5 * found.value[profile, owner], cap=found.cap[profile, owner]
        )
        outcome = mechanism.clear(lie, 50.0)
        utility = outcome.payment - one.unit_value * outcome.epsilon
        gained = utility[owner] - found.utility[profile, owner]
        assert gained == pytest.approx(found.regret[profile, owner], abs=1e-9)


def test_leading_axes_and_values_above_the_largest():
    told = reports(profiles=6)
    cube = ms.Reports(
        ms.Valuations("linear", told.valuations.rate.reshape(2, 3, 3)), told.cap.reshape(2, 3, 3)
    )
    pay = Rule(lambda value, cap: value * cap)
    flat, shaped = (best_responses(pay, r, 50.0, largest_value=0.5) for r in (told, cube))
    assert_allclose(shaped.regret.reshape(6, 3), flat.regret)
    # who pays as bid is told the largest value anybody has, here above 0.5
    assert_allclose(flat.value, told.unit_value.max())


def test_a_random_network_is_judged_by_its_expectations():
    assert network().settings.owners == 4  # the support module is the one meant
    told, budget = ms.MURBA().law.sample(np.random.default_rng(0), 1)
    with pytest.raises(ms.InvalidInput, match="linear valuations and no data sizes"):
        best_responses(ms.MURBA(), told, budget)


@pytest.mark.parametrize(
    "changes",
    [{"deviation": "size"}, {"grid": 2}, {"zooms": -1}, {"largest_value": 0.0}],
)
def test_bad_settings(changes):
    with pytest.raises(ms.InvalidInput):
        best_responses(Rule(lambda _, cap: cap), reports(1), 50.0, **changes)
