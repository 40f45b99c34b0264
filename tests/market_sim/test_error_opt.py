"""ErrorOpt and WaterFilling: optimal, by a lower bound, by another solver and by their rivals."""

import numpy as np
import pytest
from generators import sales
from hypothesis import given
from hypothesis import strategies as st
from least_error import lower_bound, objective
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms

RIVALS = (ms.DataSize(), ms.BiasOpt(), ms.WaterFilling(), ms.VarOpt())


def rows(epsilon, data_size):
    """One profile at a time: epsilon and shares."""
    size = np.ones_like(epsilon) if data_size is None else data_size
    share = size / size.sum(axis=-1, keepdims=True)
    owners = epsilon.shape[-1]
    return zip(epsilon.reshape(-1, owners), share.reshape(-1, owners), strict=True)


def assert_optimal(epsilon, data_size, dim, tolerance=1e-11):
    weights = ms.ErrorOpt(dim=dim).weights(epsilon, data_size).reshape(-1, epsilon.shape[-1])
    for weight, (sold, share) in zip(weights, rows(epsilon, data_size), strict=True):
        if not sold.any():
            assert_array_equal(weight, 0.0)
            continue
        reached = objective(weight, sold, share, dim)
        assert reached - lower_bound(weight, sold, share, dim) <= tolerance * reached


@given(sold=sales(), dim=st.sampled_from([1, 2, 50, 10**6]))
def test_no_weights_can_be_better(sold, dim):
    assert_optimal(*sold, dim)


@pytest.mark.parametrize("dim", [1, 1_000, 10**6])
@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0, 6.0])
@pytest.mark.parametrize("owners", [1, 2, 10, 100, 2_000])
def test_random_and_extreme_input(owners, spread, dim):
    rng = np.random.default_rng(owners)
    epsilon = 10.0 ** rng.uniform(-spread, spread, (6, owners))
    epsilon *= rng.random(epsilon.shape) < 0.7
    assert_optimal(epsilon, rng.pareto(0.8, epsilon.shape) + 1e-3, dim)
    assert_optimal(epsilon, None, dim)


@pytest.mark.parametrize("epsilon", [1e-6, 0.5, 30.0, 1e6])
def test_equal_sales_keep_the_shares(epsilon):
    size = np.array([3.0, 3.0, 3.0, 3.0])
    weights = ms.ErrorOpt(dim=7).weights(np.full(4, epsilon), size)
    assert_allclose(weights, 0.25, rtol=1e-14)
    assert_allclose(ms.error_bound(weights, np.full(4, epsilon), size), 2.0 / epsilon**2)


def test_between_the_least_bias_and_the_least_variance():
    epsilon, size = np.array([0.5, 1.0, 4.0, 0.0]), np.array([5.0, 2.0, 2.0, 1.0])
    exact = ms.ErrorOpt(dim=1).weights(epsilon * 1e5, size)
    noisy = ms.ErrorOpt(dim=10**6).weights(epsilon * 1e-2, size)
    assert_allclose(exact, ms.WaterFilling().weights(epsilon, size), rtol=1e-6)
    assert_allclose(noisy, ms.VarOpt().weights(epsilon, size), rtol=1e-6)


def test_two_owners_in_closed_form():
    # x on the first, 1 - x on the second of equal shares, both of whom sold, eps_1 > eps_2:
    # minimize c1 x^2 + c2 (1 - x)^2 + (2 x - 1)^2 over x >= 1/2.
    first, second = 8 / 2.0**2, 8 / 1.0**2
    expected = (second + 2.0) / (first + second + 4.0)
    assert_allclose(ms.ErrorOpt().weights([2.0, 1.0]), [expected, 1 - expected], rtol=1e-14)


@given(sold=sales(), dim=st.sampled_from([1, 100, 10**5]))
def test_never_worse_than_the_others(sold, dim):
    best = ms.error_bound(ms.ErrorOpt(dim=dim).weights(*sold), *sold, dim=dim)
    for rival in RIVALS:
        bound = ms.error_bound(rival.weights(*sold), *sold, dim=dim)
        assert (best <= bound * (1 + 1e-12)).all()


@given(sold=sales(), clip=st.floats(1e-3, 1e3))
def test_clip_cancels_from_the_weights(sold, clip):
    plain = ms.ErrorOpt()
    assert_array_equal(ms.ErrorOpt(clip=clip).weights(*sold), plain.weights(*sold))


@pytest.mark.parametrize(
    "settings",
    [
        {"clip": 0.0},
        {"clip": np.nan},
        {"dim": 0},
        {"dim": 1.5},
        {"dim": np.inf},
        {"dim": np.nan},
        {"dim": "many"},
    ],
)
def test_settings_outside_their_domain(settings):
    with pytest.raises(ms.InvalidInput, match=next(iter(settings))):
        ms.ErrorOpt(**settings)
    sold = np.ones(3)
    with pytest.raises(ms.InvalidInput, match=next(iter(settings))):
        ms.error_bound(sold / 3, sold, **settings)
