"""From raw arrays to training and test sets: splits, one-hot columns, standardized numbers."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.learning.datasets import Dataset, TrainTest
from market_sim.learning.readers import Table
from market_sim.streams import Streams

TEST_SHARE = 0.2


def stratified_split(
    labels: NDArray[np.int64], seed: int, test_share: float = TEST_SHARE
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return training and test indices; each class gives the same share to the test set."""
    rng = Streams(seed).generator("test split")
    test = np.zeros(labels.size, dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        test[members[: round(test_share * members.size)]] = True
    return np.flatnonzero(~test), np.flatnonzero(test)


def standardized(
    features: Float[NDArray[np.float64], "samples columns"], train: NDArray[np.int64]
) -> Float[NDArray[np.float64], "samples columns"]:
    """Return (x - mean) / deviation, both from the training rows; a constant column becomes 0."""
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    return np.asarray((features - mean) / np.where(deviation > 0, deviation, 1.0))


def one_hot(categories: tuple[tuple[str, ...], ...]) -> Float[NDArray[np.float64], "rows columns"]:
    """Return one 0/1 column for every value of every text column, values in sorted order.

    The values of the whole table count, so that no row of a test set is left without its column.
    """
    blocks = []
    for column in np.array(categories).T:
        values, codes = np.unique(column, return_inverse=True)
        blocks.append(np.eye(values.size)[codes])
    return np.concatenate(blocks, axis=1)


def from_split(
    name: str,
    features: NDArray[np.floating],
    labels: NDArray[np.int64],
    parts: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> TrainTest:
    """Return training and test set of one array, given their indices."""
    whole = Dataset(features, labels, int(labels.max()) + 1)
    return TrainTest(name, whole.take(parts[0]), whole.take(parts[1]))


def from_table(
    name: str, table: Table, positive: NDArray[np.bool_], parts: tuple[NDArray[np.int64], ...]
) -> TrainTest:
    """Return a binary task: standardized numbers, then one-hot categories."""
    numbers = standardized(table.numbers, parts[0])
    features = np.concatenate([numbers, one_hot(table.categories)], axis=1)
    return from_split(name, features, positive.astype(np.int64), (parts[0], parts[1]))


def stacked(first: Table, second: Table) -> tuple[Table, tuple[NDArray[np.int64], ...]]:
    """Return two tables as one, and the rows of each."""
    table = Table(
        np.concatenate([first.numbers, second.numbers]),
        first.categories + second.categories,
        first.labels + second.labels,
    )
    rows = np.arange(len(table.labels))
    return table, (rows[: len(first.labels)], rows[len(first.labels) :])


def from_images(
    name: str,
    train: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    test: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> TrainTest:
    """Return an image task: pixels divided by 255, `(channels, height, width)`, ten classes."""

    def scaled(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Dataset:
        images = pixels if pixels.ndim == 4 else pixels[:, None]
        return Dataset(images.astype(np.float32) / 255.0, labels.astype(np.int64), 10)

    return TrainTest(name, scaled(*train), scaled(*test))


def first_of_each_class(labels: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Return the indices of the first `count` samples of each class, ascending."""
    chosen = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    return np.sort(np.concatenate(chosen)).astype(np.int64)
