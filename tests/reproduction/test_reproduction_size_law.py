"""The mean error bounds of All-in under the reference size law."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.reference import SIZE_LAW


@pytest.fixture(scope="module")
def population():
    return SIZE_LAW.sample(seed=0)


def error_bounds(population, payment, rate):
    budget = SIZE_LAW.budget(population, rate)
    outcome = ms.AllIn(payment).clear(population.reports(), budget)
    weights = ms.ErrorOpt().weights(outcome.epsilon, population.data_size)
    return ms.error_bound(weights, outcome.epsilon, population.data_size), outcome


@pytest.mark.parametrize("anchor", SIZE_LAW.anchors, ids=lambda a: f"{a.payment}-{a.rate}")
def test_mean_error_bound(anchor, population):
    bounds, _ = error_bounds(population, anchor.payment, anchor.rate)
    bought = np.isfinite(bounds)
    assert bounds[bought].mean() == pytest.approx(anchor.error_bound, rel=SIZE_LAW.tolerance)
    assert 1 - bought.mean() == pytest.approx(anchor.winnerless, abs=0.005)


def test_published_payment_buys_the_same_and_spends_more(population):
    for rate in (0.1, 0.5, 2.0):
        published, all_spent = error_bounds(population, "published", rate)
        critical, outcome = error_bounds(population, "critical", rate)
        assert np.array_equal(published, critical)
        assert 0.85 < (outcome.spent / all_spent.spent).mean() <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("anchor", SIZE_LAW.anchors, ids=lambda a: f"{a.payment}-{a.rate}")
def test_mean_error_bound_of_a_million_markets(anchor):
    means = [
        np.mean(bounds[np.isfinite(bounds)])
        for bounds in (
            error_bounds(SIZE_LAW.sample(seed), anchor.payment, anchor.rate)[0]
            for seed in range(1, 51)
        )
    ]
    assert np.mean(means) == pytest.approx(anchor.error_bound, rel=0.012)
