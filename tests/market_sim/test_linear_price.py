"""Linear prices: the owner's best sale by a grid, the prices by hand, truthfulness by attack."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.mechanisms.linear_price import REFERENCE_SHARES, best_sale

ORDERS = ("random", "given", "size")


def market(profiles=30, owners=5, seed=0, rate=0.5):
    law = ms.PopulationLaw(owners=owners, kinds=ms.KINDS, cap=(0.5, 2.0), sizes="reference")
    population = law.sample(np.random.default_rng(seed), (profiles,))
    return population.reports(), ms.budgets(population, rate, "proportional")


@pytest.mark.parametrize("kind", ms.KINDS)
def test_best_sale_beats_every_point_of_a_grid(kind):
    rng = np.random.default_rng(ms.KINDS.index(kind))
    valuations = ms.Valuations(kind, rng.uniform(0.1, 3.0, 500))
    price, most = rng.uniform(0.0, 8.0, 500), rng.uniform(0.05, 4.0, 500)
    sold = best_sale(valuations, price, most)
    assert (sold >= 0).all()
    assert (sold <= most).all()
    grid = np.linspace(0.0, 1.0, 401)[:, None] * most
    utility = price * grid - valuations.cost(grid)
    best = price * sold - valuations.cost(sold)
    assert (best >= utility.max(axis=0) - 1e-12).all()
    assert (best <= utility.max(axis=0) + 1e-3).all()
    if kind in ("quadratic", "exponential"):
        assert ((sold > 0) & (sold < most)).mean() > 0.2  # interior sales occur


def test_who_asks_nothing_sells_everything():
    free = ms.Valuations(ms.KINDS, np.zeros(5))
    assert_array_equal(best_sale(free, np.ones(5), np.full(5, 2.0)), np.full(5, 2.0))
    assert_array_equal(best_sale(free, np.zeros(5), np.full(5, 2.0)), np.full(5, 2.0))


def test_prices_by_hand():
    told = ms.Reports(
        ms.Valuations(["linear", "quadratic", "linear"], [0.5, 1.0, 9.0]),
        cap=[1.0, 2.0, 1.0],
        data_size=[10.0, 20.0, 10.0],
    )
    outcome = ms.LinearPrice(2.0, slack=1.0, order="given").clear(told, budget=40.0)
    # 2 * 40 / 40 = 2 a unit: she sells 1 for 20. Then 2 * 20 / 30 = 4/3: half of it is her best.
    assert_allclose(outcome.epsilon, [1.0, 2.0 / 3.0, 0.0])
    assert_allclose(outcome.payment, [20.0, 4.0 / 3.0 * 20.0 * 2.0 / 3.0, 0.0])
    by_size = ms.LinearPrice(2.0, slack=1.0, order="size").clear(told, budget=40.0)
    assert_allclose(by_size.epsilon[1], 1.0)  # first: 2 a unit
    assert_allclose(by_size.payment[1], 40.0)
    assert by_size.epsilon[[0, 2]].tolist() == [0.0, 0.0]  # the money is out


@pytest.mark.parametrize("order", ORDERS)
def test_a_report_changes_only_who_comes_later(order):
    told, budget = market()
    rule = ms.LinearPrice(1.5, order=order)
    before = rule.clear(told, budget).epsilon
    moved = np.zeros((5, 5, 30), dtype=bool)  # [whose report, whose sale, profile]
    for owner in range(5):
        after = rule.clear(told.replace(owner, rate=50.0), budget).epsilon
        moved[owner] = (before != after).T
    assert moved.any(axis=2).sum() > 9
    for profile in range(30):  # in no profile do two owners move each other
        both = moved[..., profile] & moved[..., profile].T
        assert not (both & ~np.eye(5, dtype=bool)).any()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("single", [True, False])
def test_audit(order, single):
    law = ms.PopulationLaw(owners=4, cap=(0.5, 2.0), sizes="reference", single_minded=single)
    report = ms.audit(
        ms.LinearPrice(2.0, order=order),
        law,
        budget=lambda told: 0.5 * told.value.sum(axis=-1),
        profiles=25,
        restarts=1,
        zooms=4,
        cap_grid=8,
        value_grid=24,
        draws=2,
    )
    assert not report.violations
    assert {v.status for v in report.verdicts} == {"held"}
    assert {row.deviation for row in report.rows} == {"value", "cap", "both"}
    assert max(row.regret_max for row in report.rows) < 1e-9
    assert max(row.ir_violation_max for row in report.rows) == 0.0
    assert report.lies > 1000


@given(
    share=st.floats(0.01, 100.0),
    slack=st.floats(0.1, 10.0),
    rate=st.floats(0.01, 5.0),
    seed=st.integers(0, 5),
)
def test_never_beyond_the_money_and_never_at_a_loss(share, slack, rate, seed):
    told, budget = market(profiles=10, seed=seed, rate=rate)
    outcome = ms.LinearPrice(share, slack).clear(told, budget)
    assert (outcome.spent <= budget * (1 + 1e-14)).all()
    assert (outcome.utility(told.valuations, told.cap) >= 0.0).all()


def test_many_owners_and_one():
    for owners in (1, 2000):
        told, budget = market(profiles=1, owners=owners, rate=2.0)
        outcome = ms.LinearPrice(1.2).clear(told, budget)
        assert 0 < float(outcome.spent[0]) <= float(budget[0]) * (1 + 1e-12)


def test_realize_tosses_the_coins():
    told, budget = market()
    payments = {
        ms.LinearPrice().realize(seed).clear(told, budget).payment.tobytes() for seed in range(10)
    }
    assert len(payments) == 10
    assert not ms.LinearPrice().guarantees.deterministic
    assert ms.LinearPrice(order="size").guarantees.deterministic


def test_tuned_shares_beat_their_neighbors():
    law = ms.fl_market_2022(10).sample(np.random.default_rng(5), (1500,))
    told, budget = law.reports(), ms.budgets(law, 0.5, "proportional")

    def error(share, order):
        outcome = ms.LinearPrice(share, order=order).clear(told, budget)
        weights = ms.ErrorOpt().weights(outcome.epsilon, told.data_size)
        return ms.error_bound(weights, outcome.epsilon, told.data_size).mean()

    for order, shares in REFERENCE_SHARES.items():
        tuned = error(shares[0.5], order)
        assert tuned < error(0.7 * shares[0.5], order)
        assert tuned < error(1.4 * shares[0.5], order)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"share": 0.0}, "share must be greater than 0"),
        ({"slack": np.nan}, "slack must not be NaN"),
        ({"order": "price"}, "unknown order 'price'"),
        ({"seed": 0.5}, "seed must be a whole number"),
    ],
)
def test_settings_outside_their_domain(setting, message):
    with pytest.raises(ms.InvalidInput, match=message):
        ms.LinearPrice(**setting)
