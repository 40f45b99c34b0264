"""One round after another: every kind of event, and the identities of the tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import market_sim as ms
from agents import BuyerTerms, Scaled
from market_sim.privacy import LaplacePerturbation


def steps(value, cap=1.0):
    """Owners who ask `value` for anything up to `cap`."""
    value = np.asarray(value, dtype=float)
    return ms.Population(ms.Valuations("step", value), np.full(value.size, cap))


def test_no_winner_is_recorded_and_the_money_comes_back(market):
    one = market(steps([5.0, 6.0]), budget=3.0)
    one.run(2)
    rounds, owners, ledger = (one.tables()[name] for name in ("rounds", "owners", "ledger"))
    assert rounds["status"].tolist() == ["no winner"] * 2
    assert rounds["participants"].tolist() == [2, 2]
    assert rounds["winners"].tolist() == [0, 0]
    assert rounds["budget"].tolist() == rounds["returned"].tolist() == [3.0, 3.0]
    assert rounds["spent"].tolist() == rounds["epsilon_sold"].tolist() == [0.0, 0.0]
    assert np.isposinf(rounds["error_bound"]).all()
    assert set(owners["status"]) == {"lost"}
    assert not owners["weight"].any()
    flow = list(zip(ledger["debit"], ledger["credit"], strict=True))[:4]
    there = [("endowment", "buyer"), ("buyer", "escrow")]
    assert flow == there + [(b, a) for a, b in reversed(there)]
    assert not one.ledger.balances["money"].any()


def test_no_winner_leaves_the_model_as_it_is_and_draws_no_noise(market, task, monkeypatch):
    job = task(2)
    before, quality = job.parameters(), job.evaluate()
    purposes = []
    plain = ms.Streams.for_owner
    monkeypatch.setattr(
        ms.Streams,
        "for_owner",
        lambda streams, purpose, *keys: purposes.append(purpose) or plain(streams, purpose, *keys),
    )
    one = market(steps([5.0, 6.0]), buyers=[BuyerTerms("buyer", 3.0, job)])
    one.run(2)
    assert not purposes
    assert job.parameters().tobytes() == before.tobytes()
    rounds = one.tables()["rounds"]
    assert rounds["accuracy"].tolist() == [quality.accuracy] * 2
    assert rounds["loss"].tolist() == [quality.loss] * 2
    rich = market(steps([5.0, 6.0]), buyers=[BuyerTerms("buyer", 30.0, job)])
    rich.step()
    assert purposes == ["noise", "noise"]
    assert job.parameters().tobytes() != before.tobytes()


def test_no_money_when_the_endowment_is_spent(market):
    terms = BuyerTerms("buyer", 3.0, endowment=5.0)
    one = market(steps([1.0, 1.0]), buyers=[terms], mechanism=ms.AllIn("published"))
    one.run(4)
    rounds = one.tables()["rounds"]
    assert rounds["status"].tolist() == ["traded", "traded", "no money", "no money"]
    assert rounds["budget"].tolist() == [3.0, 2.0, 0.0, 0.0]
    assert rounds["spent"].tolist() == [3.0, 2.0, 0.0, 0.0]
    assert rounds["participants"].tolist() == [2, 2, 0, 0]
    assert one.buyers[0].money_left == 0.0
    assert np.isposinf(rounds["error_bound"][2:]).all()


def test_what_rounding_leaves_of_an_endowment_is_no_money(market):
    class AlmostAll(ms.AllIn):
        def clear(self, reports, budget):
            sold = super().clear(reports, budget)
            return ms.Outcome(sold.epsilon, np.nextafter([budget], 0.0), budget)

    terms = BuyerTerms("buyer", 3.0, endowment=6.0)
    one = market(steps([1.0]), buyers=[terms], mechanism=AlmostAll())
    one.run(3)
    assert 0 < one.buyers[0].money_left < 1e-14
    assert one.tables()["rounds"]["status"].tolist() == ["traded", "traded", "no money"]
    assert one.tables()["rounds"]["budget"][2] == 0.0


def test_one_owner_sells_every_round(market):
    one = market(steps([2.0]), budget=3.0)
    one.run(3)
    assert one.tables()["rounds"]["winners"].tolist() == [1, 1, 1]
    assert one.tables()["owners"]["weight"].tolist() == [1.0] * 3
    assert one.owner(0).money == one.buyers[0].spent > 6.0 - 1e-12


def test_several_buyers_an_owner_sells_once_a_round(population, market, rows_of):
    names = ["ada", "bob", "eve"]
    one = market(population(12), buyers=[BuyerTerms(name, 12.0) for name in names], seed=3)
    one.run(6)
    table, rounds = one.tables()["owners"], one.tables()["rounds"]
    for round_ in range(6):
        order = rows_of(rounds, "buyer", round=round_)
        sold = np.zeros(12, dtype=bool)
        for place, buyer in enumerate(order):
            status = rows_of(table, "status", round=round_, buyer=buyer)
            assert (status[sold] == "sold elsewhere").all()
            assert not (status[~sold] == "sold elsewhere").any()
            assert rows_of(rounds, "participants", round=round_)[place] == 12 - sold.sum()
            sold |= rows_of(table, "epsilon", round=round_, buyer=buyer) > 0
        assert sold.any()
    assert len({tuple(rows_of(rounds, "buyer", round=r)) for r in range(6)}) > 1


def test_a_buyer_who_comes_last_may_find_nobody(market):
    terms = [BuyerTerms("ada", 9.0), BuyerTerms("bob", 9.0)]
    one = market(steps([1.0, 1.0]), buyers=terms)
    one.run(5)
    rounds, owners = one.tables()["rounds"], one.tables()["owners"]
    assert rounds["status"].tolist() == ["traded", "no participant"] * 5
    assert owners["status"].tolist() == (["won"] * 2 + ["sold elsewhere"] * 2) * 5
    assert set(rounds["buyer"][::2]) == {"ada", "bob"}


@given(
    seed=st.integers(0, 10**6),
    rate=st.floats(1e-3, 3.0),
    payment=st.sampled_from(["critical", "singer", "published"]),
    sizes=st.sampled_from(["none", "reference"]),
    factor=st.sampled_from([0.7, 1.0, 1.4]),
)
def test_identities_of_the_tables(population, market, rows_of, seed, rate, payment, sizes, factor):
    people = population(9, seed, sizes=sizes)
    money = float(ms.budgets(people, rate, "proportional"))
    terms = [BuyerTerms("ada", money), BuyerTerms("bob", money / 3)]
    given = {"strategy": Scaled(factor, factor), "mechanism": ms.AllIn(payment)}
    one = market(people, buyers=terms, seed=seed, **given)
    one.run(3)
    rounds, owners = one.tables()["rounds"], one.tables()["owners"]
    assert rounds["budget"] == pytest.approx(rounds["spent"] + rounds["returned"])
    assert rounds["round"].tolist() == [0, 0, 1, 1, 2, 2]
    size = 1.0 if people.data_size is None else np.tile(people.data_size, 6)
    cost = size * ms.Valuations(
        np.tile(people.valuations.kind, 6), np.tile(people.valuations.rate, 6)
    ).cost(owners["epsilon"])
    assert owners["cost"] == pytest.approx(cost)
    over = owners["epsilon"] > np.nan_to_num(owners["cap"], nan=np.inf) * (1 + 1e-12)
    assert np.isneginf(owners["utility"][over]).all()
    assert owners["utility"][~over] == pytest.approx((owners["payment"] - cost)[~over])
    assert over.any() <= (factor > 1)
    for place in range(6):
        block = slice(9 * place, 9 * place + 9)
        assert rounds["spent"][place] == pytest.approx(owners["payment"][block].sum())
        assert rounds["epsilon_sold"][place] == pytest.approx(owners["epsilon"][block].sum())
        assert rounds["owner_utility"][place] == owners["utility"][block].sum()
        won = owners["status"][block] == "won"
        assert rounds["winners"][place] == won.sum() == (owners["epsilon"][block] > 0).sum()
        assert owners["weight"][block].sum() == pytest.approx(float(won.any()))
        assert rounds["error_bound"][place] == pytest.approx(
            float(
                ms.error_bound(owners["weight"][block], owners["epsilon"][block], people.data_size)
            )
        )


def test_selling_more_than_the_true_cap_is_minus_infinity_to_the_liar(market, rows_of):
    one = market(steps([1.0, 1.0]), budget=9.0, exceptions=[(Scaled(1.0, 1.5), [1])])
    one.run(2)
    table = one.tables()["owners"]
    assert table["epsilon"].tolist() == [1.0, 1.5] * 2
    assert np.isneginf(rows_of(table, "utility", owner=1)).all()
    assert (rows_of(table, "utility", owner=0) > 0).all()
    assert np.isneginf(one.tables()["rounds"]["owner_utility"]).all()
    assert np.isneginf(one.owner(1).utility)


def test_a_market_without_a_task_has_no_quality(population, market):
    one = market(population())
    one.step()
    for column in ("accuracy", "balanced_accuracy", "auc", "loss"):
        assert np.isnan(one.tables()["rounds"][column]).all()


def test_the_error_bound_knows_dimension_and_clip(population, market):
    people = population()
    plain, other = (
        market(people, aggregator=ms.DataSize(), **given)
        for given in ({}, {"dim": 7, "perturbation": LaplacePerturbation(clip=2.0)})
    )
    for one in (plain, other):
        one.step()
    weights = plain.tables()["owners"]["weight"]
    epsilon = plain.tables()["owners"]["epsilon"]
    expected = ms.error_bound(weights, epsilon, clip=2.0, dim=7)
    assert other.tables()["rounds"]["error_bound"] == pytest.approx([float(expected)])
    assert plain.tables()["rounds"]["error_bound"][0] < expected


def test_without_a_row_for_each_owner_the_rest_is_the_same(population, market):
    people = population()
    full, short = (market(people, record_owners=keep) for keep in (True, False))
    for one in (full, short):
        one.run(2)
    assert set(short.tables()) == {"rounds", "ledger"}
    for column, values in short.tables()["rounds"].items():
        assert values.tobytes() == full.tables()["rounds"][column].tobytes()
    assert short.owner(3).utility == full.owner(3).utility


def test_tables_of_a_market_that_never_ran_are_empty(population, market):
    tables = market(population()).tables()
    assert all(len(column) == 0 for table in tables.values() for column in table.values())
    names = {name: " ".join(table) for name, table in tables.items()}
    assert names == {
        "rounds": "round buyer status participants departed winners budget spent returned "
        "epsilon_sold error_bound owner_utility accuracy balanced_accuracy auc loss",
        "owners": "round buyer owner kind reported_value reported_cap cap epsilon payment cost "
        "utility weight privacy_spent status",
        "ledger": "round currency debit credit amount",
    }


def test_progress_is_told_after_each_round(population, market):
    one, seen = market(population()), []
    one.run(3, seen.append)
    assert seen == [1, 2, 3]
    assert one.round == 3


def test_finished_rounds_survive_an_error(population, market):
    class Fragile(ms.AllIn):
        def clear(self, reports, budget):
            if len(one.tables()["rounds"]["round"]) == 2:
                raise ms.InvalidInput("no more")
            return super().clear(reports, budget)

    one = market(population(), mechanism=Fragile())
    with pytest.raises(ms.InvalidInput, match="no more"):
        one.run(5)
    assert one.tables()["rounds"]["round"].tolist() == [0, 1]
    assert one.tables()["owners"]["round"].size == 16
