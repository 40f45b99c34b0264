"""Scenarios of markets for models: what is refused, who is dealt where, what the tables hold."""

import networkx as nx
import numpy as np
import pytest
import torch

from agents.sharing import Attacker, Trader
from analysis import load_run, plot_run
from market_sim.errors import ScenarioError
from scenarios import load_scenario
from scenarios.run import resume_run, run_scenario
from scenarios.schemas import TABLES
from scenarios.sharing import roles_of, run_sharing
from scenarios.summary import summarize
from scenarios.units import plan

SMALL = """
title = "small"
experiment = "sharing"
seed = 1
seeds = 2

[learning]
dataset = "breast-cancer"
model = "logistic"
partition = { name = "dirichlet", alpha = 1.0 }

[[sharing]]
name = "market"
rounds = 2
local_steps = 3
batch = 8
methods = ["ipfl", "fedavg"]
rules = ["published", "two_sided"]

[[sharing.participants]]
role = "trader"
number = 4
gain = 2e4

[[sharing.participants]]
role = "attacker"
number = 2
attack = "constant"
"""
LIES = """
experiment = "incentives"
seed = 3

[[incentives]]
name = "random"
markets = 4
number = 5
shown = 2
lies = 4
"""


@pytest.fixture
def write(tmp_path):
    def to(text):
        file = tmp_path / "small.toml"
        file.write_text(text)
        return file

    return to


@pytest.fixture
def run(write, tmp_path):
    return run_scenario(write(SMALL), out=tmp_path / "run")


def test_every_method_and_rule_has_its_rows(run):
    found = load_run(run.path)
    rounds = found.table("sharing_rounds")
    pairs = {tuple(pair) for pair in rounds[["method", "rule"]].to_numpy().tolist()}
    assert pairs == {("ipfl", "published"), ("ipfl", "two_sided"), ("fedavg", "free")}
    assert len(rounds) == 2 * 3 * 2
    people = found.table("sharing_participants")
    assert list(people.columns) == list(TABLES["sharing_participants"])
    assert len(people) == 2 * 3 * 2 * 6
    assert set(people["kind"]) == {"trader", "attacker"}
    money = found.table("sharing_ledger")
    assert set(money["currency"]) == {"money"}
    assert not money["rule"].eq("free").any()


def test_graphs_are_saved_with_their_prices(run):
    files = sorted((run.path / "graphs").glob("*.graphml"))
    assert len(files) == 2 * 3
    edges = load_run(run.path).table("sharing_edges")
    graph = nx.read_graphml(next(f for f in files if "seed1" in f.name and "ipfl-pub" in f.name))
    last = edges[
        (edges["seed"] == 1)
        & (edges["method"] == "ipfl")
        & (edges["rule"] == "published")
        & (edges["round"] == 1)
    ]
    prices = [price for _, _, price in graph.edges(data="price")]
    assert sum(prices) == pytest.approx(last["price"].sum())
    assert graph.number_of_edges() == len(last)


def test_a_resumed_run_has_the_same_bytes(run, write, tmp_path):
    again = run_scenario(write(SMALL), out=tmp_path / "again")
    unit = plan(load_scenario(write(SMALL)))[1]
    tables = run_sharing(load_scenario(write(SMALL)), unit, tmp_path / "again")
    for name in ("sharing_rounds", "sharing_edges"):
        (again.path / f"{name}.parquet").unlink()
    for name, columns in tables.items():
        again.write_part(name, unit.id, columns)
    again.manifest |= {"status": "interrupted"}
    again.save()
    resume_run(again.path)
    for file in sorted(run.path.glob("*.parquet")):
        assert file.read_bytes() == (again.path / file.name).read_bytes(), file.name


@pytest.mark.parametrize("model", ["logistic", "mlp", "cnn"])
def test_threads_do_not_change_a_bit(write, tmp_path, model):
    text = SMALL.replace("logistic", model).replace("breast-cancer", "digits")
    one = load_scenario(write(text.replace("seeds = 2", "")))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(run_sharing(one, plan(one)[0], tmp_path)["sharing_participants"])
    finally:
        torch.set_num_threads(before)
    for name, column in found[0].items():
        np.testing.assert_array_equal(column, found[1][name], err_msg=name)


def test_the_summary_has_a_row_a_method_and_rule(run):
    table = summarize(run.path)
    assert table["method"].tolist() == ["ipfl", "ipfl", "fedavg"]
    people = load_run(run.path).table("sharing_participants")
    last = people[(people["round"] == 1) & (people["kind"] == "trader")]
    mean = last.groupby(["method", "rule"])["economic_utility"].mean()
    for row in table.itertuples():
        assert row.economic_utility == pytest.approx(mean[row.method, row.rule])


def test_roles_are_dealt_out_in_turn(write):
    roles = roles_of(load_scenario(write(SMALL)).sharing[0])
    assert [role.kind for role in roles] == ["trader", "attacker", "trader"] * 2
    assert roles[0] == Trader(gain=2e4)
    assert roles[1] == Attacker(attack="constant")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('role = "attacker"', 'role = "thief"', "role"),
        ('attack = "constant"', "cost_factor = 0.5", "only for role = 'liar'"),
        ("gain = 2e4", "gain = -1.0", "gain"),
        ("gain = 2e4", "joins = 4\nleaves = 3", "leaves"),
        ("gain = 2e4", 'attack = "constant"', "only for role = 'attacker'"),
        ("rounds = 2", "rounds = 0", "rounds"),
        ('rules = ["published", "two_sided"]', "rules = []", "rules"),
        ('rules = ["published", "two_sided"]', 'rules = ["vcg", "vcg"]', "different rules"),
        ('methods = ["ipfl", "fedavg"]', 'methods = ["gossip"]', "methods"),
        ("batch = 8", 'partition = { name = "clutser" }', "cluster"),
        ("batch = 8", "constnt = 1.0", "constant"),
        ("[learning]\ndataset", "[market]\nrounds", "market"),
    ],
)
def test_what_does_not_fit_is_refused(write, old, new, message):
    assert old in SMALL
    with pytest.raises(ScenarioError, match=message):
        load_scenario(write(SMALL.replace(old, new, 1)))


