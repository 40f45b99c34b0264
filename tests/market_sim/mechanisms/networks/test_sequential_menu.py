"""SequentialMenu keeps its promises whatever its network computes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from menu_networks import best_gain, mixed_population, random_network
from numpy.testing import assert_array_equal

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import save_network
from market_sim.mechanisms.networks.menu import SequentialMenu

some = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
orders = st.sampled_from(["size", "random"])
levels = st.sampled_from([1e-4, 0.05, 0.3, 1.0, 4.0])


@some
@given(seed=st.integers(0, 500), spread=st.floats(0.0, 12.0), order=orders, level=levels)
def test_no_lie_pays_nobody_loses_nothing_is_overspent(tmp_path, seed, spread, order, level):
    path = random_network(tmp_path, seed, spread=spread, order=order)
    auction = SequentialMenu(path, order=order, seed=seed)
    population = mixed_population(seed, 6)
    truth, budget = population.reports(), ms.budgets(population, level, "proportional")
    outcome = auction.clear(truth, budget)
    assert (outcome.utility(truth.valuations, truth.cap) >= -1e-12 * budget[:, None]).all()
    assert (outcome.spent <= budget * (1 + 1e-12)).all()
    for owner in range(4):
        assert (best_gain(auction, truth, budget, owner) <= 1e-12 * budget).all()


def test_random_networks_buy_something(tmp_path):
    population = mixed_population(0, 50)
    budget = ms.budgets(population, 0.5, "proportional")
    bought = [
        SequentialMenu(random_network(tmp_path, seed, spread=spread))
        .clear(population.reports(), budget)
        .winners.mean()
        for seed in range(4)
        for spread in (1.0, 3.0, 8.0)
    ]
    assert np.median(bought) > 0.2


def test_the_attack_finds_lies_that_pay():
    population = mixed_population(0, 200)
    budget = ms.budgets(population, 0.3, "proportional")
    gains = best_gain(ms.AllIn("critical"), population.reports(), budget, 1)
    assert (gains > 0.01 * budget).mean() > 0.05


@some
@given(seed=st.integers(0, 500), level=levels, part=st.floats(0.01, 1.0))
def test_no_smaller_size_pays_where_sizes_are_reported(tmp_path, seed, level, part):
    path = random_network(tmp_path, seed, order="random", verified=False)
    auction = SequentialMenu(path, order="random", seed=seed)
    population = mixed_population(seed, 6)
    truth, budget = population.reports(), ms.budgets(population, level, "proportional")
    honest = auction.clear(truth, budget)
    assert (honest.data_size <= truth.data_size).all()
    assert (honest.spent <= budget * (1 + 1e-12)).all()
    gain = honest.utility(truth.valuations, truth.cap)
    assert (gain >= -1e-12 * budget[:, None]).all()
    for owner in range(4):
        size = np.array(truth.data_size)
        size[:, owner] *= part
        told = ms.Reports(truth.valuations, truth.cap, size)
        lied = auction.clear(told, budget).utility(truth.valuations, truth.cap)
        assert (lied[:, owner] <= gain[:, owner] + 1e-12 * budget).all()
        assert (best_gain(auction, told, budget, owner) <= 1e-12 * budget).all()


def test_a_reported_size_would_pay_if_the_menu_were_for_verified_ones(tmp_path):
    """The size test can fail: with verified sizes the own size moves the own price."""
    auction = SequentialMenu(
        random_network(tmp_path, 1, order="random", spread=1.0), order="random"
    )
    population = mixed_population(3, 200)
    truth, budget = population.reports(), ms.budgets(population, 0.3, "proportional")
    size = np.array(truth.data_size)
    size[:, 0] *= 0.3
    told = ms.Reports(truth.valuations, truth.cap, size)
    lied, honest = (auction.clear(r, budget).utility(truth.valuations) for r in (told, truth))
    assert (lied[:, 0] > honest[:, 0] + 1e-3 * budget).any()


def test_some_samples_are_sold_where_the_money_is_short(tmp_path):
    auction = SequentialMenu(
        random_network(tmp_path, 1, order="random", verified=False, spread=1.0), order="given"
    )
    population = mixed_population(1, 300)
    outcome = auction.clear(population.reports(), ms.budgets(population, 0.3, "proportional"))
    assert ((outcome.data_size < population.data_size) & (outcome.epsilon > 0)).any()
    assert_array_equal(
        outcome.data_size[outcome.epsilon == 0], population.data_size[outcome.epsilon == 0]
    )


def test_what_comes_first_does_not_depend_on_what_comes_later(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 5, order="random"), order="given")
    population = mixed_population(5, 40, owners=6)
    truth, budget = population.reports(), ms.budgets(population, 0.4, "proportional")
    lie = truth.replace(3, rate=np.full(40, 1e-6), cap=np.full(40, 2.0))
    before, after = auction.clear(truth, budget), auction.clear(lie, budget)
    assert_array_equal(before.payment[:, :3], after.payment[:, :3])
    assert (before.payment[:, 4:] != after.payment[:, 4:]).any()


def test_owners_of_different_sizes_are_anonymous(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 6))
    population = mixed_population(6, 50, owners=7)
    budget = ms.budgets(population, 0.4, "proportional")
    order = np.random.default_rng(0).permutation(7)
    still = auction.clear(population.reports(), budget)
    moved = auction.clear(population.select(order).reports(), budget)
    assert_array_equal(moved.epsilon, still.epsilon[:, order])


def test_random_order_is_the_seed(tmp_path):
    path = random_network(tmp_path, 7, order="random")
    population = mixed_population(7, 50, owners=6)
    reports, budget = population.reports(), ms.budgets(population, 0.4, "proportional")
    auction = SequentialMenu(path, order="random", seed=1)
    assert not auction.guarantees.deterministic
    first = auction.clear(reports, budget)
    assert first.payment.tobytes() == auction.clear(reports, budget).payment.tobytes()
    tossed = auction.realize(2).clear(reports, budget)
    assert (tossed.payment != first.payment).any()
    assert_array_equal(auction.realize(1).clear(reports, budget).payment, first.payment)


def test_rows_do_not_know_of_each_other(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 8))
    population = mixed_population(8, 60, owners=9)
    reports, budget = population.reports(), ms.budgets(population, 0.4, "proportional")
    together = auction.clear(reports, budget)
    for row in range(0, 60, 7):
        alone = auction.clear(
            ms.Reports(reports.valuations[row], reports.cap[row], reports.data_size[row]),
            budget[row],
        )
        assert_array_equal(alone.payment, together.payment[row])


def test_many_owners_share_menus_within_the_budget(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 9, most=5))
    population = mixed_population(9, 3, owners=200)
    budget = ms.budgets(population, 0.4, "proportional")
    outcome = auction.clear(population.reports(), budget)
    assert (outcome.spent <= budget * (1 + 1e-12)).all()
    assert outcome.winners.any()
    assert (best_gain(auction, population.reports(), budget, 150) <= 1e-12 * budget).all()


@pytest.mark.parametrize("size", [None, [3.0]])
def test_one_owner(tmp_path, size):
    auction = SequentialMenu(random_network(tmp_path, 2, spread=1.0))
    reports = ms.Reports(ms.Valuations("linear", [1.0]), [1.0], size)
    outcome = auction.clear(reports, 20.0)
    assert 0 < outcome.epsilon[0] <= 1.0
    assert outcome.payment[0] >= reports.cost(outcome.epsilon)[0]


def test_who_asks_nothing_sells_as_much_as_pays_most(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 2, spread=1.0))
    outcome = auction.clear(ms.Reports(ms.Valuations("linear", [0.0, 0.0]), [2.0, 1.0]), 1.0)
    assert outcome.epsilon[0] == 2.0
    assert 0.9 < outcome.epsilon[1] <= 1.0


def test_caps_below_and_above_what_is_on_sale(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 2, spread=1.0))
    free = ms.Valuations("linear", [0.0, 0.0])
    outcome = auction.clear(ms.Reports(free, [1e-9, 50.0]), 1.0)
    assert_array_equal(outcome.epsilon, [0.0, 2.0])


def test_input_outside_its_domain(tmp_path):
    path = random_network(tmp_path, 1, order="random", verified=False)
    with pytest.raises(ms.InvalidInput, match="unknown order"):
        SequentialMenu(path, order="alphabet")
    with pytest.raises(ms.InvalidInput, match="seed"):
        SequentialMenu(path, order="random", seed=-1)
    with pytest.raises(ms.InvalidInput, match="reported sizes"):
        SequentialMenu(path, order="size")
    with pytest.raises(ms.InvalidInput, match="no shipped network"):
        SequentialMenu("no-such-menu")


def test_a_network_of_another_kind_or_a_damaged_one_is_refused(tmp_path):
    other = save_network(tmp_path / "other.safetensors", "regret-net", {}, {"x": torch.ones(2)})
    with pytest.raises(ms.InvalidInput, match="sequential-menu is needed"):
        SequentialMenu(str(other))
    whole = tmp_path / "half.safetensors"
    whole.write_bytes(Path(random_network(tmp_path, 1)).read_bytes()[:900])
    with pytest.raises(ms.InvalidInput, match="truncated"):
        SequentialMenu(str(whole))
