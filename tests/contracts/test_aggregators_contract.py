"""What every aggregator promises; a new public one is met here without being listed."""

import dataclasses
import inspect
import re

import numpy as np
import pytest
from discovery import by_name, implementations, instances
from generators import sales
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms

AGGREGATORS = instances(ms.Aggregator)
every = pytest.mark.parametrize("aggregator", AGGREGATORS, ids=by_name)


def test_what_is_discovered():
    assert {ms.DataSize, ms.ErrorOpt} <= set(implementations(ms.Aggregator))
    assert len({a.name for a in AGGREGATORS}) == len(AGGREGATORS) >= 5


@every
def test_is_a_frozen_documented_record_with_a_name(aggregator):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", aggregator.name)
    assert dataclasses.is_dataclass(aggregator)
    assert type(aggregator).__dataclass_params__.frozen
    assert "Source:" in (inspect.getdoc(type(aggregator)) or "")


@every
@given(sold=sales())
def test_weights_lie_on_the_simplex(aggregator, sold):
    epsilon, _ = sold
    before = epsilon.copy()
    weights = aggregator.weights(*sold)
    assert_array_equal(epsilon, before)
    assert weights.shape == epsilon.shape
    assert (weights >= 0).all()
    assert (weights[epsilon == 0] == 0).all()
    some = (epsilon > 0).any(axis=-1)
    assert_allclose(weights.sum(axis=-1), np.where(some, 1.0, 0.0), rtol=1e-12)
    assert_array_equal(np.isfinite(ms.error_bound(weights, *sold)), some)


@every
@given(sold=sales())
def test_a_batch_is_its_rows(aggregator, sold):
    epsilon, size = sold
    owners = epsilon.shape[-1]
    together = aggregator.weights(*sold).reshape(-1, owners)
    sizes = np.ones_like(epsilon) if size is None else size
    rows = zip(epsilon.reshape(-1, owners), sizes.reshape(-1, owners), strict=True)
    for row, (one, held) in enumerate(rows):
        assert_array_equal(together[row], aggregator.weights(one, held))


@every
@given(sold=sales(), factor=st.sampled_from([0.25, 2.0, 64.0]))
def test_only_shares_of_the_sizes_count(aggregator, sold, factor):
    epsilon, size = sold
    sizes = np.ones_like(epsilon) if size is None else size
    scaled = aggregator.weights(epsilon, sizes * factor)
    assert_array_equal(scaled, aggregator.weights(epsilon, sizes))


@every
def test_permutation_of_owners(aggregator):
    rng = np.random.default_rng(1)
    epsilon, size = rng.uniform(0.5, 5.0, (40, 7)), rng.uniform(1.0, 100.0, (40, 7))
    epsilon *= rng.random(epsilon.shape) < 0.7
    order = rng.permutation(7)
    moved = aggregator.weights(epsilon[:, order], size[:, order])
    assert_allclose(moved, aggregator.weights(epsilon, size)[:, order], rtol=1e-11, atol=1e-15)


@every
@pytest.mark.parametrize("epsilon", [1e-6, 1.0, 1e6])
def test_the_only_winner_has_all_the_weight(aggregator, epsilon):
    assert_array_equal(aggregator.weights([0.0, epsilon, 0.0]), [0.0, 1.0, 0.0])
    assert_array_equal(aggregator.weights([epsilon]), [1.0])


@every
@pytest.mark.parametrize(
    ("epsilon", "size", "name"),
    [
        ([1.0, -1.0], None, "epsilon"),
        ([1.0, np.nan], None, "epsilon"),
        ([1.0, np.inf], None, "epsilon"),
        ([], None, "epsilon"),
        (3.0, None, "epsilon"),
        ([1.0, 1.0], [1.0, 0.0], "data_size"),
        ([1.0, 1.0], [1.0, 1.0, 1.0], "data_size"),
        (np.ones((2, 2)), np.ones((3, 2)), "data_size"),
    ],
)
def test_bad_input(aggregator, epsilon, size, name):
    with pytest.raises(ms.InvalidInput, match=name):
        aggregator.weights(epsilon, size)
