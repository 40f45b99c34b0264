"""The mean error bounds of SequentialMenu under the reference size law, beside All-in's."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.reference import SIZE_LAW

ALL_IN = {a.rate: a.error_bound for a in SIZE_LAW.anchors if a.payment == "critical"}
UNLEARNED = {0.1: 12.9, 0.25: 5.35, 0.5: 3.03, 1.0: 1.68, 2.0: 1.09}
AIMS = {0.1: 8.0, 0.25: 4.1, 0.5: 2.5, 1.0: 1.4}


def mean_error(auction, population, rate):
    size = population.data_size
    budget = SIZE_LAW.budget(population, rate)
    outcome = auction.clear(population.reports(), budget)
    assert (outcome.spent <= budget * (1 + 1e-12)).all()
    weights = ms.ErrorOpt().weights(outcome.epsilon, size)
    bound = ms.error_bound(weights, outcome.epsilon, size)
    assert np.isfinite(bound).mean() >= 0.9995
    return bound[np.isfinite(bound)].mean()


def check(population, rate, slack):
    error = mean_error(ms.SequentialMenu(), population, rate)
    assert error < slack * AIMS.get(rate, np.inf)
    assert error < 0.95 * UNLEARNED[rate]
    assert error <= slack * 1.05 * ALL_IN[rate]
    if rate <= 1.0:
        assert error < slack * ALL_IN[rate]
    everything = ms.error_bound(
        ms.ErrorOpt().weights(population.cap, population.data_size),
        population.cap,
        population.data_size,
    ).mean()
    assert error > everything  # nobody can buy more than all caps


@pytest.mark.parametrize("rate", list(ALL_IN))
def test_mean_error_bound_of_the_menu(rate):
    check(SIZE_LAW.sample(seed=11, profiles=2000), rate, slack=1.03)


@pytest.mark.slow
@pytest.mark.parametrize("rate", list(ALL_IN))
def test_mean_error_bound_of_the_menu_on_twenty_thousand_markets(rate):
    check(SIZE_LAW.sample(seed=12), rate, slack=1.0)


@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_all_caps_together_bound_every_auction(rate):
    """At rate 2 the aim 0.88 lies below the error when everybody sells her whole cap."""
    population = SIZE_LAW.sample(seed=11, profiles=4000)
    size = population.data_size
    least = ms.error_bound(ms.ErrorOpt().weights(population.cap, size), population.cap, size)
    assert 0.90 < least.mean() < 0.95
    assert mean_error(ms.AllIn(), population, rate) > least.mean()


def audited(**settings):
    law = ms.PopulationLaw(owners=3, cap=(0.5, 2.0), sizes="reference")
    report = ms.audit(
        ms.SequentialMenu(), law, budget=lambda told: 0.5 * told.value.sum(axis=-1), **settings
    )
    assert report.witness is None
    assert not report.violations
    for row in report.rows:
        assert row.regret_max <= 1e-9
        assert row.ir_violation_max == 0.0
        assert row.budget_excess_relative <= 1e-12


def test_the_audit_finds_no_lie():
    audited(profiles=4, deviations=("both",), value_grid=8, cap_grid=4, restarts=1, zooms=1)


@pytest.mark.slow
def test_a_longer_audit_finds_no_lie():
    audited(profiles=50, restarts=1)
