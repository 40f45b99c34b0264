"""One network for every n: order of owners, units, strangers, memory."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.equivariant_net import EquivariantNet, EquivariantSettings


def random_net(seed, **form):
    """Return a network all of whose parameters are random, the last layer's too."""
    module = EquivariantNet(EquivariantSettings(**form), seed).double()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
            parameter.add_(0.5 * noise)
    return module.requires_grad_(False)


def market(owners, profiles=8, seed=0, rate=0.4):
    law = ms.fl_market_2022(owners, 2.0)
    population = law.sample(ms.Streams(seed).generator("market"), (profiles,))
    budget = ms.budgets(population, rate, "proportional")
    return Bids.from_reports(population.reports()), torch.tensor(budget)


def ordered(bids, order):
    return Bids(*(c[:, order] for c in (bids.kind, bids.rate, bids.cap, bids.data_size)))


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    owners=st.integers(1, 12),
    pools=st.sampled_from(["sizes", "bids"]),
    skips=st.integers(0, 2),
)
def test_a_permutation_of_the_owners_permutes_the_outcome(seed, owners, pools, skips):
    module = random_net(seed, pools=pools, skips=skips)
    bids, budget = market(owners, seed=seed % 1000)
    order = torch.randperm(owners, generator=torch.Generator().manual_seed(seed))
    still, moved = module(bids, budget), module(ordered(bids, order), budget)
    assert_array_equal(moved.probability, still.probability[:, order])
    assert_array_equal(moved.options, still.options[:, order])
    assert_allclose(moved.payment, still.payment[:, order], rtol=1e-12)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), owners=st.integers(1, 40), rate=st.floats(0.01, 5.0))
def test_budget_and_rationality_hold_for_any_parameters(seed, owners, rate):
    module = random_net(seed, skips=1)
    bids, budget = market(owners, seed=seed % 997, rate=rate)
    outcome = module(bids, budget)
    assert (outcome.payment.sum(dim=-1) <= budget * (1 + 1e-12)).all()
    assert (outcome.utility(bids) >= -1e-12 * budget[:, None]).all()
    smooth = module(bids, budget, temperature=1.0)
    assert (smooth.payment.sum(dim=-1) <= budget * (1 + 1e-12)).all()
    assert_allclose(smooth.probability.sum(dim=-1), 1.0, rtol=1e-12)


def test_units_of_money_and_of_data_do_not_matter():
    module = random_net(1)
    bids, budget = market(7)
    cents = module(bids.with_lie(bids.rate * 128.0, bids.cap), budget * 128.0)
    euros = module(bids, budget)
    assert_array_equal(cents.probability, euros.probability)
    assert_allclose(cents.payment, euros.payment * 128.0, rtol=1e-9)
    kilo = Bids(bids.kind, bids.rate / 1024.0, bids.cap, bids.data_size * 1024.0)
    assert_array_equal(module(kilo, budget).probability, euros.probability)


def test_own_report_does_not_move_own_menu():
    module = random_net(2, pools="bids")
    bids, budget = market(6)
    grid = torch.full((8, 6, 3), 0.7, dtype=torch.float64) * torch.arange(1, 4)
    rate = bids.rate.clone()
    rate[:, 2] *= 3.0
    cap = bids.cap.clone()
    cap[:, 2] *= 0.4
    for before, after in zip(
        module.offers(bids, budget, grid),
        module.offers(bids.with_lie(rate, cap), budget, grid),
        strict=True,
    ):
        assert_allclose(after[:, 2], before[:, 2], atol=1e-6)
        assert (after[:, 0] - before[:, 0]).abs().max() > 1e-3


def test_pools_of_sizes_see_no_report_at_all():
    module = random_net(2, pools="sizes")
    bids, budget = market(6)
    grid = torch.ones(8, 6, 1, dtype=torch.float64)
    told = bids.with_lie(bids.rate * 7.0, bids.cap * 0.3)
    for before, after in zip(
        module.offers(bids, budget, grid), module.offers(told, 2.0 * budget, grid), strict=True
    ):
        assert_array_equal(before, after)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_menus_rise_with_epsilon(seed):
    module = random_net(seed)
    bids, budget = market(5, seed=1)
    grid = torch.logspace(-3, 2, 60, dtype=torch.float64).expand(8, 5, 60)
    for menu in module.offers(bids, budget, grid):
        assert (menu.diff(dim=-1) > 0).all()


def test_losing_and_every_share_of_the_cap_occur():
    module = EquivariantNet(EquivariantSettings()).double().requires_grad_(False)
    bids, budget = market(10, profiles=400, rate=0.3)
    chosen = module(bids, budget).probability.mean(dim=(0, 1))
    assert chosen[0] > 0.1
    assert chosen[-1] > 0.1
    assert (chosen[1:-1] > 0).sum() >= 4


def test_owners_without_sizes_count_alike():
    module = random_net(4)
    bids, budget = market(6)
    alike = Bids(bids.kind, bids.rate, bids.cap)
    ones = Bids(bids.kind, bids.rate, bids.cap, torch.ones_like(bids.cap))
    assert_array_equal(module(alike, budget).payment, module(ones, budget).payment)


def test_values_are_exact_and_slopes_are_smoothed():
    module = EquivariantNet(EquivariantSettings()).double().requires_grad_(False)
    bids, budget = market(5, profiles=30)
    rate = bids.rate.clone().requires_grad_()
    outcome = module(bids.with_lie(rate, bids.cap), budget)
    plain = module(bids, budget)
    assert_allclose(outcome.payment.detach(), plain.payment, rtol=1e-12, atol=1e-15)
    assert_allclose(outcome.probability.detach(), plain.probability, atol=1e-12)
    (slope,) = torch.autograd.grad(outcome.utility(bids)[:, 0].sum(), rate)
    assert torch.isfinite(slope).all()
    assert (slope != 0).any()


def test_slopes_reach_every_parameter():
    module = random_net(5, pools="bids").requires_grad_(True)
    bids, budget = market(9)
    module(bids, budget, temperature=1.0).epsilon.square().sum().backward()
    for name, parameter in module.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert (parameter.grad != 0).any(), name


def test_same_seed_same_network():
    first, second, other = (EquivariantNet(EquivariantSettings(), seed) for seed in (3, 3, 4))
    states = [module.state_dict() for module in (first, second, other)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": 0}, "options must be a whole number of at least 1"),
        ({"pools": "gossip"}, "unknown pools 'gossip'"),
        ({"skips": -1}, "skips must be a whole number of at least 0"),
        ({"smoothing": 0.0}, "smoothing must be greater than 0"),
    ],
)
def test_settings_outside_their_domain(change, message):
    with pytest.raises(ms.InvalidInput, match=message):
        EquivariantSettings(**change)


def test_tensors_of_another_form_are_refused():
    module = EquivariantNet(EquivariantSettings(hidden=8))
    metadata = {"settings": {**asdict(module.settings), "hidden": 9}}
    with pytest.raises(ms.InvalidInput, match="do not fit"):
        EquivariantNet.from_stored(metadata, module.state_dict())
    again = EquivariantNet.from_stored({"settings": asdict(module.settings)}, module.state_dict())
    assert all(map(np.array_equal, again.state_dict().values(), module.state_dict().values()))
