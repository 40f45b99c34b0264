"""Payments against a mixture: every route against enumeration."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import (
    AcquisitionGame,
    DPMeanEstimation,
    FederatedMeanEstimation,
    SymmetricUtility,
    fair_values,
)
from market_sim.games.mixed import mixed_payments
from market_sim.games.symmetric import SymmetricPlay

FL = FederatedMeanEstimation([10.0] * 4, r2=1.0, s2=100.0)


def play(utility, values, costs=None):
    return SymmetricPlay(utility, np.zeros(len(values)) if costs is None else costs, values)


def enumerated(utility, values, mixture):
    """Expected payment of user 0 at each level, over all profiles of the others."""
    result = np.zeros(len(values))
    for own in range(len(values)):
        for others in itertools.product(range(len(values)), repeat=utility.users - 1):
            levels = values[[own, *others]]
            chance = np.prod(mixture[list(others)])
            result[own] += chance * fair_values(utility, levels, method="subsets").users[0]
    return result


CASES = [
    (DPMeanEstimation(4), np.array([0.0, 4.0])),
    (DPMeanEstimation(4), np.array([1.0, np.inf])),
    (DPMeanEstimation(3), np.array([0.0, 1.0, np.inf])),
    (FL, np.array([0.0, 1.0, 2.0])),
]


@pytest.mark.parametrize(("utility", "values"), CASES)
@pytest.mark.parametrize("corner", [None, 0, -1])
def test_payments_are_expectations_over_the_others(utility, values, corner):
    mixture = np.array([0.5, 0.2, 0.3])[: values.size]
    mixture = mixture / mixture.sum() if corner is None else np.eye(values.size)[corner]
    expected = enumerated(utility, values, mixture)
    assert play(utility, values).payments(mixture) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda x: sum(x) > 1e-3))
def test_expected_payments_add_up_to_the_expected_utility(raw):
    mixture = np.array(raw) / sum(raw)
    symmetric = play(FL, np.array([0.0, 1.0, 2.0]))
    expected = sum(
        np.prod(mixture[list(p)]) * float(FL.value(p))
        for p in itertools.product(range(3), repeat=4)
    )
    assert symmetric.value(mixture) == pytest.approx(expected, abs=1e-10)


def test_two_levels_are_a_bernstein_polynomial():
    utility = SymmetricUtility([0.0, 0.5, 0.9, 1.0])
    symmetric = play(utility, np.array([0.0, 1.0]))
    assert symmetric.binary
    assert symmetric.coefficients == pytest.approx([0.5, 0.45, 1 / 3])
    assert symmetric.payments([1.0, 0.0])[1] == pytest.approx(0.5)
    assert symmetric.payments([0.0, 1.0])[1] == pytest.approx(1 / 3)
    assert (symmetric.payments([0.3, 0.7])[0]) == 0.0


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.01, 0.5, 0.999999, 1.0])
def test_a_million_users_are_paid_as_the_sum_says(share):
    """U(k) = k / (k + 1) / 2: payments 1 / (k + 2) / 2 have a known binomial mean."""
    users = 1_000_000
    k = np.arange(users + 1.0)
    symmetric = play(SymmetricUtility(k**2 / users**2), np.array([0.0, 1.0]))
    # payments (k + 1) / users^2 when k others give: mean ((users - 1) share + 1) / users^2
    expected = ((users - 1) * share + 1) / users**2
    assert symmetric.payments([1 - share, share])[1] == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(
    "mixture", [[0.2, 0.5, 0.3], [0.0, 0.8, 0.2], [0.9, 0.1, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
)
def test_the_integral_for_huge_numbers_agrees_with_the_table(mixture):
    utility = FederatedMeanEstimation([10.0] * 300, r2=1.0, s2=100.0)
    symmetric = play(utility, np.array([0.0, 1.0, 2.0]))
    assert symmetric.tabulated
    got = mixed_payments(utility, np.array([1.0, 2.0]), np.array(mixture)[1:])
    assert got == pytest.approx(symmetric.payments(mixture)[1:], rel=1e-8)


def test_the_integral_serves_levels_that_all_give():
    utility = DPMeanEstimation(200)
    values = np.array([1.0, np.inf])
    got = mixed_payments(utility, values, np.array([0.3, 0.7]))
    assert got == pytest.approx(play(utility, values).payments([0.3, 0.7]), rel=1e-8)


def test_huge_numbers_are_not_tabulated():
    utility = FederatedMeanEstimation(np.full(2000, 10.0), r2=10.0, s2=1.0)
    symmetric = play(utility, np.array([0.0, 1.0, 2.0]))
    assert not symmetric.tabulated
    gamma = symmetric.payments([0.5, 0.2, 0.3])
    assert gamma[0] == 0.0
    # in huge groups the mixture is as good as the profile it stands for
    levels = np.repeat([0, 1, 2], [1000, 400, 600])
    paid = fair_values(utility, levels).users
    assert gamma[1:] == pytest.approx(paid[[1000, -1]], rel=0.01)


def test_payoffs_and_regret():
    game = AcquisitionGame(FL, [[0.0, 0.2, 1.5]] * 4)
    mixture = np.array([[0.5, 0.2, 0.3], [0.0, 1.0, 0.0]])
    payoffs = game.symmetric.payoffs(mixture, 0.2)
    assert payoffs == pytest.approx(0.2 * game.symmetric.payments(mixture) - [0.0, 0.2, 1.5])
    regret = game.symmetric.regret(mixture, 0.2)
    assert regret == pytest.approx(payoffs.max(axis=1) - (mixture * payoffs).sum(axis=1))
    assert (regret >= 0).all()
    assert game.symmetric.value(mixture).shape == (2,)
    # against users who all play level 1 a mixture is a pure profile
    pure = game.deviation_gains([1, 1, 1, 1], 0.2)[0]
    assert payoffs[1] - payoffs[1, 1] == pytest.approx(pure, abs=1e-12)


@pytest.mark.parametrize(
    ("mixture", "words"),
    [
        ([0.5, 0.5], "3 levels"),
        ([0.5, 0.6, 0.0], "add up to 1"),
        ([1.5, -0.5, 0.0], "at least 0"),
        ([np.nan, 1.0, 0.0], "NaN"),
    ],
)
def test_what_is_no_mixture_is_refused(mixture, words):
    with pytest.raises(InvalidInput, match=words):
        play(FL, np.array([0.0, 1.0, 2.0])).payments(mixture)


def test_different_kinds_and_more_levels_are_refused_where_they_make_no_sense():
    with pytest.raises(InvalidInput, match="one kind"):
        play(FederatedMeanEstimation([1.0, 2.0], r2=1.0, s2=1.0), np.array([0.0, 1.0]))
    with pytest.raises(InvalidInput, match="two levels"):
        _ = play(FL, np.array([0.0, 1.0, 2.0])).coefficients
    with pytest.raises(InvalidInput, match="interpolate"):
        mixed_payments(SymmetricUtility([0.0, 1.0]), np.array([1.0]), np.array([0.5]))
