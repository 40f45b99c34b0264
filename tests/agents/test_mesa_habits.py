"""What people know from Mesa works here: agents, selections, data collectors, batch runs."""

import ast
import subprocess
import sys
from pathlib import Path

import mesa
import numpy as np
import pytest

import agents
import market_sim as ms
from agents import Broker, BuyerTerms, DataOwner, FLMarket, ModelBuyer

SOURCES = sorted(Path(agents.__file__).parent.glob("*.py"))


def test_a_market_is_a_mesa_model(population, market):
    one = market(population())
    assert isinstance(one, mesa.Model)
    assert one.running
    one.step()
    one.step()
    assert one.round == 2
    assert one.tables()["rounds"]["round"].tolist() == [0, 1]


def test_agents_by_type(population, market):
    one = market(population(), owners="objects", buyers=[BuyerTerms("a", 5), BuyerTerms("b", 5)])
    kinds = one.agents_by_type
    assert {kind: len(kinds[kind]) for kind in kinds} == {Broker: 1, ModelBuyer: 2, DataOwner: 8}
    assert len(one.agents) == 11
    assert sorted(owner.row for owner in kinds[DataOwner]) == list(range(8))


def test_owners_on_arrays_become_agents_when_somebody_asks(population, market):
    one = market(population())
    assert DataOwner not in one.agents_by_type
    owner = one.owner(np.intp(5))
    assert owner is one.owner(5)
    assert list(one.agents_by_type[DataOwner]) == [owner]


def test_agent_sets_select_get_aggregate_and_do(population, market):
    people = population()
    one = market(people, owners="objects", budget=30.0)
    one.run(2)
    owners = one.agents_by_type[DataOwner]
    assert owners.get("cap") == people.cap.tolist()
    assert owners.agg("money", sum) == pytest.approx(one.buyers[0].spent)
    rich = owners.select(lambda owner: owner.money > 0)
    assert [owner.row for owner in rich] == np.flatnonzero(one.ledger.owner_money).tolist()
    assert 0 < len(rich) <= 8
    assert len(one.agents.select(agent_type=ModelBuyer)) == 1
    seen = []
    owners.do(lambda owner: seen.append(owner.row))
    owners.shuffle_do(lambda owner: seen.append(owner.row))
    assert seen[:8] == list(range(8))
    assert sorted(seen[8:]) == list(range(8))
    best = owners.sort("utility", ascending=False)
    assert best[0].utility == max(owners.get("utility"))
    assert owners.groupby(lambda owner: owner.money > 0).count()[True] == len(rich)


def test_a_data_collector_reads_model_and_agents(population, market):
    one = market(population(), owners="objects", budget=20.0)
    one.datacollector = mesa.DataCollector(
        model_reporters={
            "round": "round",
            "spent": lambda model: model.buyers[0].spent,
            "privacy": lambda model: model.ledger.owner_privacy,
        },
        agenttype_reporters={DataOwner: {"money": "money", "privacy": "privacy_spent"}},
    )
    one.run(3)
    models = one.datacollector.get_model_vars_dataframe()
    assert models["round"].tolist() == [1, 2, 3]
    assert models["spent"].tolist() == pytest.approx(
        np.cumsum(one.tables()["rounds"]["spent"]).tolist()
    )
    assert models["privacy"][0].sum() < models["privacy"][2].sum()
    people = one.datacollector.get_agenttype_vars_dataframe(DataOwner)
    assert len(people) == 24
    assert people["money"].tolist()[-8:] == pytest.approx(one.ledger.owner_money.tolist())


def test_run_model_goes_on_until_running_is_false(population, market):
    one = market(population(), rounds=4)
    one.run_model()
    assert one.round == 4
    assert not one.running
    assert len(one.tables()["rounds"]["round"]) == 4
    endless = market(population())
    endless.run(6)
    assert endless.running


