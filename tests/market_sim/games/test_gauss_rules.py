"""Gauss rules of binomial counts, against the sums they stand for."""

import numpy as np
import pytest
from scipy import stats

from market_sim.games.binomial import binomial_weights, log_factorials
from market_sim.games.gauss import binomial_rule, graded_panels

FUNCTIONS = {
    "mass": np.ones_like,
    "mean": lambda k: k,
    "cube": lambda k: k**3,
    "inverse": lambda k: 1.0 / (k + 1.0),
    "jump at zero": lambda k: np.where(k > 0.5, np.log(np.maximum(k, 0.5) + 2.0), 0.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("trials", [0, 1, 5, 40, 3000])
@pytest.mark.parametrize("chance", [1e-9, 1e-3, 0.02, 0.3, 0.9, 0.9999])
def test_expectations_are_those_of_the_binomial(name, trials, chance):
    function = FUNCTIONS[name]
    q = np.array([0.7 * chance, chance])
    points, weights = binomial_rule(np.full(2, float(trials)), q, atoms=3, near=16, tolerance=1e-13)
    k = np.arange(trials + 1.0)
    expected = (stats.binom.pmf(k, trials, q[:, None]) * function(k)).sum(axis=1)
    assert (weights * function(points)).sum(axis=1) == pytest.approx(expected, rel=2e-9)


@pytest.mark.parametrize("trials", [1, 7, 1000, 1_000_000])
@pytest.mark.parametrize("chance", [0.0, 1e-7, 0.2, 0.5, 0.999, 1.0])
def test_binomial_weights_are_accurate_and_sum_to_one(trials, chance):
    first, weights = binomial_weights(trials, chance)
    k = np.arange(first, first + weights.size)
    assert weights.sum() == pytest.approx(1.0, abs=1e-13)
    assert weights @ k == pytest.approx(trials * chance, rel=1e-11, abs=1e-12)
    expected = stats.binom.pmf(k, trials, chance)
    assert weights == pytest.approx(expected, rel=1e-7, abs=1e-14)


def test_panels_integrate_functions_of_the_logarithm():
    x, w = graded_panels(1_000_000, 0.8, 8)
    assert w.sum() == pytest.approx(0.8)
    assert w @ (1 / (x + 1e-6)) == pytest.approx(np.log((0.8 + 1e-6) / 1e-6), rel=1e-10)
    assert ((x > 0) & (x < 0.8)).all()


def test_log_factorials_start_at_zero():
    logs = log_factorials(20)
    assert float(logs[0]) == float(logs[1]) == 0.0
    assert np.exp(float(logs[20])) == pytest.approx(2432902008176640000)
