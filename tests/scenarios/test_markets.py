"""Experiment "market": common random numbers, sizes, buyers with tasks of their own."""

import json

import numpy as np
import pytest

from market_sim.errors import ScenarioError
from scenarios import load_scenario, run_scenario
from scenarios.items import Item
from scenarios.markets import load_data, one_thread, run_market
from scenarios.schemas import TABLES
from scenarios.units import plan

KEYS = ["seed", "setting", "budget_law", "budget_level", "mechanism", "aggregator"]


def _run(market, *changes):
    scenario = load_scenario(market, list(changes))
    return [run_market(scenario, unit) for unit in plan(scenario)]


def test_tables_have_their_columns(market):
    found = _run(market, "seeds=1", "mechanisms=all-in")[0]
    assert set(found) == {"rounds", "owners", "ledger"}
    for name, columns in found.items():
        assert set(columns) == set(TABLES[name])
    assert found["rounds"]["round"].tolist() == [0, 1, 2]
    assert len(found["owners"]["owner"]) == 3 * 5
    assert [found["rounds"][key] for key in KEYS] == [
        5,
        "default",
        "fixed",
        4.0,
        "all-in-critical",
        "error-opt",
    ]
    assert np.isfinite(found["rounds"]["accuracy"]).all()


def test_mechanisms_and_budgets_meet_the_same_owners(market):
    runs = _run(market, "seeds=1", "budget.levels=4,40")
    for name in ("kind", "cap"):
        first, *others = [run["owners"][name].tolist() for run in runs]
        assert all(other == first for other in others)


def test_two_mechanisms_that_buy_the_same_learn_the_same(market):
    critical, singer = _run(market, "seeds=1", "budget.levels=100000")
    assert critical["owners"]["epsilon"].tolist() == singer["owners"]["epsilon"].tolist()
    assert critical["rounds"]["auc"].tolist() == singer["rounds"]["auc"].tolist()


def test_seeds_differ(market):
    one, two = _run(market, "mechanisms=all-in")
    assert one["owners"]["cap"].tolist() != two["owners"]["cap"].tolist()


def test_objects_and_arrays_are_the_same_run(market, tmp_path, tables):
    arrays = run_scenario(market, ["seeds=1"], out=tmp_path / "arrays")
    objects = run_scenario(market, ["seeds=1", "market.owners=objects"], out=tmp_path / "objects")
    assert tables(arrays.path) == tables(objects.path)


def test_a_market_without_learning_has_no_quality(market, tmp_path):
    text = market.read_text().split("[learning]", maxsplit=1)[0]
    market.write_text(text)
    found = _run(market, "seeds=1", "mechanisms=all-in")[0]
    assert np.isnan(found["rounds"]["auc"]).all()
    assert found["rounds"]["winners"].sum() > 0


def test_buyers_share_the_budget_and_may_learn_from_other_data(market):
    text = market.read_text().replace(
        "[market]\n",
        '[market]\nbuyers = [{ name = "a" }, { name = "b", share = 3, dataset = "digits" }]\n',
    )
    market.write_text(text)
    rounds = _run(market, "seeds=1", "mechanisms=all-in")[0]["rounds"]
    budget = dict(zip(rounds["buyer"].tolist(), rounds["budget"].tolist(), strict=True))
    assert budget == {"a": 4.0, "b": 12.0}
    tasks = [load_data(Item(name=name)).classes for name in ("breast-cancer", "digits")]
    assert tasks == [2, 10]
    quality = {name: rounds["accuracy"][rounds["buyer"] == name].tolist() for name in ("a", "b")}
    assert quality["a"] != quality["b"]


def test_reference_sizes_become_samples_held(market):
    changes = ["seeds=1", "mechanisms=all-in", "population.sizes=reference"]
    found = _run(market, *changes, "learning.partition=population-sizes")[0]["owners"]
    assert (found["cost"][found["status"] == "won"] > 0).all()
    plain = _run(market, "seeds=1", "mechanisms=all-in")[0]["owners"]
    assert found["cap"].tolist() == plain["cap"].tolist()


def test_sizes_of_the_partition_multiply_the_cost(market):
    common = ["seeds=1", "mechanisms=all-in", "budget.levels=1000000"]
    sized = _run(market, *common, "population.sizes=partition")[0]["owners"]
    plain = _run(market, *common)[0]["owners"]
    ratio = sized["cost"] / plain["cost"]
    samples = len(load_data(load_scenario(market).learning.dataset).train)
    assert ratio[:5].sum() == pytest.approx(samples)


def test_sizes_of_two_data_sets_contradict_each_other(market):
    text = market.read_text().replace(
        "[market]\n", '[market]\nbuyers = [{ name = "a" }, { name = "b", dataset = "digits" }]\n'
    )
    market.write_text(text)
    with pytest.raises(ScenarioError, match="needs the same sizes for all buyers"):
        _run(market, "seeds=1", "population.sizes=partition")


def test_proportional_budgets_are_a_share_of_the_owners_value(market):
    changes = ["seeds=1", "mechanisms=all-in", "budget.law=proportional", "budget.levels=0.5"]
    found = _run(market, *changes)[0]
    asked = found["owners"]["reported_value"][:5].sum()
    assert found["rounds"]["budget"][0] == pytest.approx(0.5 * asked)


def test_a_lifetime_cap_ends_sales(market):
    changes = ["seeds=1", "mechanisms=all-in", "population.lifetime_cap=3", "market.rounds=12"]
    found = _run(market, *changes, "budget.levels=1000")[0]
    assert found["owners"]["privacy_spent"].max() <= 3 * (1 + 1e-9)
    assert found["rounds"]["status"][-1] == "no participant"
    assert found["rounds"]["returned"][-1] == 1000.0


def test_strategies_are_the_scenarios_to_choose(market):
    honest = _run(market, "seeds=1", "mechanisms=all-in")[0]["owners"]
    changes = ["market.strategy=scaled", "market.strategy.value=2"]
    found = _run(market, "seeds=1", "mechanisms=all-in", *changes)[0]["owners"]
    assert found["reported_value"] == pytest.approx(2 * honest["reported_value"])


def test_torch_gets_its_threads_back():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread(True):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_manifests_hold_what_has_no_word_in_json(market, tmp_path):
    changes = ["seeds=1", "mechanisms=all-in", "perturbation=gaussian"]
    folder = run_scenario(market, changes, out=tmp_path / "run")
    manifest = json.loads((folder.path / "manifest.json").read_text())
    assert manifest["scenario"]["perturbation"] == {"name": "gaussian"}


def test_the_table_of_owners_may_be_left_out(market, tmp_path):
    changes = ["seeds=1", "mechanisms=all-in", "market.record_owners=false"]
    folder = run_scenario(market, changes, out=tmp_path / "run")
    assert {file.name for file in folder.path.glob("*.parquet")} == {
        "rounds.parquet",
        "ledger.parquet",
    }


def test_the_manifest_says_what_the_largest_class_alone_scores(market, tmp_path):
    folder = run_scenario(market, ["seeds=1", "mechanisms=all-in"], out=tmp_path / "run")
    scenario = load_scenario(market, [])
    labels = load_data(scenario.learning.dataset).test.labels.tolist()
    share = max(labels.count(label) for label in set(labels)) / len(labels)
    assert folder.manifest["majority_accuracy"] == pytest.approx(share)
