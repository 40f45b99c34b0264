"""How good a model is on a test set: four numbers, because accuracy alone misleads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray

from market_sim.errors import InvalidInput


@dataclass(frozen=True)
class Quality:
    """Quality of a model on a test set.

    Attributes
    ----------
    accuracy
        Share of samples whose most probable class is the true one.
    balanced_accuracy
        Mean over the classes present of the share that is recognized: the majority class alone
        scores 1 / classes. NaN if the test set holds a single class.
    auc
        Area under the ROC curve; with more than two classes the mean of one-against-rest areas
        over the classes present. NaN if the test set holds a single class: no curve exists.
    loss
        Mean cross-entropy in nats.
    """

    accuracy: float
    balanced_accuracy: float
    auc: float
    loss: float


def quality(
    probability: Float[NDArray[np.floating], "samples classes"],
    labels: Int64[NDArray[np.int64], "labels"],
) -> Quality:
    """Judge predicted probabilities against true labels.

    Parameters
    ----------
    probability
        Shape `(samples, classes)`, rows on the simplex.
    labels
        True classes, shape `(samples,)`.

    Raises
    ------
    InvalidInput
        If a probability is not finite (the model has diverged) or the lengths differ.
    """
    if probability.shape[0] != labels.shape[0]:
        raise InvalidInput(f"{probability.shape[0]} predictions but {labels.shape[0]} labels")
    if not np.isfinite(probability).all():
        raise InvalidInput("a predicted probability is not finite: the model has diverged")
    predicted = probability.argmax(axis=1)
    present = np.unique(labels)
    recalls = [float(np.mean(predicted[labels == label] == label)) for label in present]
    own = probability[np.arange(labels.size), labels]
    return Quality(
        accuracy=float(np.mean(predicted == labels)),
        balanced_accuracy=float(np.mean(recalls)) if present.size > 1 else float("nan"),
        auc=_area(probability, labels, present),
        loss=float(-np.mean(np.log(np.maximum(own, np.finfo(np.float64).tiny)))),
    )


def _area(
    probability: NDArray[np.floating], labels: NDArray[np.int64], present: NDArray[np.int64]
) -> float:
    """ROC area of class 1, or the mean of one-against-rest areas of the classes present."""
    from sklearn.metrics import roc_auc_score

    if present.size < 2:
        return float("nan")
    judged = present if probability.shape[1] > 2 else np.array([1])
    areas = [roc_auc_score(labels == label, probability[:, label]) for label in judged]
    return float(np.mean(areas))
