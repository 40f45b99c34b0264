"""The terms of the published loss, each against its formula or a loop."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from mfg_markets import market, network
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.base import DifferentiableMechanism, ExpectedOutcome
from market_sim.mechanisms.networks.mfg_losses import (
    bellman_loss,
    lying_utility,
    mean_field_loss,
    mean_field_payments,
)
from market_sim.mechanisms.networks.plain_ascent import (
    ascent_regret,
    network_utility,
    places_of,
    plain_ascent,
)


@dataclass(frozen=True)
class SamePay(DifferentiableMechanism):
    """Everybody sells all of her cap and is paid the same, whatever is told."""

    name = "same-pay"
    guarantees = ms.Guarantees(budget_feasible=True)

    def expected_outcome(self, bids, budget):
        paid = (budget.unsqueeze(-1) / bids.owners).expand(bids.cap.shape)
        chance = torch.ones_like(bids.cap)
        both = torch.stack([torch.zeros_like(chance), chance], dim=-1)
        return ExpectedOutcome(both, bids.cap.unsqueeze(-1), paid + 0.0 * bids.rate)

    def clear(self, reports, budget):
        return ms.Outcome(reports.cap, np.full(reports.shape, budget / reports.owners), budget)


@pytest.mark.parametrize(("steps", "step"), [(1, 0.1), (25, 0.01), (25, 0.1), (60, 0.2)])
def test_ascent_against_a_constant_payment_by_formula(steps, step):
    told, _, _ = market(owners=10, profiles=50)
    found = ascent_regret(SamePay(), told, 50.0, steps, step)
    # The slope by the cap is -v: every step saves v * step of it, down to next to nothing.
    saved = np.minimum(steps * step * told.unit_value, 0.999 * told.cap)
    assert_allclose(found, told.unit_value * saved, rtol=1e-9, atol=1e-13)


def test_the_ascent_stays_between_nothing_and_the_largest_value_and_the_true_cap():
    truth = torch.tensor([[0.5, 2.0], [0.9, 1.0]], dtype=torch.float64)
    upwards = plain_ascent(lambda place: place.sum(dim=1), truth, 100, 0.1, 1.0)
    assert_allclose(upwards, [[1.0, 2.0], [1.0, 1.0]])
    downwards = plain_ascent(lambda place: -place.sum(dim=1), truth, 100, 0.1, 1.0)
    assert_allclose(downwards, [[0.0, 0.002], [0.0, 0.001]])


@pytest.mark.parametrize("form", ["text", "code"])
def test_the_two_ways_to_a_lie_agree_and_the_mean_bid_moves_with_it(form):
    module = network(form=form, loud=2.0)
    _, truth, budget = market()
    rows = torch.arange(30), torch.arange(30) % 4
    told = places_of(truth, rows) * torch.tensor([0.7, 0.4], dtype=torch.float64)
    seen = module.seen(truth, budget)
    quick = lying_utility(module, seen[rows[0]], rows[1], told)
    assert_allclose(
        quick.detach(), network_utility(module, truth, budget, rows, told).detach(), atol=2e-5
    )
    # b'_MFG = b_MFG + (b'_i - b_i) / N, said out loud
    moved = seen.mean(dim=1) + (told - seen[rows]) / 4
    lied = seen.clone()
    lied[rows] = told
    hidden = module.header(torch.cat([lied.flatten(1), moved], dim=1))
    by_hand = torch.sigmoid(module.payment(hidden))
    seen_by_rule = torch.cat([lied, lied.mean(dim=1, keepdim=True)], dim=1).flatten(1)
    assert_allclose(
        by_hand.detach(), torch.sigmoid(module.payment(module.header(seen_by_rule))).detach()
    )


def test_mean_field_payments_by_a_loop():
    module = network(loud=3.0)
    _, truth, budget = market(profiles=6)
    seen = module.seen(truth, budget)
    found = mean_field_payments(module, seen, 3, 5, np.random.default_rng(7))
    drawn = np.random.default_rng(7).integers(6, size=(3, 5))
    for profile in range(3):
        for owner in range(4):
            paid = []
            for other in drawn[profile]:
                among = seen[other].clone()
                among[owner] = seen[profile, owner]
                paid.append(module.rule(among[None])[1][0, owner].item())
            assert found[profile, owner].item() == pytest.approx(np.mean(paid), rel=1e-12)


def test_mean_field_loss_by_formula_and_its_reference_has_no_slope():
    rng = np.random.default_rng(0)
    paid, aim, value = (torch.tensor(rng.random((7, 5)), requires_grad=True) for _ in range(3))
    found = mean_field_loss(paid, aim, value, exponent=0.5, total_weight=2.0)
    gap = 5 * np.abs((paid - aim).detach().numpy())
    huber = np.where(gap <= 1, gap**2 / 2, gap - 0.5)
    total = (paid - aim).sum(dim=1).detach().numpy() ** 2
    expected = (np.sqrt(value.detach().numpy()) * huber).mean() + 2.0 * total.mean()
    assert found.item() == pytest.approx(expected)
    found.backward()
    assert aim.grad is None
    assert paid.grad.abs().sum() > 0


def test_bellman_loss_by_formula():
    module = network(loud=2.0)
    _, truth, budget = market()
    seen = module.seen(truth, budget)
    sold, _ = module.rule(seen)
    utility = torch.rand(30, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = bellman_loss(module, seen, sold, utility, discount=0.5, baseline=3.0)
    left = seen.clone()
    left[..., 1] -= sold * seen[..., 1]
    now = module.value_of(seen, seen.mean(dim=1, keepdim=True))
    later = module.value_of(left, left.mean(dim=1, keepdim=True))
    residual = utility + 0.5 * later - now
    expected = (residual**2).mean() + 3.0 * ((now - utility.mean()) ** 2).mean()
    assert found.item() == pytest.approx(expected.item())


def test_a_critic_that_knows_the_utilities_has_no_residual():
    module = network()
    _, truth, budget = market()
    seen = module.seen(truth, budget)
    nothing = torch.zeros(30, 4, dtype=torch.float64)
    with torch.no_grad():
        for parameter in module.critic.parameters():
            parameter.zero_()
    assert bellman_loss(module, seen, nothing, nothing).item() == 0.0


def test_gains_are_never_negative_and_bad_settings_are_refused():
    told, _, _ = market(owners=10, profiles=5)
    mechanism = ms.PublishedMFGRegretNet()
    assert (ascent_regret(mechanism, told, 50.0) >= 0).all()
    for changes in ({"steps": 0}, {"step": 0.0}, {"largest_value": -1.0}):
        with pytest.raises(ms.InvalidInput):
            ascent_regret(mechanism, told, 50.0, **changes)


def test_a_lie_of_the_truth_is_worth_the_truth():
    module = network()
    _, truth, budget = market()
    rows = torch.arange(30), torch.arange(30) % 4
    utility = partial(network_utility, module, truth, budget, rows)
    honest = module(truth, budget).utility(truth)[rows]
    assert_allclose(utility(places_of(truth, rows)).detach(), honest.detach(), rtol=1e-12)
