"""What every learned auction promises, on markets of the law that its network was trained for."""

import dataclasses
import inspect
import re

import numpy as np
import pytest
import torch
from discovery import by_name, instances
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.mechanisms.networks import Bids, DifferentiableMechanism

LEARNED = [m for m in instances(ms.Mechanism) if hasattr(m, "law")]
every = pytest.mark.parametrize("mechanism", LEARNED, ids=by_name)
differentiable = pytest.mark.parametrize(
    "mechanism", [m for m in LEARNED if isinstance(m, DifferentiableMechanism)], ids=by_name
)


def market(mechanism, profiles=12, seed=5):
    return mechanism.law.sample(np.random.default_rng(seed), profiles)


def test_what_is_discovered():
    assert {"murba-low-10", "m-regret-net", "dm-regret-net"} <= {m.name for m in LEARNED}


@every
def test_is_a_frozen_documented_record_with_a_name(mechanism):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mechanism.name)
    assert type(mechanism).__dataclass_params__.frozen
    assert "Source:" in (inspect.getdoc(type(mechanism)) or "")
    assert dataclasses.replace(mechanism) == mechanism


@every
def test_outcome_of_any_reports_of_such_owners(mechanism):
    told, budget = market(mechanism, 60)
    rng = np.random.default_rng(6)
    for spread in (0.0, 0.5, 3.0):  # truths, lies, and lies without measure
        lies = told.scaled(np.exp(spread * rng.standard_normal(told.shape)))
        before = lies.valuations.rate.copy(), lies.cap.copy()
        outcome = mechanism.clear(lies, budget)
        assert outcome.epsilon.shape == outcome.payment.shape == told.shape
        assert (outcome.payment >= 0).all()
        assert (outcome.epsilon >= 0).all()
        assert (outcome.epsilon <= lies.cap).all()
        assert_array_equal(before, (lies.valuations.rate, lies.cap))
        if mechanism.guarantees.budget_feasible:
            assert (outcome.spent <= budget).all()


@every
def test_a_batch_is_its_rows(mechanism):
    told, budget = market(mechanism, 12)
    together = mechanism.clear(told, budget)
    size = told.data_size
    for row in range(12):
        one = ms.Reports(told.valuations[row], told.cap[row], None if size is None else size[row])
        alone = mechanism.clear(one, budget[row])
        assert_array_equal(alone.epsilon, together.epsilon[row])
        assert_array_equal(alone.payment, together.payment[row])


@every
def test_same_reports_same_outcome(mechanism):
    told, budget = market(mechanism)
    first, second = mechanism.clear(told, budget), mechanism.clear(told, budget)
    assert_array_equal(first.epsilon, second.epsilon)
    assert_array_equal(first.payment, second.payment)


@every
def test_the_unit_of_money_does_not_matter(mechanism):
    told, budget = market(mechanism)
    cents = mechanism.clear(told.scaled(64.0), 64.0 * budget)
    euros = mechanism.clear(told, budget)
    assert_allclose(cents.payment, 64.0 * euros.payment, rtol=1e-6)


@every
@pytest.mark.parametrize("budget", [0.0, -1.0, np.nan, [1.0, 2.0], "much"])
def test_budget_outside_its_domain(mechanism, budget):
    told, _ = market(mechanism, 3)
    with pytest.raises(ms.InvalidInput, match="budget"):
        mechanism.clear(told, budget)


@differentiable
def test_expectations_are_a_law_and_agree_with_what_is_cleared(mechanism):
    told, budget = market(mechanism, 40)
    law = mechanism.expected_outcome(Bids.from_reports(told), torch.tensor(budget))
    chance = law.probability.numpy()
    assert_allclose(chance.sum(axis=-1), 1.0, atol=1e-12)
    assert (chance >= 0).all()
    if mechanism.guarantees.deterministic:
        outcome = mechanism.clear(told, budget)
        assert_allclose(outcome.epsilon, law.epsilon.numpy(), rtol=1e-12, atol=1e-12)
        share = law.payment.numpy() / budget[:, None]
        assert_allclose(outcome.payment / budget[:, None], share, atol=1e-7)
        return
    draws = [mechanism.realize(seed).clear(told, budget) for seed in range(50)]
    sold = np.stack([outcome.epsilon for outcome in draws])
    error = sold.std(axis=0).mean() / np.sqrt(50)
    assert abs((sold.mean(axis=0) - law.epsilon.numpy()).mean()) < error
    paid = np.stack([outcome.payment for outcome in draws])
    assert_allclose(paid.mean(axis=0).sum(axis=-1), law.payment.numpy().sum(axis=-1), rtol=1e-6)
