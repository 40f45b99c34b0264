"""Fair values against other ways to compute them: permutations, SLSQP, a linear system."""

import itertools
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from market_sim.games import DPMeanEstimation, FederatedMeanEstimation, TableUtility, fair_values


def by_permutations(worth, levels, platform):
    """Average gains over all orders of arrival; the platform is one more player."""
    n = len(levels)
    players = n + 1 if platform else n
    paid = np.zeros(players)
    for order in itertools.permutations(range(players)):
        inside = np.zeros(n)
        here = not platform
        before = 0.0
        for player in order:
            if player == n:
                here = True
            else:
                inside[player] = levels[player]
            after = worth(inside) if here else 0.0
            paid[player] += after - before
            before = after
    return paid / factorial(players)


def random_table(users, seed):
    table = np.random.default_rng(seed).normal(size=(3,) * users)
    table[(0,) * users] = 0.0
    return table


@pytest.mark.parametrize("platform", [False, True])
@pytest.mark.parametrize("users", [1, 2, 3, 4, 5])
def test_theorems_1_and_2_are_averages_over_orders(users, platform):
    rng = np.random.default_rng(users)
    table = random_table(users, users)
    levels = rng.integers(0, 3, users)
    exact = by_permutations(lambda x: table[tuple(x.astype(int))], levels, platform)
    for method in ("subsets", "types"):
        result = fair_values(TableUtility(table), levels, platform, method)
        assert result.users == pytest.approx(exact[:users], abs=1e-12)
        if platform:
            assert result.platform == pytest.approx(exact[users], abs=1e-12)


def test_six_users_by_all_720_orders():
    utility = FederatedMeanEstimation([100, 10, 10, 100, 10, 1], r2=1.0, s2=100.0)
    levels = np.array([2, 1, 1, 1, 2, 1])
    exact = by_permutations(lambda x: float(utility.value(x)), levels, platform=False)
    for method in ("subsets", "types", "potential"):
        assert fair_values(utility, levels, method=method).users == pytest.approx(exact, abs=1e-10)


@given(st.integers(0, 10_000), st.floats(0.05, 1.0))
@settings(max_examples=20)
def test_random_presence_is_an_average_over_who_is_there(seed, presence):
    """Pay by Theorem 2 whoever turns up, and average over who does."""
    table = random_table(3, seed)
    levels = np.array([1, 2, 1])
    expected = np.zeros(3)
    for there in itertools.product((0, 1), repeat=3):
        chance = np.prod(np.where(there, presence, 1 - presence))
        present = levels * there
        expected += chance * fair_values(TableUtility(table), present, method="subsets").users
    result = fair_values(TableUtility(table), levels, presence=presence)
    assert result.users == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize(
    "epsilon", [[0.5, 3.0, 20.0], [1.0, 1.0], [0.2, 0.7, 2.0, 9.0], [12.0], [0.05, 50.0]]
)
def test_slsqp_finds_no_better_private_estimator(epsilon):
    """Minimize (1 - sum w)^2 / 12 + sum w^2 / 6 + 2 b^2 over w_i <= b eps_i.

    The mean has prior variance 1 / 12, a user's number varies around it by 1 / 6, and Laplace
    noise of scale b hides a number in an interval of length 1 that counts w_i up to w_i / b.
    """
    epsilon = np.array(epsilon)
    n = epsilon.size
    utility = DPMeanEstimation(n)

    def risk(x):
        w, b = x[:n], x[n]
        return 2 * b**2 + (1 - w.sum()) ** 2 / 12 + (w**2).sum() / 6

    start = np.append(np.full(n, 0.5 / n), 0.5 / n / epsilon.min())
    constraints = [{"type": "ineq", "fun": lambda x: x[n] * epsilon - x[:n]}]
    bounds = [(0, None)] * (n + 1)
    found = minimize(
        risk,
        start,
        method="SLSQP",
        bounds=bounds,
        constraints=constraints,
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    assert found.success
    ours = np.append(utility.weights(epsilon), utility.noise_scale(epsilon))
    assert risk(ours) == pytest.approx(float(utility.risk(epsilon)), rel=1e-12)
    assert risk(ours) <= found.fun + 1e-10
    assert risk(ours) == pytest.approx(found.fun, rel=1e-6)
    assert ours == pytest.approx(found.x, abs=2e-4)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0.5, 100), st.integers(0, 2)), min_size=1, max_size=6),
    st.floats(0.05, 50),
    st.floats(0.01, 50),
)
def test_the_error_is_that_of_the_kkt_system(users, r2, s2):
    """Best unbiased linear estimate from the published means, by solving for the multipliers."""
    size, levels = (np.array(column) for column in zip(*users, strict=True))
    utility = FederatedMeanEstimation(size, r2=r2, s2=s2)
    variance = r2 / size + s2
    one, twos = np.flatnonzero(levels == 1), np.flatnonzero(levels == 2)
    spread = [variance[one].sum() / one.size**2] if one.size else []
    spread += variance[twos].tolist()
    if not spread:
        assert utility.emse(levels) == pytest.approx(r2 + 2 * s2)
        return
    got = utility.emse(levels)
    for i in range(size.size):
        link = np.zeros(len(spread))  # covariance of the target with each mean, given the prior
        if levels[i] == 1:
            link[0] = s2 / one.size
        if levels[i] == 2:
            link[bool(one.size) + int(np.flatnonzero(twos == i)[0])] = s2
        matrix = np.block([[np.diag(spread), np.ones((len(spread), 1))], [np.ones(len(spread)), 0]])
        solution = np.linalg.solve(matrix, np.append(link, 1.0))[: len(spread)]
        error = s2 - 2 * solution @ link + solution**2 @ spread
        assert got[i] == pytest.approx(error, rel=1e-7, abs=1e-9)


def test_equal_levels_have_the_published_closed_form():
    """Equal levels below saturation: U = (N+2)/N * k / (k + 2 + 24 / (k eps^2)), [S] eq. (10)."""
    n, epsilon = 6, 0.8
    utility = DPMeanEstimation(n)
    for k in range(1, n + 1):
        levels = [epsilon] * k + [0.0] * (n - k)
        expected = (n + 2) / n * k / (k + 2 + 24 / (k * epsilon**2))
        assert utility.value(levels) == pytest.approx(expected, rel=1e-12)
