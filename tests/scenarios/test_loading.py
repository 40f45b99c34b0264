"""Scenario files and settings of the command line."""

import re

import pytest

from market_sim.errors import ScenarioError
from scenarios.loading import load, load_scenario, scenario_names

TEXT = """
title = "Small"
experiment = "auctions"
mechanisms = ["all-in", { name = "all-in", payment = "singer" }]
[population]
owners = 4
[[settings]]
name = "low"
cap = [0.5, 5.0]
[[settings]]
name = "high"
cap = [0.5, 2.0]
[[budget]]
law = "fixed"
levels = [1.0, 2.0]
"""


@pytest.fixture
def small(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(TEXT)
    return file


def test_every_scenario_of_the_library_loads(shared_data, monkeypatch):
    monkeypatch.setenv("MARKET_SIM_DATA", str(shared_data))
    names = scenario_names()
    assert {"demo", "error-bound-against-budget", "accuracy-against-budget"} <= set(names)
    for name in names:
        scenario = load_scenario(name)
        assert scenario.name == name
        assert scenario.title
        assert scenario.description
        assert scenario.figures


def test_the_figures_of_the_library_exist_and_fit():
    from analysis import FIGURES

    for name in scenario_names():
        scenario = load_scenario(name)
        for figure in scenario.figures:
            assert scenario.experiment in FIGURES[figure].experiments


def test_the_name_of_a_file_is_the_scenarios_name(small):
    assert load_scenario(small).name == "small"


def test_the_text_is_kept(small):
    assert load(small, ["seed=3"]).text == TEXT
    assert load(small, ["seed=3"]).overrides == ("seed=3",)


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ("population.owners=20", ("population", "owners"), 20),
        ("budget.levels=1,2,5", ("budget", 0, "levels"), (1.0, 2.0, 5.0)),
        ("budget.levels=3", ("budget", 0, "levels"), (3.0,)),
        ("budget.fixed.levels=[3, 4]", ("budget", 0, "levels"), (3.0, 4.0)),
        ("budget.0.levels=3", ("budget", 0, "levels"), (3.0,)),
        ("settings.high.cap=0.5,1", ("settings", 1, "cap"), (0.5, 1.0)),
        ("settings.high.owners=9", ("settings", 1, "owners"), 9),
        ("population.single_minded=true", ("population", "single_minded"), True),
        ("population.kinds=linear", ("population", "kinds"), ("linear",)),
        ("population.kinds=linear,sqrt", ("population", "kinds"), ("linear", "sqrt")),
        ("title=12", ("title",), "12"),
        (
            "mechanisms.0.payment=published",
            ("mechanisms", 0, "arguments"),
            {"payment": "published"},
        ),
        ("mechanisms.1.payment=critical", ("mechanisms", 1, "arguments"), {"payment": "critical"}),
        ("mechanisms.1.label=x", ("mechanisms", 1, "label"), "x"),
        ("aggregators=var-opt", ("aggregators", 0, "name"), "var-opt"),
        ("error.dim=7", ("error", "dim"), 7),
    ],
)
def test_settings_change_one_key(small, change, path, value):
    first = "mechanisms.1.label=other"
    found = load_scenario(small, [first, change])
    for step in path:
        found = found[step] if isinstance(step, int) else getattr(found, step)
    assert found == value


def test_names_choose_among_settings(small):
    scenario = load_scenario(small, ["settings=high"])
    assert [(entry.name, entry.cap) for entry in scenario.settings] == [("high", (0.5, 2.0))]


def test_a_mapping_says_the_same_as_texts(small):
    by_map = load_scenario(small, {"budget.levels": [1, 5.5], "population.owners": 3, "seed": 2})
    assert by_map == load_scenario(small, ["budget.levels=1,5.5", "population.owners=3", "seed=2"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("population.ownrs=3", "unknown key 'ownrs'; did you mean 'owners'?"),
        ("populaton.owners=3", "unknown key 'populaton'; did you mean 'population'?"),
        ("population.owners=many", "population.owners is 'many', expected a whole number"),
        ("budget.levels=1,x", "budget.0.levels.1 is 'x', expected a number"),
        ("budget.level=1", "unknown key 'budget.0.level'; did you mean 'levels'?"),
        ("settings.cap=1,2", "settings has 2 entries, say which: settings.low, settings.high"),
        ("settings.hi.cap=1,2", "say which"),
        ("settings=hihg", "there is no 'hihg'; did you mean 'high'?"),
        ("mechanisms.7.payment=x", "there is no entry '7'"),
        ("mechanisms.payment=x", "has 2 entries, say which: mechanisms.0, mechanisms.1"),
        ("seed", "expected key=value, such as population.owners=20"),
        ("=3", "expected key=value"),
    ],
)
def test_a_wrong_setting_is_named(small, change, sentence):
    with pytest.raises(ScenarioError, match=re.escape(f"--set {change}: ")) as caught:
        load_scenario(small, [change])
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("demoo", "there is no scenario 'demoo'; did you mean 'demo'?"),
        ("../demo", "there is no scenario '../demo'"),
        ("nowhere/x.toml", "there is no scenario file nowhere/x.toml"),
    ],
)
def test_an_unknown_scenario_is_named_with_the_nearest(name, sentence):
    with pytest.raises(ScenarioError, match=re.escape(sentence)):
        load_scenario(name)


def test_a_file_that_is_no_toml_is_named(tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text("seed = = 3")
    with pytest.raises(ScenarioError, match=r"broken\.toml cannot be read as TOML"):
        load_scenario(file)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("mechanisms=all-inn", "mechanisms.0: there is no mechanism 'all-inn'; did you mean"),
        ("mechanisms.0.paymnt=x", "has no argument 'paymnt'; did you mean 'payment'?"),
        ("mechanisms.0.payment=x", "mechanisms.0: mechanism 'all-in': unknown payment 'x'"),
        ("aggregators=eror-opt", "aggregators.0: there is no aggregator 'eror-opt'; did you mean"),
        ("mechanisms=all-in,all-in-critical", "two mechanisms are called 'all-in-critical'"),
    ],
)
def test_what_the_registry_refuses_is_named_with_its_key(small, change, sentence):
    with pytest.raises(ScenarioError, match=re.escape(sentence)):
        load_scenario(small, [change])


def test_a_misspelt_key_is_named_before_what_it_leaves_out(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('title = "x"\nexperiment = "auctions"\nbugdet = { levels = [1.0] }\n')
    with pytest.raises(ScenarioError, match="unknown key 'bugdet'; did you mean 'budget'"):
        load_scenario(str(file))
