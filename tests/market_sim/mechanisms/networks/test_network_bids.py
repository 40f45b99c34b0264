"""Bids as tensors: the costs of the core, with slopes; and the law of an outcome."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome


def bids(sizes="reference", profiles=20):
    law = ms.PopulationLaw(owners=6, kinds=ms.KINDS, sizes=sizes)
    reports = law.sample(np.random.default_rng(0), (profiles,)).reports()
    return reports, Bids.from_reports(reports)


@pytest.mark.parametrize("sizes", ["none", "reference"])
def test_costs_are_those_of_the_reports(sizes):
    reports, told = bids(sizes)
    for share in (0.0, 0.3, 1.0):
        cost = told.cost(torch.tensor(share * reports.cap))
        assert_allclose(cost.numpy(), reports.cost(share * reports.cap), rtol=1e-12)


def test_costs_of_several_options_an_owner():
    reports, told = bids()
    options = told.cap.unsqueeze(-1) * torch.tensor([0.25, 0.5, 1.0], dtype=torch.float64)
    cost = told.cost(options).numpy()
    for place, share in enumerate((0.25, 0.5, 1.0)):
        assert_allclose(cost[..., place], reports.cost(share * reports.cap), rtol=1e-12)


def test_slopes_of_costs():
    _, told = bids()
    rate = told.rate.clone().requires_grad_()
    epsilon = (0.7 * told.cap).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda r, e: told.with_lie(r, told.cap).cost(e), (rate, epsilon)
    )


def test_slopes_are_finite_where_nothing_is_sold():
    _, told = bids()
    epsilon = torch.zeros_like(told.cap).requires_grad_()
    rate = told.rate.clone().requires_grad_()
    told.with_lie(rate, told.cap).cost(epsilon).sum().backward()
    assert torch.isfinite(epsilon.grad).all()
    assert (rate.grad == 0).all()
    large = torch.full_like(told.cap, 800.0).requires_grad_()  # beyond e^709, for the others only
    others = Bids(torch.zeros_like(told.kind), told.rate, told.cap)
    others.cost(large).sum().backward()
    assert torch.isfinite(large.grad).all()


def test_bids_are_copies():
    reports, told = bids()
    told.rate.mul_(2.0)
    assert_allclose(told.rate.numpy(), 2.0 * reports.valuations.rate)


def test_expected_utility_by_hand():
    told = Bids(torch.tensor([0, 1]), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
    outcome = ExpectedOutcome(
        torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]),
        torch.tensor([[0.5, 1.0], [1.0, 2.0]]),
        torch.tensor([3.0, 4.0]),
    )
    # 2 eps: .25 * 1 + .25 * 2; 2 eps^2: 1 * 2
    assert outcome.utility(told).tolist() == pytest.approx([3.0 - 0.75, 4.0 - 2.0])
    assert outcome.epsilon.tolist() == pytest.approx([0.375, 1.0])
    assert outcome.cost(told).tolist() == pytest.approx([0.75, 2.0])


def test_any_chance_above_the_true_cap_is_ruin_and_has_no_slope():
    true = Bids(torch.tensor([0, 0]), torch.ones(2), torch.tensor([1.0, 1.0]))
    options = torch.tensor([[1.0, 1.2], [1.0, 1.2]], requires_grad=True)
    outcome = ExpectedOutcome(
        torch.tensor([[0.5, 0.4, 0.1], [0.5, 0.5, 0.0]]), options, torch.tensor([9.0, 9.0])
    )
    utility = outcome.utility(true)
    assert utility.tolist() == [-np.inf, 9.0 - 1.0]
    utility[1].backward()
    assert torch.isfinite(options.grad).all()


def test_the_cap_itself_is_not_above_the_cap_in_single_precision():
    cap = torch.tensor([0.1 + 0.2], dtype=torch.float32)
    true = Bids(torch.tensor([0]), torch.ones(1), cap)
    rounded = torch.nextafter(cap, torch.tensor(1.0)).unsqueeze(-1)
    outcome = ExpectedOutcome(torch.tensor([[0.0, 1.0]]), rounded, torch.ones(1))
    assert torch.isfinite(outcome.utility(true)).all()
