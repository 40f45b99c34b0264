"""Distances of models and the pull of a graph, against automatic differentiation."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.learning.personal_distance import (
    cosine_distances,
    participants_mask,
    proximal_targets,
    sharing_gradient,
    usable,
)


def models(seed, participants=4, dimension=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, participants, dimension)), rng.normal(size=dimension), rng


@given(seed=st.integers(0, 50))
def test_distances_are_one_minus_torchs_cosine(seed):
    (own, sent), initial, _ = models(seed)
    u, v = torch.tensor(own - initial), torch.tensor(sent - initial)
    expected = 1 - torch.nn.functional.cosine_similarity(u[:, None], v[None], dim=2).numpy()
    np.fill_diagonal(expected, 0.0)
    assert cosine_distances(own, sent, initial) == pytest.approx(expected, abs=1e-12)


@given(seed=st.integers(0, 50))
def test_the_gradient_is_that_of_the_weighted_distances(seed):
    (own, sent), initial, rng = models(seed)
    sizes, imports = rng.uniform(1, 9, 4), rng.random((4, 4)) < 0.6
    leaf = torch.tensor(own, requires_grad=True)
    u, v = leaf - torch.tensor(initial), torch.tensor(sent - initial)
    distance = 1 - torch.nn.functional.cosine_similarity(u[:, None], v[None], dim=2)
    weights = torch.tensor(imports * sizes[None, :] / sizes[:, None])
    (weights.fill_diagonal_(0) * distance).sum().backward()
    found = sharing_gradient(own, sent, initial, imports, sizes)
    assert found == pytest.approx(leaf.grad.numpy(), abs=1e-12)
    target = proximal_targets(own, sent, initial, imports, sizes, step=0.3)
    assert target == pytest.approx(own - 0.3 * leaf.grad.numpy(), abs=1e-12)


def test_a_model_that_is_not_finite_is_infinitely_far_and_never_mixed_in():
    (own, sent), initial, _ = models(0)
    everyone, sizes = np.ones((4, 4), dtype=bool), np.arange(1.0, 5.0)
    without = everyone.copy()
    without[:, 2] = False
    expected = proximal_targets(own, sent, initial, without, sizes)
    for poison in (np.nan, np.inf, 1e200, 1e17):
        sent[2, 3] = poison
        distance = cosine_distances(own, sent, initial)
        assert np.isinf(distance[[0, 1, 3], 2]).all()
        assert np.isfinite(distance[:, [0, 1, 3]]).all()
        assert np.array_equal(proximal_targets(own, sent, initial, everyone, sizes), expected)


def test_who_has_not_moved_is_at_distance_one_and_is_not_pulled():
    (own, sent), initial, _ = models(1)
    own[0] = initial
    sent[1] = initial
    distance = cosine_distances(own, sent, initial)
    assert (distance[0, 1:] == 1.0).all()
    assert (distance[[0, 2, 3], 1] == 1.0).all()
    pull = sharing_gradient(own, sent, initial, np.ones((4, 4), dtype=bool), np.ones(4))
    assert not pull[0].any()
    assert pull[2].any()


def test_the_pull_keeps_the_length_to_first_order():
    (own, sent), initial, _ = models(2)
    pull = sharing_gradient(own, sent, initial, np.ones((4, 4), dtype=bool), np.ones(4))
    assert ((own - initial) * pull).sum(axis=1) == pytest.approx(np.zeros(4), abs=1e-12)


def test_usable():
    rows = [[1.0, 2.0], [np.nan, 0.0], [np.inf, 1.0], [1e39, 0.0], [1e10, 0.0], [9e8, 0.0]]
    assert usable(rows).tolist() == [True, False, False, False, False, True]


def test_mask():
    assert participants_mask(None, 2).tolist() == [True, True]
    given_mask = np.array([True, False])
    mask = participants_mask(given_mask, 2)
    assert mask.tolist() == [True, False]
    mask[0] = False
    assert given_mask[0]
    for wrong in ([1, 0], [True], [[True, False]]):
        with pytest.raises(InvalidInput, match="active must be"):
            participants_mask(wrong, 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda o, s, i: cosine_distances(o, s[:2], i), "one shape"),
        (lambda o, s, i: cosine_distances(o[0], s, i), "as long an initial"),
        (lambda o, s, i: cosine_distances(o, s, i[:2]), "as long an initial"),
        (lambda o, s, i: sharing_gradient(o, s, i, np.ones((3, 3)), np.ones(3)), "participants x"),
        (lambda o, s, i: sharing_gradient(o, s, i, np.ones((4, 4)), np.zeros(4)), "data_size"),
        (lambda o, s, i: sharing_gradient(o, s, i, np.ones((4, 4)), np.ones(3)), "data_size must"),
        (lambda o, s, i: proximal_targets(o, s, i, np.ones((4, 4)), 1.0), "data_size must be one"),
        (lambda o, s, i: proximal_targets(o, s, i, np.ones((4, 4)), np.ones(4), step=0), "step"),
        (lambda o, s, i: proximal_targets(o, s, i, np.eye(4), np.ones(4), step=[1, 2]), "step"),
    ],
)
def test_refusals(call, words):
    (own, sent), initial, _ = models(0)
    with pytest.raises(InvalidInput, match=words):
        call(own, sent, initial)
