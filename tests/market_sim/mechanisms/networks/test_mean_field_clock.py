"""The falling price of the mean-field auction, beside a slow and literal copy of its rule."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from market_sim.mechanisms.networks.mean_field_clock import Clock, ClockSale, spacing
from market_sim.mechanisms.networks.mean_field_net import MeanFieldNetwork, MeanFieldSettings


def sale(value, cap, budget, step, held=None, reserve=None):
    """Clear one market with a clock of some spacing; what is held back depends on the price."""
    columns = [torch.tensor(np.array([column])) for column in (value, cap)]
    clock = Clock.of(
        *columns, torch.tensor([budget], dtype=torch.float64), step=step, reserve=reserve
    )
    marks = torch.full((1, len(value), 1), 1.0 / len(value), dtype=torch.float64)

    def release(price, pooled):
        return torch.zeros_like(price) if held is None else held(price, pooled[:, 0])

    sold, paid = ClockSale(clock, marks, release).run()
    return sold[0].numpy(), paid[0].numpy()


def literal(value, cap, budget, step, held=None):
    """Clear one market owner by owner, from far above all prices, without any shortcut."""
    owners, unit = len(value), budget / len(value)
    stay = sorted(range(owners), key=lambda i: -value[i])
    kept, paid, limit, spent = list(cap), [0.0] * owners, np.inf, 0.0
    tick = np.floor(-np.log(1e4 / unit) / step)
    while limit > 1e-12 and len(stay) > (limit < np.inf):
        price = unit * np.exp(-step * tick)
        if value[stay[0]] > price:
            price = value[stay.pop(0)]
        else:
            tick += 1
        share = 0.0 if held is None else held(price / unit, 1.0 - len(stay) / owners)
        money = budget * (1.0 - share) - spent
        limit = min(limit, max(0.0, sum(kept[i] for i in stay) - money / price))
        for i in stay:
            pay = price * (kept[i] - min(kept[i], limit))
            kept[i], paid[i], spent = min(kept[i], limit), paid[i] + pay, spent + pay
    return np.array(cap) - kept, np.array(paid)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("holds", [False, True])
def test_shortcuts_change_nothing(seed, holds):
    rng = np.random.default_rng(seed)
    owners = int(rng.integers(2, 7))
    value, cap = rng.uniform(0.05, 1.0, owners), rng.uniform(0.1, 5.0, owners)
    budget = owners * rng.uniform(0.05, 1.0)

    def held(price, pooled):
        lib = torch if isinstance(price, torch.Tensor) else np
        return 0.5 * lib.exp(-2.0 * pooled) * (1.0 - lib.exp(-price))

    some = held if holds else None
    for mine, slow in zip(
        sale(value, cap, budget, 0.05, some), literal(value, cap, budget, 0.05, some), strict=True
    ):
        assert_allclose(mine, slow, rtol=1e-8, atol=1e-10)


def test_two_owners_by_hand():
    # Prices fall without gaps (nearly). Owner 0 (cap 4) can sell alone from 1 = p * (6 - 4), so
    # she sells at p, from 0.5 to 0.25, 2 ln 2: the other's 2 units are all that the money need
    # leave. At 0.25 she leaves, and the other sells 2 units at 0.25.
    sold, paid = sale([0.25, 0.1], [4.0, 2.0], 1.0, 1e-3)
    assert_allclose(sold, [2.0 * np.log(2.0), 2.0], rtol=3e-3)
    assert_allclose(paid, [0.5, 0.5], rtol=3e-3)


def test_finer_prices_leave_less_unspent():
    rng = np.random.default_rng(1)
    value, cap = rng.uniform(0.0, 1.0, 8), rng.uniform(0.1, 5.0, 8)
    spent = [sale(value, cap, 4.0, step)[1].sum() for step in (0.2, 0.02, 0.002)]
    assert spent[0] < spent[1] < spent[2] <= 4.0
    assert spent[2] > 0.998 * 4.0


def test_what_is_held_back_to_the_end_is_not_spent():
    def half(price, pooled):
        return torch.full_like(price, 0.5)

    sold, paid = sale([0.2, 0.5, 0.7], [1.0, 1.0, 1.0], 1.0, 0.01, half)
    assert paid.sum() <= 0.5
    assert sold.sum() > 0


@pytest.mark.parametrize(("owners", "expected"), [(1, 0.025), (10, 0.005), (10**6, 1e-5)])
def test_spacing(owners, expected):
    assert spacing(owners) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_any_network_releases_more_and_more(seed):
    network = MeanFieldNetwork(MeanFieldSettings(hidden=6, pooled=3), seed).double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(2.0 * torch.randn(parameter.shape, generator=generator).double())
        network.top.bias.fill_(1.0)
        told = network.told(10, torch.full((200,), 0.5).double())
        price = torch.linspace(8.0, 0.01, 200).double()
        left = torch.rand(200, 3, generator=generator).double().cumsum(dim=0) / 100.0
        held = network.held(told, price, left)
        marks = network.marks(*torch.rand(2, 4, 6).double(), torch.ones(4).double())
    assert (held.diff() <= 0).all()
    assert ((held >= 0) & (held <= 1)).all()
    assert (marks > 0).all()


def test_an_untrained_network_holds_what_it_is_told():
    settings = MeanFieldSettings(held_at_first=0.3)
    network = MeanFieldNetwork(settings)
    told = network.told(10, torch.ones(1))
    price = torch.exp(torch.tensor([-1.0]))
    held = network.held(told, price, torch.zeros(1, settings.pooled))
    assert held.item() == pytest.approx(0.3)


@pytest.mark.parametrize("held", [0.0, 1.0, -0.1])
def test_settings_are_checked(held):
    with pytest.raises(ValueError, match="held_at_first"):
        MeanFieldSettings(held_at_first=held)
