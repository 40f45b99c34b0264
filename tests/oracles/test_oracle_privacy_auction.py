"""Every rule of the privacy auction game against its definition, on thousands of small markets."""

import game_rules as rules
import numpy as np
import pytest
from generators import FAMILIES, random_market
from numpy.testing import assert_allclose
from scipy.optimize import linprog

import market_sim as ms

EQUAL_PARTS = [(ms.PAC(caps), "share", caps) for caps in (True, False)] + [
    (ms.BudgetCappedThreshold(caps), "next", caps) for caps in (True, False)
]
CASES = {
    "proportional-share": (ms.ProportionalShare(), rules.proportional_share),
    "csra": (ms.CSRA(), rules.csra),
    "mfg-pricing": (ms.MFGPricing(), rules.mfg_pricing),
    "first-price": (ms.FirstPrice(), rules.first_price),
    "leave-one-out-soft": (ms.LeaveOneOut("soft"), rules.leave_one_out_soft),
    "leave-one-out-hard": (ms.LeaveOneOut("hard"), rules.leave_one_out_hard),
}
for rule, pays, caps in EQUAL_PARTS:
    CASES[rule.name] = (
        rule,
        lambda v, c, b, pays=pays, caps=caps: rules.equal_parts(v, c, b, pays, caps),
    )
for weight, demand in ((3.0, 0.8), (1.5, 2.0), (100.0, np.inf)):
    CASES[f"vcg {weight} {demand}"] = (
        ms.VCG(weight, demand, "exceeded"),
        lambda v, c, _, w=weight, d=demand: rules.vcg(v, c, d * len(v), w),
    )


def linear(unit, cap):
    return ms.Reports(ms.Valuations.linear(unit), cap)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", CASES)
def test_the_definition(case, family):
    rule, definition = CASES[case]
    rng = np.random.default_rng(100 + FAMILIES.index(family))
    for owners in (1, 2, 3, 6):
        market = random_market(family, rng, 60, owners)
        if "parts" in case or "cap" in case or case == "pac":  # parts of 1 / (N - k): small caps
            market = market._replace(cap=market.cap / 6, value=market.value / 6)
        unit = market.value / market.cap
        outcome = rule.clear(linear(unit, market.cap), market.budget)
        for row, budget in enumerate(market.budget.tolist()):
            sold, paid = definition(unit[row].tolist(), market.cap[row].tolist(), budget)
            scale = 1e-9 * max(1.0, budget)
            assert_allclose(outcome.payment[row], paid, rtol=1e-9, atol=scale)
            assert_allclose(outcome.epsilon[row], sold, rtol=1e-9, atol=1e-9)


def test_many_offers_before_an_owner_of_nearly_everything():
    """The hard rule walks through a hundred intervals for the one who has most of the supply."""
    rng = np.random.default_rng(3)
    for owners in (2, 90, 170):
        unit, cap = rng.uniform(0.0, 1.0, owners), rng.uniform(0.1, 1.0, owners)
        cap[rng.integers(owners)] = 3.0 * owners
        for rule, definition in (CASES["leave-one-out-hard"], CASES["leave-one-out-soft"]):
            outcome = rule.clear(linear(unit, cap), 0.2 * owners)
            sold, paid = definition(unit.tolist(), cap.tolist(), 0.2 * owners)
            assert_allclose(outcome.epsilon, sold, rtol=1e-9, atol=1e-9)
            assert_allclose(outcome.payment, paid, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("owners", [1, 4, 9])
def test_the_purchase_bound_is_a_linear_program(owners):
    population = ms.privacy_auction_law("realistic", owners).sample(np.random.default_rng(4), (20,))
    told = population.reports()
    bound = ms.purchase_bound(told, 0.4 * owners)
    for row in range(20):
        best = linprog(
            -np.ones(owners),
            A_ub=told.unit_value[row][None],
            b_ub=[0.4 * owners],
            bounds=[(0.0, cap) for cap in told.cap[row]],
        )
        assert bound[row] == pytest.approx(-best.fun, rel=1e-9)
