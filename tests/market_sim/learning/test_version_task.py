"""Training under noise that owners chose: what a sample can change, and how much noise there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.learning import VersionTask
from market_sim.learning.datasets import Dataset, TrainTest
from market_sim.learning.partitions import quantity_skew
from market_sim.streams import Streams
from market_sim.versions import OwnerNoise, global_noise

OWNERS = 5


def toy(samples=60, seed=0, replaced=None, label=0):
    """Blobs that a linear model separates; `replaced` has the features and label of another."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 2 * samples)
    features = 3 * np.eye(3, 16)[labels] + rng.normal(size=(labels.size, 16))
    if replaced is not None:
        features[replaced], labels[replaced] = -100.0 * features[replaced] + 7.0, label
    shaped = features.reshape(-1, 1, 4, 4)
    train = Dataset(shaped[:samples], labels[:samples], 3)
    return TrainTest("toy", train, Dataset(shaped[samples:], labels[samples:], 3))


def make(data=None, rounds=1, clip=0.5, rate=2.0, seed=0):
    held = toy()
    partition = quantity_skew(held.train.labels, OWNERS, np.random.default_rng(1), alpha=2.0)
    return VersionTask(
        data or held,
        "logistic",
        partition,
        rounds=rounds,
        learning_rate=rate,
        clip=clip,
        streams=Streams(seed),
    ), partition


def alone(owner):
    """Return no noise for one owner, all others out."""
    return np.where(np.arange(OWNERS) == owner, 0.0, np.inf)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, OWNERS - 1), st.integers(0, 2), st.floats(0.05, 5.0))
def test_replacing_a_sample_moves_the_upload_by_at_most_twice_the_clip_a_sample(owner, label, clip):
    task, partition = make(clip=clip)
    sample = int(partition.indices[owner][0])
    other, _ = make(toy(replaced=sample, label=label), clip=clip)
    moved = np.linalg.norm(task.train(alone(owner)) - other.train(alone(owner)))
    assert moved <= 2 * clip / task.data_size[owner] * (1 + 1e-6)


def test_the_bound_is_nearly_reached():
    task, partition = make(clip=1e-3)
    sample = int(partition.indices[0][0])
    moves = []
    for label in range(3):
        other, _ = make(toy(replaced=sample, label=label), clip=1e-3)
        moves.append(np.linalg.norm(task.train(alone(0)) - other.train(alone(0))))
    assert max(moves) > 1.5e-3 / task.data_size[0]


def test_the_noise_of_one_round_is_that_of_the_aggregate():
    task, _ = make()
    noise = OwnerNoise(clip=0.5).scale(np.array([2.0, 3.0, 4.0, 0.0, 5.0]), task.data_size)
    clean = task.train(np.where(np.isfinite(noise), 0.0, np.inf))
    draws = np.concatenate([task.train(noise, sale) - clean for sale in range(120)])
    assert draws.std() == pytest.approx(float(global_noise(noise, task.data_size)), rel=0.03)
    assert abs(draws.mean()) < 4 * draws.std() / np.sqrt(draws.size)


def test_training_repeats_bit_for_bit_and_other_sales_differ():
    task, _ = make(rounds=3)
    noise = np.full(OWNERS, 0.01)
    first = task.train(noise, 1)
    assert not np.array_equal(first, task.train(noise, 2))
    assert np.array_equal(first, task.train(noise, 1))
    assert np.array_equal(first, make(rounds=3)[0].train(noise, 1))


def test_an_owner_draws_the_same_noise_whoever_else_is_there():
    task, _ = make()
    noise = np.full(OWNERS, 0.1)
    pair = np.where(np.arange(OWNERS) < 2, noise, np.inf)
    share = task.data_size / task.data_size.sum()
    added = task.train(noise) - task.train(np.where(np.arange(OWNERS) == 0, 0.0, noise))
    both = task.train(pair) - task.train(np.where(np.arange(OWNERS) == 0, 0.0, pair))
    weight = share[0] / (task.data_size[0] / task.data_size[:2].sum())
    assert np.allclose(added, weight * both, atol=1e-9)


def test_without_noise_the_model_learns_and_evaluates_as_it_trained():
    task, _ = make(rounds=30, clip=5.0)
    found = task.train(np.zeros(OWNERS))
    assert task.evaluate(found).accuracy > 0.8
    assert task.evaluate(np.zeros(task.dimension)).accuracy < 0.7


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (np.full(OWNERS, np.inf), "every owner stays out"),
        (np.zeros(2), "noise must be one number for each of 5 owners"),
        (np.full(OWNERS, -1.0), "noise"),
    ],
)
def test_bad_noise(noise, message):
    with pytest.raises(ms.InvalidInput, match=message):
        make()[0].train(noise)


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"clip": 0.0}, {"rate": -1.0}])
def test_bad_settings(wrong):
    with pytest.raises(ms.InvalidInput):
        make(**wrong)
