"""Drift: values stay in their range, keep their law, and move in the market as they should."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from agents import Drift, ReflectedDiffusion


@given(
    rate=st.floats(0.0, 3.0),
    low=st.floats(0.0, 0.9),
    volatility=st.floats(0.0, 5.0),
    reversion=st.floats(0.0, 5.0),
    seed=st.integers(0, 99),
)
def test_nobody_leaves_the_range(rate, low, volatility, reversion, seed):
    drift = ReflectedDiffusion(0.5, reversion, volatility, (low, 1.0), moves=3)
    moved = drift.moved_values(np.full(7, rate), np.random.default_rng(seed))
    assert (moved >= low).all()
    assert (moved <= 1.0).all()


def test_without_noise_it_is_the_ordinary_differential_equation():
    drift = ReflectedDiffusion(0.8, reversion=0.7, volatility=0.0)
    start = np.array([0.0, 0.3, 0.8, 1.0])
    moved = drift.moved_values(start, np.random.default_rng(0))
    assert_allclose(moved, 0.8 + np.exp(-0.7) * (start - 0.8), rtol=1e-12)


def test_the_free_step_has_the_law_of_ornstein_and_uhlenbeck():
    drift = ReflectedDiffusion(50.0, reversion=0.9, volatility=0.5, value_range=(0.0, 100.0))
    moved = drift.moved_values(np.full(200_000, 52.0), np.random.default_rng(1))
    assert moved.mean() == pytest.approx(50 + 2 * np.exp(-0.9), abs=0.005)
    assert moved.var() == pytest.approx(0.25 * (1 - np.exp(-1.8)) / 1.8, rel=0.01)


def test_reflection_alone_keeps_the_uniform_law():
    drift = ReflectedDiffusion(volatility=0.4, value_range=(0.2, 1.2))
    rng = np.random.default_rng(2)
    moved = drift.moved_values(rng.uniform(0.2, 1.2, 100_000), rng)
    counts = np.histogram(moved, bins=20, range=(0.2, 1.2))[0]
    assert np.abs(counts / 5000 - 1).max() < 0.06


def test_the_number_of_steps_does_not_matter_without_reversion():
    starts, rng = np.full(100_000, 0.1), np.random.default_rng
    one, many = (
        ReflectedDiffusion(volatility=0.6, moves=n).moved_values(starts, rng(n)) for n in (1, 16)
    )
    assert_allclose(*(np.quantile(x, [0.1, 0.5, 0.9]) for x in (one, many)), atol=0.01)


def test_families_stay_and_what_moves_is_the_cost_of_epsilon_one():
    before = ms.Valuations(list(ms.KINDS), [0.2, 0.3, 0.1, 0.25, 0.6])
    drift = ReflectedDiffusion(0.9, reversion=1e9, volatility=0.0)
    after = drift.moved(before, np.random.default_rng(0))
    assert after.names.tolist() == before.names.tolist()
    assert_allclose(after.cost(1.0), 0.9)
    assert_allclose(after[:1].cost(3.0), 2.7)


def test_a_market_moves_values_after_each_round_and_costs_follow(population, market):
    people = population(6, kinds=("linear",), rate=(0.1, 0.4))
    one = market(people, drift=ReflectedDiffusion(volatility=0.2), seed=3)
    rates = [people.valuations.rate]
    for _ in range(3):
        one.step()
        rates.append(one.population.valuations.rate)
    assert all((a != b).any() for a, b in itertools.pairwise(rates))
    assert_array_equal(one.population.cap, people.cap)
    table = one.tables()["owners"]
    epsilon = table["epsilon"].reshape(3, 6)
    truth = [ms.Valuations("linear", rate).cost(e) for rate, e in zip(rates, epsilon, strict=False)]
    assert_allclose(table["cost"].reshape(3, 6), truth, rtol=1e-12)
    assert_array_equal(table["reported_value"], [
        v for rate in rates[:3] for v in ms.Valuations("linear", rate).cost(people.cap)
    ])  # fmt: skip


def test_two_markets_see_the_same_moves_whatever_they_trade(population, market):
    people, drift = population(5), ReflectedDiffusion(value_range=(0.0, 2.0))
    few, many = (market(people, budget, drift=drift, seed=4) for budget in (1.0, 90.0))
    for one in (few, many):
        one.run(3)
    assert_array_equal(few.population.valuations.rate, many.population.valuations.rate)


def test_a_drift_of_ones_own(population, market):
    class Dearer(Drift):
        def moved(self, valuations, rng):
            return valuations.scaled(2.0)

    people = population(4)
    one = market(people, drift=Dearer())
    one.run(2)
    assert_allclose(one.population.valuations.rate, people.valuations.rate * 4.0)


@pytest.mark.parametrize(
    "moved",
    [lambda v: ms.Valuations("step", v.rate), lambda v: v[:2]],
    ids=["another family", "fewer owners"],
)
def test_a_drift_must_keep_owners_and_families(population, market, moved):
    class Wrong(Drift):
        def moved(self, valuations, rng):
            return moved(valuations)

    with pytest.raises(ms.InvalidInput, match="Wrong must return one valuation an owner"):
        market(population(4), drift=Wrong()).step()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"volatility": -1.0}, "volatility"),
        ({"reversion": [0.1, 0.2]}, "reversion"),
        ({"mean_value": np.nan}, "mean_value"),
        ({"value_range": (1.0, 1.0)}, "value_range"),
        ({"value_range": (-1.0, 1.0)}, "value_range"),
        ({"value_range": 3.0}, "value_range"),
        ({"moves": 0}, "moves"),
    ],
)
def test_bad_input(arguments, name):
    with pytest.raises(ms.InvalidInput, match=name):
        ReflectedDiffusion(**arguments)
