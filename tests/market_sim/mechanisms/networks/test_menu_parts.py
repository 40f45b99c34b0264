"""Parts of the sequential menu: the grid, the blocks of visits, the state and the network."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.mechanisms.networks.menu_grid import MenuGrid
from market_sim.mechanisms.networks.menu_net import (
    MenuNetwork,
    MenuSettings,
    Offer,
    best_choice,
    soft_choice,
    visit_all,
)
from market_sim.mechanisms.networks.menu_state import (
    FEATURES,
    MenuMarket,
    Prior,
    Visit,
    blocks,
    without_own,
)

SMALL = MenuGrid(max_cap=2.0, options=12, power=1.0, knots=(0.25, 1.0))


def market(seed=0, rows=3, owners=5, dtype=torch.float64):
    population = ms.fl_market_2022(owners).sample(np.random.default_rng(seed), (rows,))
    money = ms.budgets(population, 0.5, "proportional")
    places = np.arange(owners)[None]
    return MenuMarket.from_reports(population.reports(), money, places, dtype)


def test_grid_runs_up_to_the_largest_cap():
    grid = MenuGrid(max_cap=3.0, options=7, power=2.0)
    assert grid.epsilon[-1] == 3.0
    assert (np.diff(grid.epsilon) > 0).all()
    assert grid.epsilon[0] == pytest.approx(3.0 / 49)


def test_prices_between_knots_lie_on_lines():
    price = np.array([1.0, 4.0]) @ SMALL.interpolation
    assert_allclose(price, np.interp(SMALL.epsilon, [0.0, 0.5, 2.0], [0.0, 1.0, 4.0]))


def test_bases_are_those_of_the_valuations():
    one = ms.Valuations(list(ms.KINDS), np.ones(5))
    for place, epsilon in enumerate(SMALL.epsilon):
        assert_allclose(SMALL.bases[:, place], one.cost(epsilon), rtol=1e-15)


@pytest.mark.parametrize(
    "wrong", [{"max_cap": 0.0}, {"options": 0}, {"power": 0.5}, {"knots": (0.5, 0.4, 1.0)}]
)
def test_grid_outside_its_domain(wrong):
    with pytest.raises(ms.InvalidInput):
        MenuGrid(**wrong)


def test_grid_survives_its_plain_form():
    assert MenuGrid.from_plain(SMALL.plain()) == SMALL
    settings = MenuSettings(SMALL, Prior(1.0, 0.5, 3.0), hidden=4, order="random", verified=False)
    assert MenuSettings.from_plain(settings.plain()) == settings


@given(st.integers(1, 3000), st.integers(1, 64), st.booleans())
def test_blocks_cover_all_visits_once(owners, most, growing):
    ranges = blocks(owners, most, growing=growing)
    assert [i for start, stop in ranges for i in range(start, stop)] == list(range(owners))
    assert len(ranges) <= most
    if owners <= most:
        assert len(ranges) == owners
    elif growing:
        lengths = [stop - start for start, stop in ranges]
        assert lengths[:-1] == sorted(lengths[:-1])


@given(st.lists(st.floats(1.0, 1e9), min_size=1, max_size=9), st.floats(1.0, 1e12))
def test_without_own_leaves_no_trace_of_the_own(sizes, other):
    size = torch.tensor([sizes], dtype=torch.float64)
    place = len(sizes) // 2
    changed = size.clone()
    changed[0, place] = other
    assert without_own(size)[0, place] == without_own(changed)[0, place]
    assert without_own(size)[0, place].item() == pytest.approx(sum(sizes) - sizes[place], abs=1e-3)


@pytest.mark.parametrize("verified", [True, False])
def test_a_menu_sees_no_report_of_its_own_owner(verified):
    """Rates and caps of the block and of later owners change no feature; nor do reported sizes."""
    base = market()
    visit = Visit(base, Prior(), verified)
    visit.record(0, 2, base.cap[:, :2], torch.ones(3, 2), 2.0)
    seen = visit.features(2, 4)
    value, half, size = base.value.clone(), base.half.clone(), base.size.clone()
    value[:, 2:] *= 3.0
    half[:, 2:] *= 0.5
    if not verified:
        size[:, 3] *= 0.25
    changed = MenuMarket(base.kind, base.rate, base.cap, size, value, half, base.money)
    other = Visit(changed, Prior(), verified)
    other.record(0, 2, base.cap[:, :2], torch.ones(3, 2), 2.0)
    now = other.features(2, 4)
    assert_array_equal(now[:, 1], seen[:, 1])
    if verified:
        assert_array_equal(now, seen)
    else:
        assert (now[:, 0] != seen[:, 0]).any()  # she shares a block with the one whose size changed
    assert now.shape == (3, 2, FEATURES)


def test_features_know_the_reports_of_earlier_owners():
    base = market()
    first, second = Visit(base, Prior(), True), Visit(base, Prior(), True)
    first.record(0, 2, base.cap[:, :2], torch.ones(3, 2), 2.0)
    second.market.value[:, :2] *= 2.0
    second.record(0, 2, 0.0 * base.cap[:, :2], torch.zeros(3, 2), 2.0)
    assert (first.features(2, 3) != second.features(2, 3)).any(dim=(0, 1)).sum() >= 5


def test_features_are_free_of_the_unit_of_data():
    base = market()
    tenfold = MenuMarket(
        base.kind, base.rate, base.cap, 10 * base.size, 10 * base.value, 10 * base.half,
        10 * base.money,
    )  # fmt: skip
    for now, then in zip(
        Visit(base, Prior(), True).features(0, 5),
        Visit(tenfold, Prior(), True).features(0, 5),
        strict=True,
    ):
        assert_allclose(now, then, rtol=1e-12)


@given(st.integers(0, 10_000), st.floats(0.0, 30.0))
def test_prices_never_fall(seed, spread):
    network = MenuNetwork(MenuSettings(SMALL, hidden=5), seed).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(spread)
        generator = torch.Generator().manual_seed(seed)
        price = network(torch.randn(20, FEATURES, generator=generator, dtype=torch.float64))
    assert (price >= 0).all()
    assert (price.diff(dim=-1) >= 0).all()


def test_before_training_the_price_is_linear():
    network = MenuNetwork(MenuSettings(SMALL), seed=1)
    with torch.no_grad():
        network.layers[-1].weight.zero_()
        price = network(torch.randn(4, FEATURES))
    assert_allclose(price[:, 0] / price[:, 1], 0.25, rtol=1e-5)


def offers(gain):
    gain = torch.tensor([[gain]], dtype=torch.float64)
    epsilon = torch.arange(1.0, gain.shape[-1] + 1, dtype=torch.float64)
    pay = 10.0 * epsilon.expand_as(gain)
    return Offer(epsilon, gain, pay, torch.ones(1, 1, dtype=torch.float64)), torch.ones_like(gain)


@pytest.mark.parametrize(
    ("gain", "sold"),
    [
        ([1.0, 3.0, 2.0], 2.0),
        ([3.0, 3.0, -np.inf], 2.0),  # of equals the largest
        ([0.0, -1.0, -np.inf], 1.0),  # for nothing to gain she sells
        ([-1.0, -2.0, -3.0], 0.0),
        ([-np.inf, -np.inf, -np.inf], 0.0),
    ],
)
def test_best_choice(gain, sold):
    epsilon, payment, _ = best_choice(*offers(gain))
    assert epsilon.item() == sold
    assert payment.item() == 10.0 * sold


def test_soft_choice_becomes_the_best_one():
    offer, used = offers([1.0, 3.0, 2.0])
    warm, cold = (soft_choice(t)(offer, used)[0].item() for t in (1.0, 0.01))
    assert cold == pytest.approx(2.0, abs=1e-9)
    assert warm != pytest.approx(2.0, abs=1e-2)


def test_samples_used_do_not_count_the_chance_to_sell_twice():
    offer, used = offers([-0.5, 0.5, -1.0])
    epsilon, _, samples = soft_choice(1.0)(offer, 7.0 * used)
    assert samples.item() == pytest.approx(7.0)
    assert epsilon.item() < 1.9


def test_the_slope_is_that_of_differences():
    """Perturb one parameter: the smoothed choices move as their slope says."""
    network = MenuNetwork(MenuSettings(SMALL, hidden=4), seed=2).double()
    owners = market(rows=40, owners=1)  # later on the temperature follows the money left

    def sold():
        return visit_all(network, owners, SMALL, soft_choice(0.3), exact=False).epsilon.sum()

    bias = network.layers[-1].bias
    slope = torch.autograd.grad(sold(), bias)[0][0].item()
    with torch.no_grad():
        bias[0] += 1e-5
        above = sold().item()
        bias[0] -= 2e-5
        below = sold().item()
    assert slope == pytest.approx((above - below) / 2e-5, rel=1e-4)
    assert abs(slope) > 1e-3


@pytest.mark.parametrize("wrong", [{"order": "given"}, {"hidden": 0}, {"blocks": 0}])
def test_settings_outside_their_domain(wrong):
    with pytest.raises(ms.InvalidInput):
        MenuSettings(**wrong)


def test_reported_sizes_cannot_order_the_visits():
    with pytest.raises(ms.InvalidInput, match="order of size"):
        MenuSettings(order="size", verified=False)
