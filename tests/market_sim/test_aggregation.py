"""The closed-form aggregators and the error bound, beside their formulas."""

import numpy as np
import pytest
from generators import sales
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms

EPSILON = np.array([1.0, 0.0, 2.0, 4.0, 0.0])
SIZE = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
EVERY = (ms.DataSize(), ms.BiasOpt(), ms.WaterFilling(), ms.VarOpt(), ms.ErrorOpt())


def squared_bias(weights, size):
    share = size / size.sum(axis=-1, keepdims=True)
    return np.abs(weights - share).sum(axis=-1) ** 2


def test_data_size_is_proportional_to_samples():
    assert_allclose(ms.DataSize().weights(EPSILON, SIZE), [1 / 8, 0, 3 / 8, 4 / 8, 0])


def test_var_opt_is_proportional_to_the_square():
    assert_allclose(ms.VarOpt().weights(EPSILON, SIZE), np.square(EPSILON) / 21)


def test_bias_opt_gives_the_rest_to_the_largest():
    assert_allclose(ms.BiasOpt().weights(EPSILON), [0.2, 0, 0.2, 0.6, 0])
    assert_allclose(ms.BiasOpt().weights(EPSILON, SIZE), [0.05, 0, 0.15, 0.8, 0])
    assert_allclose(ms.BiasOpt().weights([2.0, 2.0, 0.0]), [2 / 3, 1 / 3, 0])


def test_water_filling_by_hand():
    # Level c: max(1/5, c), max(1/5, 4 c), max(1/5, 16 c) sum to 1, so c = .6 / 16 < 1/20.
    assert_allclose(ms.WaterFilling().weights(EPSILON), [0.2, 0, 0.2, 0.6, 0])
    # Here both of the larger ones leave their floor: c (9 + 16) = 3/4.
    expected = [0.25, 0.75 * 9 / 25, 0.75 * 16 / 25, 0]
    assert_allclose(ms.WaterFilling().weights([1.0, 3.0, 4.0, 0.0]), expected)


@given(sold=sales())
def test_least_squared_bias(sold):
    epsilon, _ = sold
    winners = (epsilon > 0).sum(axis=-1)
    expected = np.square(2 * (1 - winners / epsilon.shape[-1]))
    some = winners > 0
    for aggregator in (ms.BiasOpt(), ms.WaterFilling()):
        bias = squared_bias(aggregator.weights(epsilon), np.ones_like(epsilon))
        assert_allclose(bias[some], expected[some], atol=1e-12)


@given(sold=sales())
def test_water_filling_never_worse_than_bias_opt_at_its_bias(sold):
    epsilon, size = sold
    filled, first = ms.WaterFilling().weights(*sold), ms.BiasOpt().weights(*sold)
    sizes = np.ones_like(epsilon) if size is None else size
    some = (epsilon > 0).any(axis=-1)
    assert_allclose(
        squared_bias(filled, sizes)[some], squared_bias(first, sizes)[some], rtol=1e-9, atol=1e-12
    )
    assert (ms.error_bound(filled, *sold) <= ms.error_bound(first, *sold) * (1 + 1e-12)).all()


@pytest.mark.parametrize("dim", [1, 40])
@given(sold=sales())
def test_least_variance(dim, sold):
    epsilon, size = sold
    weights = ms.VarOpt().weights(*sold)
    some = (epsilon > 0).any(axis=-1)
    sizes = np.ones_like(epsilon) if size is None else size
    variance = ms.error_bound(weights, *sold, clip=3.0, dim=dim) - 9 * squared_bias(weights, sizes)
    expected = 8 * dim * 9 / np.square(epsilon[some]).sum(axis=-1)
    assert_allclose(variance[some], expected, rtol=1e-6, atol=1e-12)
    for rival in EVERY:
        other = rival.weights(*sold)
        ratio = np.divide(other, epsilon, out=np.zeros_like(other), where=other > 0)
        assert (8 * dim * 9 * np.square(ratio).sum(-1)[some] >= expected * (1 - 1e-12)).all()


def test_error_bound_by_hand():
    weights, epsilon, size = np.array([0.5, 0.5, 0.0]), np.array([1.0, 2.0, 0.0]), [1.0, 1.0, 2.0]
    variance = 8 * (0.25 / 1 + 0.25 / 4)
    assert_allclose(ms.error_bound(weights, epsilon, size), variance + 1.0)
    assert_allclose(ms.error_bound(weights, epsilon, size, clip=2.0, dim=3), 12 * variance + 4.0)


def test_error_bound_is_infinite_without_a_seller():
    assert ms.error_bound(np.zeros(3), np.zeros(3)) == np.inf
    assert ms.error_bound(np.zeros(3), np.ones(3)) == np.inf
    assert ms.error_bound([0.5, 0.5], [1.0, 0.0]) == np.inf
    mixed = ms.error_bound([[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]])
    assert_array_equal(np.isinf(mixed), [False, True])


def test_error_bound_broadcasts_profiles():
    weights = np.full((3, 1, 2), 0.5)
    epsilon = np.array([[1.0, 2.0], [2.0, 2.0]])
    bound = ms.error_bound(weights, epsilon, [1.0, 3.0])
    assert bound.shape == (3, 2)
    assert_allclose(bound[1, 0], ms.error_bound([0.5, 0.5], [1.0, 2.0], [1.0, 3.0]))


def test_tiny_and_huge_sales_neither_vanish_nor_overflow():
    for aggregator in EVERY:
        for epsilon in ([1e-200, 1e-200, 0.0], [1e200, 1.0, 0.0]):
            weights = aggregator.weights(epsilon)
            assert_allclose(weights.sum(), 1.0)
            assert weights[2] == 0


def test_names():
    names = [aggregator.name for aggregator in EVERY]
    assert names == ["data-size", "bias-opt", "water-filling", "var-opt", "error-opt"]


def test_epsilon_share_is_proportional_to_epsilon():
    assert_allclose(ms.EpsilonShare().weights(EPSILON, SIZE), EPSILON / 7)
    assert_allclose(ms.EpsilonShare().weights([1e308, 1e308, 0.0]), [0.5, 0.5, 0.0])


def test_which_rules_weigh_noise():
    assert not ms.EpsilonShare.weighs_noise
    assert all(rule.weighs_noise for rule in EVERY)
