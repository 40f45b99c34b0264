"""Gradients of many models at once, and the descent, against torch's own."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from market_sim.learning.models import CNN, MLP, Logistic, initial_parameters, unflatten
from market_sim.learning.personal_sgd import (
    Descent,
    OneByOne,
    Samples,
    StackedLinear,
    model_gradients,
    pooled_first,
)

SPECS = [Logistic(), MLP((5,)), MLP((6, 4, 3)), CNN((2,)), CNN((3, 2))]


def problem(spec, models=3, batch=7, seed=0, classes=3, shape=(2, 4, 4)):
    generator = torch.Generator().manual_seed(seed)
    module = spec.build(shape, classes)
    start = torch.stack([initial_parameters(module, seed + i) for i in range(models)])
    weights = torch.rand(models, batch, generator=generator)
    samples = Samples(
        torch.randn(models, batch, *shape, generator=generator),
        torch.randint(0, classes, (models, batch), generator=generator),
        weights / weights.sum(dim=1, keepdim=True),
    )
    return module, start, samples


def looped(module, models, samples):
    found = []
    for model, x, y, w in zip(
        models, samples.features, samples.labels, samples.weights, strict=True
    ):
        leaf = model.clone().requires_grad_()
        logits = functional_call(module, unflatten(module, leaf), (x,))
        (cross_entropy(logits, y, reduction="none") * w).sum().backward()
        found.append(leaf.grad)
    return torch.stack(found)


@pytest.mark.parametrize("spec", SPECS, ids=str)
@settings(max_examples=10)
@given(models=st.integers(1, 4), batch=st.integers(1, 9), seed=st.integers(0, 9))
def test_gradients_are_those_of_an_ordinary_backward_pass(spec, models, batch, seed):
    module, start, samples = problem(spec, models, batch, seed)
    found = model_gradients(module).of(start, samples)
    torch.testing.assert_close(found, looped(module, start, samples), atol=1e-6, rtol=1e-5)


def test_a_model_does_not_see_the_others():
    module, start, samples = problem(MLP((5,)))
    rule = model_gradients(module)
    before = rule.of(start, samples)
    start[1] = float("nan")
    after = rule.of(start, samples)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert torch.isnan(after[1]).any()


def test_linear_stacks_have_their_own_rule():
    kinds = [type(model_gradients(spec.build((1, 4, 4), 3))) for spec in SPECS]
    assert kinds == [StackedLinear, StackedLinear, StackedLinear, OneByOne, OneByOne]


def test_any_other_module_is_differentiated():
    module = nn.Sequential(nn.Flatten(), nn.Linear(32, 4), nn.Tanh(), nn.Linear(4, 3)).to("meta")
    start = torch.stack([initial_parameters(module, seed) for seed in (0, 1, 2)])
    _, _, samples = problem(Logistic())
    found = model_gradients(module).of(start, samples)
    torch.testing.assert_close(found, looped(module, start, samples), atol=1e-6, rtol=1e-5)


def test_pooling_first_changes_nothing():
    module = CNN((2, 3)).build((1, 8, 8), 3)
    kinds = [type(layer).__name__ for layer in pooled_first(module)][:6]
    assert kinds == ["Conv2d", "MaxPool2d", "ReLU", "Conv2d", "MaxPool2d", "ReLU"]
    values = unflatten(module, initial_parameters(module, 0))
    images = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(
        functional_call(module, values, (images,)),
        functional_call(pooled_first(module), values, (images,)),
    )


@pytest.mark.parametrize("spec", [MLP((5,)), CNN((2,))], ids=str)
@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_the_descent_is_torchs_sgd(spec, strength):
    module, start, samples = problem(spec)
    target = start.flip(0)
    descent = Descent(learning_rate=0.1, momentum=0.9, weight_decay=0.01, steps=6)
    found = descent.run(model_gradients(module), start, lambda _: samples, target, strength)
    for place in range(3):
        leaf = start[place].clone().requires_grad_()
        optimizer = torch.optim.SGD([leaf], lr=0.1, momentum=0.9, weight_decay=0.01)
        for _ in range(6):
            optimizer.zero_grad()
            logits = functional_call(module, unflatten(module, leaf), (samples.features[place],))
            losses = cross_entropy(logits, samples.labels[place], reduction="none")
            pull = strength / 2 * (leaf - target[place]).square().sum()
            ((losses * samples.weights[place]).sum() + pull).backward()
            optimizer.step()
        torch.testing.assert_close(found[place], leaf.detach(), atol=2e-6, rtol=1e-5)


def test_the_start_is_left_alone():
    module, start, samples = problem(Logistic())
    kept = start.clone()
    descent = Descent(learning_rate=0.1, momentum=0.0, weight_decay=0.0, steps=2)
    moved = descent.run(model_gradients(module), start, lambda _: samples, None, 0.0)
    assert torch.equal(start, kept)
    assert not np.allclose(moved.numpy(), kept.numpy())
