"""What full information makes possible, beside auctions; and the list of trained networks."""

import json
import re

import numpy as np
import pytest

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import shipped_networks
from scenarios import load_scenario, networks, registry
from scenarios.auctions import POSSIBLE, run_auctions
from scenarios.items import Item
from scenarios.units import plan

CHANGES = ["bound=true", "seeds=1", "settings=low", "budget.levels=2.5", "profiles=4"]


@pytest.fixture
def table(auctions):
    changes = [*CHANGES, "mechanisms=all-in-critical", "aggregators=error-opt,data-size"]
    scenario = load_scenario(auctions, changes)
    (unit,) = plan(scenario)
    columns = run_auctions(scenario, unit)["auctions"]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {(row["mechanism"], row["aggregator"]): row for row in rows}


@pytest.fixture
def owners():
    law = ms.PopulationLaw(owners=4, cap=(0.5, 5.0))
    return law.sample(ms.Streams(3).generator("profiles", 0), (4,))


def test_the_two_rows_are_the_bound_of_the_same_profiles(table, owners):
    best = ms.full_information_bound(owners.reports(), 2.5)
    purchase, proof = (table[name, "error-opt"] for name in POSSIBLE)
    assert purchase["error_bound_mean"] == pytest.approx(best.upper.mean())
    assert proof["error_bound_mean"] == pytest.approx(best.lower.mean())
    assert proof["ratio_to_possible"] == 1
    assert purchase["spent_share_mean"] == pytest.approx(
        owners.cost(best.epsilon).sum(axis=-1).mean() / 2.5
    )
    assert purchase["spent_share_mean"] <= 1 + 1e-9
    assert np.isnan([proof["spent_share_mean"], proof["winners_mean"]]).all()


def test_a_ratio_is_over_the_profiles_in_which_somebody_sold(table, owners):
    sold = ms.AllIn("critical").clear(owners.reports(), 2.5).epsilon
    won = (sold > 0).any(axis=-1)
    least = ms.full_information_bound(owners.reports(), 2.5).lower[won].mean()
    for aggregator in ("error-opt", "data-size"):
        row = table["all-in-critical", aggregator]
        assert row["profiles_with_winner"] == won.sum()
        assert row["ratio_to_possible"] == pytest.approx(row["error_bound_mean"] / least)
        assert row["ratio_to_possible"] > 1


def test_without_the_bound_there_is_no_ratio(auctions):
    scenario = load_scenario(auctions, [*CHANGES, "bound=false"])
    table = run_auctions(scenario, plan(scenario)[0])["auctions"]
    assert np.isnan(table["ratio_to_possible"]).all()
    assert not set(POSSIBLE) & set(table["mechanism"])


def test_every_shipped_network_is_listed_with_a_mechanism_that_takes_it():
    rows = networks.listing()
    assert [row["name"] for row in rows] == shipped_networks()
    orders = {"menu-random-reported": {"order": "random"}, "menu-random": {"order": "random"}}
    for row in rows:
        arguments = {"network": row["name"], **orders.get(row["name"], {})}
        assert registry.build("mechanism", Item(name=row["mechanism"], arguments=arguments))
        assert re.match(r"[\d, to]+ owners, (caps up to|laws|uniform law)", row["trained_for"])


def test_markets_of_training_are_told_in_words():
    law = {"owners": 10, "max_cap": 2.0, "sizes": "none", "budget": "fixed"}
    law |= {"budget_low": 1.0, "budget_high": 50.0}
    said = "10 owners, caps up to 2, data sizes none, fixed budgets 1 to 50"
    assert networks._market({"law": law}) == said
    game = law | {"owner_law": "uniform", "budget_low": 5.0, "budget_high": 5.0}
    said_of_game = "10 owners, uniform law of the privacy auction, fixed budgets 5 to 5"
    assert networks._market({"law": game}) == said_of_game
    crowd = {"law": {"law": law, "least": 5, "most": 100}}
    assert networks._market(crowd) == said.replace("10 owners", "5 to 100 owners")
    recipe = {"owners": [10, 5, 2000], "max_cap": 5, "sizes": "reference"}
    found = networks._market({"recipe": recipe | {"rate_low": 0.1, "rate_high": 2}})
    assert found.startswith("5 to 2,000 owners, caps up to 5, data sizes reference, proportional")


def test_the_command_lists_networks(monkeypatch, capsys):
    from scenarios import cli

    monkeypatch.setattr("sys.argv", ["market-sim", "list", "--networks", "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    found = json.loads(capsys.readouterr().out)
    assert {"name", "mechanism", "trained_for"} == set(found[0])
