"""The fast gradients against vmap(grad) and against a plain loop over owners."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from market_sim.errors import InvalidInput
from market_sim.learning.batches import OwnerSamples
from market_sim.learning.datasets import Dataset
from market_sim.learning.gradients import (
    LinearStackGradients,
    VmapGradients,
    clipped_sum,
    gradient_rule,
    owner_norms,
)
from market_sim.learning.models import CNN, MLP, Logistic, initial_parameters, unflatten
from market_sim.learning.partitions import Partition

SPECS = [Logistic(), MLP((5,)), MLP((6, 4, 3)), CNN((2,))]


def problem(spec, sizes, seed=0, classes=3, shape=(1, 4, 4)):
    rng = np.random.default_rng(seed)
    total = int(np.sum(sizes))
    data = Dataset(rng.normal(size=(total, *shape)), rng.integers(0, classes, total), classes)
    pieces = np.split(rng.permutation(total), np.cumsum(sizes)[:-1])
    module = spec.build(shape, classes)
    return data, Partition(tuple(pieces), total), module, initial_parameters(module, seed)


def looped_gradient(module, parameters, data, own):
    """One owner's mean gradient, by backpropagation through an ordinary forward pass."""
    leaf = parameters.clone().requires_grad_()
    logits = functional_call(module, unflatten(module, leaf), (torch.tensor(data.features[own]),))
    cross_entropy(logits, torch.tensor(data.labels[own])).backward()
    return leaf.grad


def looped_sum(module, parameters, data, partition, weights, clip, norm):
    total = torch.zeros_like(parameters)
    for own, weight in zip(partition.indices, weights, strict=True):
        if weight > 0:
            gradient = looped_gradient(module, parameters, data, own)
            size = torch.linalg.vector_norm(gradient, norm)
            total += weight * gradient * min(1.0, clip / float(size))
    return total


def rows_of(rule, parameters, samples, at_once):
    rows = {}
    for batch in samples.batches(np.arange(samples.sizes.size), at_once):
        whole = torch.cat(rule.per_owner(parameters, batch), dim=1)
        rows |= dict(zip(batch.owners.tolist(), whole, strict=True))
    return torch.stack([rows[owner] for owner in range(samples.sizes.size)])


@pytest.mark.parametrize("spec", SPECS, ids=str)
@settings(max_examples=15)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    seed=st.integers(0, 3),
    at_once=st.integers(1, 40),
)
def test_both_rules_equal_the_loop(spec, sizes, seed, at_once):
    data, partition, module, parameters = problem(spec, sizes, seed)
    samples = OwnerSamples(data, partition)
    loop = [looped_gradient(module, parameters, data, own) for own in partition.indices]
    for rule in {gradient_rule(module, data.sample_shape).__class__, VmapGradients}:
        rows = rows_of(rule(module, data.sample_shape), parameters, samples, at_once)
        assert torch.allclose(rows, torch.stack(loop), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("norm", [1, 2])
@pytest.mark.parametrize("spec", SPECS, ids=str)
@settings(max_examples=15)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=12),
    seed=st.integers(0, 3),
    clip=st.sampled_from([1e-3, 0.5, 100.0]),
)
def test_clipped_sum_equals_the_loop(spec, norm, sizes, seed, clip):
    data, partition, module, parameters = problem(spec, sizes, seed)
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(sizes)))
    weights[0] = 0.0
    samples, rule = OwnerSamples(data, partition), gradient_rule(module, data.sample_shape)
    total = clipped_sum(
        rule,
        parameters,
        samples.batches(np.flatnonzero(weights), 20),
        torch.tensor(weights, dtype=torch.float32),
        clip=clip,
        norm=norm,
    )
    loop = looped_sum(module, parameters, data, partition, weights, clip, norm)
    assert torch.allclose(total, loop, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("norm", [1, 2])
def test_a_clipped_gradient_is_in_the_ball(norm):
    data, partition, module, parameters = problem(MLP((5,)), [4, 4, 4])
    samples, rule = OwnerSamples(data, partition), gradient_rule(module, data.sample_shape)
    for owner in range(3):
        weights = torch.zeros(3)
        weights[owner] = 1.0
        one = np.array([owner])
        alone = clipped_sum(
            rule, parameters, samples.batches(one, 9), weights, clip=1e-2, norm=norm
        )
        assert float(torch.linalg.vector_norm(alone, norm)) == pytest.approx(1e-2, rel=1e-5)


def test_norms_are_those_of_the_whole_gradient():
    blocks = (torch.tensor([[3.0, 0.0], [1.0, 1.0]]), torch.tensor([[-4.0], [-1.0]]))
    assert owner_norms(blocks, 1).tolist() == [7.0, 3.0]
    assert owner_norms(blocks, 2).tolist() == pytest.approx([5.0, 3**0.5])


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        (Logistic(), LinearStackGradients),
        (MLP((3, 3)), LinearStackGradients),
        (CNN((2,)), VmapGradients),
    ],
    ids=str,
)
def test_the_rule_fits_the_module(spec, rule):
    assert type(gradient_rule(spec.build((1, 4, 4), 2), (1, 4, 4))) is rule


def test_other_modules_are_differentiated_by_vmap():
    with torch.device("meta"):
        odd = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    assert type(gradient_rule(odd, (4,))) is VmapGradients


def test_a_gradient_that_is_not_finite_names_its_owner():
    data, partition, module, parameters = problem(Logistic(), [2, 2, 2])
    features = data.features.copy()
    features[partition.indices[1]] = 3e38
    samples = OwnerSamples(Dataset(features, data.labels, 3), partition)
    rule = gradient_rule(module, data.sample_shape)
    with pytest.raises(InvalidInput, match="the gradient of owner 1 is not finite"):
        clipped_sum(
            rule,
            parameters * 100,
            samples.batches(np.arange(3), 100),
            torch.full((3,), 1 / 3),
            clip=1.0,
            norm=2,
        )


def test_batches_hold_each_owner_once_and_stay_in_bounds():
    data, partition, _, _ = problem(Logistic(), [3, 1, 3, 3, 8, 2, 1])
    samples = OwnerSamples(data, partition)
    seen = []
    for batch in samples.batches(np.array([0, 2, 3, 4, 6]), 7):
        seen += batch.owners.tolist()
        assert batch.labels.numel() <= 7 or batch.owners.size == 1
        for row, owner in enumerate(batch.owners):
            own, count = partition.indices[owner], partition.indices[owner].size
            assert np.array_equal(batch.labels[row, :count], data.labels[own])
            assert np.array_equal(batch.features[row, :count], data.features[own])
            assert float(batch.sample_weights[row].sum()) == pytest.approx(1.0)
    assert sorted(seen) == [0, 2, 3, 4, 6]
