"""The differentiable error bound against the one of the core."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.error import error_bound_of


def sales(rng, profiles=30, owners=5):
    return rng.uniform(0.1, 2.0, (profiles, owners)) * (rng.random((profiles, owners)) < 0.7)


@pytest.mark.parametrize(("clip", "dim"), [(1.0, 1), (0.5, 7)])
def test_equals_the_bound_with_the_best_weights(clip, dim):
    rng = np.random.default_rng(1)
    sold, size = sales(rng), rng.uniform(1, 9, (30, 5))
    weights = ms.ErrorOpt(clip, dim).weights(sold, size)
    expected = ms.error_bound(weights, sold, size, clip, dim)
    bound = error_bound_of(torch.tensor(sold), torch.tensor(size), clip, dim)
    assert_allclose(bound.numpy(), expected, rtol=1e-12)


def test_slopes_are_those_of_the_bound_with_weights_chosen_again():
    sold = torch.tensor(sales(np.random.default_rng(2), 4), requires_grad=True)
    error_bound_of(sold).sum().backward()
    step = 1e-6
    for row, owner in np.argwhere(sold.detach().numpy() > 0):
        moved = sold.detach().repeat(2, 1, 1)
        moved[0, row, owner] += step
        moved[1, row, owner] -= step
        up, down = error_bound_of(moved)[:, row]
        assert float(up - down) / (2 * step) == pytest.approx(
            float(sold.grad[row, owner]), rel=1e-4, abs=1e-6
        )


def test_nothing_sold_is_infinite_error_without_slope():
    sold = torch.tensor([[0.0, 0.0], [1.0, 0.0]], requires_grad=True)
    bound = error_bound_of(sold)
    assert bound[0] == np.inf
    assert torch.isfinite(bound[1])
    bound[1].backward()
    assert torch.isfinite(sold.grad).all()
    assert (sold.grad[0] == 0).all()


def test_single_precision_stays_single():
    assert error_bound_of(torch.ones(3, 2)).dtype == torch.float32
