"""Containers of samples refuse what cannot be trained on, and cannot be changed."""

import subprocess
import sys

import numpy as np
import pytest

from market_sim import learning
from market_sim.errors import InvalidInput
from market_sim.learning.datasets import Dataset, TrainTest

GOOD = Dataset(np.eye(3), [0, 1, 1], 2)


def test_a_dataset_knows_its_shape_and_is_read_only():
    assert len(GOOD) == 3
    assert GOOD.sample_shape == (3,)
    assert GOOD.features.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        GOOD.features[0, 0] = 5.0
    assert GOOD.take([2, 0]).labels.tolist() == [1, 0]


def test_train_test_takes_shape_and_classes_from_its_parts():
    both = TrainTest("good", GOOD, GOOD.take([0]))
    assert (both.classes, both.sample_shape) == (2, (3,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dataset(np.eye(3), [0, 1], 2), "3 samples need as many labels"),
        (lambda: Dataset(np.eye(3), [0, 1, 2], 2), "label 2 of sample 2 is outside 0 .. 1"),
        (lambda: Dataset(np.eye(3), [0, 1, -1], 2), "label -1 of sample 2"),
        (lambda: Dataset(np.eye(3), [0, 1, 0.5], 2), "one axis of integers"),
        (lambda: Dataset(np.eye(3), [0, 1, 1], 1), "classes must be at least 2"),
        (lambda: Dataset(np.zeros((0, 3)), [], 2), "at least one sample"),
        (lambda: Dataset(np.diag([1, np.nan]), [0, 1], 2), "sample 1 has a feature that is not"),
        (lambda: TrainTest("x", GOOD, Dataset(np.eye(2), [0, 1], 2)), "train and test of 'x'"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_every_public_name_can_be_imported():
    assert dir(learning) == sorted(learning.__all__)
    assert all(getattr(learning, name) is not None for name in learning.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        learning.nothing  # noqa: B018 - the access is what is tested


def test_listing_data_sets_does_not_load_torch():
    code = (
        "import sys; from market_sim.learning import dataset_names; dataset_names(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