def test_batch_run_in_one_process():
    results = mesa.batch_run(
        FLMarket,
        {
            "number_of_owners": [5, 20],
            "payment": ["critical", "singer"],
            "budget": 8.0,
            "rounds": 3,
        },
        data_collection_period=1,
        display_progress=False,
    )
    assert len(results) == 12
    for row in results[2::3]:
        one = FLMarket(row["number_of_owners"], 8.0, row["payment"])
        one.run(3)
        assert row["spent"] == one.buyers[0].spent > 0
        assert row["epsilon_sold"] == pytest.approx(one.tables()["rounds"]["epsilon_sold"].sum())
        assert row["owner_utility"] == pytest.approx(one.tables()["rounds"]["owner_utility"].sum())


def test_batch_run_over_seeds_gives_different_populations():
    results = mesa.batch_run(FLMarket, {"rng": [1, 2, 3], "rounds": 2}, display_progress=False)
    for row, seed in zip(results, (1, 2, 3), strict=True):
        one = FLMarket(rng=seed)
        one.run(2)
        assert row["spent"] == one.buyers[0].spent
    assert len({row["epsilon_sold"] for row in results}) == 3


def test_seed_and_rng_are_two_words_for_one_thing(population, market, assert_same_tables):
    one, other = (FLMarket(seed=7), FLMarket(rng=7))
    for each in (one, other):
        each.run(2)
    assert_same_tables(one, other)
    people = population()
    terms = [BuyerTerms(name, 6.0) for name in "abc"]
    one, other = (market(people, buyers=terms, **key) for key in ({"seed": 9}, {"rng": 9}))
    for each in (one, other):
        each.run(4)
    assert_same_tables(one, other)


def calls():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield path, node


def test_nothing_that_later_mesa_removes_is_used():
    """Later Mesa has no `seed=` of Model, no schedulers, no `model.steps`."""
    supers = 0
    for path, call in calls():
        name = ast.unparse(call.func)
        if path.name == "rounds.py" and name == "super().__init__":
            supers += 1
            assert [key.arg for key in call.keywords] == ["rng"]
            assert not call.args
    assert supers == 1
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"steps", "schedule", "random"}:
                # numpy and its generators have names of their own
                assert ast.unparse(node.value) in {"np", "rng", "stream"}, (path.name, node.lineno)
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", "") or ""] + [alias.name for alias in node.names]
                assert not [name for name in names if name.startswith("mesa.")], path.name


def test_mesa_names_of_the_model_are_not_overwritten():
    theirs = {name for name in dir(mesa.Model) if not name.startswith("_")} - {"step"}
    ours = set(vars(agents.Market)) | set(vars(FLMarket))
    assert not theirs & ours
    owners = {name for name in dir(mesa.Agent) if not name.startswith("_")}
    for kind in (Broker, ModelBuyer, DataOwner):
        assert not owners & set(vars(kind)), kind


def test_shuffling_mesa_agents_does_not_touch_the_market(population, market, assert_same_tables):
    people = population()
    terms = [BuyerTerms(name, 6.0) for name in "abc"]
    calm, shuffled = (market(people, buyers=terms, owners="objects") for _ in range(2))
    for _ in range(3):
        calm.step()
        shuffled.agents.shuffle_do("step")
        shuffled.rng.random(5)
        shuffled.step()
    assert_same_tables(calm, shuffled)


def test_more_owners_than_rows_of_the_first_do_not_change_it(population, market):
    """One long population and its head have the same owners: streams are keyed, not shared."""
    people = population(20)
    head = people.select(np.arange(10))
    long, short = (market(p, owners="objects", budget=4.0) for p in (people, head))
    for one in (long, short):
        one.step()
    shown = [one.tables()["owners"]["reported_value"][:10].tolist() for one in (long, short)]
    assert shown[0] == shown[1]


def test_the_market_package_imports_without_torch():
    root = Path(ms.__file__).parent.parent
    code = "import agents, sys; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == 0
