"""The full-information bound: what it promises for any market, and known answers."""

import numpy as np
import pytest
from generators import budgets, reports
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms

LAW = ms.fl_market_2022(10)


def market(profiles=20, rate=0.4, law=LAW, seed=0):
    population = law.sample(np.random.default_rng(seed), (profiles,))
    return population.reports(), ms.budgets(population, rate, "proportional")


def error_of(told, epsilon, **constants):
    weights = ms.ErrorOpt(**constants).weights(epsilon, told.data_size)
    return ms.error_bound(weights, epsilon, told.data_size, **constants)


# --------------------------------------------------------------------------------- what is promised
@settings(max_examples=12)
@given(data=st.data())
@pytest.mark.parametrize("method", ["relaxation", "auto"])
def test_a_feasible_purchase_and_a_bound_below_it(method, data):
    told = data.draw(reports(4))
    budget = data.draw(budgets(told))
    bound = ms.full_information_bound(told, budget, method=method, accuracy=0.05)
    assert bound.epsilon.shape == told.shape
    assert bound.lower.shape == bound.upper.shape == bound.gap.shape == told.profiles
    assert (bound.epsilon >= 0).all()
    assert (bound.epsilon <= told.cap).all()
    assert (told.cost(bound.epsilon).sum(axis=-1) <= budget * (1 + 1e-11)).all()
    assert_allclose(bound.upper, error_of(told, bound.epsilon), rtol=1e-9)
    assert (bound.lower <= bound.upper).all()
    assert (bound.lower >= 0).all()


@settings(max_examples=4)
@given(seed=st.integers(0, 1000), rates=st.tuples(st.floats(0.05, 1.0), st.floats(1.0, 3.0)))
def test_more_money_never_hurts(seed, rates):
    told, budget = market(1, rates[0], ms.PopulationLaw(3, kinds=ms.KINDS), seed)
    poor = ms.full_information_bound(told, budget, method="exact", accuracy=0.01)
    rich = ms.full_information_bound(told, budget * rates[1], method="exact", accuracy=0.01)
    assert (rich.lower <= poor.upper * (1 + 1e-9)).all()
    assert (poor.gap <= 0.011).all()
    assert (rich.upper <= poor.upper * 1.011).all()


@pytest.mark.parametrize(
    "mechanism",
    [ms.AllIn(), ms.AllIn("published"), ms.LinearPrice(1.6), ms.PostedPrice(2.0, "share")],
    ids=lambda m: m.name,
)
def test_no_mechanism_is_better(mechanism):
    told, budget = market(60)
    bound = ms.full_information_bound(told, budget, method="relaxation")
    error = error_of(told, mechanism.clear(told, budget).epsilon)
    assert (error >= bound.lower).all()
    assert np.mean(error / bound.lower) > 1.2


@pytest.mark.parametrize(("method", "largest"), [("exact", 1.01e-3), ("relaxation", 0.8)])
def test_methods_agree(method, largest):
    told, budget = market(10)
    exact = ms.full_information_bound(told, budget, method="auto", accuracy=5e-4)
    other = ms.full_information_bound(told, budget, method=method)
    assert (other.lower <= exact.upper).all()
    assert (exact.lower <= other.upper).all()
    assert other.gap.max() <= largest
    assert_allclose(other.lower.mean(), exact.lower.mean(), rtol=0.1)


def test_the_gap_of_the_relaxation_vanishes_as_owners_become_many():
    gaps = []
    for owners, profiles in ((10, 30), (3_000, 1)):
        law = ms.PopulationLaw(owners, cap=(0.5, 2.0))
        told, budget = market(profiles, 0.25, law)
        gaps.append(ms.full_information_bound(told, budget, method="relaxation").gap.mean())
    assert gaps[0] > 0.005
    assert gaps[1] < 1e-3


# ------------------------------------------------------------------------------------ known answers
def test_everything_is_bought_where_the_money_suffices():
    for rate in (1.0, 2.0):
        told, budget = market(30, rate)
        bound = ms.full_information_bound(told, budget)
        assert_array_equal(bound.epsilon, told.cap)
        assert_allclose(bound.lower, error_of(told, told.cap), rtol=1e-12)
        assert_array_equal(bound.gap, 0.0)


def test_one_owner():
    """She sells what the money pays: 2 rate eps = B, and so on; the error is 8 / eps^2."""
    rate, budget = 0.7, 0.9
    sold = [budget / 2 / rate, (budget / rate) ** 0.5, (budget / 2 / rate) ** 2]
    sold += [np.log1p(budget / rate), 5.0]
    told = ms.Reports(ms.Valuations(np.arange(5)[:, None], rate), cap=np.full((5, 1), 5.0))
    bound = ms.full_information_bound(told, budget)
    assert_allclose(bound.epsilon[:, 0], sold, rtol=1e-9)
    assert_allclose(bound.upper, 8.0 / np.square(sold), rtol=1e-9)
    assert (bound.gap < 1.01e-3).all()


