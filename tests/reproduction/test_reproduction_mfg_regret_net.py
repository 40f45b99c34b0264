"""The published regret of MFG-RegretNet: how many steps the test took, and what a lie can pay."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.mechanisms.networks import best_responses
from market_sim.mechanisms.networks.plain_ascent import ascent_regret

# Mean regret over cost of the authors' network after so many steps of 0.1 (N = 10, B = 50).
PUBLISHED = {1: 0.0488, 3: 0.1193, 5: 0.1791, 10: 0.3023, 15: 0.4009, 20: 0.4799, 25: 0.5472}
PUBLISHED |= {35: 0.6507, 50: 0.7535}


def per_cost(regret, cost):
    return float((regret / cost).mean())


def market(mechanism, profiles):
    return mechanism.law.sample(np.random.default_rng(1), profiles)


@pytest.mark.parametrize("steps", PUBLISHED)
def test_the_published_curve_is_that_of_a_payment_which_no_report_moves(steps):
    """E min(1, R step v / eps): each step saves step * v of privacy, until nothing is offered."""
    rng = np.random.default_rng(0)
    value, cap = rng.random(400_000), rng.uniform(0.1, 5.0, 400_000)
    formula = np.minimum(1.0, steps * 0.1 * value / cap).mean()
    assert formula == pytest.approx(PUBLISHED[steps], abs=0.012)


def test_a_best_response_shows_twice_what_25_steps_show():
    mechanism = ms.PublishedMFGRegretNet(network="mfg-regret-net-as-run-10-b50")
    told, budget = market(mechanism, 8)
    exact = best_responses(mechanism, told, budget, grid=9, zooms=4)
    assert 0.9 < exact.regret_per_cost < 1.35
    assert 0.9 < exact.regret.sum() / exact.cost.sum() < 1.1
    short = per_cost(ascent_regret(mechanism, told, budget), exact.cost)
    assert 0.4 < short < 0.62
    assert (exact.cap < 0.01 * told.cap).mean() > 0.8  # next to nothing is offered, and paid


def test_the_loss_of_the_text_hides_its_regret_from_its_own_test():
    mechanism = ms.PublishedMFGRegretNet()
    told, budget = market(mechanism, 8)
    exact = best_responses(mechanism, told, budget, grid=9, zooms=4)
    own = ascent_regret(mechanism, told, budget, 25, 0.01)
    assert own.sum() < 0.08 * exact.cost.sum()
    assert exact.regret.sum() > 1.3 * exact.cost.sum()
    violated = exact.utility < -1e-9
    assert violated.mean() > 0.05  # a payment below the bid, below the cost


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "short", "exact"),
    [("mfg-regret-net-as-run-10-b50", (0.45, 0.62), (0.9, 1.4))],
)
def test_rq1_on_many_markets(network, short, exact):
    mechanism = ms.PublishedMFGRegretNet(network=network)
    told, budget = market(mechanism, 200)
    found = best_responses(mechanism, told, budget)
    ascended = per_cost(ascent_regret(mechanism, told, budget), found.cost)
    assert short[0] < ascended < short[1]
    assert exact[0] < found.regret_per_cost < exact[1]
