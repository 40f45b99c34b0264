"""Four numbers that judge a model, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from market_sim.errors import InvalidInput
from market_sim.learning.metrics import quality


def predictions(classes, samples=200, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(classes), samples), rng.integers(0, classes, samples)


@pytest.mark.parametrize("classes", [2, 4])
def test_against_scikit_learn(classes):
    probability, labels = predictions(classes)
    judged = quality(probability, labels)
    predicted = probability.argmax(axis=1)
    scores = probability[:, 1] if classes == 2 else probability
    assert judged.accuracy == pytest.approx(np.mean(predicted == labels))
    assert judged.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert judged.auc == pytest.approx(roc_auc_score(labels, scores, multi_class="ovr"))
    assert judged.loss == pytest.approx(log_loss(labels, probability))


def test_the_majority_class_alone_is_unmasked():
    labels = np.repeat([0, 1], [88, 12])
    judged = quality(np.tile([0.9, 0.1], (100, 1)), labels)
    assert (judged.accuracy, judged.balanced_accuracy, judged.auc) == (0.88, 0.5, 0.5)


def test_a_class_that_is_absent_from_the_test_set_does_not_count():
    probability, labels = predictions(4)
    judged = quality(probability, labels % 3)
    assert 0.0 < judged.auc < 1.0
    assert np.isfinite(judged.balanced_accuracy)


def test_one_class_has_no_curve():
    judged = quality(np.tile([0.9, 0.1], (5, 1)), np.zeros(5, dtype=np.int64))
    assert np.isnan(judged.auc)
    assert np.isnan(judged.balanced_accuracy)
    assert judged.accuracy == 1.0


def test_a_certain_mistake_has_a_finite_loss():
    judged = quality(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
    assert 100 < judged.loss < 1000


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [(2, [0], "2 predictions but 1 labels"), (0, [0, 1], "the model has diverged")],
)
def test_bad_input_is_refused(rows, labels, message):
    probability = np.full((rows, 2), 0.5) if rows else np.full((2, 2), np.nan)
    with pytest.raises(Exception, match=message) as caught:
        quality(probability, np.array(labels))
    assert isinstance(caught.value, InvalidInput)
