"""The trainer: exact resume, early stopping, refusal of NaN, and that it learns."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import load_network
from market_sim.mechanisms.networks.regret_net import RegretNet
from market_sim.mechanisms.networks.regret_net_recipe import RegretNetRecipe
from market_sim.mechanisms.networks.training import CHECKPOINT, Trainer
from market_sim.mechanisms.networks.training_audit import held_out

TINY = {
    "owners": 3,
    "options": 3,
    "hidden": 12,
    "layers": 2,
    "batch": 24,
    "iterations": 12,
    "owners_sampled": 1,
    "lie_steps": 4,
    "lie_step": 0.3,
    "warm_up": 3,
    "multiplier_every": 2,
    "penalty_every": 5,
    "audit_every": 5,
    "audit_profiles": 4,
    "checkpoint_every": 5,  # between two steps of the multipliers: their sums are part of the state
}
AUCTIONS = ["murba", "m-regret-net", "dm-regret-net"]


def tiny(auction="m-regret-net", **changes):
    return RegretNetRecipe.preset(auction, **{**TINY, **changes})


def trainer_of(recipe):
    module = RegretNet(recipe.network, recipe.seed)
    module.inputs.fit(recipe.law, recipe.seed)
    return Trainer(module, recipe.law, recipe.training)


class Stop(Exception):
    """What interrupts a training in these tests."""


def interrupted_at(iteration):
    def progress(numbers):
        if numbers["iteration"] == iteration:
            raise Stop

    return progress


@pytest.mark.parametrize("auction", AUCTIONS)
def test_resume_is_exact(auction, tmp_path):
    """Stopped at 7, it goes on from 5 and ends, bit for bit, where the whole run ends."""
    recipe = tiny(auction)
    whole = recipe.train(folder=tmp_path / "whole")
    with pytest.raises(Stop):
        recipe.train(folder=tmp_path / "half", progress=interrupted_at(7))
    seen = []
    half = recipe.train(folder=tmp_path / "half", progress=seen.append, resume=True)
    assert [row["iteration"] for row in seen] == list(range(6, 13))
    first, second = (trained.module.state_dict() for trained in (whole, half))
    assert all((first[name] == second[name]).all() for name in first)
    assert whole.metadata == half.metadata
    ends = [(tmp_path / name / CHECKPOINT).read_bytes() for name in ("whole", "half")]
    assert ends[0] == ends[1]


def test_without_resume_it_starts_again(tmp_path):
    recipe = tiny(iterations=5)
    recipe.train(folder=tmp_path)
    seen = []
    recipe.train(folder=tmp_path, progress=seen.append)
    assert seen[0]["iteration"] == 1


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    tiny().train(folder=tmp_path)
    with pytest.raises(ms.InvalidInput, match=r"another training \(recipe differ\)"):
        tiny(learning_rate=0.01).train(folder=tmp_path, resume=True)


def test_a_truncated_checkpoint_is_refused(tmp_path):
    tiny().train(folder=tmp_path)
    file = tmp_path / CHECKPOINT
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(ms.InvalidInput, match="truncated"):
        tiny().train(folder=tmp_path, resume=True)


def test_progress_is_flat_named_numbers(tmp_path):
    seen = []
    tiny().train(progress=seen.append)
    assert len(seen) == 12
    names = {"loss", "error_bound", "regret", "ir_violation", "regret_multiplier", "seconds"}
    for row in seen:
        assert names | {"held_out_regret"} <= set(row)
        assert all(isinstance(value, float) for value in row.values())
    audited = [np.isfinite(row["held_out_regret"]) for row in seen]
    assert audited == [False] * 4 + [True] * 8


def test_same_seed_same_network_and_no_global_state():
    torch.manual_seed(1)
    first = tiny().train().module.state_dict()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    again, other = tiny().train().module.state_dict(), tiny(seed=1).train().module.state_dict()
    assert (torch.get_rng_state() == state).all()
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


def test_nan_stops_and_names_iteration_seed_and_checkpoint(tmp_path):
    def poison(numbers):
        if numbers["iteration"] == 6:
            with torch.no_grad():
                next(trainer_module[0].parameters()).fill_(np.nan)

    trainer_module = []
    recipe = tiny(seed=5)
    original = RegretNet.__init__

    def remember(self, *arguments):
        original(self, *arguments)
        trainer_module.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RegretNet, "__init__", remember)
        with pytest.raises(ms.TrainingError) as caught:
            recipe.train(folder=tmp_path, progress=poison)
    message = str(caught.value)
    assert "iteration 6 of seed 5" in message
    assert str(tmp_path / CHECKPOINT) in message
    assert "\n" not in message
    assert load_network(tmp_path / CHECKPOINT, "training").metadata["iteration"] == 5


def test_early_stopping_keeps_the_best(monkeypatch):
    recipe = tiny(iterations=100, audit_every=1, patience=3)
    trainer = trainer_of(recipe)
    scores = iter([5.0, 2.0, 4.0, 3.0, 9.0, 1.0])
    audited = held_out(trainer.module, recipe.law, recipe.training)
    monkeypatch.setattr(
        "market_sim.mechanisms.networks.training.held_out",
        lambda *_: replace(audited, score=next(scores)),
    )
    states = []
    while not trainer.finished:
        trainer.step()
        trainer.audit()
        states.append({k: v.clone() for k, v in trainer.module.state_dict().items()})
    assert trainer.iteration == 5
    assert trainer.best_audit.score == 2.0
    assert all((trainer.best[name] == states[1][name]).all() for name in trainer.best)


def test_multipliers_wait_for_the_warm_up_and_grow_by_the_penalty():
    trainer = trainer_of(tiny())
    found = []
    for _ in range(6):
        rho = trainer.penalties
        numbers = trainer.step()
        found.append((rho[0], numbers["regret"], numbers["regret_multiplier"]))
    assert [phi for *_, phi in found[:3]] == [0.0] * 3
    # iterations 4 to 6 come after the warm-up of 3; phi moves at 4 and at 6
    assert found[3][2] == pytest.approx(found[3][0] * found[3][1] / 2)
    assert found[4][2] == found[3][2]
    grown = found[5][0] * (found[4][1] + found[5][1]) / 2
    assert found[5][2] == pytest.approx(found[3][2] + grown)
    assert trainer.penalties[0] == 2.0  # one more after five iterations


def test_the_batch_is_never_changed_in_place():
    trainer = trainer_of(tiny("dm-regret-net"))
    first = trainer.law.sample(trainer.streams.generator("batch", 0), 24)
    trainer.step()
    again = trainer.law.sample(trainer.streams.generator("batch", 0), 24)
    assert (first[0].valuations.rate == again[0].valuations.rate).all()
    assert (first[0].cap == again[0].cap).all()


def test_an_auction_that_lets_all_lose_has_the_worst_score():
    trainer = trainer_of(tiny("dm-regret-net"))
    audited = held_out(trainer.module, trainer.law, trainer.settings)
    assert audited.error_bound == np.inf  # nobody sells yet
    assert audited.score == np.inf


def test_penalties_buy_truth_and_rationality_for_error():
    def after(penalty):
        changes = {"regret_penalty": penalty, "rationality_penalty": penalty, "warm_up": 100}
        recipe = tiny(hidden=24, batch=64, learning_rate=0.01, iterations=400, **changes)
        trainer = trainer_of(recipe)
        before = trainer.audit()
        for _ in range(50):
            trainer.step()
        return before, trainer.audit()

    (before, free), (_, bound) = after(0.0), after(200.0)
    assert free.error_bound < 0.7 * before.error_bound
    assert free.error_bound < bound.error_bound
    assert bound.regret < 0.7 * free.regret
    assert bound.ir_violation < 0.7 * free.ir_violation


def test_a_network_saved_in_half_precision_is_half_the_size(tmp_path):
    trained = tiny(hidden=40).train()
    whole = trained.save(tmp_path / "whole.safetensors")
    half = trained.save(tmp_path / "half.safetensors", half=True)
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    assert load_network(half).tensors["inputs.mean"].dtype == torch.float32
    json.dumps(dict(trained.metadata))


def test_the_recipe_of_a_network_is_in_its_metadata():
    recipe = tiny("murba")
    assert RegretNetRecipe(**recipe.metadata["recipe"]) == recipe
    assert recipe.training.unit == "money"
    assert tiny("dm-regret-net").training.unit == "budget"


@pytest.mark.parametrize(
    "changes",
    [
        {"auction": "english"},
        {"iterations": 0},
        {"unit": "euro"},
        {"budget": "none"},
        {"budget_low": 3.0},
        {"lie_steps": 0},
        {"learning_rate": -1.0},
        {"owners": 0},
    ],
)
def test_bad_recipes(changes):
    with pytest.raises(ms.InvalidInput):
        RegretNetRecipe(**changes)
