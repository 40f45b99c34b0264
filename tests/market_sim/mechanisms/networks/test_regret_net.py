"""The published networks: budget feasible by construction, and able to say no."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.error import error_bound_of
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.mechanisms.networks.regret_net import RegretNet, RegretNetSettings


def network(seed=0, **changes):
    settings = RegretNetSettings(owners=4, options=5, hidden=16, layers=2, **changes)
    module = RegretNet(settings, seed).double()
    law = MarketLaw(owners=4, sizes="reference" if settings.sizes else "none")
    module.inputs.fit(law, 0)
    reports, budget = law.sample(np.random.default_rng(seed), 50)
    return module, Bids.from_reports(reports), torch.tensor(budget)


@pytest.mark.parametrize("sizes", [True, False])
def test_all_of_the_budget_or_less(sizes):
    murba, told, budget = network(unspent=False, sizes=sizes)
    assert_allclose(murba(told, budget).payment.sum(dim=-1).detach(), budget, rtol=1e-12)
    later, told, budget = network(unspent=True, sizes=sizes)
    assert (later(told, budget).payment.sum(dim=-1) < budget).all()


def test_chances_are_a_law_and_losing_is_likely_at_first():
    module, told, budget = network()
    chance = module(told, budget).probability
    assert chance.shape == (50, 4, 6)
    assert_allclose(chance.sum(dim=-1).detach(), 1.0, rtol=1e-12)
    assert (chance[..., 0] > 0.5).all()
    assert (chance > 0).all()


def test_options_lie_on_the_grid_below_the_cap_and_below_the_largest_cap():
    module, told, budget = network(max_cap=1.0)
    sold = module(told, budget).options
    assert_allclose(sold[..., 0], told.cap.clamp(max=1.0) / 5)
    assert (sold <= torch.minimum(told.cap, torch.tensor(1.0)).unsqueeze(-1)).all()


def test_deterministic_chooses_or_refuses_and_pays_who_sells():
    module, told, budget = network(deterministic=True)
    with torch.no_grad():  # make losing and every option as likely as one another
        for name, parameter in module.allocation.named_parameters():
            if parameter.shape == (24,):
                parameter.zero_()
            elif name.startswith("4"):
                parameter.mul_(20.0)
    outcome = module(told, budget)
    chance = outcome.probability.detach()
    assert set(np.unique(chance.numpy())) == {0.0, 1.0}
    lost = chance[..., 0] == 1.0
    assert 0 < lost.double().mean() < 1
    assert (outcome.payment[lost] == 0).all()
    assert (outcome.payment[~lost] > 0).all()
    assert torch.isfinite(outcome.epsilon).all()


def test_the_choice_is_the_limit_of_the_smoothed_one_and_has_slopes():
    module, told, budget = network(deterministic=True)
    hard = module(told, budget).probability
    cold = module(told, budget, temperature=1e-4).probability
    assert_allclose(cold.detach(), hard.detach(), atol=1e-6)
    hard[..., 3].sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in module.allocation.parameters())


def test_a_profile_without_a_sale_has_infinite_error_not_none():
    module, told, budget = network(deterministic=True)  # at first everybody loses
    outcome = module(told, budget)
    assert (outcome.epsilon == 0).all()
    assert (error_bound_of(outcome.epsilon.detach(), told.data_size) == np.inf).all()


def test_bids_are_left_alone():
    module, told, budget = network()
    before = [told.rate.clone(), told.cap.clone(), told.kind.clone()]
    module(told, budget)
    for column, copy in zip((told.rate, told.cap, told.kind), before, strict=True):
        assert (column == copy).all()


def test_the_seed_makes_the_network_and_nothing_else_does():
    torch.manual_seed(1)
    first = network(seed=3)[0].state_dict()
    torch.manual_seed(2)
    again, other = network(seed=3)[0].state_dict(), network(seed=4)[0].state_dict()
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


@pytest.mark.parametrize("changes", [{"owners": 0}, {"max_cap": -1.0}, {"options": 0}])
def test_bad_settings(changes):
    with pytest.raises(ms.InvalidInput):
        RegretNetSettings(**changes)


def test_tensors_of_another_network_are_refused():
    module = network()[0]
    settings = {**asdict(module.settings), "options": 7}
    with pytest.raises(ms.InvalidInput, match="do not fit the network's settings"):
        RegretNet.from_stored({"settings": settings}, module.state_dict())


@pytest.mark.parametrize("deterministic", [False, True])
def test_one_owner_alone_is_her_column_of_all(deterministic):
    module, told, budget = network(deterministic=deterministic)
    owner = torch.arange(50) % 4
    every, alone = module(told, budget, 0.5), module(told, budget, 0.5, owner=owner)
    row = torch.arange(50)
    for name in ("probability", "options", "payment"):
        whole, part = getattr(every, name).detach(), getattr(alone, name).detach()
        assert_allclose(part[:, 0], whole[row, owner], rtol=1e-12)
