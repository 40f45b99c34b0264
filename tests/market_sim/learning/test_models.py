"""Models are functions of a parameter vector, drawn without global randomness."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from market_sim.errors import InvalidInput
from market_sim.learning.models import (
    CNN,
    MLP,
    Logistic,
    dimension,
    initial_parameters,
    model_spec,
    unflatten,
)


@pytest.mark.parametrize(
    ("spec", "shape", "size"),
    [
        (Logistic(), (7,), 7 * 3 + 3),
        (MLP((5, 4)), (2, 3), 6 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3),
        (CNN((4,)), (8, 8), 25 * 4 + 4 + 4 * 16 * 3 + 3),
        (CNN((4, 2)), (3, 9, 8), 75 * 4 + 4 + 100 * 2 + 2 + 2 * 2 * 2 * 3 + 3),
    ],
)
def test_shapes_and_sizes(spec, shape, size):
    module = spec.build(shape, 3)
    vector = initial_parameters(module, 1)
    assert dimension(module) == vector.numel() == size
    logits = functional_call(module, unflatten(module, vector), (torch.rand(6, *shape),))
    assert logits.shape == (6, 3)


def test_initial_parameters_depend_on_the_seed_alone():
    module = MLP().build((20,), 3)
    state = torch.get_rng_state().clone()
    first, again, other = (initial_parameters(module, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)
    assert first.abs().max() <= 20**-0.5


def test_logistic_is_what_it_says():
    module = Logistic().build((4,), 2)
    weight, bias, x = torch.rand(2, 4), torch.rand(2), torch.rand(5, 4)
    values = unflatten(module, torch.cat([weight.reshape(-1), bias]))
    assert torch.allclose(functional_call(module, values, (x,)), x @ weight.T + bias)


def test_names():
    assert model_spec("mlp") == MLP()
    assert model_spec(CNN((3,))) == CNN((3,))
    assert isinstance(model_spec("logistic").build((2,), 2), nn.Module)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: model_spec("forest"), "cnn, logistic, mlp, got 'forest'"),
        (lambda: MLP(()), "hidden must hold widths of at least 1"),
        (lambda: CNN((0,)), "channels must hold widths of at least 1"),
        (lambda: CNN().build((30,), 2), "needs images"),
        (lambda: CNN((2, 2, 2)).build((1, 4, 4), 2), "3 poolings leave nothing"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
