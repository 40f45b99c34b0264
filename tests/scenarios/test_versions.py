"""Scenarios of version markets: what is refused, what a sweep changes, what the tables hold."""

import numpy as np
import pytest

from analysis import load_run
from market_sim.errors import InvalidInput, ScenarioError
from scenarios import load_scenario
from scenarios.run import run_scenario
from scenarios.schemas import TABLES
from scenarios.summary import summarize
from scenarios.units import plan
from scenarios.versions import market_of, run_versions

SMALL = """
title = "small"
experiment = "versions"
seed = 1
seeds = 2

[[versions]]
name = "market"
learns = false
choices = true

[versions.buyers]
labels = [0.1, 0.2, 0.4]
worth = [5.0, 12.0, 30.0]
surveyed = 40
number = 30
arbitrageurs = 0.5

[versions.owners]
number = 6
p = 2.0

[versions.broker]
pricing = ["flat", "ideal"]
pool = 60.0

[versions.sweep]
parameter = "pool"
values = [0.001, 60.0]
"""


@pytest.fixture
def write(tmp_path):
    def to(text):
        file = tmp_path / "small.toml"
        file.write_text(text)
        return file

    return to


def test_a_unit_for_each_seed_and_market(write):
    scenario = load_scenario(write(SMALL))
    assert [(unit.seed, unit.setting) for unit in plan(scenario)] == [(1, "market"), (2, "market")]


def test_tables_have_their_columns_and_every_point_of_the_sweep(write):
    scenario = load_scenario(write(SMALL))
    found = run_versions(scenario, plan(scenario)[0])
    for name, columns in found.items():
        assert list(columns) == list(TABLES[name])
        assert len({len(values) for values in columns.values()}) == 1
    seasons = found["version_markets"]
    assert list(zip(seasons["x"], seasons["pricing"], strict=True)) == [
        (0.001, "flat"),
        (0.001, "ideal"),
        (60.0, "flat"),
        (60.0, "ideal"),
    ]
    assert seasons["trade"] == [0, 0, 1, 1]
    assert len(found["version_owners"]["owner"]) == 4 * 6
    assert len(found["version_buyers"]["buyer"]) == 4 * 30
    assert len(found["versions"]["version"]) == 4 * 3


def test_rules_and_values_meet_the_same_buyers(write):
    scenario = load_scenario(write(SMALL))
    buyers = run_versions(scenario, plan(scenario)[0])["version_buyers"]
    value = np.array(buyers["value"]).reshape(4, 30)
    assert (value == value[0]).all()


@pytest.mark.parametrize(
    ("parameter", "value", "look"),
    [
        ("surveyed", 50, lambda m: m.terms.surveyed == 50),
        ("buyers", 17, lambda m: m.terms.sale.buyers == 17),
        ("cut", 0.4, lambda m: m.terms.sale.cut == 0.4),
        ("owners", 9, lambda m: m.owner_terms.owners == 9),
        ("cost_scale", 10.0, lambda m: m.owner_terms.cost.min() >= 5.0),
        ("low", 0.2, lambda m: m.terms.privacy.low == 0.2),
        ("high", 3.0, lambda m: m.terms.privacy.high == 3.0),
        ("arbitrageurs", 0.9, lambda m: m.terms.arbitrageurs == 0.9),
    ],
)
def test_a_sweep_sets_its_parameter(write, parameter, value, look):
    text = SMALL.replace('parameter = "pool"', f'parameter = "{parameter}"')
    text = text.replace("values = [0.001, 60.0]", f"values = [{value}]")
    config = load_scenario(write(text)).versions[0]
    assert look(market_of(config.at(value), "flat", None, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("labels = [0.1, 0.2, 0.4]", "labels = [0.2, 0.1, 0.4]", "labels must increase"),
        ("labels = [0.1, 0.2, 0.4]", "labels = [-0.1, 0.2, 0.4]", "greater than 0"),
        ("worth = [5.0, 12.0, 30.0]", "worth = [5.0, 0.0, 30.0]", "greater than 0"),
        ("worth = [5.0, 12.0, 30.0]", "worth = [5.0, 12.0]", "one number for each of 3 versions"),
        ("surveyed = 40", "surveyed = 2", "surveyed must be at least the 3 versions, got 2"),
        ('["flat", "ideal"]', '["cheap"]', "pricing must be one of"),
        ('["flat", "ideal"]', "[]", "at least one rule of pricing"),
        ("p = 2.0", "p = 0.5", "p must be at least q"),
        ("p = 2.0", "low = 3.0\nhigh = 2.0", "low at most high"),
        ("p = 2.0", "cost = [2.0, 1.0]", "ascending"),
        ("pool = 60.0", "pool = 60.0\nbest_pool = true", "either given or the best one"),
        ("values = [0.001, 60.0]", "values = [1.0, 1.0]", "different values"),
        ('parameter = "pool"', 'parameter = "owners"', "whole numbers of owners"),
        ("p = 2.0", 'p = 2.0\n[versions.noise]\nmethod = "classic"', "epsilon below 1"),
    ],
)
def test_what_cannot_be_set_up_is_refused_in_one_sentence(write, old, new, message):
    assert old in SMALL
    file = write(SMALL.replace(old, new))
    with pytest.raises((ScenarioError, InvalidInput), match=message) as caught:
        load_scenario(file)
    assert "\n" not in str(caught.value)


def test_a_run_ends_with_tables_and_a_summary(write, tmp_path):
    run_scenario(write(SMALL), out=tmp_path / "run")
    run = load_run(tmp_path / "run")
    assert run.complete
    choices = run.table("version_choices")
    assert sorted(choices["versions"].unique()) == [1, 2, 3]
    table = summarize(tmp_path / "run")
    assert {"pricing", "x", "sold", "pool", "broker", "owners", "buyers"} <= set(table.columns)
    assert len(table) == 4
    frame = run.table("version_markets")
    first = frame[(frame["x"] == 60.0) & (frame["pricing"] == "flat")]
    shown = table[(table["x"] == 60.0) & (table["pricing"] == "flat")]
    assert shown["broker"].item() == pytest.approx(first["broker_profit"].mean())


@pytest.mark.parametrize("name", ["market", "survey", "pool", "arbitrage", "misreports"])
def test_the_scenarios_of_the_library_can_be_set_up(name):
    scenario = load_scenario(f"version-{name}")
    assert scenario.experiment == "versions"
