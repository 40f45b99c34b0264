"""The table of a crowd says what the solver says, whatever the numbers are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from market_sim._gaussian_privacy import epsilon_for_mu, mu_for_epsilon
from market_sim._gaussian_table import CROWD, crowd_epsilon, crowd_mu
from market_sim.privacy import GaussianPerturbation

DELTAS = [1e-12, 1e-5, 0.1]


def spread(low, high, seed=1):
    """Numbers over many orders of magnitude."""
    return np.exp(np.random.default_rng(seed).uniform(np.log(low), np.log(high), CROWD))


@pytest.mark.parametrize("delta", DELTAS)
def test_a_crowd_is_calibrated_as_its_members_are(delta):
    epsilon = spread(1e-7, 2e3)
    epsilon[:2] = 0.0, np.inf
    some = slice(0, 400)
    assert_allclose(
        crowd_mu(epsilon, delta)[some], mu_for_epsilon(epsilon[some], delta), rtol=1e-11
    )


@pytest.mark.parametrize("delta", DELTAS)
def test_the_way_back(delta):
    epsilon = spread(1e-5, 5e2)
    mu = crowd_mu(epsilon, delta)
    assert_allclose(crowd_epsilon(mu, delta), epsilon, rtol=1e-9)
    assert_allclose(crowd_epsilon(mu, delta)[:200], epsilon_for_mu(mu[:200], delta), rtol=1e-9)


def test_beyond_the_table_and_at_the_limits():
    mu = np.concatenate([[0.0, np.inf, 1e-9, 80.0, 300.0], spread(1e-3, 10.0)])
    crowd = crowd_epsilon(mu, 1e-5)
    assert_allclose(crowd[:5], epsilon_for_mu(mu[:5], 1e-5), rtol=1e-11)
    assert crowd[0] == crowd[2] == 0.0
    assert crowd[1] == np.inf
    assert (crowd >= 0).all()


def test_any_shape_and_small_ones_by_the_solver():
    epsilon = spread(0.1, 5.0).reshape(2, -1)
    assert_array_equal(crowd_mu(epsilon, 1e-5).ravel(), crowd_mu(epsilon.ravel(), 1e-5))
    few = epsilon[:, :3]
    assert_array_equal(crowd_mu(few, 1e-5), mu_for_epsilon(few, 1e-5))


def test_a_crowd_that_has_spent_its_lifetime_has_nothing_left():
    noise = GaussianPerturbation()
    cap = np.full(CROWD, 3.0)
    loss = noise.loss(cap)
    assert_allclose(noise.remaining(cap, loss), 0.0, atol=1e-9)
    left = noise.remaining(cap, noise.loss(np.full(CROWD, 2.0)))
    again = noise.composed(noise.loss(left) + noise.loss(np.full(CROWD, 2.0)))
    assert_allclose(again, cap, rtol=1e-9)
