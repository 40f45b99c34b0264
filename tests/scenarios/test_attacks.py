"""Experiment "attack": its rows are what attack, audit and certificate say of the same owners."""

import numpy as np
import pytest
from open_auctions import OpenAuction

import market_sim as ms
from market_sim.errors import ScenarioError
from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.published_test import published_test
from scenarios import load_scenario, run_scenario
from scenarios.attacks import owners_of, run_attack
from scenarios.loading import load_scenario as load
from scenarios.summary import summarize
from scenarios.units import plan

ATTACK = """
title = "A small attack"
experiment = "attack"
seed = 4
profiles = 5
mechanisms = ["open_auctions:OpenAuction", "all-in-critical"]
[population]
owners = 3
[budget]
levels = [6.0]
[attack]
strengths = [[1, 3], [4, 20]]
published_steps = 7
clears = 30
certify = "open"
radii = [0.05, 0.2]
certified_profiles = 2
boxes = 64
"""


@pytest.fixture
def scenario(tmp_path):
    file = tmp_path / "small-attack.toml"
    file.write_text(ATTACK)
    return file


@pytest.fixture
def tables(scenario):
    loaded = load_scenario(scenario)
    return [run_attack(loaded, unit) for unit in plan(loaded)]


def rows(table):
    names = list(table)
    return [dict(zip(names, values, strict=True)) for values in zip(*table.values(), strict=True)]


def test_a_learned_auction_has_a_row_a_strength(scenario, tables):
    found = rows(tables[0]["attack"])
    assert [row["method"] for row in found] == ["published", "gradient", "gradient"]
    assert [(row["restarts"], row["steps"]) for row in found] == [(1, 7), (1, 3), (4, 20)]
    assert found[1]["regret_mean"] <= found[2]["regret_mean"]
    loaded = load(scenario)
    population, money = owners_of(loaded, plan(loaded)[0], 5)
    truth = population.reports()
    weak = published_test(OpenAuction(), truth, money, 7)
    assert found[0]["regret_mean"] == pytest.approx(weak.regret.mean())
    seed = ms.Streams(4).seed("attack")
    strong = attack(OpenAuction(), truth, money, restarts=4, steps=20, seed=seed)
    assert found[2]["regret_mean"] >= strong.regret.mean() > 0
    assert found[2]["regret_share"] >= strong.regret.sum() / strong.payment.sum()
    assert found[2]["ir_violation_max"] == pytest.approx(max(0.0, -strong.utility.min()))


def test_the_error_bound_is_over_owners_of_its_own_number(scenario, tables):
    loaded = load(scenario)
    population, money = owners_of(loaded, plan(loaded)[1], 30)
    outcome = ms.AllIn("critical").clear(population.reports(), money)
    bound = ms.error_bound(ms.ErrorOpt().weights(outcome.epsilon), outcome.epsilon)
    won = bound[np.isfinite(bound)]
    (row,) = rows(tables[1]["attack"])
    assert row["error_bound_mean"] == pytest.approx(won.mean())
    assert row["error_bound_se"] == pytest.approx(won.std(ddof=1) / np.sqrt(won.size))
    assert row["no_winner"] == pytest.approx(1 - won.size / 30)
    assert row["aggregator"] == "error-opt"


def test_any_other_mechanism_is_audited(scenario, tables):
    loaded = load(scenario)
    population, money = owners_of(loaded, plan(loaded)[1], 5)
    report = ms.audit(ms.AllIn("critical"), population, budget=money, seed=4)
    expected = next(row for row in report.rows if row.deviation == "both")
    (row,) = rows(tables[1]["attack"])
    for name in ("regret_mean", "regret_p95", "regret_max", "gain_share", "method"):
        assert row[name] == getattr(expected, name)
    paid = ms.AllIn("critical").clear(population.reports(), money).payment
    assert row["regret_share"] == pytest.approx(row["regret_mean"] / paid.mean())
    assert (row["restarts"], row["steps"], row["budget"]) == (0, 0, 6.0)
    assert row["ir_violation_mean"] == 0


def test_bounds_are_proved_for_whom_they_are_asked(tables):
    found = rows(tables[0]["certificates"])
    assert [row["radius"] for row in found] == [0.05, 0.2]
    for row in found:
        assert 0 <= row["lower_mean"] <= row["upper_mean"]
        assert row["lower_share"] <= row["upper_share"]
        assert (row["profiles"], row["mechanism"]) == (2, "open")
    assert found[0]["upper_mean"] < found[1]["upper_mean"]
    assert rows(tables[1]["certificates"]) == []


def test_the_run_leaves_both_tables(scenario, tmp_path):
    folder = run_scenario(
        scenario, ["mechanisms=all-in-singer", "attack.certify=[]"], out=tmp_path / "run"
    )
    assert len(folder.table("attack")) == 1
    assert (folder.path / "certificates.parquet").is_file()


def test_an_unknown_label_to_certify_is_refused(scenario):
    with pytest.raises(ScenarioError, match=r"attack\.certify.* 'opne'.* did you mean 'open'"):
        load_scenario(scenario, ["attack.certify=opne"])


def test_the_summary_sets_the_published_test_beside_the_strongest_attack(scenario, tmp_path):
    folder = run_scenario(scenario, ["attack.certify=[]"], out=tmp_path / "run")
    table, summary = folder.table("attack"), summarize(folder.path).set_index("mechanism")
    assert list(summary.index) == ["open", "all-in-critical"]
    by_method = table.set_index(["mechanism", "method", "steps"])["regret_mean"]
    assert summary["published_test"]["open"] == by_method["open", "published", 7]
    assert summary["regret_mean"]["open"] == by_method["open", "gradient", 20]
    assert np.isnan(summary["published_test"]["all-in-critical"])
