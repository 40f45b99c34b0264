"""What every family of valuations promises."""

import numpy as np
import pytest
from generators import valuations
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import market_sim as ms

every = pytest.mark.parametrize("kind", ms.KINDS)
amounts = st.floats(0.0, 600.0)


@every
def test_nothing_sold_costs_nothing(kind):
    assert_array_equal(ms.Valuations(kind, [0.0, 1.0, 5.0]).cost(0.0), np.zeros(3))


@every
@given(low=amounts, high=amounts, rate=st.floats(0.0, 1e6))
def test_non_decreasing(kind, low, high, rate):
    less, more = sorted((low, high))
    valuation = ms.Valuations(kind, [rate])
    assert valuation.cost(less)[0] <= valuation.cost(more)[0]
    assert valuation.cost(less)[0] >= 0


@every
@given(epsilon=amounts)
def test_proportional_to_the_rate(kind, epsilon):
    one, four = ms.Valuations(kind, [1.0, 4.0]).cost(epsilon)
    assert four == 4 * one


@given(mixed=valuations())
def test_a_population_is_its_owners(mixed):
    epsilon = np.linspace(0.0, 30.0, mixed.shape[-1])
    together = mixed.cost(epsilon).reshape(-1)
    alone = zip(
        mixed.names.reshape(-1),
        mixed.rate.reshape(-1),
        np.broadcast_to(epsilon, mixed.shape).reshape(-1),
        strict=True,
    )
    for cost, (kind, rate, amount) in zip(together, alone, strict=True):
        assert cost == pytest.approx(ms.Valuations(kind, [rate]).cost(amount)[0], rel=1e-14)


@every
@pytest.mark.parametrize("epsilon", [-1e-9, np.nan, np.inf, "much", 1j])
def test_bad_input(kind, epsilon):
    with pytest.raises(ms.InvalidInput, match="epsilon"):
        ms.Valuations(kind, [1.0]).cost(epsilon)
