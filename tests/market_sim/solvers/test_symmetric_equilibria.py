"""All symmetric mixed equilibria: closed forms, counting arguments, and regret."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from small_games import random_game

from market_sim.errors import InvalidInput
from market_sim.games import (
    AcquisitionGame,
    DPMeanEstimation,
    FederatedMeanEstimation,
    FunctionUtility,
    SymmetricUtility,
)
from market_sim.solvers import replicator, symmetric_equilibria, symmetric_regret


def alike(small):
    """Return the game with the first user's costs for all."""
    game = small.game()
    return AcquisitionGame(game.utility, np.tile(game.costs[0], (game.users, 1)))


def slow_payoffs(game: AcquisitionGame, mixture: np.ndarray, alpha: float) -> np.ndarray:
    """Sum over everything that the others may draw."""
    total = np.zeros(game.levels)
    for others in product(range(game.levels), repeat=game.users - 1):
        chance = np.prod(mixture[list(others)])
        for level in range(game.levels):
            total[level] += chance * game.payoff([level, *others], alpha)[0]
    return total


@pytest.mark.parametrize("seed", range(12))
def test_every_equilibrium_by_definition_and_an_odd_number(seed):
    rng = np.random.default_rng(seed)
    users, levels = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    game = alike(random_game(rng, users, levels, coarse=False))
    for alpha in (0.15, 0.45, 0.85):
        found = symmetric_equilibria(game, alpha)
        assert len(found) % 2 == 1  # generic symmetric games have an odd number
        for equilibrium in found:
            payoff = slow_payoffs(game, equilibrium.strategy, alpha)
            assert payoff.max() - payoff @ equilibrium.strategy <= 1e-12
            assert abs(equilibrium.regret) <= 1e-12


def test_an_equilibrium_with_all_three_levels():
    # payments at two users are (U(a, b) + U(a, 0) - U(0, b)) / 2: level 0 competes with the others
    matrix = np.array([[0.0, 1.0, 1.0], [1.0, 0.5, 1.7], [1.0, 1.7, 0.5]])
    utility = FunctionUtility(lambda x: matrix[x[:, 0].astype(int), x[:, 1].astype(int)], 2, [0, 0])
    game = AcquisitionGame(utility, np.tile([0.0, 0.25, 0.25], (2, 1)))
    found = symmetric_equilibria(game, 0.45)
    inside = [e for e in found if e.strategy.min() > 0]
    assert len(inside) == 1
    payoff = slow_payoffs(game, inside[0].strategy, 0.45)
    assert_allclose(payoff, payoff[0], atol=1e-14)
    assert_allclose(inside[0].strategy[1], inside[0].strategy[2], atol=1e-12)
    assert "proof" in inside[0].status


@pytest.mark.parametrize("users", [2, 3, 6])
def test_every_extremum_of_the_expected_potential_is_there(users):
    rng = np.random.default_rng(users)
    for _ in range(4):
        game = alike(random_game(rng, users, 3, coarse=False))
        found = symmetric_equilibria(game, 0.5)
        for start in rng.dirichlet([1, 1, 1], 6):
            there = replicator(game, 0.5, start)
            near = min(np.abs(e.strategy - there.strategy).max() for e in found)
            assert near <= 1e-5, (there, [str(e) for e in found])


def test_two_levels_solve_the_closed_form():
    for cost, alpha in ((0.3, 0.5), (0.31, 0.55), (0.4, 0.75)):
        game = AcquisitionGame(DPMeanEstimation(2), [[0, cost]] * 2, (0, np.inf))
        found = symmetric_equilibria(game, alpha)
        private = np.clip(6 * cost / alpha - 3, 0, 1)  # payment is 1/2 + p / 6
        assert_allclose(found[0].strategy, [private, 1 - private], atol=1e-12)
        assert len(found) == 1


def test_breakpoints_have_the_boundary_equilibrium():
    game = AcquisitionGame(DPMeanEstimation(2), [[0, 0.3]] * 2, (0, np.inf))
    for alpha, sharing in ((0.6, 1.0), (0.45, 0.0)):
        found = symmetric_equilibria(game, alpha)
        assert [e.strategy[1] for e in found] == [sharing]


