"""Confidence sets on costs: they hold the truth, and shrink to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.acquisition.confidence import CostBounds


def choices(costs, alphas, rng, noise=0.0):
    """Yield best responses of users to random payments."""
    everyone = np.arange(len(costs))
    for alpha in alphas:
        payments = np.sort(rng.random(costs.shape), axis=1)
        payments[:, 0] = 0.0
        payoff = alpha * payments - costs + noise * rng.random(costs.shape)
        yield everyone, payoff.argmax(axis=1), payments, alpha


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.integers(2, 4), noise=st.sampled_from([0.0, 0.05]))
def test_the_truth_stays_inside(seed, levels, noise):
    rng = np.random.default_rng(seed)
    costs = np.sort(rng.random((4, levels)), axis=1) * 0.6
    costs[:, 0] = 0.0
    bounds = CostBounds(4, levels, margin=noise + 1e-12)
    for choice in choices(costs, rng.random(60), rng, noise):
        bounds.observe(*choice)
    assert bounds.contradictions == 0
    assert (bounds.low <= costs + 1e-9).all()
    assert (bounds.high >= costs - 1e-9).all()
    difference = costs[:, :, None] - costs[:, None]
    assert (difference <= bounds.bound + 1e-9).all()


def test_bounds_shrink_to_the_truth():
    rng = np.random.default_rng(3)
    costs = np.array([[0.0, 0.2, 0.3], [0.0, 0.05, 0.6]])
    bounds = CostBounds(2, 3)
    for choice in choices(costs, rng.random(3000), rng):
        bounds.observe(*choice)
    assert bounds.low == pytest.approx(costs, abs=0.06)
    assert bounds.high == pytest.approx(costs, abs=0.06)


def test_lower_ends_explain_all_choices_together():
    rng = np.random.default_rng(4)
    costs = np.array([[0.0, 0.2, 0.3, 0.45]])
    bounds, seen = CostBounds(1, 4), []
    for choice in choices(costs, rng.random(200), rng):
        bounds.observe(*choice)
        seen.append(choice)
    for _, chosen, payments, alpha in seen:
        payoff = alpha * payments[0] - bounds.low[0]
        assert payoff[chosen[0]] >= payoff.max() - 1e-9


def test_a_chain_of_two_choices_bounds_a_level_never_compared_with_nothing():
    bounds = CostBounds(1, 3)
    one = np.array([0])
    bounds.observe(one, np.array([1]), np.array([[0.0, 0.4, 0.0]]), 1.0)  # c1 <= .4
    bounds.observe(one, np.array([2]), np.array([[-9.0, 0.1, 0.3]]), 1.0)  # c2 <= c1 + .2
    assert bounds.high[0] == pytest.approx([0.0, 0.4, 0.6])


def test_costs_that_change_are_noticed_and_learned_anew():
    bounds, one = CostBounds(1, 2), np.array([0])
    paid = np.array([[0.0, 1.0]])
    bounds.observe(one, np.array([1]), paid, 0.2)  # c <= .2
    bounds.observe(one, np.array([0]), paid, 0.5)  # c >= .5
    assert bounds.contradictions == 1
    assert bounds.low[0, 1] == pytest.approx(0.5)
    assert np.isinf(bounds.high[0, 1])


def test_a_choice_that_no_cost_explains_teaches_nothing():
    bounds, one = CostBounds(1, 2), np.array([0])
    bounds.observe(one, np.array([1]), np.array([[0.0, -1.0]]), 0.5)
    assert bounds.contradictions == 1
    assert bounds.low[0, 1] == 0
    assert np.isinf(bounds.high[0, 1])
