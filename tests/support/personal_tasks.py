"""Small tasks of personal models: two clusters of participants with classes of their own."""

import numpy as np

from market_sim.learning.datasets import Dataset, TrainTest
from market_sim.learning.partitions import Partition
from market_sim.learning.personal import PersonalTask
from market_sim.streams import Streams

CLUSTER = np.array([0, 0, 0, 1, 1, 1])
SAME = CLUSTER[:, None] == CLUSTER[None, :]
IN_CLUSTER = SAME & ~np.eye(6, dtype=bool)


def blobs(samples, seed=0, spread=1.2, shape=(1, 4, 4)):
    """Four classes; 0 and 1 belong to the first cluster, 2 and 3 to the second."""
    rng = np.random.default_rng(seed)
    labels = np.arange(samples) % 4
    centers = 2.0 * np.random.default_rng(99).normal(size=(4, 16)) / 4
    features = centers[labels] + spread * rng.normal(size=(samples, 16)) / 2
    return Dataset(features.reshape(-1, *shape), labels, 4)


def two_clusters(each=8):
    """Six participants of `each` samples: three have classes 0 and 1, three 2 and 3."""
    train, test = blobs(24 * each, 1), blobs(400, 2)
    first, second = (np.flatnonzero(train.labels // 2 == number) for number in (0, 1))
    pieces = [*np.split(first[: 3 * each], 3), *np.split(second[: 3 * each], 3)]
    return TrainTest("two clusters", train, test), Partition(tuple(pieces), len(train))


def make(model="logistic", each=8, seed=0, **more):
    """Return a task on two clusters."""
    data, partition = two_clusters(each)
    more = {"learning_rate": 0.1, "batch": 4, "local_steps": 5} | more
    return PersonalTask(data, model, partition, streams=Streams(seed), **more)
