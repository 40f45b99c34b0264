"""Recipes that are told a law of the privacy auction game by its name."""

from pathlib import Path

import pytest

from market_sim.errors import ScenarioError
from scenarios.loading import load_scenario
from scenarios.training import recipe_of
from scenarios.units import plan

TEXT = """
title = "A law by name"
experiment = "training"
figures = ["training-curves"]
[population]
owners = 4
law = "bimodal"
[budget]
law = "fixed"
levels = [3.0, 7.0]
[training.recipe]
name = "{recipe}"
"""


def recipe(tmp_path: Path, name: str) -> object:
    file = tmp_path / "law.toml"
    file.write_text(TEXT.format(recipe=name))
    scenario = load_scenario(file)
    return recipe_of(scenario, plan(scenario)[0])


@pytest.mark.parametrize("name", ["published-mfg-regret-net", "regret-net", "dm-regret-net"])
def test_the_recipe_trains_on_the_law_that_is_named(tmp_path, name):
    found = recipe(tmp_path, name)
    law = found.law
    assert (law.owner_law, law.owners) == ("bimodal", 4)
    assert (law.budget, law.budget_low, law.budget_high) == ("fixed", 3.0, 7.0)
    assert law.population.kinds == ("linear",)


def test_a_recipe_that_takes_no_law_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match="name another recipe"):
        recipe(tmp_path, "equivariant")
