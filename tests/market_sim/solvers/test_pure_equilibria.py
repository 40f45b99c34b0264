"""All pure equilibria, against looking at every profile in fractions."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from small_games import SmallGame, random_game

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame, DPMeanEstimation, FunctionUtility
from market_sim.solvers import (
    equilibrium_interval,
    equilibrium_partitions,
    pure_equilibria,
    pure_regret,
)


def by_partition(game: SmallGame, alpha: Fraction) -> dict:
    result: dict = {}
    for profile in game.equilibria(alpha):
        key = game.partition(profile)
        result[key] = result.get(key, 0) + 1
    return result


def alphas(game: SmallGame) -> list[Fraction]:
    """All breakpoints, where games are degenerate, and the points between."""
    ends = game.breakpoints
    return ends + [(a + b) / 2 for a, b in pairwise(ends)]


@pytest.mark.parametrize("coarse", [True, False])
@pytest.mark.parametrize(
    ("users", "levels", "kinds"),
    [(1, 3, 1), (2, 2, 1), (3, 3, 1), (4, 2, 2), (4, 3, 2), (5, 2, 1), (3, 4, 2), (5, 3, 1)],
)
def test_the_same_profiles_as_enumeration(users, levels, kinds, coarse):
    for seed in range(2):
        rng = np.random.default_rng([seed, users, levels, kinds, coarse])
        small = random_game(rng, users, levels, kinds=kinds, coarse=coarse)
        game = small.game()
        for alpha in alphas(small):
            expected = by_partition(small, alpha)
            found = pure_equilibria(game, float(alpha))
            assert {small.partition(e.strategy): e.represents for e in found} == expected
            assert all(e.regret <= 1e-11 for e in found)


def test_six_users_with_three_levels():
    small = random_game(np.random.default_rng(5), 6, 3, kinds=2, coarse=True)
    for alpha in alphas(small)[::7]:
        found = pure_equilibria(small.game(), float(alpha))
        expected = by_partition(small, alpha)
        assert {small.partition(e.strategy): e.represents for e in found} == expected


@pytest.mark.parametrize("seed", range(4))
def test_intervals_are_those_of_enumeration(seed):
    small = random_game(np.random.default_rng(seed), 4, 3, kinds=2)
    game = small.game()
    for profile in small.profiles:
        expected, found = small.intervals.get(profile), equilibrium_interval(game, profile)
        assert (found is None) == (expected is None), profile
        if expected is not None and found is not None:
            assert_allclose(found, [float(x) for x in expected], atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_partitions_and_their_ends(seed):
    small = random_game(np.random.default_rng([7, seed]), 4, 3)
    intervals = equilibrium_partitions(small.game())
    expected = {small.partition(profile) for profile in small.intervals}
    assert len(set(intervals.partition.tolist())) == len(expected)
    ends = {round(float(e), 9) for pair in small.intervals.values() for e in pair}
    found = {round(float(x), 9) for x in np.append(intervals.left, intervals.right)}
    assert found <= ends


def test_an_equilibrium_exists_at_every_alpha():
    for seed in range(20):
        game = random_game(np.random.default_rng([3, seed]), 3, 3, kinds=2, coarse=False).game()
        for alpha in np.linspace(0, 1, 7):
            assert pure_equilibria(game, alpha)


def test_users_who_differ_in_costs_only_are_ordered_by_them():
    rng = np.random.default_rng(0)
    for coarse in (True, False):
        small = random_game(rng, 5, 2, coarse=coarse)
        game = small.game()
        general = FunctionUtility(game.utility.value, 5, [0, 1, 2, 3, 4])  # no two are alike
        costs = game.costs
        for alpha in alphas(small):
            found = pure_equilibria(game, float(alpha))
            slow = pure_equilibria(AcquisitionGame(general, costs), float(alpha))
            assert sum(e.represents for e in found) == len(slow)


def test_a_million_users_with_different_costs():
    users = 1_000_000
    cost = np.random.default_rng(1).random(users) * 1e-5
    game = AcquisitionGame(
        DPMeanEstimation(users), np.column_stack([np.zeros(users), cost]), (0, np.inf)
    )
    found = pure_equilibria(game, 2e-4, count=False)
    assert len(found) == 1
    assert found[0].regret <= 1e-15
    gives = found[0].strategy == 1
    assert cost[gives].max() < cost[~gives].min()


def test_private_users_may_give_too():
    game = AcquisitionGame(
        DPMeanEstimation(3), [[0, 0.05], [0, 0.1], [0, 0.3]], (1.0, np.inf), private_gives=True
    )
    for alpha in (0.0, 0.2, 0.5, 1.0):
        found = {tuple(e.strategy.tolist()) for e in pure_equilibria(game, alpha)}
        profiles = np.indices((2, 2, 2)).reshape(3, -1).T
        expected = {tuple(p.tolist()) for p in profiles if pure_regret(game, p, alpha) <= 1e-14}
        assert found == expected


def test_the_best_for_the_platform_comes_first():
    game = random_game(np.random.default_rng(11), 4, 3).game()
    utility = [e.utility for e in pure_equilibria(game, 0.3)]
    assert utility == sorted(utility, reverse=True)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, np.nan])
def test_alpha_outside_its_domain_is_refused(alpha):
    game = AcquisitionGame(DPMeanEstimation(2), [[0, 0.1]] * 2, (0, np.inf))
    with pytest.raises(InvalidInput, match="alpha"):
        pure_equilibria(game, alpha)


def test_too_many_users_are_told_what_to_use():
    users = 40
    utility = FunctionUtility(lambda x: x.sum(axis=1), users)
    game = AcquisitionGame(utility, np.tile([0.0, 0.1, 0.2], (users, 1)))
    with pytest.raises(InvalidInput, match="best_response"):
        pure_equilibria(game, 0.5)


def test_too_many_levels_are_refused():
    game = AcquisitionGame(DPMeanEstimation(1), [np.arange(13.0)])
    with pytest.raises(InvalidInput, match="levels"):
        pure_equilibria(game, 0.5)


def test_a_tolerance_that_is_none_is_refused():
    game = AcquisitionGame(DPMeanEstimation(2), [[0, 0.1]] * 2, (0, np.inf))
    with pytest.raises(InvalidInput, match="tolerance"):
        pure_equilibria(game, 0.5, tolerance=2.0)


def test_one_profile_at_a_time():
    game = AcquisitionGame(DPMeanEstimation(2), [[0, 0.1]] * 2, (0, np.inf))
    with pytest.raises(InvalidInput, match="one profile"):
        equilibrium_interval(game, [[0, 1], [1, 1]])
    with pytest.raises(InvalidInput, match="one profile"):
        pure_regret(game, [[0, 1], [1, 1]], 0.5)
