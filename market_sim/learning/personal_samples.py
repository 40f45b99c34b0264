"""Which samples a participant's steps see: batches from keyed permutations, or all of hers."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from market_sim.learning.partitions import Partition
from market_sim.learning.personal_sgd import Samples


class PersonalSamples:
    """The training set as participants hold it.

    Parameters
    ----------
    features
        Shape `(samples, *sample_shape)`.
    labels
        What they train on, shape `(samples,)`.
    partition
        Who holds which sample.
    """

    def __init__(self, features: Tensor, labels: Tensor, partition: Partition) -> None:
        self._features, self._labels = features, labels
        self._held = partition.indices

    def batches(
        self,
        participants: NDArray[np.int64],
        generators: list[np.random.Generator],
        steps: int,
        batch: int,
    ) -> Callable[[int], Samples]:
        """Return the batches of each step: a pass through her samples, then another, reshuffled.

        A participant with fewer samples than a batch meets them several times in it, each as
        often as the others give or take one.
        """
        rows = np.stack(
            [
                passes(self._held[who], generator, steps * batch).reshape(steps, batch)
                for who, generator in zip(participants, generators, strict=True)
            ]
        )
        index = torch.from_numpy(rows)
        weights = torch.full((participants.size, batch), 1.0 / batch, dtype=self._features.dtype)

        def at(step: int) -> Samples:
            chosen = index[:, step]
            return Samples(self._features[chosen], self._labels[chosen], weights)

        return at

    def everything(self, participants: NDArray[np.int64]) -> Samples:
        """Return all samples of some participants, padded to the size of the largest."""
        held = [self._held[who] for who in participants]
        sizes = np.array([own.size for own in held])
        inside = np.arange(sizes.max()) < sizes[:, None]
        index = np.zeros(inside.shape, dtype=np.int64)
        index[inside] = np.concatenate(held)
        weights = torch.from_numpy(np.where(inside, 1.0 / sizes[:, None], 0.0))
        chosen = torch.from_numpy(index)
        return Samples(
            self._features[chosen], self._labels[chosen], weights.to(self._features.dtype)
        )


def passes(
    own: Int64[NDArray[np.int64], "own"], rng: np.random.Generator, count: int
) -> Int64[NDArray[np.int64], "count"]:
    """Return so many entries of `own`: random permutations of it, one after the other."""
    rounds = -(-count // own.size)
    tiled = np.broadcast_to(own, (rounds, own.size))
    return rng.permuted(tiled, axis=1).reshape(-1)[:count].astype(np.int64)
