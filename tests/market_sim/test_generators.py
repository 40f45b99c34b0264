"""The generators of tests make what they say, and reach the cases that matter."""

import numpy as np
import pytest
from generators import FAMILIES, budgets, exact_markets, markets, random_market, reports, sales
from hypothesis import find, given, settings
from hypothesis import strategies as st

QUICK = settings(max_examples=3000, derandomize=True, database=None)


@given(market=exact_markets())
def test_exact_markets_are_exact(market):
    unit = market.value / market.cap
    assert (unit == np.round(unit)).all()
    assert market.budget == round(float(market.budget))


@given(data=st.data())
def test_budgets_fit_the_reports(data):
    told = data.draw(reports())
    budget = data.draw(budgets(told))
    assert np.shape(budget) == told.profiles
    assert (budget > 0).all()


@pytest.mark.parametrize(
    "wanted",
    [
        lambda m: m.value.size == 1,
        lambda m: m.value.size > 2 and len(set((m.value / m.cap).tolist())) == 1,
        lambda m: (m.value == 0).any(),
        lambda m: (m.value > m.budget).all(),
        lambda m: (m.value / m.cap).max() * m.cap.sum() <= m.budget,
    ],
    ids=["one owner", "all tied", "for free", "nobody fits", "everybody fits"],
)
def test_exact_markets_reach_every_case(wanted):
    assert wanted(find(exact_markets(), wanted, settings=QUICK))


@pytest.mark.parametrize(
    "wanted",
    [
        lambda m: m.value.ndim == 3,
        lambda m: m.cap.max() / m.cap.min() > 1e6,
        lambda m: (m.value > 1e8).any(),
    ],
    ids=["leading axes", "caps far apart", "huge"],
)
def test_markets_reach_every_case(wanted):
    assert wanted(find(markets(), wanted, settings=QUICK))


def test_sales_reach_rows_without_a_winner():
    epsilon, _ = find(
        sales(), lambda s: s[0].ndim == 2 and not s[0][0].any() and s[0].any(), settings=QUICK
    )
    assert not epsilon[0].any()


@pytest.mark.parametrize("family", FAMILIES)
def test_random_families_are_valid_markets(family):
    market = random_market(family, np.random.default_rng(0), 30, 4)
    assert market.reports().shape == (30, 4)
    assert market.budget.shape == (30,)
    assert (market.budget > 0).all()
