"""Owners with a mind of their own, among others who are served in one call."""

from dataclasses import dataclass, field

import numpy as np
import pytest

import market_sim as ms
from agents import DataOwner, Scaled, Strategy


@dataclass
class Counting(Strategy):
    """The truth, and how many owners were asked in each call."""

    asked: list[int] = field(default_factory=list)

    def reports(self, population, view):
        self.asked.append(population.owners)
        return population.reports()


class Gambler(DataOwner):
    """Doubles her price when she has won before."""

    def report(self, offer, view):
        return offer.reports().scaled(2.0 if self.money > 0 else 1.0)


class Halving(DataOwner):
    """Half of what her strategy says."""

    def report(self, offer, view):
        return super().report(offer, view).scaled(0.5)


def test_one_subclass_speaks_for_itself_and_all_others_are_asked_at_once(population, market):
    people, strategy = population(50), Counting()
    one = market(people, 1e6, strategy=strategy, owner_types={3: Gambler})
    one.run(3)
    assert strategy.asked == [49, 49, 49]
    factor = one.tables()["owners"]["reported_value"].reshape(3, 50) / people.reports().value
    assert factor[:, 3] == pytest.approx([1, 2, 2])
    assert np.delete(factor, 3, axis=1) == pytest.approx(np.ones((3, 49)))


def test_without_subclasses_there_is_one_call_a_strategy(population, market):
    many, few = Counting(), Counting()
    one = market(population(50), strategy=many, exceptions=[(few, range(10))])
    one.run(2)
    assert many.asked == [40, 40]
    assert few.asked == [10, 10]


def test_owner_objects_are_asked_one_by_one(population, market):
    strategy = Counting()
    market(population(5), strategy=strategy, owners="objects").step()
    assert strategy.asked == [1] * 5


def test_a_subclass_may_use_the_strategy_of_her_row(population, market):
    people = population()
    one = market(people, exceptions=[(Scaled(3.0), [2])], owner_types={2: Halving, 4: Halving})
    one.step()
    factor = one.tables()["owners"]["reported_value"] / people.reports().value
    assert factor == pytest.approx([1, 1, 1.5, 1, 0.5, 1, 1, 1])
    assert isinstance(one.owner(2), Halving)
    assert type(one.owner(3)) is DataOwner


def test_subclasses_are_the_same_in_both_modes(population, market, assert_same_tables):
    people = population(sizes="reference", lifetime_cap=9.0)
    money = float(ms.budgets(people, 0.5, "proportional"))
    arrays, objects = (
        market(people, money, owner_types={1: Gambler, 6: Halving}, owners=mode)
        for mode in ("arrays", "objects")
    )
    for one in (arrays, objects):
        one.run(4)
    assert_same_tables(arrays, objects)


def test_an_owner_knows_her_row(population, market):
    people = population(sizes="reference", lifetime_cap=7.0)
    one = market(people, float(ms.budgets(people, 0.5, "proportional")))
    one.run(2)
    table = one.tables()["owners"]
    for row in range(8):
        owner = one.owner(row)
        assert owner is one.owner(row)
        assert owner.market is one
        assert owner.cap == people.cap[row]
        assert owner.data_size == people.data_size[row]
        assert owner.truth.cost(1.0)[0] == people.cost(1.0)[row]
        assert owner.privacy_spent == table["epsilon"].reshape(2, 8)[:, row].sum()
        assert owner.privacy_left == pytest.approx(7.0 - owner.privacy_spent)
        assert owner.money == pytest.approx(table["payment"].reshape(2, 8)[:, row].sum())
    assert market(population()).owner(0).data_size is None


class Wrong(DataOwner):
    answer = None

    def report(self, offer, view):
        return self.answer


def report_of(owners, size=None):
    return ms.Reports.single_minded(value=np.ones(owners), cap=np.ones(owners), data_size=size)


BAD = [
    (None, r"must return ms.Reports of shape \({n},\), got NoneType"),
    (3.0, r"must return ms.Reports of shape \({n},\), got float"),
    (report_of(2), r"must return ms.Reports of shape \({n},\), got shape \(2,\)"),
]


@pytest.mark.parametrize(("answer", "sentence"), BAD, ids=["nothing", "number", "shape"])
def test_a_wrong_answer_of_an_owner_is_one_clear_sentence(population, market, answer, sentence):
    kind = type("Liar", (Wrong,), {"answer": answer})
    one = market(population(), owner_types={6: kind})
    with pytest.raises(ms.InvalidInput, match="owner 6, a Liar " + sentence.format(n=1)):
        one.step()


@dataclass
class Says(Strategy):
    """Always the same."""

    answer: object

    def reports(self, population, view):
        return self.answer


@pytest.mark.parametrize("rows", [range(8), [0, 1, 2]], ids=["all", "some"])
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [*BAD, (report_of(1), r"of shape \({n},\), got shape \(1,\)")],
    ids=["nothing", "number", "shape", "one for all"],
)
def test_a_wrong_answer_of_a_strategy_is_one_clear_sentence(
    population, market, answer, sentence, rows
):
    one = market(population(), exceptions=[(Says(answer), rows)])
    with pytest.raises(ms.InvalidInput, match="Says .*" + sentence.format(n=len(rows))):
        one.step()


@pytest.mark.parametrize("rows", [range(8), [4]], ids=["all", "some"])
def test_data_sizes_are_reported_where_the_population_has_them_and_only_there(
    population, market, rows
):
    n = len(rows)
    for sizes, answer, has in [
        ("reference", report_of(n), "with data sizes"),
        ("none", report_of(n, np.ones(n)), "with no data sizes"),
    ]:
        one = market(population(sizes=sizes), exceptions=[(Says(answer), rows)])
        with pytest.raises(ms.InvalidInput, match=has):
            one.step()
