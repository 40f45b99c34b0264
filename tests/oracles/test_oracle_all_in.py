"""All-in against its definition, on thousands of small markets of every kind."""

from fractions import Fraction

import numpy as np
import pytest
from brute_force import clear, critical_unit_price, greedy
from generators import FAMILIES, random_market
from numpy.testing import assert_allclose

import market_sim as ms

RULES = ("critical", "singer", "published")


@pytest.mark.parametrize("payment", RULES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_thousand_markets(family, payment):
    rng = np.random.default_rng(100 + FAMILIES.index(family))
    for owners in (2, 4, 7):
        market = random_market(family, rng, 340, owners)
        outcome = ms.AllIn(payment).clear(market.reports(), market.budget)
        for row, budget in enumerate(market.budget.tolist()):
            value, mass = market.value[row].tolist(), market.cap[row].tolist()
            expected = clear(payment, value, mass, budget)
            assert outcome.winners[row].tolist() == expected.won
            assert_allclose(outcome.payment[row], expected.paid, rtol=1e-12, atol=0)


@pytest.mark.parametrize("payment", RULES)
def test_fractions_on_whole_numbers(payment):
    rng = np.random.default_rng(7)
    for _ in range(400):
        owners = int(rng.integers(1, 9))
        unit, mass = rng.integers(0, 7, owners), rng.integers(1, 9, owners)
        budget = int(rng.integers(1, 60))
        told = ms.Reports.single_minded(value=unit * mass, cap=mass)
        outcome = ms.AllIn(payment).clear(told, budget)
        expected = clear(
            payment,
            [Fraction(int(u * m)) for u, m in zip(unit, mass, strict=True)],
            [Fraction(int(m)) for m in mass],
            Fraction(budget),
        )
        assert outcome.winners.tolist() == expected.won
        assert_allclose(outcome.payment, [float(p) for p in expected.paid], rtol=1e-15, atol=0)
        assert sum(expected.paid) <= budget


def test_the_oracle_by_hand():
    value, mass, budget = [Fraction(6), Fraction(9, 5)], [Fraction(4), Fraction(1)], Fraction(7)
    assert greedy(value, mass, budget) == [0]
    assert critical_unit_price(value, mass, budget, 0) == Fraction(7, 4)
    assert clear("critical", value, mass, budget).paid == [7, 0]
    lie = [Fraction(6), Fraction(7, 5)]
    assert clear("published", lie, mass, budget).paid == [0, 7]
    assert clear("critical", lie, mass, budget).paid == [0, Fraction(3, 2)]
    assert clear("singer", lie, mass, budget).paid == [0, Fraction(3, 2)]


def test_the_oracle_s_price_is_where_winning_ends():
    rng = np.random.default_rng(8)
    for _ in range(300):
        owners = int(rng.integers(1, 6))
        value = [Fraction(int(v)) for v in rng.integers(1, 30, owners)]
        mass = [Fraction(int(m)) for m in rng.integers(1, 9, owners)]
        budget = Fraction(int(rng.integers(5, 60)))
        for i in greedy(value, mass, budget):
            price = critical_unit_price(value, mass, budget, i) * mass[i]
            for step, wins in ((Fraction(-1, 10**6), True), (Fraction(1, 10**6), False)):
                asked = [*value[:i], price + step, *value[i + 1 :]]
                assert (i in greedy(asked, mass, budget)) == wins
