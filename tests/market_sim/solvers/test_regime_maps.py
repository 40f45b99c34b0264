"""Maps of regimes equal single points; unknown costs and two users equal slow computation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from market_sim.errors import InvalidInput
from market_sim.games import (
    AcquisitionGame,
    DPMeanEstimation,
    FederatedMeanEstimation,
    SymmetricUtility,
    TableUtility,
)
from market_sim.solvers import (
    cost_map,
    mixed_equilibria,
    mixed_regret,
    optimal_alpha,
    optimal_alpha_unknown_costs,
    symmetric_equilibria,
    symmetric_regret,
    symmetric_thresholds,
    two_users,
    users_map,
    variance_map,
)


def symmetric_three():
    return AcquisitionGame(SymmetricUtility([0.0, 1.0, 1.5, 2.0]), np.tile([0, 0.1], (3, 1)))


COSTS = np.array([0.0, 0.05, 0.21, 0.3, 0.34, 0.45, 0.61, 0.7])
NAMES = ("nobody is paid", "some share", "everyone shares")


def pair(utility, first, second, level=np.inf):
    return AcquisitionGame(utility, [[0, first], [0, second]], (0, level))


@pytest.mark.parametrize("play", ["pure", "mixed"])
def test_two_users_point_by_point(play):
    found = cost_map(DPMeanEstimation(2), COSTS, COSTS, play=play)
    for i, first in enumerate(COSTS):
        for j, second in enumerate(COSTS):
            best = optimal_alpha(pair(DPMeanEstimation(2), first, second), play=play)
            assert_allclose(found.value[i, j], best.value, atol=1e-12)
            if best.value > 0:
                assert_allclose(found.alpha[i, j], best.alpha, atol=1e-9)
            if best.alpha > 0:
                assert found.names[found.regime[i, j]] == best.regime


@pytest.mark.parametrize("sizes", [(2, 3), (4, 1)])
def test_groups_of_users_with_identical_data(sizes):
    utility = DPMeanEstimation(5)
    costs = COSTS / 3
    found = cost_map(utility, costs, costs, sizes=sizes)
    for i, first in enumerate(costs):
        for j, second in enumerate(costs):
            cost = np.repeat([first, second], sizes)
            game = AcquisitionGame(utility, np.column_stack([0 * cost, cost]), (0, np.inf))
            assert_allclose(found.value[i, j], optimal_alpha(game).value, atol=1e-12)


def test_groups_with_different_data():
    utility = FederatedMeanEstimation([100, 100, 10, 10, 10], r2=1.0, s2=100.0)
    costs = np.linspace(0, 9, 7)
    found = cost_map(utility, costs, costs, level=2.0)
    for i, first in enumerate(costs):
        for j, second in enumerate(costs):
            cost = np.repeat([first, second], [2, 3])
            game = AcquisitionGame(utility, np.column_stack([0 * cost, cost]), (0, 2))
            assert_allclose(found.value[i, j], optimal_alpha(game).value, atol=1e-9)


def test_payments_that_rise_leave_no_gap_in_the_map():
    utility = SymmetricUtility([0.0, 0.2, 2.0])
    found = cost_map(utility, COSTS, COSTS)
    for i, first in enumerate(COSTS):
        for j, second in enumerate(COSTS):
            best = optimal_alpha(pair(utility, first, second))
            assert_allclose(found.value[i, j], best.value, atol=1e-12)


def test_symmetric_play_over_costs_and_users():
    users = [1, 2, 3, 10, 40]
    found = users_map(DPMeanEstimation, COSTS / 2, users)
    for j, number in enumerate(users):
        for i, cost in enumerate(COSTS / 2):
            game = AcquisitionGame(
                DPMeanEstimation(number), np.tile([0, cost], (number, 1)), (0, np.inf)
            )
            best = optimal_alpha(game, play="symmetric")
            assert_allclose(found.value[i, j], best.value, atol=1e-11)
            assert NAMES[found.regime[i, j]] == best.regime
    assert_allclose(found.lines["c_th"][1], 1 / 3)
    assert_allclose(found.lines["switch_off"][1], 2 / 3)


def test_a_utility_with_rising_gains_is_solved_point_by_point():
    def convex(number):
        return SymmetricUtility(np.linspace(0, 1, number + 1) ** 2)

    found = users_map(convex, [0.1, 0.3], [4], level=1.0)
    for i, cost in enumerate((0.1, 0.3)):
        game = AcquisitionGame(convex(4), np.tile([0, cost], (4, 1)))
        assert_allclose(found.value[i, 0], optimal_alpha(game, play="symmetric").value)


def test_variances_matter_by_their_ratio():
    costs = [[0, 0.02, 0.5], [0, 0.05, 1]]
    s2, r2 = [0.1, 10.0, 100.0], [0.5, 1.0, 10.0]
    found = variance_map([100, 10], costs, s2, r2)
    for i, a in enumerate(s2):
        for j, b in enumerate(r2):
            game = AcquisitionGame(FederatedMeanEstimation([100, 10], r2=b, s2=a), costs)
            assert_allclose(found.value[i, j], optimal_alpha(game).value, rtol=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_two_different_users_against_a_fine_grid_of_alpha(seed):
    rng = np.random.default_rng(seed)
    one, two = rng.random(2) + 0.3
    utility = TableUtility([[0.0, two], [one, max(one, two) + rng.random() * 0.8]])
    game = AcquisitionGame(utility, np.column_stack([np.zeros(2), rng.random(2) * 0.5]))
    best = optimal_alpha(game, play="mixed")
    assert best.equilibrium.regret <= 1e-13
    assert mixed_regret(game, best.profile, best.alpha) <= 1e-13
    grid = [e.value for a in np.linspace(0, 1, 401) for e in mixed_equilibria(game, a)]
    assert best.value >= max(grid) - 1e-12
    assert best.value <= max(grid) + 0.02


def test_the_best_point_of_the_mixed_curve_is_the_derived_one():
    # alpha = 6 c1 c2 / (c1 + c2 + 3 c1 c2); where c1 = c2 it is the optimum of symmetric play
    for first, second in ((0.4, 0.45), (0.5, 0.5), (0.36, 0.6)):
        rules = two_users.duel(pair(DPMeanEstimation(2), first, second))
        expected = 6 * first * second / (first + second + 3 * first * second)
        assert_allclose([1 / z for z in two_users._curve(rules)], [expected], rtol=1e-9)
    symmetric = optimal_alpha(pair(DPMeanEstimation(2), 0.5, 0.5), play="symmetric")
    assert_allclose(symmetric.alpha, 6 * 0.25 / 1.75)


def test_the_best_symmetric_share_against_a_fine_grid_of_alpha():
    for private in (False, True):
        levels = (0.7, 6.0) if private else (0.0, 6.0)
        for cost in (0.02, 0.1, 0.2):
            game = AcquisitionGame(
                DPMeanEstimation(4), np.tile([0, cost], (4, 1)), levels, private_gives=private
            )
            best = optimal_alpha(game, play="symmetric")
            grid = [e.value for a in np.linspace(0, 1, 101) for e in symmetric_equilibria(game, a)]
            assert max(grid) - 1e-12 <= best.value <= max(grid) + 0.03
            assert symmetric_regret(game, best.profile, best.alpha) <= 1e-14
            assert best.thresholds == symmetric_thresholds(game)


def test_unknown_costs_of_a_uniform_law_solve_the_first_order_condition():
    stats = pytest.importorskip("scipy.stats")
    utility = DPMeanEstimation(12)
    best = optimal_alpha_unknown_costs(utility, stats.uniform(0, 0.2))
    q = np.linspace(0, 1, 20_001)
    k = np.arange(13)
    chances = stats.binom.pmf(k, 12, q[:, None])
    kept = chances @ (14 / 12 * k / (k + 2)) - 12 * q * 0.2 * q
    assert_allclose(best.value, kept.max(), atol=1e-8)
    assert_allclose(best.sharing, q[kept.argmax()], atol=1e-4)
    assert_allclose(best.threshold, 0.2 * best.sharing)
    assert best.gap <= 1e-6
    assert best.regret <= 1e-15
    assert best.regime == "some share"


def test_unknown_costs_of_a_sample():
    utility = DPMeanEstimation(4)
    one = optimal_alpha_unknown_costs(utility, [0.1])  # all know: everyone or nobody
    assert_allclose([one.value, one.threshold, one.sharing], [1 - 4 * 0.1, 0.1, 1.0])
    assert one.regime == "everyone shares"
    dear = optimal_alpha_unknown_costs(utility, [5.0, 6.0])
    assert (dear.value, dear.alpha, dear.regime) == (0.0, 0.0, "nobody is paid")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cost_map(DPMeanEstimation(2), COSTS, COSTS, play="symmetric"), "play"),
        (lambda: cost_map(DPMeanEstimation(3), COSTS, COSTS, play="mixed"), "two users"),
        (lambda: cost_map(DPMeanEstimation(3), COSTS, COSTS, sizes=(2, 2)), "sizes"),
        (lambda: cost_map(TableUtility(np.zeros((2, 2, 2))), COSTS, COSTS), "kinds"),
        (lambda: cost_map(TableUtility(np.zeros((2, 2))), COSTS, COSTS, sizes=(1, 1)), "sizes"),
        (lambda: cost_map(SymmetricUtility([0, 1, 3]), COSTS, COSTS, play="mixed"), "mixed"),
        (lambda: cost_map(DPMeanEstimation(2), [], COSTS), "first"),
        (lambda: cost_map(DPMeanEstimation(2), [-1.0], COSTS), "first"),
        (lambda: users_map(DPMeanEstimation, COSTS, [1.5]), "whole"),
        (lambda: variance_map([1, 1], [[0, 1, 2]] * 2, [0.0], [1.0]), "s2"),
        (lambda: optimal_alpha_unknown_costs(DPMeanEstimation(2), [0.1], 3), "users"),
        (lambda: optimal_alpha_unknown_costs(DPMeanEstimation(2), []), "empty"),
        (lambda: optimal_alpha_unknown_costs(DPMeanEstimation(2), [-0.1]), "law"),
        (lambda: optimal_alpha_unknown_costs(TableUtility(np.zeros((2, 2))), [0.1]), "identical"),
        (
            lambda: mixed_equilibria(AcquisitionGame(DPMeanEstimation(1), [[0, 1]]), 0.5),
            "two users",
        ),
        (lambda: mixed_regret(pair(DPMeanEstimation(2), 0.1, 0.1), [0.5, 0.5], 0.5), "shape"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
