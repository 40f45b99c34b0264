"""Personal models: trained side by side, judged by own labels, the same for the same seed."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from personal_tasks import make, two_clusters
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from market_sim.errors import InvalidInput
from market_sim.learning.datasets import TrainTest
from market_sim.learning.models import CNN, MLP, Logistic, unflatten
from market_sim.learning.partitions import Partition
from market_sim.learning.personal import PersonalTask
from market_sim.learning.personal_attacks import (
    ConstantParameters,
    GaussianParameters,
    LabelShuffle,
    SignFlip,
)
from market_sim.learning.personal_samples import passes
from market_sim.learning.personal_threads import in_blocks
from market_sim.streams import Streams

MODELS = [Logistic(), MLP((5,)), CNN((2,))]


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_training_lowers_the_loss_and_raises_accuracy(model):
    task = make(model, each=20, local_steps=60, learning_rate=0.03)
    before, after = (
        task.evaluate(models) for models in (task.begin(), task.train(task.begin(), 0))
    )
    assert (after.loss < before.loss).all()
    assert after.accuracy.mean() > before.accuracy.mean() + 0.2


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_repetition_is_equal_bit_for_bit_on_any_number_of_threads(model, request):
    state = torch.get_rng_state().clone()
    task = make(model)
    once = task.train(task.begin(), 3)
    judged = task.evaluate(once).loss
    request.getfixturevalue("two_threads")
    again = make(model)
    assert np.array_equal(again.train(again.begin(), 3), once)
    assert np.array_equal(again.evaluate(once).loss, judged)
    assert torch.get_num_threads() == 2
    assert torch.equal(torch.get_rng_state(), state)


def test_seed_round_phase_and_name_each_change_the_batches():
    task = make()
    start = task.begin()
    first = task.train(start, 0)
    assert not np.array_equal(task.train(start, 1), first)
    assert not np.array_equal(task.train(start, 0, phase=1), first)
    for other in (make(seed=1), make(name="else")):
        assert not np.array_equal(other.train(start, 0), first)


def test_a_participant_does_not_depend_on_the_others():
    task = make("mlp")
    everyone = task.train(task.begin(), 0)
    active = np.array([True, False, True, False, False, True])
    some = task.train(task.begin(), 0, active=active)
    assert np.allclose(some[active], everyone[active], atol=1e-6)
    assert np.array_equal(some[~active], task.begin()[~active])


def test_a_model_that_is_not_finite_stays_alone_with_it():
    task = make("mlp")
    clean = task.train(task.begin(), 0)
    start = task.begin()
    start[1, 0] = np.nan
    trained = task.train(start, 0)
    others = [0, 2, 3, 4, 5]
    assert np.array_equal(trained[1], start[1], equal_nan=True)
    assert np.allclose(trained[others], clean[others], atol=1e-6)
    judged = task.evaluate(trained)
    assert np.isnan(judged.accuracy[1])
    assert np.isnan(judged.loss[1])
    assert np.isfinite(judged.loss[others]).all()


def test_full_batches_are_descent_on_all_own_samples():
    task = make(batch=None, local_steps=3, momentum=0.0, weight_decay=0.01, dtype="float64")
    found = task.train(task.begin(), 0)
    models = task.begin()
    for _ in range(3):
        models = models - 0.1 * task.gradients(models)
    assert found == pytest.approx(models, abs=1e-12)


def test_gradients_are_of_the_mean_loss_of_own_samples():
    task = make("mlp", weight_decay=0.0, dtype="float64")
    module = task.model.build(task.data.sample_shape, task.data.classes)
    own = task.partition.indices[4]
    leaf = torch.tensor(task.initial, requires_grad=True)
    features = torch.tensor(task.data.train.features[own], dtype=torch.float64)
    logits = functional_call(module, unflatten(module, leaf), (features,))
    cross_entropy(logits, torch.tensor(task.data.train.labels[own])).backward()
    assert task.gradients(task.begin())[4] == pytest.approx(leaf.grad.numpy(), abs=1e-12)


def test_a_strong_pull_ends_at_the_target():
    task = make(batch=None, local_steps=400, learning_rate=1e-3, momentum=0.0, dtype="float64")
    target = task.begin() + 1.0
    free = task.train(task.begin(), 0)
    pulled = task.train(task.begin(), 0, target=target, strength=100.0)
    assert np.abs(pulled - target).max() < 0.05
    assert np.abs(free - target).min() > 0.05


def test_the_strongest_pull_is_no_error_of_torch():
    task = make(weight_decay=1e30)
    assert task.train(task.begin(), 0, target=task.begin(), strength=1e30).shape == (6, 68)


@given(size=st.integers(1, 40), count=st.integers(1, 200), seed=st.integers(0, 5))
def test_passes_use_every_sample_equally_often(size, count, seed):
    own = np.arange(100, 100 + size)
    rows = passes(own, np.random.default_rng(seed), count)
    often = np.bincount(rows - 100, minlength=size)
    assert rows.size == count
    assert often.max() - often.min() <= 1


def test_quality_is_weighted_by_own_labels():
    data, _ = two_clusters()
    labels = data.train.labels
    zeros, ones = (np.flatnonzero(labels == label) for label in (0, 1))
    partition = Partition((np.r_[zeros[:3], ones[:1]], zeros[3:6]), len(labels))
    task = PersonalTask(data, "logistic", partition, streams=Streams(0))
    models = np.zeros((2, task.dimension))
    models[:, -4:] = [10.0, 0.0, 0.0, 0.0]  # the biases: says 0, whatever it sees
    judged = task.evaluate(models)
    assert task.label_mix.tolist() == [[0.75, 0.25, 0, 0], [1, 0, 0, 0]]
    assert judged.accuracy == pytest.approx([0.75, 1.0])
    right = np.log(1 + 3 * np.exp(-10))
    assert judged.loss == pytest.approx([right + 0.25 * 10, right])


def test_labels_missing_in_the_test_set_do_not_count():
    data, _ = two_clusters()
    test = data.test.take(np.flatnonzero(data.test.labels != 0))
    labels = data.train.labels
    zeros, ones = (np.flatnonzero(labels == label) for label in (0, 1))
    partition = Partition((np.r_[zeros[:3], ones[:1]], zeros[3:6]), len(labels))
    task = PersonalTask(
        TrainTest("part", data.train, test), "logistic", partition, streams=Streams(0)
    )
    models = np.zeros((2, task.dimension))
    models[:, -3] = 1.0
    judged = task.evaluate(models)
    assert judged.accuracy[0] == 1.0
    assert np.isnan(judged.accuracy[1])


def test_attackers_send_something_else_and_nobody_else_does():
    attacks = {0: SignFlip(2.0), 2: GaussianParameters(0.5), 4: ConstantParameters(0.3)}
    task = make(attacks=attacks)
    own = task.train(task.begin(), 0)
    sent = task.send(own, 0)
    assert np.array_equal(sent[[1, 3, 5]], own[[1, 3, 5]])
    assert sent[0] == pytest.approx(task.initial - 2.0 * (own[0] - task.initial))
    assert (sent[4] == 0.3).all()
    assert 0.3 < (sent[2] - task.initial).std() < 0.7
    assert np.array_equal(task.send(own, 0)[2], sent[2])
    assert not np.array_equal(task.send(own, 1)[2], sent[2])


def test_shuffled_labels_spoil_only_the_attackers_training():
    honest, attacked = make(), make(attacks={1: LabelShuffle()})
    models, spoiled = (task.train(task.begin(), 0) for task in (honest, attacked))
    same = [np.allclose(mine, hers, atol=1e-6) for mine, hers in zip(models, spoiled, strict=True)]
    assert same == [True, False, True, True, True, True]
    assert np.array_equal(attacked.send(spoiled, 0), spoiled)
    assert np.array_equal(attacked.label_mix, honest.label_mix)


def test_blocks_write_their_own_rows(two_threads):
    into = np.zeros((5, 2))
    in_blocks(np.array([0, 2, 4]), 2, lambda who: np.stack([who, who + 1.0], axis=1), into)
    assert into.tolist() == [[0, 1], [0, 0], [2, 3], [0, 0], [4, 5]]


def test_what_is_handed_out_cannot_change_the_task():
    task = make()
    for array in (task.initial, task.label_mix):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"batch": 0}, "batch"),
        ({"local_steps": 0}, "local_steps"),
        ({"attacks": {6: SignFlip()}}, "attacker 6 is not one of the 6"),
        ({"attacks": {0.5: SignFlip()}}, "attacker's index must be a whole number"),
        ({"attacks": {0: "sign-flip"}}, "attacker 0 needs an attack .* got 'sign-flip'"),
        ({"learning_rate": [0.1, 0.2]}, "learning_rate must be one number"),
        ({"learning_rate": 1e39}, "learning_rate must be at most 1e[+]30"),
        ({"momentum": [0.1]}, "momentum must be one number"),
        ({"dtype": "float16x"}, "dtype must be 'float32' or 'float64', got 'float16x'"),
        ({"model": "transformer"}, "model must be one of"),
    ],
)
def test_refused_settings(more, words):
    with pytest.raises(InvalidInput, match=words):
        make(**more)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: t.train(t.begin()[:2], 0), "start must be 6 models"),
        (lambda t: t.train(t.begin(), 0, target=t.initial), "target must be 6 models"),
        (lambda t: t.train(t.begin(), -1), "round"),
        (lambda t: t.train(t.begin(), 0, strength=-1.0), "strength"),
        (lambda t: t.train(t.begin(), 0, strength=[1, 2]), "strength must be one number"),
        (lambda t: t.train(t.begin(), 0, target=t.begin(), strength=1e39), "at most 1e[+]30"),
        (lambda t: t.train(t.begin(), 0, active=[True]), "active"),
        (lambda t: t.evaluate(t.initial), "models must be 6 models"),
        (lambda t: t.send(t.initial, 0), "models must be 6 models"),
        (lambda t: t.gradients(t.initial), "models must be 6 models"),
    ],
)
def test_refused_arguments(call, words):
    with pytest.raises(InvalidInput, match=words):
        call(make())


def test_a_partition_of_another_training_set_is_refused():
    data, partition = two_clusters()
    other = Partition(partition.indices, partition.samples + 1)
    with pytest.raises(InvalidInput, match="the partition shares out"):
        PersonalTask(data, "mlp", other, streams=Streams(0))


@pytest.mark.parametrize("attack", [SignFlip, GaussianParameters])
def test_attacks_refuse_a_scale_of_zero(attack):
    with pytest.raises(InvalidInput, match="scale"):
        attack(0.0)
