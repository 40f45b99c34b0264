"""The closed forms against dp-accounting and against arbitrary precision."""

import dp_accounting
import mpmath
import numpy as np
import pytest
from dp_accounting import gaussian_mechanism
from dp_accounting.pld import PLDAccountant

from market_sim._gaussian_privacy import log_delta
from market_sim.privacy import (
    GaussianPerturbation,
    LaplacePerturbation,
    compose,
    gaussian_epsilon,
    gaussian_noise_multiplier,
)

CASES = [(e, d) for e in (1e-3, 0.1, 1.0, 10.0, 100.0, 1e3) for d in (1e-12, 1e-5, 0.1)]


def exact_log_delta(epsilon, mu):
    with mpmath.workdps(700):  # e^1000 times a tail of 1e-440 must keep its digits
        eps, strength = mpmath.mpf(epsilon), mpmath.mpf(mu)
        below = mpmath.ncdf(strength / 2 - eps / strength)
        above = mpmath.exp(eps) * mpmath.ncdf(-strength / 2 - eps / strength)
        return float(mpmath.log(below - above))


@pytest.mark.parametrize(("epsilon", "delta"), CASES)
def test_multiplier_solves_the_exact_equation(epsilon, delta):
    mu = 1.0 / float(gaussian_noise_multiplier(epsilon, delta))
    assert exact_log_delta(epsilon, mu) == pytest.approx(np.log(delta), abs=1e-10)


@pytest.mark.parametrize("mu", [1e-3, 0.3, 0.49999, 0.5, 3.0, 40.0])
@pytest.mark.parametrize("shift", [-4.0, -0.5, 0.0, 2.0, 7.0])
def test_log_delta_in_all_its_branches(mu, shift):
    epsilon = max(mu * (shift + mu / 2), 0.0)
    exact = exact_log_delta(epsilon, mu)
    assert float(log_delta(epsilon, mu)) == pytest.approx(exact, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(("epsilon", "delta"), CASES)
def test_multiplier_against_dp_accounting(epsilon, delta):
    ours = float(gaussian_noise_multiplier(epsilon, delta))
    theirs = gaussian_mechanism.get_sigma_gaussian(epsilon, delta)
    assert ours == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(("mu", "delta"), [(0.05, 1e-6), (1.0, 1e-5), (5.0, 1e-9)])
def test_epsilon_against_dp_accounting(mu, delta):
    theirs = gaussian_mechanism.get_epsilon_gaussian(1.0 / mu, delta)
    assert float(gaussian_epsilon(mu, delta)) == pytest.approx(theirs, rel=1e-6, abs=1e-9)


def test_fifty_gaussians():
    """The measured anchor: closed form and PLD 20.9935, Renyi accounting 22.3548."""
    multipliers = np.linspace(1, 4, 50)
    ours = float(gaussian_epsilon(np.sqrt((multipliers**-2).sum()), 1e-5))
    pld = PLDAccountant(value_discretization_interval=1e-3)
    renyi = dp_accounting.rdp.RdpAccountant()
    for multiplier in multipliers:
        event = dp_accounting.GaussianDpEvent(float(multiplier))
        pld.compose(event)
        renyi.compose(event)
    assert ours == pytest.approx(20.9935, abs=5e-5)
    assert pld.get_epsilon(1e-5) == pytest.approx(ours, abs=2e-4)
    assert renyi.get_epsilon(1e-5) == pytest.approx(22.3548, abs=5e-5)


def test_the_account_of_many_sales_against_the_pld_accountant():
    gaussian, sold = GaussianPerturbation(delta=1e-6), [0.5, 0.5, 0.5, 1.0, 2.0]
    spent = compose(gaussian, sold)
    closed = float(gaussian.composed(gaussian.loss(sold).sum()))
    assert spent.accountant == "PLD accountant"
    assert spent.epsilon == pytest.approx(closed, rel=1e-4)


def test_laplace_composition_at_positive_delta_is_below_the_sum():
    sold = [0.2] * 30
    spent = compose(LaplacePerturbation(), sold, delta=1e-5)
    assert 0.5 * sum(sold) < spent.epsilon < sum(sold)


def test_laplace_event_spends_epsilon():
    accountant = PLDAccountant()
    accountant.compose(LaplacePerturbation(5.0).event(0.7))
    assert accountant.get_epsilon(1e-12) == pytest.approx(0.7, rel=1e-3)
