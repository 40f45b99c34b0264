"""Containers of samples: what a learning task is trained and judged on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput


@dataclass(frozen=True, eq=False, init=False)
class Dataset:
    """Samples x_s and their labels y_s in {0, ..., classes - 1}.

    Parameters
    ----------
    features
        Shape `(samples, *sample_shape)`; stored as float32, read-only.
    labels
        Shape `(samples,)`, integers from 0; stored as int64, read-only.
    classes
        Number of classes, >= 2.

    Raises
    ------
    InvalidInput
        If there is no sample, lengths differ, a feature is not finite or a label out of range.
    """

    features: Float32[NDArray[np.float32], "samples *shape"]
    labels: Int64[NDArray[np.int64], "samples"]
    classes: int

    def __init__(self, features: ArrayLike, labels: ArrayLike, classes: int) -> None:
        values = np.ascontiguousarray(features, dtype=np.float32).view()
        targets = _as_labels(labels, classes)
        if values.ndim < 2 or values.shape[0] == 0:
            raise InvalidInput(
                f"features must be (samples, ...) with at least one sample, got {values.shape}"
            )
        if targets.shape != values.shape[:1]:
            raise InvalidInput(
                f"{values.shape[0]} samples need as many labels, got {targets.shape}"
            )
        finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if not finite.all():
            raise InvalidInput(f"sample {int(np.argmin(finite))} has a feature that is not finite")
        values.flags.writeable = False
        targets.flags.writeable = False
        object.__setattr__(self, "features", values)
        object.__setattr__(self, "labels", targets)
        object.__setattr__(self, "classes", int(classes))

    def __len__(self) -> int:
        return int(self.labels.size)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample, such as `(64,)` or `(channels, height, width)`."""
        return tuple(int(size) for size in self.features.shape[1:])

    def take(self, indices: ArrayLike) -> "Dataset":
        """Return the samples at these indices, in this order."""
        chosen = np.asarray(indices, dtype=np.int64)
        return Dataset(self.features[chosen], self.labels[chosen], self.classes)


@dataclass(frozen=True, eq=False)
class TrainTest:
    """A training set, which the owners share out, and a test set, which nobody trains on.

    Raises
    ------
    InvalidInput
        If the two sets differ in the shape of a sample or in the number of classes.
    """

    name: str
    train: Dataset
    test: Dataset

    def __post_init__(self) -> None:
        train, test = self.train, self.test
        if train.sample_shape != test.sample_shape or train.classes != test.classes:
            raise InvalidInput(
                f"train and test of {self.name!r} differ: samples {train.sample_shape} and "
                f"{test.sample_shape}, classes {train.classes} and {test.classes}"
            )

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.train.classes

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.train.sample_shape


def _as_labels(labels: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Labels as a new int64 array, refused if not integers of 0 .. classes - 1."""
    if classes < 2:
        raise InvalidInput(f"classes must be at least 2, got {classes}")
    given = np.asarray(labels)
    targets = np.array(given, dtype=np.int64)
    if targets.ndim != 1 or not np.array_equal(targets, given):
        raise InvalidInput(f"labels must be one axis of integers, got shape {given.shape}")
    wrong = np.flatnonzero((targets < 0) | (targets >= classes))
    if wrong.size:
        raise InvalidInput(
            f"label {targets[wrong[0]]} of sample {wrong[0]} is outside 0 .. {classes - 1}"
        )
    return targets