def test_a_hump_of_payments_has_three_equilibria_and_two_at_its_top():
    payments = np.array([1.0, 2.0, 1.0])  # by the number of others who share
    utility = SymmetricUtility(np.append(0, payments * np.arange(1, 4)))
    for cost, count in ((0.6, 3), (0.75, 2), (0.9, 1)):  # gamma peaks at 1.5
        game = AcquisitionGame(utility, [[0, cost]] * 3)
        found = symmetric_equilibria(game, 0.5)
        assert len(found) == count
        assert all(e.regret <= 1e-14 for e in found)
    game = AcquisitionGame(utility, [[0, 0.75]] * 3)
    touching = symmetric_equilibria(game, 0.5)[1]
    assert_allclose(touching.strategy, [0.5, 0.5], atol=1e-7)
    assert "multiple root" in touching.status


def test_a_continuum_is_reported():
    utility = SymmetricUtility([0.0, 1.0, 2.0])
    found = symmetric_equilibria(AcquisitionGame(utility, [[0, 0.5]] * 2), 0.5)
    assert [e.strategy[1] for e in found] == [0.0, 0.5, 1.0]
    assert "every mixture" in found[1].status


def test_interchangeable_levels_are_refused_in_words():
    utility = FunctionUtility(lambda x: np.minimum(x, 1).sum(axis=1) ** 0.5, 3, [0, 0, 0])
    game = AcquisitionGame(utility, np.tile([0.0, 0.35, 0.35], (3, 1)))
    with pytest.raises(InvalidInput, match="continuum"):
        symmetric_equilibria(game, 0.5)


def test_the_private_option_may_give_too():
    game = AcquisitionGame(
        DPMeanEstimation(3), np.tile([0, 0.2], (3, 1)), (1.0, np.inf), private_gives=True
    )
    for alpha in (0.3, 0.55, 0.6, 1.0):
        for found in symmetric_equilibria(game, alpha):
            payoff = slow_payoffs(game, found.strategy, alpha)
            assert payoff.max() - payoff @ found.strategy <= 1e-13


@given(
    st.integers(1, 40),
    st.floats(0, 1),
    st.floats(0.001, 0.6),
    st.sampled_from([0.5, 4.0, np.inf]),
)
def test_there_is_exactly_one_where_payments_fall(users, alpha, cost, level):
    game = AcquisitionGame(DPMeanEstimation(users), np.tile([0, cost], (users, 1)), (0, level))
    found = symmetric_equilibria(game, alpha)
    if level >= 4 and users > 1:
        assert len(found) == 1
    assert found
    assert all(e.regret <= 1e-13 for e in found)


def test_a_hundred_thousand_users():
    users = 100_000
    game = AcquisitionGame(DPMeanEstimation(users), np.tile([0, 1e-6], (users, 1)), (0, np.inf))
    found = symmetric_equilibria(game, 0.01)
    assert len(found) == 1
    assert found[0].regret <= 1e-15


def test_the_replicator_settles_in_the_three_level_game():
    utility = FederatedMeanEstimation([10] * 4, r2=1, s2=100)
    game = AcquisitionGame(utility, np.tile([0, 0.2, 1.5], (4, 1)))
    found = replicator(game, 0.2, tolerance=1e-10)
    assert_allclose(found.strategy, symmetric_equilibria(game, 0.2)[0].strategy, atol=1e-6)
    assert "settled" in found.status
    assert "unsettled" in replicator(game, 0.2, max_steps=2).status


def test_bad_input_is_refused():
    different = AcquisitionGame(DPMeanEstimation(2), [[0, 0.1], [0, 0.2]], (0, np.inf))
    with pytest.raises(InvalidInput, match="identical"):
        symmetric_equilibria(different, 0.5)
    game = AcquisitionGame(DPMeanEstimation(2), [[0, 0.1]] * 2, (0, np.inf))
    with pytest.raises(InvalidInput, match="alpha"):
        symmetric_equilibria(game, 2.0)
    with pytest.raises(InvalidInput, match="add up"):
        symmetric_regret(game, [0.5, 0.6], 0.5)
    many = AcquisitionGame(
        FederatedMeanEstimation([1] * 80, r2=1, s2=1), np.tile([0, 0.1, 0.2], (80, 1))
    )
    with pytest.raises(InvalidInput, match="replicator"):
        symmetric_equilibria(many, 0.5)
