"""Owners who misreport their costs: what a lie brings where the broker assigns, and where not."""

import numpy as np
import pytest

from agents.versions import OwnerTerms, TradeTerms, VersionMarket
from market_sim.games.contest_reports import misreport_gains
from market_sim.pricing import BuyerLaw
from market_sim.versions import SaleTerms

LAW = BuyerLaw([0.1, 0.2, 0.4], [5.0, 12.0, 30.0], None, "lognormal")
COST = np.array([0.5, 1.0, 2.0, 4.0])


def owners_after(factor, assignment, liar=0, **sale):
    lie = np.where(np.arange(4) == liar, factor, 1.0)
    terms = TradeTerms(SaleTerms(60, **({"pool": 500.0} | sale)), 60, assignment=assignment)
    found = VersionMarket(OwnerTerms(COST, np.full(4, 150.0), lie, 1.0, 2.0), LAW, terms, seed=1)
    found.step()
    table = found.tables()["version_owners"]
    return found, table["utility"][liar] - table["honest_utility"][liar]


@pytest.mark.parametrize("liar", [0, 3])
@pytest.mark.parametrize("factor", [0.7, 0.9, 0.97, 1.03, 1.1, 1.4])
def test_an_assigned_lie_gains_what_the_contest_says(liar, factor):
    found, gain = owners_after(factor, "reported", liar)
    expected = misreport_gains(found.contest, 500.0, [factor], [liar]).gain[0, 0]
    assert gain == pytest.approx(expected, abs=1e-9)


def test_some_lies_pay_where_the_broker_assigns_and_none_where_owners_choose():
    gains = {
        way: [owners_after(factor, way)[1] for factor in (0.8, 0.95, 1.05, 1.25)]
        for way in ("reported", "chosen")
    }
    assert max(gains["reported"]) > 1e-3
    assert gains["chosen"] == [0.0] * 4


def test_a_lie_can_move_the_pool_even_where_owners_choose():
    terms = TradeTerms(SaleTerms(60), 60, best_pool=True)
    lie = np.array([2.0, 1.0, 1.0, 1.0])
    found = VersionMarket(
        OwnerTerms(COST / 100, np.full(4, 150.0), lie, 1.0, 2.0), LAW, terms, seed=1
    )
    found.step()
    table = found.tables()["version_owners"]
    assert abs(table["utility"][0] - table["honest_utility"][0]) > 1e-3
    assert table["kind"].tolist() == ["liar", "honest", "honest", "honest"]
