"""The recipe: markets of many sizes, plain values, a run that resumes bit for bit."""

import json

import numpy as np
import pytest
import torch

import market_sim as ms
from market_sim.mechanisms.networks.equivariant_recipe import CrowdLaw, EquivariantRecipe
from market_sim.mechanisms.networks.laws import MarketLaw

QUICK = {
    "most_owners": 8,
    "encoded": 4,
    "hidden": 8,
    "batch": 8,
    "lie_steps": 1,
    "audit_every": 3,
    "audit_profiles": 3,
    "checkpoint_every": 2,
    "regret_penalty": 50.0,
}


def bytes_of(trained, folder):
    return trained.save(folder / "net.safetensors").read_bytes()


def test_batches_have_one_size_and_one_rate_and_about_as_many_owners():
    law = CrowdLaw(MarketLaw(budget_low=0.05, budget_high=3.0), least=5, most=100)
    seen, rates = [], []
    for seed in range(60):
        reports, budget = law.sample(np.random.default_rng(seed), 400)
        seen.append(reports.owners)
        rate = budget / reports.value.sum(axis=-1)
        assert np.ptp(rate) < 1e-12
        rates.append(rate[0])
        assert 2000 - reports.owners < reports.cap.size <= 2000
    assert min(seen) < 8
    assert max(seen) > 70
    assert 10 < np.median(seen) < 45  # on a log scale
    assert 0.05 <= min(rates) < 0.1
    assert 2.0 < max(rates) <= 3.0


def test_a_crowd_of_one_profile_at_least():
    reports, _ = CrowdLaw(MarketLaw(), least=50, most=50).sample(np.random.default_rng(0), 1)
    assert reports.shape == (1, 50)


def test_training_resumes_bit_for_bit_and_reports_progress(tmp_path):
    whole = EquivariantRecipe(iterations=5, **QUICK)
    rows = []
    first = whole.train(folder=tmp_path / "a", progress=rows.append)
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4, 5]
    assert {"loss", "error_bound", "regret", "held_out_regret", "seconds"} <= set(rows[0])
    assert rows[-1]["regret_multiplier"] >= 0

    class Stopped(Exception):
        pass

    def stop(row):
        if row["iteration"] == 4:
            raise Stopped

    with pytest.raises(Stopped):
        whole.train(folder=tmp_path / "b", progress=stop)
    again = whole.train(folder=tmp_path / "b", resume=True)
    assert bytes_of(again, tmp_path / "b") == bytes_of(first, tmp_path / "a")


def test_same_seed_same_bytes_other_seed_other_network(tmp_path):
    files = [
        bytes_of(EquivariantRecipe(iterations=2, seed=seed, **QUICK).train(), tmp_path)
        for seed in (1, 1, 2)
    ]
    assert files[0] == files[1] != files[2]


def test_training_moves_the_network_and_the_mechanism_takes_it(tmp_path):
    recipe = EquivariantRecipe(iterations=4, **QUICK)
    trained = recipe.train()
    mechanism = ms.EquivariantRegretNet(network=trained.save(tmp_path / "mine.safetensors"))
    assert mechanism.metadata["recipe"]["regret_penalty"] == 50.0
    assert json.loads(json.dumps(recipe.metadata)) == recipe.metadata
    last = trained.module.head[-1].weight
    assert torch.isfinite(last).all()
    assert (last != 0).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"least_owners": 20, "most_owners": 10}, "ascending order, got 20, 10"),
        ({"least_owners": 0}, "least owners must be a whole number of at least 1"),
        ({"budget_low": 4.0}, "ascending order"),
        ({"options": 0}, "options must be a whole number"),
        ({"lie_steps": 0}, "steps must be a whole number"),
        ({"temperature": 0.0}, "temperature must be greater than 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(change, message):
    with pytest.raises(ms.InvalidInput, match=message):
        EquivariantRecipe(**change)
