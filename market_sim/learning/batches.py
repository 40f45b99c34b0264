"""Owners' samples laid out so that many owners can be computed in one call."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from market_sim.learning.datasets import Dataset
from market_sim.learning.partitions import Partition


@dataclass(frozen=True, eq=False)
class Batch:
    """The samples of some owners, padded to the size of the largest.

    Attributes
    ----------
    owners
        Their indices, shape `(batch,)`.
    features
        Shape `(batch, samples, *sample_shape)`.
    labels
        Shape `(batch, samples)`; 0 in the padding.
    sample_weights
        1 / size on an owner's own samples and 0 in the padding, shape `(batch, samples)`: the
        weighted sum of sample gradients is then the mean over her own samples.
    """

    owners: Int64[NDArray[np.int64], "batch"]
    features: Tensor
    labels: Tensor
    sample_weights: Tensor


class OwnerSamples:
    """The training set in the owners' order, smallest owner first.

    Owners of equal size lie side by side, so that a batch of them is a view; padding is needed
    only where sizes differ, and then against neighbours in size.

    Parameters
    ----------
    data
        Training set.
    partition
        Who holds which sample.
    """

    def __init__(self, data: Dataset, partition: Partition) -> None:
        sizes = np.array([own.size for own in partition.indices], dtype=np.int64)
        order = np.argsort(sizes, kind="stable")
        layout = np.concatenate([partition.indices[owner] for owner in order])
        self.sizes = sizes
        self._starts = np.empty_like(sizes)
        self._starts[order] = np.cumsum(sizes[order]) - sizes[order]
        self._features = torch.from_numpy(data.features[layout])
        self._labels = torch.from_numpy(data.labels[layout])

    def all_of(self, owner: int) -> NDArray[np.int64]:
        """Return the rows of one owner."""
        return np.arange(self._starts[owner], self._starts[owner] + self.sizes[owner])

    def batches(self, owners: NDArray[np.int64], samples_at_once: int) -> Iterator[Batch]:
        """Yield all samples of the given owners, in batches of at most so many padded samples."""
        ordered = owners[np.lexsort((self._starts[owners], self.sizes[owners]))]
        for group in _groups(ordered, self.sizes[ordered], samples_at_once):
            size, start = self.sizes[group], self._starts[group]
            adjacent = np.array_equal(start, start[0] + size[0] * np.arange(group.size))
            if adjacent and size[0] == size[-1]:
                yield self._view(group, int(start[0]), int(size[0]))
            else:
                yield self.gather(group, [self.all_of(owner) for owner in group])

    def gather(self, owners: NDArray[np.int64], rows: list[NDArray[np.int64]]) -> Batch:
        """Return a padded batch of the given rows, one array an owner."""
        sizes = np.array([own.size for own in rows])
        inside = np.arange(sizes.max()) < sizes[:, None]
        index = np.zeros(inside.shape, dtype=np.int64)
        index[inside] = np.concatenate(rows)
        weights = np.where(inside, 1.0 / sizes[:, None], 0.0).astype(np.float32)
        return Batch(
            owners,
            self._features[torch.from_numpy(index)],
            self._labels[torch.from_numpy(index)],
            torch.from_numpy(weights),
        )

    def _view(self, owners: NDArray[np.int64], start: int, size: int) -> Batch:
        """Neighbours of one size: no copy."""
        shape, rows = (owners.size, size), slice(start, start + size * owners.size)
        return Batch(
            owners,
            self._features[rows].view(*shape, *self._features.shape[1:]),
            self._labels[rows].view(shape),
            torch.full(shape, 1.0 / size),
        )


def _groups(
    owners: NDArray[np.int64], sizes: NDArray[np.int64], samples_at_once: int
) -> Iterator[NDArray[np.int64]]:
    """Cut owners, ascending in size, so that count times the largest size stays in bounds."""
    first = 0
    while first < owners.size:
        counts = np.arange(1, owners.size - first + 1)
        fitting = int(np.sum(counts * sizes[first:] <= samples_at_once))
        last = first + max(fitting, 1)
        yield owners[first:last]
        first = last
