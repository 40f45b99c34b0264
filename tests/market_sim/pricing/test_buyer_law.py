"""Buyers drawn from a law: who wants what, and what it is worth to them."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.pricing import BuyerLaw

LABELS, MEAN = (0.1, 0.2, 0.5), (3.0, 8.0, 20.0)


@pytest.mark.parametrize("spread", ["uniform", "exponential", "lognormal"])
def test_means_and_shares_are_those_of_the_law(spread):
    law = BuyerLaw(LABELS, MEAN, [2, 1, 1], spread)
    buyers = law.sample(np.random.default_rng(0), 40_000)
    assert np.allclose(buyers.demand, [0.5, 0.25, 0.25], atol=0.01)
    means = [buyers.value[buyers.wanted == j].mean() for j in range(3)]
    assert np.allclose(means, MEAN, rtol=0.04)
    assert (buyers.value > 0).all()


def test_the_uniform_draw_ends_at_twice_the_mean():
    buyers = BuyerLaw(LABELS, MEAN).sample(np.random.default_rng(0), 5000)
    ratio = buyers.value / np.array(MEAN)[buyers.wanted]
    assert 1.99 < ratio.max() <= 2.0


def test_the_same_seed_draws_the_same_buyers():
    first, second = (BuyerLaw(LABELS, MEAN).sample(np.random.default_rng(3), 9) for _ in "ab")
    assert np.array_equal(first.value, second.value)


def test_demand_is_equal_by_default_and_read_only():
    law = BuyerLaw(LABELS, MEAN)
    assert np.allclose(law.demand, 1 / 3)
    with pytest.raises(ValueError, match="read-only"):
        law.mean[0] = 1.0


@pytest.mark.parametrize(
    ("labels", "mean", "demand", "spread", "message"),
    [
        ((0.2, 0.1), (1, 2), None, "uniform", "labels must increase"),
        ((0.0, 0.1), (1, 2), None, "uniform", "labels"),
        ((0.1, 0.2), (1, 0), None, "uniform", "mean"),
        ((0.1, 0.2), (1, 2, 3), None, "uniform", "mean must be one number for each of 2 versions"),
        ((0.1, 0.2), (1, 2), (1, -1), "uniform", "demand"),
        ((0.1, 0.2), (1, 2), None, "normal", "spread must be one of .*got 'normal'"),
    ],
)
def test_bad_laws(labels, mean, demand, spread, message):
    with pytest.raises(ms.InvalidInput, match=message):
        BuyerLaw(labels, mean, demand, spread)


def test_fewer_buyers_than_versions():
    with pytest.raises(ms.InvalidInput, match="at least as many answers as versions"):
        BuyerLaw(LABELS, MEAN).sample(np.random.default_rng(0), 2)