def test_twins_with_quadratic_costs_share_the_money():
    """By symmetry and convexity each sells eps with 2 eps^2 = B: ERR = 8 (1/4 + 1/4) / eps^2."""
    told = ms.Reports(ms.Valuations("quadratic", [1.0, 1.0]), cap=[3.0, 3.0])
    bound = ms.full_information_bound(told, 2.0, accuracy=1e-6)
    assert_allclose(bound.epsilon, [1.0, 1.0], rtol=1e-4)
    assert_allclose(float(bound.upper), 4.0, rtol=1e-6)
    assert_allclose(float(bound.lower), 4.0, rtol=2e-6)


def test_single_minded_owners_are_a_knapsack():
    rng = np.random.default_rng(4)
    told = ms.PopulationLaw(7, single_minded=True).sample(rng, (6,)).reports()
    budget = 0.45 * told.value.sum(axis=-1)
    best = np.full(6, np.inf)
    for subset in range(1, 2**7):
        bought = np.array([subset >> i & 1 for i in range(7)])
        error = error_of(told, told.cap * bought)
        best = np.where((told.value * bought).sum(axis=1) <= budget, np.minimum(best, error), best)
    bound = ms.full_information_bound(told, budget, method="exact", accuracy=1e-6)
    assert_allclose(bound.upper, best, rtol=1e-9)
    assert (bound.gap < 1.1e-6).all()


def test_nothing_can_be_bought():
    told = ms.Reports.single_minded(value=[[2.0, 3.0], [0.5, 3.0]], cap=[1.0, 1.0])
    bound = ms.full_information_bound(told, 1.0)
    assert bound.upper.tolist()[0] == bound.lower.tolist()[0] == np.inf
    assert bound.epsilon.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    assert bound.gap.tolist() == [0.0, 0.0]
    assert bound.status.endswith("in 1 the money buys nothing")


def test_owners_who_ask_nothing():
    told = ms.Reports(ms.Valuations(ms.KINDS, [0.0, 0.0, 0.0, 0.0, 0.0]), cap=np.ones(5))
    assert_array_equal(ms.full_information_bound(told, 1e-6).epsilon, np.ones(5))
    half = ms.Reports(ms.Valuations("linear", [0.0, 0.0, 1.0]), cap=np.ones(3))
    bound = ms.full_information_bound(half, 0.5)
    assert_allclose(bound.epsilon, [1.0, 1.0, 0.25])


# ----------------------------------------------------------------------------------------- the door
def test_clip_scales_and_dim_counts():
    told, budget = market(3)
    plain = ms.full_information_bound(told, budget, accuracy=0.02)
    clipped = ms.full_information_bound(told, budget, clip=3.0, accuracy=0.02)
    assert_allclose(clipped.lower, 9.0 * plain.lower)
    assert_array_equal(clipped.epsilon, plain.epsilon)
    deep = ms.full_information_bound(told, budget, dim=7, accuracy=0.02)
    assert_allclose(deep.upper, error_of(told, deep.epsilon, dim=7))
    assert (deep.lower > plain.upper).all()


def test_leading_axes_and_blocks():
    told, budget = market(12, 0.7)
    flat = ms.full_information_bound(told, budget, accuracy=0.02)
    cube = ms.Reports(
        ms.Valuations(
            told.valuations.kind.reshape(3, 4, 10), told.valuations.rate.reshape(3, 4, 10)
        ),
        told.cap.reshape(3, 4, 10),
        told.data_size.reshape(3, 4, 10),
    )
    shaped = ms.full_information_bound(cube, budget.reshape(3, 4), accuracy=0.02)
    assert_array_equal(shaped.upper.reshape(12), flat.upper)
    assert_array_equal(shaped.epsilon.reshape(12, 10), flat.epsilon)


def test_the_status_says_what_is_not_known():
    told, budget = market(20, 0.5)
    loose = ms.full_information_bound(told, budget, method="relaxation")
    assert loose.status.startswith("the Lagrangian relaxation closed ")
    assert f"the largest gap is {loose.gap.max():.2g}" in loose.status
    tight = ms.full_information_bound(told, budget, method="exact")
    assert tight.status == "branch and bound closed all 20 profiles to 0.001"
    assert str(tight).startswith("least error bound in [")
    with pytest.raises(ValueError, match="read-only"):
        tight.lower[0] = 0.0


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"budget": 0.0}, "budget must be greater than 0"),
        ({"budget": [1.0, 2.0]}, "budget has shape"),
        ({"clip": -1.0}, "clip must be greater than 0"),
        ({"dim": 0}, "dim must be a whole number"),
        ({"method": "best"}, "unknown method 'best'"),
        ({"accuracy": 0.0}, "accuracy must be at least"),
        ({"reports": [1.0]}, "reports must be ms.Reports, got list"),
    ],
)
def test_refusals(given_, message):
    told = ms.Reports(ms.Valuations("linear", [1.0, 2.0, 3.0]), cap=np.ones(3))
    arguments = {"reports": told, "budget": 1.0} | given_
    with pytest.raises(ms.InvalidInput, match=message):
        ms.full_information_bound(**arguments)
