import numpy as np
import pytest
from generators import budgets, reports
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms


@given(data=st.data())
def test_identities(data):
    told = data.draw(reports())
    outcome = ms.AllIn().clear(told, data.draw(budgets(told)))
    assert_allclose(outcome.spent + outcome.unspent, outcome.budget, rtol=1e-12)
    utility, cost = outcome.utility(told.valuations), outcome.cost(told.valuations)
    assert_allclose(utility + cost, outcome.payment, rtol=1e-9, atol=1e-9)
    assert_array_equal(outcome.winners, outcome.epsilon > 0)
    assert_allclose(cost, told.cost(outcome.epsilon))


def test_by_hand():
    outcome = ms.Outcome([[2.0, 0.0], [0.0, 0.0]], [[5.0, 0.0], [0.0, 0.0]], [6.0, 1.0])
    assert_array_equal(outcome.spent, [5.0, 0.0])
    assert_array_equal(outcome.unspent, [1.0, 1.0])
    assert_array_equal(outcome.winners, [[True, False], [False, False]])
    truth = ms.Valuations("quadratic", [1.0, 1.0])
    assert_array_equal(outcome.utility(truth), [[1.0, 0.0], [0.0, 0.0]])


def test_overspending_shows():
    assert ms.Outcome([1.0], [5.0], 3.0).unspent == -2.0


def test_utility_beyond_the_true_cap_is_minus_infinity():
    outcome = ms.Outcome([2.0, 2.0], [9.0, 9.0], 20.0)
    truth = ms.Valuations("linear", [1.0, 1.0])
    assert_array_equal(outcome.utility(truth, cap=[1.9, 2.0]), [-np.inf, 5.0])
    assert_array_equal(outcome.utility(truth, cap=2.0 * (1 - 1e-15)), [5.0, 5.0])


def test_sizes_multiply_the_cost_and_may_be_misreported():
    outcome = ms.Outcome([1.0, 1.0], [9.0, 9.0], 20.0, data_size=[2.0, 3.0])
    truth = ms.Valuations("linear", [1.0, 1.0])
    assert_array_equal(outcome.utility(truth), [5.0, 3.0])
    assert_array_equal(outcome.utility(truth, data_size=[4.0, 4.0]), [1.0, 1.0])


def test_true_valuations_of_many_attacks():
    outcome = ms.Outcome(np.ones((7, 3, 2)), np.ones((7, 3, 2)), np.full((7, 3), 2.0))
    assert outcome.utility(ms.Valuations("linear", np.ones((3, 2)))).shape == (7, 3, 2)


def test_outcome_cannot_be_changed():
    outcome = ms.Outcome([1.0], [1.0], 1.0)
    with pytest.raises(ValueError, match="read-only"):
        outcome.payment[0] = 2.0
