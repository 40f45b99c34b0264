"""Baselines: what everybody gives, that nobody is paid, and what a market makes of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import market_sim as ms


def told(cap, value=1.0):
    cap = np.asarray(cap)
    return ms.Reports(ms.Valuations("linear", np.full(cap.shape[-1:], value)), cap)


@given(level=st.floats(0.01, 100.0), value=st.floats(0.0, 9.0))
def test_everybody_gives_the_same_up_to_her_cap(level, value):
    cap = np.array([[0.1, 1.0, 5.0], [2.0, 0.3, 80.0]])
    outcome = ms.UniformEpsilon(level).clear(told(cap, value), 3.0)
    assert_array_equal(outcome.epsilon, np.minimum(cap, level))
    assert not outcome.payment.any()
    assert_array_equal(outcome.spent, [0.0, 0.0])


def test_without_privacy_everybody_gives_all_and_no_noise_is_added():
    outcome = ms.NoPrivacy().clear(told([0.1, 7.0]), 3.0)
    assert outcome.epsilon.tolist() == [0.1, 7.0]
    assert not ms.NoPrivacy.perturbs
    assert ms.UniformEpsilon.perturbs
    assert ms.AllIn.perturbs


def test_names_tell_levels_apart():
    assert ms.UniformEpsilon().name == "uniform-epsilon"
    assert ms.UniformEpsilon(0.5).name == "uniform-epsilon-0.5"
    assert ms.UniformEpsilon(np.inf).name == "uniform-epsilon-inf"


def test_guarantees_are_honest():
    for rule in (ms.UniformEpsilon(), ms.NoPrivacy()):
        promise = rule.guarantees
        assert promise.budget_feasible
        assert not promise.individually_rational
        truth = told([1.0, 2.0])
        utility = rule.clear(truth, 5.0).utility(truth.valuations, truth.cap)
        assert (utility < 0).all()


@pytest.mark.parametrize("level", [0.0, -1.0, np.nan, [1.0, 2.0], "much"])
def test_bad_input(level):
    with pytest.raises(ms.InvalidInput, match="epsilon"):
        ms.UniformEpsilon(level)
