"""EquivariantRegretNet as a mechanism: shipped, any n, rational, within the budget, linear in n."""

import dataclasses
import pickle
import tracemalloc
from dataclasses import asdict

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.checkpoints import SHIPPED, load_network, save_network
from market_sim.mechanisms.networks.equivariant import KIND
from market_sim.mechanisms.networks.equivariant_net import EquivariantNet, EquivariantSettings

LEARNED = ms.EquivariantRegretNet()


def market(owners, profiles=50, rate=0.5, seed=1):
    population = ms.fl_market_2022(owners, 2.0).sample(
        ms.Streams(seed).generator("market", owners), (profiles,)
    )
    return population.reports(), ms.budgets(population, rate, "proportional")


def mean_error(mechanism, reports, budget):
    sold = mechanism.clear(reports, budget).epsilon
    weights = ms.ErrorOpt().weights(sold, reports.data_size)
    return ms.error_bound(weights, sold, reports.data_size).mean()


@pytest.mark.parametrize("owners", [1, 2, 5, 33, 1000])
def test_any_number_of_owners(owners):
    reports, budget = market(owners, profiles=4)
    outcome = LEARNED.clear(reports, budget)
    assert (outcome.spent <= budget * (1 + 1e-12)).all()
    assert (outcome.utility(reports.valuations, reports.cap) >= -1e-12 * budget[:, None]).all()
    assert (outcome.epsilon > 0).any()
    assert ((outcome.payment > 0) == (outcome.epsilon > 0)).all()


@pytest.mark.parametrize(("rate", "least"), [(0.1, 1.1), (0.25, 1.1), (0.5, 1.08), (1.0, 1.04)])
def test_buys_better_gradients_than_all_in(rate, least):
    reports, budget = market(10, profiles=500, rate=rate)
    ours = mean_error(LEARNED, reports, budget)
    assert least * ours < mean_error(ms.AllIn("critical"), reports, budget)


@pytest.mark.parametrize("owners", [5, 30, 100])
def test_one_network_beats_all_in_at_other_numbers_of_owners(owners):
    reports, budget = market(owners, profiles=200, rate=0.5)
    ours = mean_error(LEARNED, reports, budget)
    assert 1.05 * ours < mean_error(ms.AllIn("critical"), reports, budget)


def test_a_strong_attack_gains_little():
    reports, budget = market(10, profiles=2)
    found = attack(LEARNED, reports, budget, restarts=2, steps=2)
    assert found.regret.mean() < 0.05 * found.payment.mean()


def test_memory_grows_with_owners_not_with_their_square():
    reports, budget = market(100_000, profiles=1)
    tracemalloc.start()
    outcome = LEARNED.clear(reports, budget)
    numpy_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert numpy_peak < 1e8  # a square matrix of doubles would take 8e10 bytes
    assert 0.98 < outcome.spent[0] / budget[0] <= 1.0 + 1e-12


def test_the_random_variant_pays_the_same_whatever_is_drawn():
    first = ms.EquivariantRegretNet(variant="random", seed=1)
    reports, budget = market(10, profiles=100)
    outcomes = [first.realize(seed).clear(reports, budget) for seed in (1, 1, 2)]
    assert_array_equal(outcomes[0].epsilon, outcomes[1].epsilon)
    assert (outcomes[0].epsilon != outcomes[2].epsilon).any()
    assert_array_equal(outcomes[0].payment, outcomes[2].payment)
    utility = np.mean(
        [
            first.realize(seed).clear(reports, budget).utility(reports.valuations)
            for seed in range(20)
        ],
        axis=0,
    )
    assert utility.mean() > 0
    assert (utility.mean(axis=0) > -0.02 * budget.mean() / 10).all()
    assert not first.guarantees.individually_rational
    assert LEARNED.guarantees.individually_rational


def test_frequencies_of_the_draws_are_the_chances():
    drawn = ms.EquivariantRegretNet(variant="random")
    reports, budget = market(3, profiles=1)
    expected = drawn.expected_outcome(Bids.from_reports(reports), torch.tensor(budget))
    sold = np.mean([drawn.realize(s).clear(reports, budget).epsilon for s in range(60)], axis=0)
    assert_allclose(sold, expected.epsilon, atol=0.3)


def test_a_lie_meets_the_same_luck():
    drawn = ms.EquivariantRegretNet(variant="random", seed=5)
    reports, budget = market(6, profiles=100)
    lie = reports.replace(0, rate=reports.valuations.rate[:, 0] * (1 + 1e-9))
    changed = drawn.clear(lie, budget).epsilon != drawn.clear(reports, budget).epsilon
    assert changed.mean() < 0.01


def test_same_bytes_from_the_same_file_and_after_pickling():
    reports, budget = market(10)
    again = pickle.loads(pickle.dumps(LEARNED))
    other = ms.EquivariantRegretNet(network=str(SHIPPED / "equivariant-2022.safetensors"))
    for mechanism in (again, other):
        assert_array_equal(
            mechanism.clear(reports, budget).payment, LEARNED.clear(reports, budget).payment
        )
    assert again == LEARNED


def test_a_network_survives_its_file(tmp_path):
    module = EquivariantNet(EquivariantSettings(options=3, skips=2), seed=4)
    file = save_network(
        tmp_path / "mine.safetensors",
        KIND,
        {"settings": asdict(module.settings)},
        module.state_dict(),
    )
    mine = ms.EquivariantRegretNet(network=file)
    assert mine.module.settings == module.settings
    stored = mine.module.state_dict()
    assert all(
        torch.equal(stored[key], value) for key, value in module.double().state_dict().items()
    )
    reports, budget = market(10)
    grid = np.unique((mine.clear(reports, budget).epsilon / reports.cap).round(9))
    assert set(grid) <= {0.0, round(1 / 3, 9), round(2 / 3, 9), 1.0}


def test_the_shipped_network_is_small_and_says_how_it_was_made():
    assert (SHIPPED / "equivariant-2022.safetensors").stat().st_size < 200_000
    metadata = load_network("equivariant-2022").metadata
    assert {"settings", "law", "recipe", "training"} <= set(metadata)
    assert metadata["law"]["least"] == 5
    assert LEARNED.metadata["recipe"]["seed"] == 0


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ms.InvalidInput, match="no shipped network 'equivariant-1999'"):
        ms.EquivariantRegretNet(network="equivariant-1999")
    with pytest.raises(ms.InvalidInput, match="unknown variant 'soft'"):
        ms.EquivariantRegretNet(variant="soft")
    with pytest.raises(ms.InvalidInput, match="seed must be a whole number"):
        ms.EquivariantRegretNet(seed=-1)
    with pytest.raises(ms.InvalidInput, match="M = 8 options an owner but 5 were asked for"):
        ms.EquivariantRegretNet(options=5)
    other = save_network(tmp_path / "other.safetensors", "some-net", {}, {"x": torch.ones(1)})
    with pytest.raises(ms.InvalidInput, match="is a some-net but a equivariant-net is needed"):
        ms.EquivariantRegretNet(network=other)
    assert dataclasses.is_dataclass(LEARNED)
