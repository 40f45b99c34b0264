"""Training of the mean-field auction: it buys more, resumes exactly, says what is wrong."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.errors import TrainingError
from market_sim.mechanisms.networks import MeanFieldRecipe
from market_sim.mechanisms.networks.mean_field_training import MeanFieldTrainer
from market_sim.mechanisms.networks.training import CHECKPOINT

SMALL = MeanFieldRecipe(
    owners=(4, 6),
    hidden=4,
    pooled=2,
    spacing=0.1,
    iterations=8,
    rows=48,
    held_out_every=3,
    held_out_profiles=8,
    checkpoint_every=3,
)


def changed(**settings):
    return MeanFieldRecipe(**{**vars(SMALL), **settings})


class Interrupted(Exception):
    pass


def test_training_unlearns_to_hold_back_what_is_better_spent():
    recipe = changed(
        iterations=30,
        rows=200,
        learning_rate=0.05,
        laws=("uniform",),
        owners=(6,),
        money_high=0.6,
        held_out_profiles=100,
    )
    trainer = MeanFieldTrainer(recipe)
    trainer.module.top.bias.data.fill_(0.8)
    before = trainer.score()
    while trainer.iteration < recipe.iterations:
        trainer.step()
    assert trainer.score() > before + 0.02


def test_slopes_are_those_of_what_is_bought():
    trainer = MeanFieldTrainer(changed(spacing=0.05))
    trainer.module.top.bias.data.fill_(0.6)
    drawn = SMALL.sample(np.random.default_rng(0), 30, 6, "uniform")

    def bought():
        share, _ = trainer.shares(*drawn)
        return share.mean()

    bought().backward()
    slope = trainer.module.top.bias.grad.item()
    bias = trainer.module.top.bias.data
    bias += 0.01
    above = bought().item()
    bias -= 0.02
    below = bought().item()
    assert slope < 0
    # the slope has a tenth more than the true one (see `held`)
    assert_allclose(slope, 1.1 * (above - below) / 0.02, rtol=0.25)


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
    path = SMALL.train().save(tmp_path / "mine.safetensors", half=True)
    auction = ms.MFGRegretNet(str(path))
    assert auction.name == "mfg-regret-net-mine"
    assert auction.metadata["recipe"]["owners"] == [4, 6]
    truth = ms.privacy_auction_law("uniform", 5).sample(np.random.default_rng(0), (20,)).reports()
    assert auction.clear(truth, 2.0).winners.any()
    assert MeanFieldRecipe.from_plain(auction.metadata["recipe"]) == SMALL


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    SMALL.train(folder=tmp_path)
    assert (tmp_path / CHECKPOINT).exists()
    with pytest.raises(ms.InvalidInput, match="another training"):
        changed(learning_rate=0.01).train(folder=tmp_path, resume=True)


def test_a_loss_that_is_not_finite_stops_with_seed_and_checkpoint(tmp_path, monkeypatch):
    shares = MeanFieldTrainer.shares

    def broken(self, population, money):
        share, held = shares(self, population, money)
        return (share * math.nan if self.iteration == 4 else share), held

    monkeypatch.setattr(MeanFieldTrainer, "shares", broken)
    with pytest.raises(TrainingError, match=r"iteration 4 of seed 0.*last good checkpoint"):
        SMALL.train(folder=tmp_path)
    with pytest.raises(TrainingError, match="there is no checkpoint"):
        SMALL.train()


def test_budgets_are_log_uniform():
    drawn, money = SMALL.sample(np.random.default_rng(0), 400, 6, "realistic")
    place = np.log(money / 6.0 / SMALL.money_low) / np.log(SMALL.money_high / SMALL.money_low)
    assert drawn.shape == (400, 6)
    assert_allclose(np.diff(place), 1.0 / 400, rtol=1e-6)
    assert 0 <= place[0] < 1.0 / 400


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"owners": ()}, "owners is empty"),
        ({"laws": ()}, "laws is empty"),
        ({"laws": ("gauss",)}, "unknown law"),
        ({"money_low": 4.0}, "ascending"),
        ({"spacing": 0.0}, "spacing"),
        ({"rows": 0}, "rows"),
        ({"hidden": 0}, "hidden"),
    ],
)
def test_bad_recipes_are_refused(settings, message):
    with pytest.raises(ms.InvalidInput, match=message):
        changed(**settings)
