"""Posted prices: the rule by its definition, what the order does, what may be hidden, the audit."""

import numpy as np
import pytest
from generators import FAMILIES, random_market
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms


def by_definition(value, mass, budget, price, order):
    """Serve owners one by one; return what each is paid."""
    paid, left = np.zeros(len(value)), budget
    for owner in order:
        pay = price * mass[owner]
        if value[owner] <= pay <= left:
            paid[owner] = pay
            left -= pay
    return paid


@pytest.mark.parametrize("family", FAMILIES)
def test_the_definition(family):
    rng = np.random.default_rng(FAMILIES.index(family))
    for owners in (1, 2, 7, 20):
        market = random_market(family, rng, 40, owners)
        price = float(np.median(market.value / market.cap))
        outcome = ms.PostedPrice(price, order="given").clear(market.reports(), market.budget)
        for row in range(40):
            value, cap, budget = (part[row] for part in market)
            expected = by_definition(value, cap, budget, price, range(owners))
            assert_allclose(outcome.payment[row], expected, rtol=1e-12)
            assert_array_equal(outcome.epsilon[row], np.where(expected > 0, cap, 0.0))


@pytest.mark.parametrize("last", ["skip", "part"])
@pytest.mark.parametrize("owners", [1, 5, 40, 300])
def test_a_queue_served_at_once_is_one_served_one_by_one(last, owners):
    """A single profile goes in rounds, many copies of it an owner at a time: the same bits."""
    for seed in range(15):
        rng = np.random.default_rng(seed)
        cap = rng.uniform(0.1, 3.0, owners) if seed % 2 else rng.integers(1, 4, owners) * 1.0
        kind = rng.integers(0, 5, owners)
        told = ms.Reports(ms.Valuations(kind, rng.uniform(0.0, 2.0, owners)), cap)
        budget = float(told.value.sum() * rng.uniform(0.01, 1.2) + 1e-3)
        copies = (owners, 1)
        many = ms.Reports(
            ms.Valuations(np.tile(kind, copies), np.tile(told.valuations.rate, copies)),
            np.tile(cap, copies),
        )
        for price in (0.0, 0.5, 2.0):
            rule = ms.PostedPrice(price, last=last, seed=seed)
            alone, together = rule.clear(told, budget), rule.clear(many, budget)
            assert_array_equal(together.epsilon, np.tile(alone.epsilon, copies))
            assert_array_equal(together.payment, np.tile(alone.payment, copies))


def test_an_order_that_passes_over_many():
    """Each small owner lets one more large one no longer fit: beyond the rounds, one by one."""
    sizes = np.array([x for k in range(150) for x in (2.0**-9, 9.0 - (k + 0.5) * 2.0**-9)])
    told = ms.Reports.single_minded(value=np.zeros(300), cap=sizes)
    outcome = ms.PostedPrice(1.0, order="given").clear(told, 9.0)
    expected = by_definition(np.zeros(300), sizes, 9.0, 1.0, range(300))
    assert_array_equal(outcome.payment, expected)
    assert np.flatnonzero(expected)[-1] == 298


def test_a_random_order_is_a_permutation_from_the_seed():
    market = random_market("uniform", np.random.default_rng(1), 300, 8)
    told, price = market.reports(), 3.0
    served = [
        ms.PostedPrice(price).realize(seed).clear(told, market.budget).epsilon for seed in range(30)
    ]
    assert len({epsilon.tobytes() for epsilon in served}) == 30
    # Who comes first is open: over seeds all owners are served about equally often.
    often = (np.stack(served) > 0).mean(axis=(0, 1))
    fixed = (ms.PostedPrice(price, order="given").clear(told, market.budget).epsilon > 0).mean(0)
    assert np.ptp(often) < 0.5 * np.ptp(fixed)
    again = ms.PostedPrice(price, seed=3).clear(told, market.budget)
    assert_array_equal(again.epsilon, served[3])


