"""Units: complete, distinct, in order, the same for the same scenario."""

from itertools import product

import pytest

from market_sim.errors import ScenarioError
from scenarios.loading import load_scenario
from scenarios.units import law_of, plan, population_of


def test_auctions_have_a_unit_for_each_seed_setting_owners_and_level(auctions):
    scenario = load_scenario(auctions, ["owners=3,4"])
    found = [(u.seed, u.setting, u.level, u.owners) for u in plan(scenario)]
    assert found == list(product([3, 4], ["low", "high"], [1.0, 6.0], [3, 4]))


def test_markets_have_one_for_each_mechanism_and_aggregator_too(market):
    scenario = load_scenario(market, ["aggregators=error-opt,var-opt"])
    found = [(u.seed, u.mechanism, u.aggregator) for u in plan(scenario)]
    rules = ["all-in-critical", "all-in-singer"]
    assert found == list(product([5, 6], rules, ["error-opt", "var-opt"]))


def test_audits_have_one_for_each_mechanism_and_kind_of_owners():
    scenario = load_scenario("audit-all-in", ["seeds=1"])
    found = [(u.mechanism, u.population) for u in plan(scenario)]
    rules = ["all-in-published", "all-in-critical", "all-in-singer"]
    assert found == list(product(rules, ["single-minded", "multi-minded"]))


def test_names_of_files_are_distinct_and_sorted_in_order_of_units(auctions):
    ids = [unit.id for unit in plan(load_scenario(auctions, ["seeds=30"]))]
    assert len(set(ids)) == len(ids)
    assert sorted(ids) == ids


def test_labels_cannot_leave_the_folder_or_grow_too_long(market):
    scenario = load_scenario(market)
    unit = plan(scenario)[0]
    odd = type(unit)(**{**unit.__dict__, "mechanism": "../../" + 300 * "x"})
    assert "/" not in odd.id
    assert len(odd.id) < 200


def test_a_value_twice_is_refused(auctions):
    with pytest.raises(ScenarioError, match=r"budget\.fixed\.levels holds a value twice"):
        plan(load_scenario(auctions, ["budget.levels=1,2,1"]))
    with pytest.raises(ScenarioError, match="owners holds a value twice"):
        plan(load_scenario(auctions, ["owners=3,3"]))


def test_the_law_is_that_of_setting_and_budget(auctions):
    scenario = load_scenario(auctions, ["budget.sizes=reference", "population.lifetime_cap=9"])
    unit = plan(scenario)[-1]
    law = law_of(population_of(scenario, unit))
    assert (law.owners, law.cap, law.sizes, law.lifetime_cap) == (4, (0.5, 2.0), "reference", 9.0)
