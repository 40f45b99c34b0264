"""Training of menu networks: it lowers the error, resumes exactly, and says what is wrong."""

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

import market_sim as ms
from market_sim.errors import TrainingError
from market_sim.mechanisms.networks.menu import SequentialMenu
from market_sim.mechanisms.networks.menu_recipe import MenuRecipe
from market_sim.mechanisms.networks.menu_training import MenuTrainer, tamed
from market_sim.mechanisms.networks.training import CHECKPOINT

SMALL = MenuRecipe(
    owners=(4, 6),
    hidden=6,
    options=10,
    iterations=8,
    rows=48,
    average_from=0.25,
    held_out_every=3,
    held_out_profiles=8,
    checkpoint_every=3,
)


def changed(**settings):
    return MenuRecipe(**{**vars(SMALL), **settings})


def test_training_lowers_the_error_of_exact_choices():
    recipe = changed(iterations=80, rows=240, options=16, held_out_profiles=100, owners=(4,))
    trainer = MenuTrainer(recipe)
    before = trainer.score()
    seen = []
    after = recipe.train(progress=seen.append).metadata["training"]["held_out_error_bound"]
    assert after < 0.9 * before
    assert [row["iteration"] for row in seen] == list(range(1, 81))
    assert {"loss", "error_bound", "held_out_error_bound", "temperature", "seconds"} <= set(seen[0])
    assert seen[-1]["temperature"] == pytest.approx(recipe.temperature_end)


class Interrupted(Exception):
    pass


def test_resumed_training_is_the_uninterrupted_one_bit_for_bit(tmp_path):
    whole = SMALL.train()

    def stop(row):
        if row["iteration"] == 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        SMALL.train(folder=tmp_path, progress=stop)
    steps = []
    resumed = SMALL.train(
        folder=tmp_path, resume=True, progress=lambda r: steps.append(r["iteration"])
    )
    assert steps == [4.0, 5.0, 6.0, 7.0, 8.0]
    for name, value in whole.module.state_dict().items():
        assert_array_equal(value, resumed.module.state_dict()[name])
    assert whole.metadata == resumed.metadata


def test_the_same_seed_gives_the_same_file(tmp_path):
    recipe = changed(iterations=2)
    first, second = (recipe.train().save(tmp_path / f"{i}.safetensors") for i in range(2))
    assert first.read_bytes() == second.read_bytes()
    other = changed(iterations=2, seed=1).train().save(tmp_path / "other.safetensors")
    assert other.read_bytes() != first.read_bytes()


def test_a_trained_network_is_used_by_its_path(tmp_path):
    path = SMALL.train().save(tmp_path / "mine.safetensors")
    auction = SequentialMenu(str(path))
    population = ms.fl_market_2022(5).sample(np.random.default_rng(0), (20,))
    outcome = auction.clear(population.reports(), ms.budgets(population, 1.0, "proportional"))
    assert outcome.winners.any()


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    SMALL.train(folder=tmp_path)
    assert (tmp_path / CHECKPOINT).exists()
    with pytest.raises(ms.InvalidInput, match="another training"):
        changed(learning_rate=0.01).train(folder=tmp_path, resume=True)


def test_a_loss_that_is_not_finite_stops_with_seed_and_checkpoint(tmp_path, monkeypatch):
    step = MenuTrainer.error

    def broken(self, population, money):
        error = step(self, population, money)
        return error * math.nan if self.iteration == 4 else error

    monkeypatch.setattr(MenuTrainer, "error", broken)
    with pytest.raises(TrainingError, match=r"iteration 4 of seed 0.*last good checkpoint"):
        SMALL.train(folder=tmp_path)
    with pytest.raises(TrainingError, match="there is no checkpoint"):
        SMALL.train()


def test_markets_are_those_of_the_law():
    recipe = changed(single_minded=0.5, mixed=0.25, rate_low=0.1, rate_high=2.0)
    population, money, place = recipe.sample(np.random.default_rng(0), 400, 6)
    step = population.valuations.kind == ms.KINDS.index("step")
    assert 0.4 < step.all(axis=1).mean() < 0.6
    assert 0.15 < (step.any(axis=1) & ~step.all(axis=1)).mean() < 0.35
    rate = money / ms.budgets(population, 1.0, "proportional")
    assert np.allclose(rate, 0.1 * 20.0**place)
    assert (np.diff(rate) > 0).all()
    assert 0.1 <= rate[0] < 0.101
    assert 1.98 < rate[-1] <= 2.0


def test_a_step_costs_at_the_cap_what_the_owner_would_have_cost():
    plain = changed(single_minded=0.0, mixed=0.0).sample(np.random.default_rng(1), 50, 6)[0]
    steps = changed(single_minded=1.0, mixed=0.0).sample(np.random.default_rng(1), 50, 6)[0]
    assert_array_equal(steps.reports().value, plain.reports().value)


def test_the_prior_is_that_of_the_law():
    prior = SMALL.settings.prior
    assert prior.unit_value == pytest.approx(2.32, rel=0.02)
    assert 0.4 < prior.half_value / prior.unit_value < 0.6
    assert prior.mean_size == pytest.approx(10 + 32.636, rel=0.05)
    assert changed(sizes="none").settings.prior.mean_size == 1.0


def test_a_market_without_a_winner_has_a_slope():
    epsilon = torch.full((1,), 1e-4, requires_grad=True)
    value = tamed(8.0 / (epsilon + 5e-3).square())
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert epsilon.grad.item() < -1.0


def test_recipe_survives_its_plain_form():
    assert MenuRecipe.from_plain(SMALL.metadata["recipe"]) == SMALL


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"owners": ()}, "owners is empty"),
        ({"owners": (0,)}, "owners"),
        ({"iterations": 0}, "iterations"),
        ({"rate_low": 3.0, "rate_high": 1.0}, "ascending"),
        ({"single_minded": 0.7, "mixed": 0.7}, "at most 1"),
        ({"average_from": 1.0}, "average_from"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"order": "size", "verified": False}, "order of size"),
        ({"max_cap": 0.0}, "cap bounds"),
    ],
)
def test_recipe_outside_its_domain(wrong, named):
    with pytest.raises(ms.InvalidInput, match=named):
        changed(**wrong)
