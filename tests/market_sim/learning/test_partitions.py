"""Partitions share every sample out once, the same way for the same generator."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.learning.partitions import Partition, dirichlet, iid, quantity_skew, shards

LAWS = [iid, dirichlet, shards, quantity_skew]


def labels_of(samples, classes=5, seed=0):
    return np.random.default_rng(seed).integers(0, classes, samples)


@pytest.mark.parametrize("law", LAWS)
@given(owners=st.integers(1, 30), extra=st.integers(0, 200), seed=st.integers(0, 5))
def test_every_sample_has_one_owner_and_every_owner_a_sample(law, owners, extra, seed):
    labels = labels_of(2 * owners + extra)
    partition = law(labels, owners, np.random.default_rng(seed))
    assert partition.owners == owners
    assert partition.data_size.min() >= 1
    held = np.sort(np.concatenate(partition.indices))
    assert np.array_equal(held, np.arange(labels.size))


@pytest.mark.parametrize("law", LAWS)
def test_the_generator_decides(law):
    labels = labels_of(300)
    first, again, other = (law(labels, 7, np.random.default_rng(seed)) for seed in (1, 1, 2))
    pairs = list(zip(first.indices, again.indices, strict=True))
    assert all(np.array_equal(left, right) for left, right in pairs)
    assert not np.array_equal(np.concatenate(first.indices), np.concatenate(other.indices))


def classes_held(partition, labels):
    return np.mean([np.unique(labels[own]).size for own in partition.indices])


def test_iid_sizes_differ_by_one_at_most():
    assert set(iid(labels_of(103), 10, np.random.default_rng(0)).data_size) == {10.0, 11.0}


def test_small_alpha_concentrates_classes():
    labels = labels_of(2000, classes=10)
    skewed = dirichlet(labels, 20, np.random.default_rng(0), alpha=0.05)
    even = dirichlet(labels, 20, np.random.default_rng(0), alpha=100.0)
    assert classes_held(skewed, labels) < 4
    assert classes_held(even, labels) > 9.5


def test_dirichlet_leaves_nobody_empty_handed():
    labels = np.repeat([0, 1], 30)
    partition = dirichlet(labels, 60, np.random.default_rng(0), alpha=0.01)
    assert np.array_equal(partition.data_size, np.ones(60))


def test_shards_bound_the_classes_of_an_owner():
    labels = np.repeat(np.arange(10), 100)
    partition = shards(labels, 20, np.random.default_rng(0), per_owner=2)
    assert max(np.unique(labels[own]).size for own in partition.indices) <= 2
    assert set(partition.data_size) == {50.0}


def test_quantity_skew_with_given_sizes():
    partition = quantity_skew(labels_of(50), 3, np.random.default_rng(0), sizes=[30, 5, 1])
    assert np.array_equal(partition.data_size, [30, 5, 1])


def test_quantity_skew_is_skewed_by_alpha():
    few = quantity_skew(labels_of(1000), 10, np.random.default_rng(0), alpha=0.1).data_size
    even = quantity_skew(labels_of(1000), 10, np.random.default_rng(0), alpha=1000.0).data_size
    assert few.std() > 10 * even.std()


def test_capped_keeps_a_part_of_each():
    partition = iid(labels_of(100), 4, np.random.default_rng(0))
    capped = partition.capped(7)
    assert np.array_equal(capped.data_size, np.full(4, 7.0))
    assert all(set(c) <= set(p) for c, p in zip(capped.indices, partition.indices, strict=True))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: iid(labels_of(3), 4, rng), "4 owners cannot each hold one of 3 samples"),
        (lambda rng: iid(labels_of(3), 0, rng), "give between 1 and 3 owners"),
        (lambda rng: iid([], 1, rng), "labels must be one axis with entries"),
        (lambda rng: dirichlet(labels_of(9), 3, rng, alpha=0.0), "alpha must be greater than 0"),
        (lambda rng: shards(labels_of(9), 5, rng), "5 owners with 2 shards each"),
        (lambda rng: shards(labels_of(9), 2, rng, per_owner=0), "per_owner must be at least 1"),
        (lambda rng: quantity_skew(labels_of(9), 2, rng, sizes=[5, 5]), "add up to 10"),
        (lambda rng: quantity_skew(labels_of(9), 2, rng, sizes=[5]), "sizes must be 2 integers"),
        (lambda rng: quantity_skew(labels_of(9), 2, rng, sizes=[1.5, 2]), "sizes must be 2 int"),
        (lambda rng: iid(labels_of(9), 2, rng).capped(0), "samples_per_owner must be at least 1"),
        (lambda _: Partition((), 3), "at least one owner"),
        (lambda _: Partition((np.array([0]), np.array([], dtype=int)), 3), "owner 1 got no sample"),
        (lambda _: Partition((np.array([0]), np.array([0])), 3), "two owners hold the same"),
        (lambda _: Partition((np.array([3]),), 3), "outside the 3 samples"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(InvalidInput, match=message):
        call(np.random.default_rng(0))
