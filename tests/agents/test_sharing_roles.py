"""Roles of a market for models: what is true, what is said, who is there."""

import pytest

from agents.sharing import ROLES, Attacker, Buyer, Leaver, Liar, Seller, Terms, Trader, TradeRule
from market_sim.errors import InvalidInput


def test_roles_are_the_published_ones():
    assert Trader().truth(10.0) == Terms(10.0, 5e5, 1.0)
    assert Buyer().truth(10.0) == Terms(10.0, 5e5, 1000.0)
    assert Seller().truth(10.0) == Terms(10.0, 0.0, 0.0)
    assert Attacker().truth(10.0) == Seller().truth(10.0)
    assert {name: role.kind for name, role in ROLES.items()} == {name: name for name in ROLES}


def test_only_liars_say_what_is_not_true():
    truth = Terms(20.0, 100.0, 3.0)
    for role in ROLES.values():
        assert role().says(truth, 4) == truth
    liar = Liar(cost_factor=0.5, size_factor=2.0, gain_factor=0.25)
    assert liar.says(truth, 0) == Terms(40.0, 25.0, 1.5)


def test_presence_is_from_joining_to_leaving():
    role = Trader(joins=2, leaves=5)
    assert [role.present(t) for t in range(7)] == [False, False, True, True, True, False, False]
    assert [Leaver().present(t) for t in (9, 10)] == [True, False]
    assert Trader().present(10**6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Trader(gain=-1.0), "gain"),
        (lambda: Trader(cost=float("nan")), "cost"),
        (lambda: Trader(gain=[1.0, 2.0]), "one number"),
        (lambda: Trader(joins=-1), "joins"),
        (lambda: Trader(joins=5, leaves=5), "leaves"),
        (lambda: Liar(size_factor=0.0), "size_factor"),
        (lambda: Liar(cost_factor=-1.0), "cost_factor"),
        (lambda: Attacker(attack="bribe"), "'sign-flip'"),
        (lambda: TradeRule("barter"), "barter"),
        (lambda: TradeRule("vcg", "greedy"), "vcg"),
        (lambda: TradeRule(penalty=-1.0), "penalty"),
        (lambda: TradeRule(penalty=[1.0, 2.0]), "one number"),
    ],
)
def test_bad_roles_and_rules_are_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()
