"""A federated task: rounds that repeat bit for bit, noise that belongs to its owner."""

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from market_sim.errors import InvalidInput
from market_sim.learning.datasets import Dataset, TrainTest
from market_sim.learning.models import CNN, MLP, Logistic, unflatten
from market_sim.learning.partitions import iid, quantity_skew
from market_sim.learning.task import DeliveredGradient, FederatedTask
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation
from market_sim.streams import Streams

OWNERS = 6


def toy(samples=120, classes=3, seed=0):
    """Blobs that a linear model separates."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, 2 * samples)
    centers = 3 * np.eye(classes, 16)
    features = (centers[labels] + rng.normal(size=(labels.size, 16))).reshape(-1, 1, 4, 4)
    train = Dataset(features[:samples], labels[:samples], classes)
    return TrainTest("toy", train, Dataset(features[samples:], labels[samples:], classes))


def make(model="logistic", perturbation=None, seed=0, **more):
    data = toy()
    partition = quantity_skew(data.train.labels, OWNERS, np.random.default_rng(1), alpha=2.0)
    more = {"learning_rate": 0.5} | more
    perturbation = perturbation or LaplacePerturbation()
    return FederatedTask(data, model, partition, perturbation, streams=Streams(seed), **more)


EVEN = np.full(OWNERS, 1 / OWNERS)
NO_NOISE = np.full(OWNERS, np.inf)


@pytest.mark.parametrize("model", [Logistic(), MLP((8,)), CNN((3,))], ids=str)
@pytest.mark.parametrize("perturbation", [LaplacePerturbation(10.0), GaussianPerturbation(1.0)])
def test_without_noise_the_model_learns(model, perturbation):
    task = make(model, perturbation)
    before = task.evaluate()
    for round_ in range(40):
        task.update(task.deliver(NO_NOISE, EVEN, round_))
    after = task.evaluate()
    assert after.loss < before.loss
    assert after.accuracy > 0.8
    assert after.balanced_accuracy > 0.8
    assert after.auc > 0.9


@pytest.mark.parametrize("model", [Logistic(), MLP((8,)), CNN((3,))], ids=str)
@pytest.mark.parametrize("local_samples", [None, 4])
def test_repetition_is_equal_bit_for_bit(model, local_samples):
    runs = []
    state = torch.get_rng_state().clone()
    for _ in range(2):
        task = make(model, local_samples=local_samples, momentum=0.5)
        for round_ in range(3):
            task.update(task.deliver(np.linspace(0.5, 2, OWNERS), EVEN, round_))
        runs.append(task.parameters().tobytes())
    assert runs[0] == runs[1]
    assert torch.equal(torch.get_rng_state(), state)


def test_another_seed_is_another_run():
    first, second = (make(seed=seed).deliver(np.ones(OWNERS), EVEN, 0) for seed in (0, 1))
    assert not np.array_equal(first.gradient, second.gradient)


def noise_of(task, epsilon, weights, round_):
    noisy = task.deliver(epsilon, weights, round_).gradient
    silent = np.where(np.asarray(weights) > 0, np.inf, 0.0)
    return noisy - task.deliver(silent, weights, round_).gradient


@pytest.mark.parametrize("perturbation", [LaplacePerturbation(2.0), GaussianPerturbation(2.0)])
def test_an_owners_noise_does_not_depend_on_who_else_sells(perturbation):
    task = make(perturbation=perturbation)
    alone = noise_of(task, np.eye(OWNERS)[2], np.eye(OWNERS)[2], 4)
    pair = np.zeros(OWNERS)
    pair[[2, 5]] = [0.25, 0.75]
    other = noise_of(task, np.eye(OWNERS)[5], np.eye(OWNERS)[5], 4)
    both = noise_of(task, np.where(pair > 0, 1.0, 0.0), pair, 4)
    assert np.allclose(both, 0.25 * alone + 0.75 * other, atol=1e-9)
    expected = perturbation.unit_noise(Streams(0).for_owner("noise", 2, 4), task.dimension)
    assert np.allclose(alone, perturbation.scale(1.0) * expected, atol=1e-9)


def test_noise_changes_with_round_owner_and_task_name():
    task = make()
    one, two = np.eye(OWNERS)[1], np.eye(OWNERS)[2]
    base = noise_of(task, one, one, 0)
    others = [noise_of(task, one, one, 1), noise_of(task, two, two, 0)]
    others.append(noise_of(make(name="second buyer"), one, one, 0))
    assert all(abs(np.corrcoef(base, other)[0, 1]) < 0.5 for other in others)


def test_half_the_epsilon_is_twice_the_same_laplace_noise():
    task = make()
    assert np.allclose(
        noise_of(task, 0.5 * np.ones(OWNERS), EVEN, 0),
        2 * noise_of(task, np.ones(OWNERS), EVEN, 0),
        atol=1e-9,
    )


def test_noise_has_the_size_that_the_error_bound_says():
    """Mean square of the Laplace noise: d * sum_i 8 clip^2 weights_i^2 / epsilon_i^2."""
    task = make(MLP((400,)), LaplacePerturbation(1.5))
    epsilon = np.linspace(0.5, 3.0, OWNERS)
    delivered = task.deliver(epsilon, EVEN, 0)
    expected = task.dimension * (8 * 1.5**2 * EVEN**2 / epsilon**2).sum()
    assert delivered.noise_norm**2 == pytest.approx(expected, rel=0.1)


def test_delivered_norms_split_the_gradient():
    task = make()
    clean = task.deliver(NO_NOISE, EVEN, 0)
    noisy = task.deliver(np.ones(OWNERS), EVEN, 0)
    assert clean.noise_norm == 0.0
    assert clean.gradient_norm == pytest.approx(np.linalg.norm(clean.gradient))
    assert noisy.gradient_norm == clean.gradient_norm
    assert noisy.noise_norm == pytest.approx(np.linalg.norm(noisy.gradient - clean.gradient))


def test_only_owners_with_weight_are_computed():
    task = make()
    weights = np.eye(OWNERS)[3]
    own = task.deliver(np.where(weights > 0, np.inf, 0.0), weights, 0)
    all_others_offered = task.deliver(NO_NOISE, weights, 0)
    assert np.array_equal(own.gradient, all_others_offered.gradient)


def test_an_unclipped_round_over_all_data_is_one_step_of_gradient_descent():
    task = make(MLP((5,)), LaplacePerturbation(1e6), learning_rate=0.3)
    start = torch.tensor(task.parameters(), dtype=torch.float32, requires_grad=True)
    module = task.model.build(task.data.sample_shape, task.data.classes)
    train = task.data.train
    logits = functional_call(module, unflatten(module, start), (torch.tensor(train.features),))
    cross_entropy(logits, torch.tensor(train.labels)).backward()
    weights = task.data_size / task.data_size.sum()
    task.update(task.deliver(NO_NOISE, weights, 0))
    expected = start.detach().numpy() - 0.3 * start.grad.numpy()
    assert np.allclose(task.parameters(), expected, atol=1e-6)


def test_momentum_keeps_a_share_of_the_last_step():
    task = make(momentum=0.5, learning_rate=1.0)
    start, step = task.parameters(), np.ones(task.dimension)
    for _ in range(2):
        task.update(DeliveredGradient(step, 0.0, 0.0))
    assert np.allclose(start - task.parameters(), 1.0 + 1.5, atol=1e-5)


def test_reset_and_load():
    task = make(momentum=0.9)
    start = task.parameters()
    task.update(task.deliver(np.ones(OWNERS), EVEN, 0))
    moved = task.parameters()
    task.reset()
    assert np.array_equal(task.parameters(), start)
    task.load(moved)
    assert np.array_equal(task.parameters(), moved)


def test_parameters_cannot_be_changed_from_outside():
    task = make()
    given = np.zeros(task.dimension)
    task.load(given)
    given += 1.0
    task.parameters()[:] = 5.0
    assert not task.parameters().any()


def test_local_samples_are_a_new_choice_each_round_but_all_if_few():
    task, whole = make(local_samples=3), make()
    rounds = [task.deliver(NO_NOISE, EVEN, round_).gradient for round_ in range(2)]
    assert not np.allclose(rounds[0], rounds[1])
    everything = make(local_samples=1000).deliver(NO_NOISE, EVEN, 0).gradient
    assert np.allclose(everything, whole.deliver(NO_NOISE, EVEN, 0).gradient, atol=1e-6)


def test_data_size_is_the_partitions():
    task = make()
    assert task.owners == OWNERS
    assert task.data_size.sum() == len(task.data.train)


def test_ten_thousand_owners():
    data = toy(samples=10_000)
    partition = iid(data.train.labels, 10_000, np.random.default_rng(0))
    task = FederatedTask(
        data, "mlp", partition, LaplacePerturbation(), learning_rate=0.1, streams=Streams(0)
    )
    delivered = task.deliver(np.full(10_000, np.inf), np.full(10_000, 1e-4), 0)
    assert 0 < delivered.gradient_norm <= 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.deliver(np.ones(5), EVEN, 0), "epsilon must be one number for each of the 6"),
        (lambda t: t.deliver(NO_NOISE, np.ones(7) / 7, 0), "weights must be one number for each"),
        (lambda t: t.deliver(-np.ones(OWNERS), EVEN, 0), "epsilon must be at least 0, got -1 at"),
        (lambda t: t.deliver(NO_NOISE * np.nan, EVEN, 0), "epsilon must not be NaN"),
        (lambda t: t.deliver(NO_NOISE, 2 * EVEN, 0), "weights must add up to 1, got 2"),
        (lambda t: t.deliver(NO_NOISE, -EVEN, 0), "weights must be at least 0"),
        (lambda t: t.deliver(NO_NOISE, 0 * EVEN, 0), "nobody sold, so there is no aggregate"),
        (lambda t: t.deliver(np.zeros(OWNERS), EVEN, 0), "owner 0 has weight 0.166667 but sold no"),
        (lambda t: t.deliver(NO_NOISE, EVEN, -1), "round must be at least 0"),
        (lambda t: t.load(np.zeros(3)), "the model has 51 parameters"),
        (lambda t: t.load(np.full(51, np.nan)), "parameters must not be NaN"),
        (lambda t: t.update(DeliveredGradient(np.zeros(3), 0.0, 0.0)), "the model has 51 param"),
        (lambda t: t.update(DeliveredGradient(np.full(51, 1e300), 0.0, 0.0)), "lower it"),
        (lambda _: make(learning_rate=0.0), "learning_rate must be greater than 0"),
        (lambda _: make(momentum=1.0), "momentum must be at least 0 and below 1"),
        (lambda _: make(local_samples=0), "local_samples must be at least 1"),
        (lambda _: make("forest"), "model must be one of"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(InvalidInput, match=message):
        call(make())


def test_a_partition_of_another_data_set_is_refused():
    other = iid(np.zeros(50), 2, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="shares out 50 samples but 'toy' has 120"):
        FederatedTask(
            toy(), "mlp", other, LaplacePerturbation(), learning_rate=1.0, streams=Streams(0)
        )
