"""Where a mechanism takes part: settings, budget laws, numbers and kinds of owners."""

import pytest

from market_sim.errors import ScenarioError
from scenarios import load_scenario, run_scenario
from scenarios.items import Item
from scenarios.manifest import resolved
from scenarios.units import mechanisms_at, plan

LOW = '{name = "all-in-singer", label = "a", where = {setting = "low"}}'
HIGH = '{name = "all-in-published", label = "a", where = {setting = ["high"]}}'


@pytest.mark.parametrize(
    ("where", "place", "expected"),
    [
        ({}, {"setting": "low"}, True),
        ({"setting": "low"}, {"setting": "low", "law": "fixed"}, True),
        ({"setting": "low"}, {"setting": "high", "law": "fixed"}, False),
        ({"setting": ["low", "high"], "law": "fixed"}, {"setting": "high", "law": "fixed"}, True),
        ({"owners": 10}, {"owners": 20}, False),
        ({"owners": [10, 20]}, {"owners": 20}, True),
        ({"population": "single-minded"}, {"population": "multi-minded"}, False),
        ({"population": "single-minded"}, {"population": "", "setting": "low"}, True),
    ],
)
def test_an_item_meets_the_places_of_its_lists(where, place, expected):
    item = Item.model_validate({"name": "all-in", "where": where})
    assert item.meets(place) is expected


def test_one_label_means_another_mechanism_elsewhere(auctions, tmp_path):
    scenario = load_scenario(auctions, [f'mechanisms=["all-in", {LOW}, {HIGH}]', "seeds=1"])
    names = {}
    for unit in plan(scenario):
        found = mechanisms_at(scenario, unit)
        assert list(found) == ["all-in-critical", "a"]
        names.setdefault(unit.setting, set()).add(found["a"].name)
    assert names == {"low": {"all-in-singer"}, "high": {"all-in-published"}}
    table = run_scenario(scenario, out=tmp_path / "run").table("auctions")
    assert set(table.groupby(["setting", "mechanism"]).size()) == {4}


def test_a_place_without_a_mechanism_is_no_unit(auctions):
    scenario = load_scenario(auctions, [f"mechanisms=[{LOW}]"])
    assert {unit.setting for unit in plan(scenario)} == {"low"}
    sweep = ['mechanisms=[{name = "all-in", where = {owners = [4]}}]', "owners=[2, 4, 8]"]
    assert {unit.owners for unit in plan(load_scenario(auctions, sweep))} == {4}


@pytest.mark.parametrize("experiment", ["audit", "market", "attack"])
def test_units_of_one_mechanism_know_their_places(auctions, experiment):
    changes = [f"experiment={experiment}", f"mechanisms=[{LOW}, {HIGH}]", "budget.levels=1"]
    scenario = load_scenario(auctions, [*changes, "seeds=1", "aggregators=error-opt"])
    units = plan(scenario)
    found = [(unit.setting, mechanisms_at(scenario, unit)[unit.mechanism].name) for unit in units]
    assert set(found) == {("low", "all-in-singer"), ("high", "all-in-published")}
    assert len(found) == (4 if experiment == "audit" else 2)


def test_an_audit_may_leave_a_kind_of_owners_out(auctions):
    only = '{name = "all-in", where = {population = "single-minded"}}'
    changes = ["experiment=audit", f"mechanisms=[{only}]", "budget.levels=1"]
    assert {unit.population for unit in plan(load_scenario(auctions, changes))} == {"single-minded"}


def test_the_manifest_says_where(auctions):
    scenario = load_scenario(auctions, [f"mechanisms=[{LOW}]"])
    (entry,) = resolved(scenario)["mechanisms"]
    assert entry == {"name": "all-in-singer", "label": "a", "where": {"setting": ["low"]}}


@pytest.mark.parametrize(
    ("mechanisms", "sentence"),
    [
        (
            '[{name = "all-in", where = {setting = "hihg"}}]',
            "mechanisms.0.where.setting is 'hihg', which the scenario does not have; did you mean "
            "'high'?",
        ),
        (
            '[{name = "all-in", where = {law = "proportional"}}]',
            "mechanisms.0.where.law is 'proportional', which the scenario does not have",
        ),
        ('[{name = "all-in", where = {seting = "low"}}]', "unknown key"),
        (
            '["all-in-singer", {name = "all-in", label = "all-in-singer", where = {law = "fixed"}}]',  # noqa: E501
            "two mechanisms are called 'all-in-singer': give one of them a label",
        ),
    ],
)
def test_a_place_that_is_none_is_named(auctions, mechanisms, sentence):
    with pytest.raises(ScenarioError) as refused:
        load_scenario(auctions, [f"mechanisms={mechanisms}"])
    assert sentence in str(refused.value)


def test_a_bound_is_for_auctions(auctions):
    with pytest.raises(ScenarioError, match="no key 'bound', which is only for experiment"):
        load_scenario(auctions, ["experiment=market", "bound=true"])
