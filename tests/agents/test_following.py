"""Owners who follow a mean field: who stays away, what is offered, and what it is worth."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from agents import DataOwner, MeanFieldFollowing, PriceTaking


def linear(value, cap, lifetime_cap=None):
    """Owners whose unit values are given."""
    return ms.Population(ms.Valuations.linear(value), cap, lifetime_cap=lifetime_cap)


@pytest.mark.parametrize("owners", ["arrays", "objects"])
def test_price_takers_sell_all_or_stay_away(market, owners):
    people = linear([0.1, 0.4, 0.5, 0.9], [1.0, 2.0, 3.0, 4.0])
    one = market(people, 6.0, mechanism=ms.MFGPricing(), strategy=PriceTaking(0.5), owners=owners)
    one.step()
    table, rounds = one.tables()["owners"], one.tables()["rounds"]
    assert table["status"].tolist() == ["won", "won", "won", "abstained"]
    assert_allclose(table["epsilon"], [1.0, 2.0, 3.0, 0.0])
    assert_allclose(table["payment"], [1.0, 2.0, 3.0, 0.0])
    assert rounds["participants"].tolist() == [3]
    assert np.isnan(table["reported_cap"][3])


def test_a_price_nobody_takes_leaves_a_round_without_participants(market):
    one = market(linear([0.5, 0.6], [1.0, 1.0]), strategy=PriceTaking(0.1))
    one.run(2)
    rounds = one.tables()["rounds"]
    assert rounds["status"].tolist() == ["no participant"] * 2
    assert rounds["returned"].tolist() == rounds["budget"].tolist()
    assert rounds["departed"].tolist() == [0, 0]


def test_an_owner_of_her_own_mind_is_not_kept_away(market):
    class Stubborn(DataOwner):
        def report(self, offer, view):
            return offer.reports()

    people = linear([0.9, 0.9], [1.0, 1.0])
    one = market(
        people, 9.0, mechanism=ms.MFGPricing(), strategy=PriceTaking(0.1), owner_types={1: Stubborn}
    )
    one.step()
    assert one.tables()["owners"]["status"].tolist() == ["abstained", "won"]


@pytest.mark.parametrize("owners", ["arrays", "objects"])
def test_a_policy_is_told_round_value_and_privacy_left(market, owners):
    seen = []

    def policy(round_, value, left):
        seen.append((round_, value, left))
        return np.where(value < 0.5, 0.25 * (1 + round_), 7.0)

    people = linear([0.2, 0.8], [2.0, 0.5], lifetime_cap=[1.5, np.inf])
    one = market(
        people, 9.0, mechanism=ms.MFGPricing(), strategy=MeanFieldFollowing(policy), owners=owners
    )
    one.run(3)
    sold = one.tables()["owners"]["epsilon"].reshape(3, 2)
    assert_allclose(sold, [[0.25, 0.5], [0.5, 0.5], [0.75, 0.5]])  # cut at cap and at what is left
    first = [left[0] for round_, value, left in seen if value[0] < 0.5]
    assert_allclose(np.unique(first), [0.75, 1.25, 1.5])
    assert one.departed.tolist() == [False, False]
    one.step()
    assert one.departed.tolist() == [True, False]
    assert one.tables()["rounds"]["departed"].tolist() == [0, 0, 0, 1]


def test_who_would_sell_nothing_stays_away(market):
    people = linear([0.2, 0.8], [1.0, 1.0])
    follow = MeanFieldFollowing(lambda _, value, __: np.where(value < 0.5, 1.0, 0.0))
    one = market(people, 3.0, mechanism=ms.MFGPricing(), strategy=follow)
    one.step()
    assert one.tables()["owners"]["status"].tolist() == ["won", "abstained"]
    assert_array_equal(one.tables()["owners"]["payment"], [3.0, 0.0])


def test_costs_are_those_of_what_was_sold_not_of_the_cap(market):
    people = linear([0.4], [2.0])
    follow = MeanFieldFollowing(lambda _, value, __: np.full(value.size, 0.5))
    one = market(people, 3.0, mechanism=ms.MFGPricing(), strategy=follow)
    one.step()
    assert one.owner(0).utility == pytest.approx(3.0 - 0.4 * 0.5)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (lambda _, v, __: -v, "amount of the policy"),
        (lambda _, v, __: v * np.nan, "amount of the policy"),
        (lambda _, v, __: v[:1], "one amount for each of 2 owners"),
    ],
)
def test_a_policy_that_answers_nonsense(market, policy, message):
    one = market(linear([0.4, 0.5], [2.0, 2.0]), strategy=MeanFieldFollowing(policy))
    with pytest.raises(ms.InvalidInput, match=message):
        one.step()


def test_bad_input():
    with pytest.raises(ms.InvalidInput, match="policy must be a function"):
        MeanFieldFollowing(0.3)
    with pytest.raises(ms.InvalidInput, match="price"):
        PriceTaking(-0.1)
    with pytest.raises(ms.InvalidInput, match="price must be one number"):
        PriceTaking([0.1, 0.2])