def test_the_privacy_auction_game():
    """Its unit costs are linear valuations of half the rate; the price is per unit of epsilon."""
    unit, cap = np.array([0.2, 0.9, 0.5, 0.4]), np.array([2.0, 1.0, 3.0, 4.0])
    told = ms.Reports(ms.Valuations("linear", unit / 2), cap)
    outcome = ms.PostedPrice(0.5, order="given").clear(told, budget=4.0)
    assert_allclose(outcome.epsilon, [2.0, 0.0, 3.0, 0.0])
    assert_allclose(outcome.payment, [1.0, 0.0, 1.5, 0.0])  # the fourth needs 2.0 of 1.5 left
    partly = ms.PostedPrice(0.5, order="given", last="part").clear(told, budget=4.0)
    assert_allclose(partly.epsilon, [2.0, 0.0, 3.0, 3.0])
    assert_allclose(partly.spent, 4.0)


def test_sizes_multiply_what_is_sold():
    told = ms.Reports(ms.Valuations("linear", [0.3, 0.3]), [1.0, 1.0], data_size=[10.0, 30.0])
    outcome = ms.PostedPrice(1.0, order="given").clear(told, budget=100.0)
    assert_allclose(outcome.payment, [10.0, 30.0])
    shared = ms.PostedPrice(1.5, "share", order="given").clear(told, budget=20.0)
    assert_allclose(shared.payment, [1.5 * 20 / 40 * 10.0, 0.0])  # .75 a unit: 22.5 does not fit


@given(factor=st.floats(0.01, 100.0), price=st.floats(0.3, 3.0))
def test_a_price_as_a_share_goes_with_the_money(factor, price):
    market = random_market("uniform", np.random.default_rng(2), 20, 6)
    rule = ms.PostedPrice(price, "share")
    plain = rule.clear(market.reports(), market.budget)
    scaled = rule.clear(market.reports().scaled(value=factor), factor * market.budget)
    assert_allclose(scaled.payment, factor * plain.payment, rtol=1e-9)


def test_a_part_sale_needs_her_consent():
    # Left is money for a third of the cap, for which a step owner still asks everything.
    told = ms.Reports.single_minded(value=[1.0, 0.9], cap=[2.0, 3.0])
    rule = ms.PostedPrice(1.0, order="given", last="part")
    assert rule.clear(told, budget=3.0).epsilon.tolist() == [2.0, 1.0]
    assert rule.clear(told, budget=2.8).epsilon.tolist() == [2.0, 0.0]


def test_hiding_a_part_of_the_cap_pays_where_nobody_buys_parts():
    told = ms.Reports.single_minded(value=[1.0], cap=[4.0])
    hidden = ms.Reports.single_minded(value=[1.0], cap=[3.0])
    rule = ms.PostedPrice(1.0)
    assert rule.clear(told, budget=3.0).payment.tolist() == [0.0]
    assert rule.clear(hidden, budget=3.0).payment.tolist() == [3.0]
    assert "cap" not in rule.guarantees.truthful_in
    assert "cap" in ms.PostedPrice(last="part").guarantees.truthful_in


@pytest.mark.parametrize("last", ["skip", "part"])
@pytest.mark.parametrize("order", ["given", "random"])
@pytest.mark.parametrize("single", [True, False])
def test_audit(last, order, single):
    law = ms.PopulationLaw(owners=4, cap=(0.5, 2.0), sizes="reference", single_minded=single)
    report = ms.audit(
        ms.PostedPrice(1.5, "share", order, last),
        law,
        budget=lambda told: 0.6 * told.value.sum(axis=-1),
        profiles=25,
        restarts=1,
        zooms=3,
        cap_grid=6,
        value_grid=16,
        draws=3,
    )
    assert not report.violations
    regret = {row.deviation: row.regret_max for row in report.rows}
    assert regret["value"] < 1e-9
    if single and last == "part":
        assert max(regret.values()) < 1e-9
    else:
        assert regret["cap"] > 1.0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"price": -1.0}, "price must be at least 0"),
        ({"price": np.inf}, "price must be finite"),
        ({"unit": "rate"}, "unknown unit 'rate'"),
        ({"order": "size"}, "unknown order 'size'"),
        ({"last": "half"}, "unknown last 'half'"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_settings_outside_their_domain(setting, message):
    with pytest.raises(ms.InvalidInput, match=message):
        ms.PostedPrice(**setting)