def test_learning_is_needed(write):
    start, end = SMALL.index("[learning]"), SMALL.index("[[sharing]]")
    with pytest.raises(ScenarioError, match="learning"):
        load_scenario(write(SMALL[:start] + SMALL[end:]))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rounds = 2", 'rounds = 2\ngraph = "greedy"', "two_sided"),
        ("rounds = 2", 'rounds = 2\ngraph = "exact"\nrules = ["critical"]', "critical"),
        ("batch = 8", 'partition = { name = "cluster", clusters = 7 }', "7 clusters"),
        ("batch = 8", 'partition = { name = "cluster", alpha = -1.0 }', "alpha"),
        ("batch = 8", 'partition = { name = "class-skew", classes_each = 0 }', "classes_each"),
        ('{ name = "dirichlet", alpha = 1.0 }', '{ name = "dirichlet", alpha = 0.0 }', "alpha"),
        ('role = "trader"', 'role = "liar"\ngain_factor = 1e308', "report the gain inf"),
        ('role = "trader"', 'role = "liar"\nsize_factor = 1e305', "report the data_size inf"),
        ("batch = 8", "penalty = 1e31", "penalty must be at most 1e[+]30"),
        ("batch = 8", "step = 1e-30", "penalty / step"),
    ],
)
def test_what_cannot_run_writes_nothing(write, tmp_path, old, new, message):
    text = SMALL.replace('rules = ["published", "two_sided"]\n', "") if "rules" in new else SMALL
    with pytest.raises(ScenarioError, match=message):
        run_scenario(write(text.replace(old, new, 1)), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_attackers_alone_are_run_and_drawn(write, tmp_path):
    text = SMALL.replace('role = "trader"\nnumber = 4\ngain = 2e4', 'role = "attacker"')
    text = text.replace('"ipfl", "fedavg"', '"ipfl", "local"').replace("seeds = 2", "seeds = 1")
    found = run_scenario(write(text), out=tmp_path / "run")
    assert len(plot_run(found.path)) == 2 * 3


def test_markets_without_imports_are_audited_and_drawn(write, tmp_path):
    found = run_scenario(write(LIES + "cost = [1e9, 1e9]\n"), out=tmp_path / "run")
    assert load_run(found.path).rows("incentive_edges") == 0
    assert len(plot_run(found.path)) == 2 * 2
    assert plot_run(found.path, names=["incentive-rationality"])


def test_a_market_without_trade_is_run_and_drawn(write, tmp_path):
    text = SMALL.replace("gain = 2e4", "gain = 0.0").replace('"ipfl", "fedavg"', '"ipfl", "local"')
    text = text.replace("seeds = 2", 'seeds = 1\nfigures = ["sharing-graph", "sharing-rounds"]')
    found = run_scenario(write(text), out=tmp_path / "run")
    assert load_run(found.path).rows("sharing_edges") == 0
    assert len(plot_run(found.path)) == 4


def test_a_model_that_is_not_finite_is_recorded(write, tmp_path):
    text = SMALL.replace("rounds = 2", "rounds = 2\nconstant = nan").replace("seeds = 2", "")
    found = load_run(run_scenario(write(text), out=tmp_path / "run").path)
    edges = found.table("sharing_edges")
    refused = edges[edges["status"] == "refused"]
    assert set(refused["seller_kind"]) == {"attacker"}
    assert np.isfinite(found.table("sharing_rounds")["accuracy"]).all()


def test_incentives_hold_where_they_are_promised(write, tmp_path):
    found = load_run(run_scenario(write(LIES), out=tmp_path / "run").path)
    table = found.table("incentives").set_index(["rule", "deviation"])
    assert table.loc[("published", "lower cost"), "lies"] > 0
    for rule in ("vcg", "critical", "two_sided"):
        assert table.loc[(rule, "lower cost"), "regret_max"] == 0
    assert table.loc[("two_sided", "gain"), "regret_max"] == 0
    assert table["edge_violations"].eq(0).all()
    markets = found.table("incentive_markets")
    assert len(markets) == 4 * 4
    assert markets["deficit"].where(markets["rule"] != "two_sided", 0.0).abs().max() < 1e-12
    edges = found.table("incentive_edges")
    assert set(edges["draw"]) == {0, 1}
    assert (edges["received"] >= edges["cost"] - 1e-9).all()
    assert len(summarize(found.folder)) == 4 * 5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lies = 4", "cost = [2.0, 1.0]", "ascending"),
        ("number = 5", "number = 1", "number"),
        ("lies = 4", 'rules = ["barter"]', "rules"),
        ("lies = 4", 'rules = ["vcg", "vcg"]', "different rules"),
    ],
)
def test_bad_laws_of_markets_are_refused(write, old, new, message):
    with pytest.raises(ScenarioError, match=message):
        load_scenario(write(LIES.replace(old, new)))
