"""Strategies: what owners say, and that lying to the right rule pays and to the others does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from agents import BestResponding, BuyerTerms, MarketView, Scaled, Strategy, Truthful
from agents.strategies import put_reports
from market_sim.reference import UNDERBIDDING

MECHANISMS = [ms.AllIn("critical"), ms.AllIn("singer"), ms.AllIn("published")]


def view_of(truth, mechanism, budget, rows=None, standing=None):
    rows = np.arange(truth.owners) if rows is None else np.asarray(rows)
    standing = truth.reports() if standing is None else standing
    return MarketView(0, "buyer", budget, mechanism, rows, standing)


def utility(mechanism, truth, said, budget):
    outcome = mechanism.clear(said, budget)
    return outcome.utility(truth.valuations, truth.cap, truth.data_size)


def columns(reports):
    return [reports.valuations.kind, reports.valuations.rate, reports.cap]


def test_the_truth_is_the_default(population, market):
    people = population()
    one = market(people)
    one.step()
    table = one.tables()["owners"]
    assert isinstance(one.owner(0).strategy, Truthful)
    assert table["reported_value"].tolist() == people.reports().value.tolist()
    assert table["reported_cap"].tolist() == table["cap"].tolist() == people.cap.tolist()


@pytest.mark.parametrize("sizes", ["none", "reference"])
def test_scaled_factors_show_in_the_reports(population, market, sizes):
    people = population(sizes=sizes)
    one = market(people, strategy=Scaled(value=3.0, cap=0.5))
    one.step()
    table = one.tables()["owners"]
    size = 1.0 if people.data_size is None else people.data_size
    asked = 3.0 * people.valuations.cost(0.5 * people.cap) * size
    assert table["reported_cap"] == pytest.approx(0.5 * people.cap)
    assert table["reported_value"] == pytest.approx(asked)
    assert table["cap"].tolist() == people.cap.tolist()


def test_exceptions_follow_their_own_strategy_and_the_last_one_wins(population, market):
    people = population()
    told = [(Scaled(2.0), [0, 3]), (Scaled(5.0), [3])]
    one = market(people, exceptions=told)
    one.step()
    factor = one.tables()["owners"]["reported_value"] / people.reports().value
    assert factor == pytest.approx([2, 1, 1, 5, 1, 1, 1, 1])
    assert [one.owner(row).strategy for row in (0, 1, 3)] == [
        Scaled(2.0), Truthful(), Scaled(5.0),
    ]  # fmt: skip


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    owners=st.integers(1, 9),
    mechanism=st.sampled_from(MECHANISMS),
    rate=st.floats(0.05, 2.0),
    sizes=st.sampled_from(["none", "reference"]),
    factor=st.sampled_from([0.6, 1.0, 1.7]),
)
def test_a_best_response_is_never_worse_than_the_truth(
    population, seed, owners, mechanism, rate, sizes, factor
):
    truth = population(owners, seed, sizes=sizes)
    budget = float(ms.budgets(truth, rate, "proportional"))
    others = truth.reports().scaled(factor)
    said = BestResponding().reports(truth, view_of(truth, mechanism, budget, standing=others))
    for row in range(owners):
        place = np.array([row])
        answer, honest = (
            utility(mechanism, truth, put_reports(others, reports.select(place), place), budget)[
                row
            ]
            for reports in (said, truth.reports())
        )
        assert answer >= honest - 1e-9 * budget
        assert said.cap[row] <= truth.cap[row] * (1 + 1e-12)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10**6),
    payment=st.sampled_from(["critical", "singer"]),
    rate=st.floats(0.05, 2.0),
)
def test_single_minded_owners_have_no_better_answer_than_the_truth(population, seed, payment, rate):
    truth = population(7, seed, single_minded=True)
    budget = float(ms.budgets(truth, rate, "proportional"))
    view = view_of(truth, ms.AllIn(payment), budget)
    said = BestResponding().reports(truth, view)
    for told, true in zip(columns(said), columns(truth.reports()), strict=True):
        assert told.tolist() == true.tolist()


def test_the_published_payment_rewards_the_known_lie(market):
    known = UNDERBIDDING
    truth = known.truth()
    people = ms.Population(truth.valuations, truth.cap)
    paid = {}
    for mechanism in MECHANISMS:
        one = market(
            people,
            known.budget,
            mechanism=mechanism,
            exceptions=[(BestResponding(), [known.liar])],
        )
        one.step()
        paid[mechanism.payment] = one.owner(known.liar).utility
        asked = one.tables()["owners"]["reported_value"][known.liar]
        assert (asked < known.value[known.liar]) == (mechanism.payment == "published")
    assert paid == pytest.approx({"critical": 0.0, "singer": 0.0, "published": 5.2})


class Listening(Strategy):
    """Tells the truth, scaled by the number of the round plus one, and keeps what it saw."""

    def __init__(self):
        self.views = []

    def reports(self, population, view):
        self.views.append(view)
        return population.reports().scaled(1.0 + view.round)


def test_owners_see_what_all_others_said_last(population, market):
    people, ear = population(), Listening()
    one = market(people, budget=6.5, strategy=Scaled(2.0, 0.5), exceptions=[(ear, [1, 4])])
    one.run(3)
    first, second, third = ear.views
    truth = people.reports()
    assert first.standing.value.tolist() == truth.value.tolist()
    factors = np.full(8, 2.0)
    factors[[1, 4]] = 1.0
    assert second.standing.valuations.rate == pytest.approx(factors * truth.valuations.rate)
    assert second.standing.cap[0] == 0.5 * truth.cap[0]
    factors[[1, 4]] = 2.0
    assert third.standing.valuations.rate == pytest.approx(factors * truth.valuations.rate)
    assert [view.round for view in ear.views] == [0, 1, 2]
    assert {(view.buyer, view.budget) for view in ear.views} == {("buyer", 6.5)}
    assert first.rows.tolist() == [1, 4]
    assert first.mechanism == ms.AllIn()


def test_the_view_of_a_later_buyer_holds_the_participants_only(population, market):
    people, ear = population(), Listening()
    terms = [BuyerTerms("ada", 9.0), BuyerTerms("bob", 9.0)]
    one = market(people, buyers=terms, strategy=ear)
    one.step()
    first, second = ear.views
    sold = one.tables()["owners"]["epsilon"][:8] > 0
    assert 0 < sold.sum() < 8
    assert second.standing.owners == second.rows.size == (~sold).sum()
    assert second.standing.cap.tolist() == people.cap[~sold].tolist()
    assert {first.buyer, second.buyer} == {"ada", "bob"}


def test_best_responders_react_to_each_other_over_rounds(population, market):
    people = population(10, 2)
    one = market(people, 8.0, mechanism=ms.AllIn("published"), strategy=BestResponding())
    one.run(4)
    said = one.tables()["owners"]["reported_value"].reshape(4, 10)
    assert (said[0] != people.reports().value).any()
    assert (said[1] != said[0]).any()


def test_put_reports_leaves_its_arguments_alone(population):
    truth = population(sizes="reference").reports()
    lie = truth.scaled(3.0, 0.5).select(np.array([2, 5]))
    before = [column.copy() for column in columns(truth)]
    mixed = put_reports(truth, lie, np.array([5, 2]))
    for column, same in zip(columns(truth), before, strict=True):
        assert column.tolist() == same.tolist()
    assert mixed.cap[[5, 2]].tolist() == lie.cap.tolist()
    assert mixed.data_size[[5, 2]].tolist() == lie.data_size.tolist()
    others = [0, 1, 3, 4, 6, 7]
    assert mixed.value[others].tolist() == truth.value[others].tolist()
