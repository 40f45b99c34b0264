"""Scenarios: what is accepted, and the sentence for what is not."""

import re
from dataclasses import replace

import pytest

import market_sim as ms
from market_sim.errors import ScenarioError
from scenarios.config import Scenario, plain
from scenarios.items import Item
from scenarios.loading import validated
from scenarios.units import law_of

AUCTIONS = {"name": "small", "experiment": "auctions", "budget": {"levels": [1.0]}}
LEARNING = {"learning": {"dataset": "digits"}}


def test_one_table_stands_for_a_list_of_one():
    scenario = validated(AUCTIONS | {"settings": {"name": "low", "cap": [0.5, 5]}}, "small.toml")
    assert [entry.name for entry in scenario.settings] == ["low"]
    assert scenario.budget[0].law == "fixed"


def test_items_are_names_or_tables_of_arguments():
    items = [{"name": "all-in", "payment": "singer", "label": "stop"}, "all-in"]
    scenario = validated(AUCTIONS | {"mechanisms": items}, "small.toml")
    assert scenario.mechanisms[0].arguments == {"payment": "singer"}
    assert scenario.mechanisms[0].label == "stop"
    assert scenario.mechanisms[1] == Item(name="all-in")


def test_a_scenario_survives_its_own_resolved_form():
    document = AUCTIONS | {
        "mechanisms": [{"name": "all-in", "payment": "singer", "label": "stop"}],
        "settings": [{"name": "low", "cap": [0.5, 5]}, {"name": "high", "owners": 3}],
        "population": {"lifetime_cap": 4.5},
    }
    scenario = validated(document, "small.toml")
    again = Scenario.model_validate(plain(scenario.model_dump(exclude_none=True)))
    assert again == scenario


def test_a_law_of_the_privacy_auction_says_what_owners_are():
    document = AUCTIONS | {
        "population": {"law": "uniform", "owners": 4},
        "settings": [{"name": "two", "law": "bimodal", "lifetime_cap": 9.0}, {"name": "one"}],
    }
    scenario = validated(document, "small.toml")
    two, one = (
        law_of(scenario.population_of(setting, scenario.budget[0])) for setting in scenario.settings
    )
    assert one == ms.privacy_auction_law("uniform", 4)
    assert two == replace(ms.privacy_auction_law("bimodal", 4), lifetime_cap=9.0)
    again = Scenario.model_validate(plain(scenario.model_dump(exclude_none=True)))
    assert again == scenario


@pytest.mark.parametrize("place", ["population", "settings"])
def test_a_law_and_the_bounds_it_replaces_are_refused_together(place: str):
    both = {"law": "realistic", "cap": [1.0, 2.0]}
    changed = {place: both if place == "population" else [{"name": "two", **both}]}
    with pytest.raises(ScenarioError, match=r"'cap'.*'realistic'"):
        validated(AUCTIONS | changed, "small.toml")


def test_settings_and_laws_change_the_population():
    document = AUCTIONS | {
        "population": {"owners": 7, "cap": [1, 2]},
        "settings": [{"name": "high", "cap": [0.5, 2]}],
        "budget": [{"law": "proportional", "levels": [0.5], "sizes": "reference"}],
    }
    scenario = validated(document, "small.toml")
    config = scenario.population_of(scenario.settings[0], scenario.budget[0])
    assert (config.owners, config.cap, config.sizes) == (7, (0.5, 2.0), "reference")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"budgets": 1}, "small.toml: unknown key 'budgets'; did you mean 'budget'?"),
        (
            {"population": {"ownres": 3}},
            "small.toml: unknown key 'population.ownres'; did you mean 'owners'?",
        ),
        (
            {"budget": [{"levels": [1], "rate": 2}]},
            "small.toml: unknown key 'budget.0.rate'; there are law, levels, sizes.",
        ),
        (
            {"settings": [{"name": "a", "caps": [1, 2]}]},
            "small.toml: unknown key 'settings.0.caps'; did you mean 'cap'?",
        ),
        (
            {"population": {"owners": 2.5}},
            "small.toml: population.owners is 2.5, expected a whole number",
        ),
        (
            {"population": {"owners": 0}},
            "small.toml: population.owners is 0, expected greater than or equal to 1",
        ),
        (
            {"budget": {"levels": [-1]}},
            "small.toml: budget.0.levels.0 is -1, expected greater than 0",
        ),
        (
            {"budget": {"levels": [float("inf")]}},
            "small.toml: budget.0.levels.0 is inf, expected a finite number",
        ),
        (
            {"experiment": "auction"},
            "small.toml: experiment is 'auction', expected 'auctions', 'market', 'audit', "
            "'fair-value', 'platform', 'training', 'attack', 'versions', 'sharing', 'incentives', "
            "'mean-field' or 'bidding'",
        ),
        ({"population": 3}, "small.toml: population is 3, expected a table"),
        ({"mechanisms": []}, "small.toml: mechanisms is [], expected at least one entry"),
        (
            {"settings": [{"name": "a/b"}]},
            "small.toml: settings.0.name is 'a/b', expected a name of letters, digits, '-' and '_'",
        ),
        (
            LEARNING,
            "small.toml: expected no section [learning], which is only for experiment = "
            "'market' or 'versions' or 'sharing'",
        ),
        (
            {"experiment": "market", "owners": [3]},
            "small.toml: expected no list 'owners', which only auctions sweep: "
            "use population.owners",
        ),
        (
            {"population": {"sizes": "partition"}},
            "small.toml: expected a [learning] section, from which sizes = 'partition' takes "
            "the sizes",
        ),
        (
            {"settings": [{"name": "a"}, {"name": "a"}]},
            "small.toml: expected different names in settings, but 'a' occurs twice",
        ),
        (
            {"experiment": "audit", "budget": {"levels": [1, 2]}},
            "small.toml: expected one budget law with one level, which is all an audit takes",
        ),
        (
            {"experiment": "market", "error": {"clip": 2}},
            "small.toml: expected no error.clip, since a market's clip is that of its perturbation",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(change, sentence):
    with pytest.raises(ScenarioError, match=f"^{re.escape(sentence)}$"):
        validated(AUCTIONS | change, "small.toml")


def test_a_missing_key_is_named():
    with pytest.raises(ScenarioError, match="the key 'budget' is missing"):
        validated({"name": "small", "experiment": "auctions"}, "small.toml")


def test_nothing_of_a_scenario_can_be_changed():
    scenario = validated(AUCTIONS, "small.toml")
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 3


def test_numbers_without_a_word_in_json_are_spelt_out():
    assert plain({"a": (float("inf"), 1.5), "b": float("nan")}) == {"a": ["inf", 1.5], "b": "nan"}
