"""ModelMarket: rounds, money, lies, attackers, coming and going, on small data."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest

import market_sim as ms
from agents.sharing import Attacker, Leaver, Liar, ModelMarket, Seller, Terms, Trader, TradeRule
from market_sim.errors import InvalidInput, LedgerImbalance
from market_sim.learning import (
    IPFL,
    ConstantParameters,
    FedAvg,
    Local,
    PersonalTask,
    SignFlip,
    dirichlet,
    load_dataset,
)

GAIN = 2e4


def task_for(roles, attacks=None, seed=3):
    data = load_dataset("breast-cancer")
    streams = ms.Streams(seed)
    partition = dirichlet(data.train.labels, len(roles), streams.generator("partition"), alpha=1.0)
    return PersonalTask(
        data, "logistic", partition, local_steps=5, batch=16, streams=streams, attacks=attacks
    )


def market_for(roles, *, method=None, trade=None, attacks=None, seed=3, **named):
    task = task_for(roles, attacks, seed)
    return ModelMarket(
        roles, task, method=method or IPFL(penalty=2.0), trade=trade, seed=seed, **named
    )


def traders(number):
    return [Trader(gain=GAIN) for _ in range(number)]


@pytest.mark.parametrize("rule", ["published", "vcg", "critical", "two_sided"])
def test_money_is_that_of_the_outcomes_and_sums_to_zero(rule):
    market = market_for(traders(5), trade=TradeRule(rule))
    net = np.zeros(5)
    for _ in range(3):
        market.step()
        net -= market.last.outcome.net
    np.testing.assert_allclose(market.ledger.owner_money, net, atol=1e-9)
    assert abs(market.ledger.balances["money"].sum()) < 1e-9
    table = market.tables()["sharing_rounds"]
    assert table["imports"].min() > 0
    deficit = table["deficit"].sum()
    platform = market.ledger.balances["money"][market.ledger.buyer_account(0)]
    assert platform == pytest.approx(-deficit, abs=1e-9)
    assert (rule == "two_sided") == (abs(deficit) > 1e-9)


def test_a_balance_that_is_tampered_with_is_found():
    market = market_for(traders(3))
    market.step()
    market.ledger.balances["money"][-1] += 1.0
    with pytest.raises(LedgerImbalance, match="participant 2"):
        market.step()


def test_the_same_seed_gives_the_same_market():
    one, two = (market_for(traders(4)) for _ in range(2))
    for market in (one, two):
        market.run(3)
    for name, table in one.tables().items():
        for column, values in table.items():
            np.testing.assert_array_equal(values, two.tables()[name][column], err_msg=column)
    np.testing.assert_array_equal(one.models, two.models)


def test_utilities_are_those_of_the_formula():
    market = market_for(traders(4))
    market.step()
    truth, outcome = market.last.truth, market.last.outcome
    size = truth.data_size
    for i in range(4):
        mine = outcome.imports[i]
        gain = np.sqrt(GAIN / size[i]) - np.sqrt(GAIN / (size[i] + size[mine].sum()))
        exports = outcome.imports[:, i].sum()
        money = outcome.payment[:, i].sum() - outcome.payment[i].sum()
        assert market.last.utility[i] == pytest.approx(gain - exports + money, rel=1e-12)


def test_liars_are_told_apart_from_what_the_truth_would_have_brought():
    roles = [*traders(4), Liar(gain=GAIN, cost_factor=0.0)]
    market = market_for(roles, trade=TradeRule("vcg"))
    market.run(3)
    table = market.tables()["sharing_participants"]
    liar = table["participant"] == 4
    assert (table["said_cost"][liar] == 0.0).all()
    assert (table["cost"][liar] == 1.0).all()
    np.testing.assert_array_equal(table["utility"][~liar], table["honest_utility"][~liar])
    # VCG payments leave no lie in the cost a reason.
    assert (table["utility"][liar] <= table["honest_utility"][liar] + 1e-9).all()
    truth = market.last.truth
    honest = truth.clear("vcg").true_utility(truth)[4]
    assert market.last.honest_utility[4] == pytest.approx(honest, abs=1e-12)


def test_an_own_role_may_lie_as_it_likes():
    @dataclass(frozen=True)
    class Boaster(Trader):
        def says(self, truth, round_):
            return Terms(truth.data_size * (1.0 + round_), truth.gain, truth.cost)

    market = market_for([*traders(3), Boaster(gain=GAIN)])
    market.run(2)
    table = market.tables()["sharing_participants"]
    boaster = table["participant"] == 3
    size = table["data_size"][boaster]
    np.testing.assert_allclose(table["said_data_size"][boaster], size * [1.0, 2.0])


def test_a_model_that_is_not_finite_is_refused_and_the_market_goes_on():
    roles = [*traders(4), Attacker(attack="constant")]
    market = market_for(roles, attacks={4: ConstantParameters(float("nan"))})
    market.run(2)
    tables = market.tables()
    assert not market.last.outcome.imports[:, 4].any()
    assert tables["sharing_rounds"]["refused"].tolist() == [4, 4]
    refused = tables["sharing_edges"]["status"] == "refused"
    assert set(tables["sharing_edges"]["seller"][refused]) == {4}
    assert tables["sharing_rounds"]["imports"].min() > 0
    assert np.isfinite(tables["sharing_rounds"]["accuracy"]).all()
    assert "refused" in str(tables["sharing_rounds"]["status"][0])


def test_who_is_away_neither_trains_nor_trades():
    roles = [*traders(3), Leaver(gain=GAIN, leaves=2), Trader(gain=GAIN, joins=2)]
    market = market_for(roles)
    market.run(2)
    left_with = market.models[3].copy()
    np.testing.assert_array_equal(market.models[4], market.task.initial)
    market.run(2)
    tables = market.tables()
    people = tables["sharing_participants"]
    np.testing.assert_array_equal(people["present"][people["participant"] == 3], [1, 1, 0, 0])
    np.testing.assert_array_equal(people["present"][people["participant"] == 4], [0, 0, 1, 1])
    away = people["present"] == 0
    for column in ("imports", "exports", "utility", "spent", "earned"):
        assert not people[column][away].any(), column
    np.testing.assert_array_equal(market.models[3], left_with)
    assert (market.models[4] != market.task.initial).any()


def test_nobody_there_is_a_round_without_trade():
    market = market_for([Leaver(gain=GAIN, leaves=1), Leaver(gain=GAIN, leaves=1)])
    market.run(2)
    table = market.tables()["sharing_rounds"]
    assert table["present"].tolist() == [2, 0]
    assert str(table["status"][1]).startswith("no trade")
    assert np.isnan(table["accuracy"][1])


def test_a_participant_alone_trains_and_does_not_trade():
    market = market_for(traders(1))
    market.run(2)
    table = market.tables()["sharing_rounds"]
    assert table["imports"].tolist() == [0, 0]
    assert "alone" in str(table["status"][0])
    assert market.economic_utility[0] == 0.0


def test_baselines_pay_nothing_and_exports_still_cost():
    market = market_for(traders(4), method=FedAvg(), trade=TradeRule("free"))
    market.step()
    people = market.tables()["sharing_participants"]
    assert people["exports"].tolist() == [3, 3, 3, 3]
    assert not people["spent"].any()
    np.testing.assert_allclose(people["utility"], people["gained"] - 3.0)
    assert np.isnan(people["honest_utility"]).all()
    alone = market_for(traders(4), method=Local(), trade=TradeRule("free"))
    alone.step()
    assert not alone.economic_utility.any()


def test_sellers_who_gain_nothing_import_nothing():
    market = market_for([*traders(3), Seller()])
    market.run(2)
    assert not market.last.outcome.imports[3].any()
    everyone = market_for([Seller() for _ in range(3)])
    everyone.step()
    assert "every gain" in str(everyone.tables()["sharing_rounds"]["status"][0])


def test_the_graph_can_be_saved_with_its_money(tmp_path):
    market = market_for(traders(4), clusters=[0, 0, 1, 1])
    market.step()
    nx.write_graphml(market.graph, tmp_path / "graph.graphml")
    again = nx.read_graphml(tmp_path / "graph.graphml")
    assert again.number_of_edges() == market.last.outcome.imports.sum()
    paid = sum(price for _, _, price in again.edges(data="price"))
    assert paid == pytest.approx(market.last.outcome.payment.sum(), rel=1e-12)
    assert again.nodes["3"]["cluster"] == 1


def test_participants_are_agents_on_request():
    market = market_for(traders(3))
    market.run(2)
    one = market.participant(1)
    assert one is market.participant(1)
    assert one.role == Trader(gain=GAIN)
    assert one.utility == market.economic_utility[1]
    assert one.money == market.ledger.owner_money[1]
    np.testing.assert_array_equal(one.parameters, market.models[1])
    with pytest.raises(InvalidInput, match="3 participants"):
        market.participant(3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidInput, match="a role for each of the 3"):
        ModelMarket(traders(2), task_for(traders(3)), method=Local())
    with pytest.raises(InvalidInput, match="attackers are"):
        market_for(traders(3), attacks={1: SignFlip()})
    with pytest.raises(InvalidInput, match="clusters"):
        market_for(traders(3), clusters=[0, 1])
    with pytest.raises(InvalidInput, match="no last round"):
        _ = market_for(traders(3)).last
