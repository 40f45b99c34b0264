"""The common level: never more than the budget, and everybody takes her best option."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from market_sim.mechanisms.networks.equivariant_clearing import (
    Menus,
    clear_exactly,
    clear_smoothly,
)


def random_menus(seed, rows=20, owners=6, options=5, spread=1.0):
    """Return menus with ascending offers and costs; shares of the budget."""
    draw = torch.Generator().manual_seed(seed)
    shape = (rows, owners, options)

    def ascending(scale):
        steps = torch.rand(shape, generator=draw, dtype=torch.float64)
        return torch.cumsum(steps, dim=-1) * scale

    ample = torch.log(ascending(0.1)) + spread * torch.rand(rows, owners, 1, generator=draw)
    dear = ample + spread * torch.rand(shape, generator=draw, dtype=torch.float64).cumsum(dim=-1)
    return Menus.of(ample, dear, ascending(0.3))


def brute_force_level(menus, row):
    """Return the highest of many levels at which the payments cost at most the budget."""
    levels = torch.linspace(-8.0, 12.0, 200_001, dtype=torch.float64)
    part = Menus(menus.ample[row, None], menus.extra[row, None], menus.cost[row, None])
    owners = part.cost.shape[1]
    spent = torch.cat(
        [
            part.chosen(chunk[:, None].expand(-1, owners))[0].sum(dim=-1)
            for chunk in levels.split(5000)
        ]
    )
    over = (spent > 1.0).nonzero()[0, 0]
    return levels[over - 1], spent[over - 1]


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31), skips=st.integers(0, 3), spread=st.sampled_from([0.0, 0.3, 3.0]))
def test_never_more_than_the_budget_and_always_the_best_option(seed, skips, spread):
    menus = random_menus(seed, spread=spread)
    money, option, level = clear_exactly(menus, skips)
    assert (money.sum(dim=-1) <= 1.0 + 1e-12).all()
    gain = menus.paid(level) - menus.cost
    best = gain.amax(dim=-1).clamp(min=0.0)
    taken = torch.where(
        option > 0, gain.gather(-1, (option - 1).clamp(min=0)[..., None])[..., 0], 0.0
    )
    assert_allclose(taken, best, atol=1e-15)
    assert (taken >= 0).all()
    assert ((money > 0) == (option > 0)).all()


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_the_level_is_the_highest_that_fits(spread):
    menus = random_menus(3, rows=5, spread=spread)
    money, _, level = clear_exactly(menus)
    for row in range(5):
        highest, spent = brute_force_level(menus, row)
        assert_allclose(level[row, 0], highest, atol=1.1e-4)
        assert_allclose(money[row].sum(), spent, rtol=2e-4)


def test_skips_spend_more_and_hold_who_does_not_fit():
    menus = random_menus(5, rows=200)
    spent = [clear_exactly(menus, skips)[0].sum(dim=-1) for skips in range(4)]
    for before, after in pairwise(spent):
        assert (after >= before - 1e-12).all()
    assert spent[1].mean() > spent[0].mean() + 0.01
    level = clear_exactly(menus, 1)[2]
    assert ((level < level.amax(dim=-1, keepdim=True)).sum(dim=-1) <= 1).all()


def test_one_owner_who_asks_too_much_gets_nothing_and_the_level_ends():
    menus = Menus.of(
        torch.zeros(1, 1, 2, dtype=torch.float64),
        torch.zeros(1, 1, 2, dtype=torch.float64),
        torch.tensor([[[1.5, torch.inf]]], dtype=torch.float64),
    )
    money, option, _ = clear_exactly(menus)
    assert money.item() == 0.0
    assert option.item() == 0


def test_smoothed_spends_the_budget_and_tends_to_the_rule():
    menus = random_menus(7, rows=300)
    money, chance = clear_smoothly(menus, 0.05)
    assert_allclose(money.sum(dim=-1), 1.0, rtol=1e-6)
    assert_allclose(chance.sum(dim=-1), 1.0, rtol=1e-12)
    agree = [
        (clear_smoothly(menus, heat)[1].argmax(dim=-1) == clear_exactly(menus)[1]).double().mean()
        for heat in (0.3, 0.001)
    ]
    assert agree[1] > max(agree[0], 0.75)


def test_slopes_of_the_smoothed_level_are_those_of_differences():
    menus = random_menus(11, rows=1)
    cost = menus.cost.clone().requires_grad_()
    direction = torch.randn(cost.shape, generator=torch.Generator().manual_seed(0)).double()

    def pay(moved):
        return clear_smoothly(Menus(menus.ample, menus.extra, moved), 0.5)[0][0, 2]

    slope = (torch.autograd.grad(pay(cost), cost)[0] * direction).sum()
    step = 1e-5
    with torch.enable_grad():  # the polished level in both points
        ahead, behind = (pay(cost + sign * step * direction).item() for sign in (1, -1))
    assert_allclose(slope.item(), (ahead - behind) / (2 * step), rtol=1e-3)
    assert abs(slope.item()) > 1e-3


def test_huge_costs_do_not_overflow():
    menus = random_menus(13, rows=4)
    dear = Menus.of(menus.ample, menus.ample, menus.cost * 1e300)
    assert (clear_exactly(dear)[0] == 0.0).all()
    money, chance = clear_smoothly(dear, 0.05)
    assert torch.isfinite(money).all()
    assert torch.isfinite(chance).all()
    assert np.isfinite(clear_exactly(dear)[2].numpy()).all()
