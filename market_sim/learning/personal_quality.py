"""How good personal models are: each on test samples weighted by her own mix of labels."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from market_sim.learning.datasets import Dataset
from market_sim.learning.partitions import Partition
from market_sim.learning.personal_sgd import ModelGradients
from market_sim.shapes import Array

_SAMPLES_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class PersonalQuality:
    """How good participants' models are on test samples weighted by their own mix of labels.

    Both are NaN for a model that is not finite, and for a participant none of whose labels is in
    the test set.

    Attributes
    ----------
    accuracy
        Share of correct answers, shape `(participants,)`.
    loss
        Mean cross-entropy in nats, shape `(participants,)`.
    """

    accuracy: Float[NDArray[np.float64], "participants"]
    loss: Float[NDArray[np.float64], "participants"]


def label_mix(labels: ArrayLike, partition: Partition, classes: int) -> Array:
    """Return the share of each label in each participant's samples, `(participants, classes)`.

    Parameters
    ----------
    labels
        Labels of the training set.
    partition
        Who holds which sample.
    classes
        Number of classes.
    """
    known = np.asarray(labels)
    counts = [np.bincount(known[own], minlength=classes) for own in partition.indices]
    return np.asarray(np.array(counts) / partition.data_size[:, None])


def class_scores(rule: ModelGradients, model: Tensor, test: Dataset) -> Array:
    """Return correct answers and cross-entropy of one model, summed by class: `(2, classes)`.

    Parameters
    ----------
    rule
        How the model is computed.
    model
        Its parameters, shape `(dimension,)`.
    test
        Samples to judge it on.
    """
    sums = np.zeros((2, test.classes))
    with torch.no_grad():
        for first in range(0, len(test), _SAMPLES_AT_ONCE):
            rows = slice(first, first + _SAMPLES_AT_ONCE)
            labels = test.labels[rows]
            features = torch.tensor(test.features[rows], dtype=model.dtype)
            logits = rule.logits(model, features).to(torch.float64)
            right = (logits.argmax(dim=1).numpy() == labels).astype(np.float64)
            own = logits.log_softmax(dim=1).numpy()[np.arange(labels.size), labels]
            for place, score in enumerate((right, -own)):
                sums[place] += np.bincount(labels, score, minlength=test.classes)
    return sums


def by_own_mix(scores: Array, mix: Array, labels: NDArray[np.int64]) -> PersonalQuality:
    """Weigh scores by class with each participant's mix of labels.

    Parameters
    ----------
    scores
        Of `class_scores`, shape `(participants, 2, classes)`.
    mix
        Of `label_mix`, shape `(participants, classes)`; classes without test samples are left
        out and the others scaled up.
    labels
        Labels of the test set.
    """
    counts = np.bincount(labels, minlength=mix.shape[1])
    share = mix * (counts > 0)
    total = share.sum(axis=1, keepdims=True)
    share = np.where(total > 0, share / np.where(total > 0, total, 1.0), np.nan)
    weighted = np.einsum("mc,mkc->km", share / np.maximum(counts, 1), scores)
    return PersonalQuality(weighted[0], weighted[1])
