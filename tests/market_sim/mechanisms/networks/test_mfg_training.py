"""Training the published MFG network: multipliers as printed, exact resumption, plain recipes."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.mechanisms.networks import PublishedMFGRecipe
from market_sim.mechanisms.networks.checkpoints import load_network
from market_sim.mechanisms.networks.mfg_net import MeanFieldNet
from market_sim.mechanisms.networks.mfg_training import MeanFieldTrainer
from market_sim.mechanisms.networks.training import CHECKPOINT


def tiny(**changes):
    usual = {
        "owners": 3,
        "hidden": 8,
        "layers": 1,
        "batch": 8,
        "iterations": 12,
        "multiplier_every": 2,
        "ascent_steps": 3,
        "mean_field_opponents": 2,
        "audit_every": 100,
        "audit_profiles": 2,
        "checkpoint_every": 5,
    }
    return PublishedMFGRecipe(**{**usual, **changes})


def trainer_of(recipe):
    module = MeanFieldNet(recipe.network, recipe.seed)
    return MeanFieldTrainer(module, recipe.law, recipe.training, multipliers=[1.0, 0.0])


class Stop(Exception):
    """What interrupts a training."""


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_interrupted_training_ends_with_the_same_bytes(optimizer, tmp_path):
    def interrupt(numbers):
        if numbers["iteration"] == 7:
            raise Stop

    recipe = tiny(optimizer=optimizer)
    whole = recipe.train(folder=tmp_path / "whole")
    with pytest.raises(Stop):
        recipe.train(folder=tmp_path / "half", progress=interrupt)
    seen = []
    half = recipe.train(folder=tmp_path / "half", progress=seen.append, resume=True)
    assert [row["iteration"] for row in seen] == list(range(6, 13))
    assert whole.metadata == half.metadata
    files = [trained.save(tmp_path / f"{k}.safetensors") for k, trained in enumerate((whole, half))]
    assert files[0].read_bytes() == files[1].read_bytes()
    ends = [(tmp_path / name / CHECKPOINT).read_bytes() for name in ("whole", "half")]
    assert ends[0] == ends[1]


def test_the_penalty_grows_by_its_factor_up_to_its_bound_and_the_multiplier_by_rho_times_regret():
    trainer = trainer_of(tiny(iterations=60))
    rho, multiplier, found = [], [1.0], []
    for _ in range(30):
        rho.append(trainer.penalties[0])
        numbers = trainer.step()
        found.append(numbers["regret"] / 3)  # a sum over three owners
        multiplier.append(numbers["regret_multiplier"])
    growth = 1.5 ** (np.arange(30) // 2)
    np.testing.assert_allclose(rho, np.minimum(growth, 100.0))
    assert max(rho) == 100.0
    for turn in range(30):
        grown = rho[turn] * (found[turn] + found[turn - 1]) / 2 if turn % 2 else 0.0
        assert multiplier[turn + 1] == pytest.approx(multiplier[turn] + grown, rel=1e-6)


def test_the_last_network_is_kept():
    trainer = trainer_of(tiny())
    for _ in range(3):
        trainer.step()
        trainer.audit()
        state = trainer.module.state_dict()
        assert all((trainer.best[name] == state[name]).all() for name in state)
    assert not trainer.finished


@pytest.mark.parametrize(("objective", "sign"), [("revenue", 1), ("cost", -1), ("privacy", 0)])
def test_objectives(objective, sign):
    free = {"regret_penalty": 0.0, "rationality_weight": 0.0, "mean_field_weight": 0.0}
    recipe = tiny(
        objective=objective,
        bellman_weight=0.0,
        regret_multiplier=0.0,
        form="code" if objective == "privacy" else "text",
        learning_rate=0.02,
        iterations=40,
        **free,
    )
    trainer = MeanFieldTrainer(
        MeanFieldNet(recipe.network, 0), recipe.law, recipe.training, multipliers=[0.0, 0.0]
    )
    rows = [trainer.step() for _ in range(40)]
    paid = rows[-1]["payment"] - rows[0]["payment"]
    assert sign * paid > 0.1 if sign else rows[-1]["epsilon"] > rows[0]["epsilon"] + 0.5


def test_violations_are_bought_off():
    trainers = [
        trainer_of(tiny(rationality_weight=weight, learning_rate=0.02, objective="cost"))
        for weight in (0.0, 50.0)
    ]
    ends = [[trainer.step() for _ in range(40)][-1]["ir_violation"] for trainer in trainers]
    assert ends[1] < 0.5 * ends[0]


def test_the_recipe_is_in_the_metadata_and_the_published_one_is_the_default(tmp_path):
    recipe = tiny()
    trained = recipe.train()
    stored = load_network(trained.save(tmp_path / "net.safetensors"))
    assert PublishedMFGRecipe(**stored.metadata["recipe"]) == recipe
    assert stored.metadata["auction"] == "published-mfg-regret-net"
    usual = PublishedMFGRecipe()
    assert (usual.hidden, usual.layers, usual.batch, usual.iterations) == (128, 3, 64, 200 * 25)
    assert (usual.ascent_steps, usual.ascent_step, usual.mean_field_opponents) == (25, 0.01, 32)
    assert usual.training.penalty_bound == 100.0
    assert usual.largest_value == 1.0
    assert 2.0 < PublishedMFGRecipe(owner_law="realistic").largest_value < 10.0


def test_as_it_was_run():
    recipe = PublishedMFGRecipe.as_run(iterations=3)
    assert (recipe.form, recipe.optimizer, recipe.objective) == ("code", "sgd", "privacy")
    assert recipe.mean_field_weight == recipe.bellman_weight == 0.0
    assert recipe.regret_multiplier == pytest.approx(10 / 50)
    assert PublishedMFGRecipe.as_run(form="text").form == "text"


def test_same_seed_same_network():
    first, again = (tiny().train().module.state_dict() for _ in range(2))
    other = tiny(seed=1).train().module.state_dict()
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "fame"},
        {"optimizer": "lbfgs"},
        {"owner_law": "fl-market"},
        {"budget": "proportional"},
        {"budget_low": 60.0},
        {"discount": 1.0},
        {"penalty_growth": 0.5},
        {"mean_field_opponents": 0},
        {"mean_field_profiles": -1},
        {"ascent_step": 0.0},
        {"regret_multiplier": -1.0},
        {"bellman_weight": -1.0},
    ],
)
def test_bad_recipes(changes):
    with pytest.raises(ms.InvalidInput) as caught:
        tiny(**changes)
    assert "\n" not in str(caught.value)
