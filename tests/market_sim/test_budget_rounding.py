"""Hard budgets hold to the last digit, however unequal the caps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.mechanisms._rounding import within_budget

MAGNITUDE = st.floats(-12.0, 12.0)


def test_what_fits_is_left_alone():
    sold, paid = np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]])
    for given_, found in zip((sold, paid), within_budget(np.array([1.0]), sold, paid), strict=True):
        np.testing.assert_array_equal(given_, found)


def test_an_excess_shrinks_sales_and_payments_alike():
    sold, paid = within_budget(np.array([1.0, 9.0]), np.ones((2, 2)), np.full((2, 2), 2.0))
    assert paid[0].sum() <= 1.0
    np.testing.assert_allclose(paid[0], [0.5, 0.5], rtol=1e-14)
    np.testing.assert_allclose(paid / sold, 2.0)
    np.testing.assert_array_equal(paid[1], [2.0, 2.0])


@settings(max_examples=60)
@pytest.mark.parametrize("rule", [ms.LeaveOneOut("hard"), ms.MFGRegretNet()], ids=["hard", "net"])
@given(logs=st.lists(st.tuples(MAGNITUDE, MAGNITUDE), min_size=2, max_size=5), money=MAGNITUDE)
def test_hard_budgets_hold_for_any_magnitudes(rule, logs, money):
    value, cap = 10.0 ** np.array(logs).T
    budget = 10.0**money
    outcome = rule.clear(ms.Reports(ms.Valuations.linear(value), cap), budget)
    assert outcome.spent <= budget
    assert np.isfinite(outcome.payment).all()
