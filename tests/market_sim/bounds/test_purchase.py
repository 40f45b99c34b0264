"""What money buys: the knapsack by hand, the limit by linear programs, budgets that never bind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import market_sim as ms
from market_sim.laws import LogNormal, Mixture, Uniform

TWO_CAMPS = ms.PopulationLaw(
    10, ("linear",), rate=Mixture((Uniform(0.05, 0.1), Uniform(0.4, 0.5))), cap=(1.0, 2.0)
)


def law(name):
    return TWO_CAMPS if name == "two camps" else ms.privacy_auction_law(name)


def test_the_cheapest_is_bought_first():
    told = ms.Reports(ms.Valuations.linear([[0.5, 0.1, 1.0], [0.0, 0.0, 2.0]]), [2.0, 5.0, 3.0])
    assert ms.purchase_bound(told, 1.0).tolist() == [6.0, 7.5]
    assert ms.purchase_bound(told, [100.0, 6.0]).tolist() == [10.0, 10.0]


def test_sizes_multiply_the_costs():
    told = ms.Reports(ms.Valuations.linear([0.5, 0.1]), [2.0, 5.0], data_size=[1.0, 10.0])
    assert float(ms.purchase_bound(told, 2.0)) == 3.0  # first the one of .5, then 1 a unit


@given(seed=st.integers(0, 10**6), budget=st.floats(0.01, 30.0))
def test_more_money_buys_more_and_no_rule_beats_it(seed, budget):
    told = ms.privacy_auction_law("bimodal", 7).sample(np.random.default_rng(seed)).reports()
    bound = float(ms.purchase_bound(told, budget))
    assert bound <= float(ms.purchase_bound(told, 1.5 * budget)) <= told.cap.sum() * (1 + 1e-12)
    for rule in (ms.LeaveOneOut(), ms.ProportionalShare(), ms.CSRA(), ms.PAC(), ms.VCG()):
        assert rule.clear(told, budget).epsilon.sum() <= bound * (1 + 1e-9)


def test_other_families_are_refused():
    with pytest.raises(ms.InvalidInput, match=r"exact for linear valuations only, got .'sqrt'."):
        ms.purchase_bound(ms.Reports(ms.Valuations("sqrt", [1.0]), [1.0]), 1.0)


@pytest.mark.parametrize("budget", [0.01, 0.05, 0.2, 0.5, 1.0])
def test_the_uniform_law_loses_a_factor_of_the_root_of_two(budget):
    limit = ms.purchase_limit(law("uniform"), budget)
    assert limit.ratio == pytest.approx(np.sqrt(0.5), rel=1e-9)
    assert limit.prices == (pytest.approx(np.sqrt(budget / 2.55), rel=1e-9),)


def best_menu(unit, mean_cap, budget):
    """Truthful rules as a linear program: types of equal probability, all incentives listed."""
    count = len(unit)
    chance = mean_cap / count
    # x_k (share sold) and t_k (paid for a unit of cap): IR, IC of every pair, money on average
    rows, limits = [], []
    for k in range(count):
        ir = np.zeros(2 * count)
        ir[k], ir[count + k] = unit[k], -1.0
        rows.append(ir)
        limits.append(0.0)
        for other in range(count):
            ic = ir.copy()
            ic[other] -= unit[k]
            ic[count + other] += 1.0
            rows.append(ic)
            limits.append(0.0)
    rows.append(np.concatenate([np.zeros(count), np.full(count, chance)]))
    limits.append(budget)
    objective = -chance * np.concatenate([np.ones(count), np.zeros(count)])
    bounds = [(0.0, 1.0)] * count + [(None, None)] * count
    return -linprog(objective, A_ub=np.array(rows), b_ub=limits, bounds=bounds).fun


@pytest.mark.parametrize("name", ["uniform", "realistic", "two camps"])
@pytest.mark.parametrize("budget", [0.2, 0.5])
def test_the_limit_is_the_best_truthful_menu(name, budget):
    """Discretized types, and nothing assumed about the form of the rule."""
    drawn = law(name).unit_value_law.quantile((np.arange(40) + 0.5) / 40)
    found = best_menu(drawn, law(name).cap_law.mean, budget)
    assert ms.purchase_limit(law(name), budget).truthful == pytest.approx(found, rel=0.04)


def test_two_camps_need_two_prices():
    """One price wastes the money that does not reach the dear camp; a lottery of two does not."""
    limit = ms.purchase_limit(TWO_CAMPS, 0.5)
    assert len(limit.prices) == 2
    assert sum(limit.shares) == pytest.approx(1.0)
    cap, value = TWO_CAMPS.cap_law.mean, TWO_CAMPS.unit_value_law
    spent = sum(
        q * p * cap * float(value.cdf(p)) for q, p in zip(limit.shares, limit.prices, strict=True)
    )
    assert spent == pytest.approx(0.5, rel=1e-9)
    prices = np.linspace(0.1, 1.0, 5001)
    affordable = prices * value.cdf(prices) * cap <= 0.5
    assert limit.truthful > 1.1 * cap * value.cdf(prices[affordable]).max()


@pytest.mark.parametrize("name", ["uniform", "bimodal", "realistic"])
def test_the_limit_is_that_of_many_owners(name):
    population = ms.privacy_auction_law(name, 20_000).sample(np.random.default_rng(1))
    limit = ms.purchase_limit(law(name), 0.5)
    told = population.reports()
    bound = float(ms.purchase_bound(told, 10_000.0)) / 20_000
    bought = ms.LeaveOneOut().clear(told, 10_000.0).epsilon.sum() / 20_000
    assert bound == pytest.approx(limit.full_information, rel=0.02)
    assert bought == pytest.approx(limit.truthful, rel=0.02)


def test_money_for_everybody():
    limit = ms.purchase_limit(law("uniform"), 3.0)
    assert limit.ratio == 1.0
    assert limit.truthful == pytest.approx(2.55)
    unbounded = ms.purchase_limit(ms.PopulationLaw(3, ("linear",), LogNormal(), (1.0, 3.0)), 50.0)
    assert unbounded.ratio == pytest.approx(1.0, abs=1e-3)


def test_laws_without_a_limit():
    with pytest.raises(ms.InvalidInput, match="only linear valuations"):
        ms.purchase_limit(ms.fl_market_2021(3), 1.0)
    with pytest.raises(ms.InvalidInput, match="law must be a PopulationLaw"):
        ms.purchase_limit(ms.Reports.single_minded(value=[1.0], cap=[1.0]), 1.0)
    with pytest.raises(ms.InvalidInput, match="budget must be greater than 0"):
        ms.purchase_limit(law("uniform"), 0.0)


def test_budgets_that_never_bind():
    ten = ms.privacy_auction_law("uniform", 10)
    assert ms.never_binds(ten, [49.9, 50.0]).tolist() == [False, True]
    assert not ms.never_binds(ms.privacy_auction_law("realistic", 2), 1e9)
    with pytest.warns(ms.MarketSimWarning, match="the budget 50 never binds: it is at least 50"):
        assert ms.warn_if_never_binds(ten, 50.0)
    assert not ms.warn_if_never_binds(ten, 49.0)
    told = ms.Reports(ms.Valuations.linear([[0.5, 1.0], [0.1, 0.2]]), [1.0, 2.0])
    assert ms.never_binds(told, 2.0).tolist() == [False, True]
    assert not ms.warn_if_never_binds(told, 2.0)  # it binds in one of the two
    with pytest.warns(ms.MarketSimWarning, match="give less money"):
        ms.warn_if_never_binds(told, [3.0, 3.0])
    with pytest.raises(ms.InvalidInput, match=r"source must be Reports or a PopulationLaw"):
        ms.never_binds(3, 1.0)


@pytest.mark.parametrize("unit", [1e-25, 1e-12, 1e12, 1e25])
@pytest.mark.parametrize("money", [1e-6, 0.3, 0.9])
def test_the_limit_does_not_depend_on_the_unit_of_money(unit, money):
    for rate in (Uniform(0, 0.5), Mixture((Uniform(0.05, 0.1), Uniform(0.4, 0.5)))):
        plain = ms.purchase_limit(ms.PopulationLaw(3, ("linear",), rate, (1.0, 3.0)), money)
        told = ms.PopulationLaw(3, ("linear",), rate.scaled(unit), (1.0, 3.0))
        found = ms.purchase_limit(told, unit * money)
        assert found.truthful == pytest.approx(plain.truthful, rel=1e-9)
        assert found.full_information == pytest.approx(plain.full_information, rel=1e-9)
        assert np.array(found.prices) == pytest.approx(unit * np.array(plain.prices), rel=1e-9)


@pytest.mark.parametrize("name", ["uniform", "bimodal", "realistic"])
def test_next_to_no_money_buys_next_to_nothing(name):
    limit = ms.purchase_limit(law(name), 1e-300)
    assert 0 < limit.truthful <= limit.full_information
    assert 0.7 < limit.ratio < 1.0


def test_the_limit_takes_one_number():
    with pytest.raises(ms.InvalidInput, match=r"budget must be one number, got shape \(2,\)"):
        ms.purchase_limit(law("uniform"), [1.0, 2.0])
