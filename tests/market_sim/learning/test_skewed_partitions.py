"""Clusters of like owners, and few classes each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.learning.personal_quality import label_mix
from market_sim.learning.skewed_partitions import class_skew, cluster, cluster_of


def labels_of(samples, classes=10, seed=0):
    return np.random.default_rng(seed).integers(0, classes, samples)


@given(owners=st.integers(3, 30), extra=st.integers(0, 300), seed=st.integers(0, 5))
def test_clusters_share_out_every_sample_and_leave_nobody_empty(owners, extra, seed):
    labels = labels_of(2 * owners + extra)
    partition = cluster(labels, owners, np.random.default_rng(seed))
    assert partition.owners == owners
    assert partition.data_size.min() >= 1
    held = np.sort(np.concatenate(partition.indices))
    assert np.array_equal(held, np.arange(labels.size))


@pytest.mark.parametrize("law", [cluster, class_skew])
def test_the_generator_decides(law):
    labels = labels_of(400)
    first, again, other = (law(labels, 7, np.random.default_rng(seed)) for seed in (1, 1, 2))
    pairs = list(zip(first.indices, again.indices, strict=True))
    assert all(np.array_equal(left, right) for left, right in pairs)
    assert not np.array_equal(np.concatenate(first.indices), np.concatenate(other.indices))


def test_owners_of_a_cluster_are_alike_and_others_are_not():
    labels = labels_of(9000)
    partition = cluster(labels, 9, np.random.default_rng(0), alpha=0.05, inside=1000.0)
    mix = label_mix(labels, partition, 10)
    gaps = np.abs(mix[:, None] - mix[None, :]).sum(axis=2)
    group = cluster_of(9, 3)
    same = group[:, None] == group[None, :]
    assert gaps[same].max() < 0.2
    assert gaps[~same].min() > 1.0


def test_clusters_are_neighbors_of_about_one_size():
    assert cluster_of(7, 3).tolist() == [0, 0, 0, 1, 1, 2, 2]


@given(owners=st.integers(2, 15), each=st.integers(1, 10), seed=st.integers(0, 5))
def test_each_owner_has_so_many_classes_held_by_about_as_many(owners, each, seed):
    labels = np.repeat(np.arange(10), 30)
    partition = class_skew(labels, owners, np.random.default_rng(seed), classes_each=each)
    held = np.array([np.bincount(labels[own], minlength=10) > 0 for own in partition.indices])
    assert (held.sum(axis=1) == each).all()
    holders = held.sum(axis=0)
    assert holders.max() - holders.min() <= 1
    shared = np.concatenate(partition.indices)
    assert shared.size == 30 * (holders > 0).sum()


def test_a_class_is_shared_equally():
    labels = np.repeat([0, 1], 50)
    partition = class_skew(labels, 4, np.random.default_rng(0), classes_each=1)
    assert partition.data_size.tolist() == [25.0] * 4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda rng: cluster(labels_of(50), 2, rng, clusters=3), "3 clusters need"),
        (lambda rng: cluster(labels_of(50), 5, rng, alpha=0.0), "alpha"),
        (lambda rng: cluster(labels_of(50), 5, rng, inside=-1.0), "inside"),
        (lambda rng: cluster(labels_of(3), 5, rng), "5 owners"),
        (lambda rng: cluster(labels_of(50), 5, rng, alpha=[1, 2]), "alpha must be one number"),
        (lambda rng: cluster(labels_of(50), 3.5, rng), "owners must be a whole number"),
        (lambda rng: class_skew(labels_of(50, 3), 5, rng, classes_each=4), "there are 3 classes"),
        (lambda rng: class_skew(labels_of(50, 3), 5, rng, classes_each=0), "classes_each"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InvalidInput, match=words):
        call(np.random.default_rng(0))
