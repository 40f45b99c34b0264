"""The platform's best share, against every profile's interval in fractions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from small_games import random_game

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame, DPMeanEstimation, SymmetricUtility
from market_sim.solvers import (
    best_response,
    optimal_alpha,
    pure_equilibria,
    pure_regret,
    response_paths,
)

SHAPES = [(1, 3, 1), (2, 2, 1), (3, 3, 1), (4, 2, 2), (4, 3, 2), (5, 2, 1), (3, 4, 3), (5, 3, 2)]


def costly(users: int, cost: float, level: float = np.inf) -> AcquisitionGame:
    return AcquisitionGame(DPMeanEstimation(users), [[0, cost]] * users, (0, level))


@pytest.mark.parametrize("coarse", [True, False])
@pytest.mark.parametrize(("users", "levels", "kinds"), SHAPES)
def test_optimistic_and_pessimistic_equal_enumeration(users, levels, kinds, coarse):
    for seed in range(2):
        rng = np.random.default_rng([seed, users, levels, kinds, coarse, 1])
        small = random_game(rng, users, levels, kinds=kinds, coarse=coarse)
        game = small.game()
        best = optimal_alpha(game)
        assert_allclose(best.value, float(small.optimistic()), rtol=1e-12, atol=1e-12)
        assert pure_regret(game, best.profile, best.alpha) <= 1e-12
        assert_allclose((1 - best.alpha) * float(game.value(best.profile)), best.value, rtol=1e-12)
        robust = optimal_alpha(game, "pessimistic")
        assert_allclose(robust.value, float(small.pessimistic()), rtol=1e-11, atol=1e-11)
        assert robust.value <= best.value + 1e-12


def test_six_users_with_three_levels():
    small = random_game(np.random.default_rng(2), 6, 3, kinds=2, coarse=False)
    game = small.game()
    assert_allclose(optimal_alpha(game).value, float(small.optimistic()), rtol=1e-12)
    assert_allclose(optimal_alpha(game, "pessimistic").value, float(small.pessimistic()), rtol=1e-9)


def test_a_pessimistic_value_that_is_not_attained_is_a_limit():
    game = costly(2, 0.2)
    robust = optimal_alpha(game, "pessimistic")
    assert not robust.attained
    assert "limit" in robust.status
    worst = [min(e.value for e in pure_equilibria(game, robust.alpha + d)) for d in (0, 1e-9)]
    assert worst[0] < robust.value - 0.01
    assert_allclose(worst[1], robust.value, rtol=1e-8)


@pytest.mark.parametrize("order", ["cyclic", "random"])
@pytest.mark.parametrize("start", [None, "random"])
def test_dynamics_follow_best_response_at_every_alpha(start, order):
    for seed in range(5):
        small = random_game(np.random.default_rng([seed, 8]), 4, 3, kinds=2, coarse=False)
        game = small.game()
        paths = sorted(response_paths(game, start, order, seed), key=lambda path: path.left)
        assert_allclose([p.right for p in paths[:-1]], [p.left for p in paths[1:]])
        assert (paths[0].left, paths[-1].right) == (0.0, 1.0)
        for path in paths:
            middle = (path.left + path.right) / 2
            if path.right - path.left > 1e-9:
                there = best_response(game, middle, start, order, seed=seed)
                assert there.strategy.tolist() == path.profile.tolist()
                assert there.steps == path.moves
        best = optimal_alpha(game, "dynamics", start=start, order=order, seed=seed)
        kept = [
            best_response(game, alpha, start, order, seed=seed).value
            for alpha in np.linspace(0, 1, 101)
        ]
        assert best.value >= max(kept) - 1e-9
        just = best_response(game, min(best.alpha + 1e-9, 1.0), start, order, seed=seed)
        at = best_response(game, best.alpha, start, order, seed=seed)
        assert_allclose((at if best.attained else just).value, best.value, rtol=1e-6)


def test_dynamics_stay_below_the_optimist():
    for seed in range(10):
        game = random_game(np.random.default_rng([seed, 9]), 4, 3).game()
        best = optimal_alpha(game)
        assert optimal_alpha(game, "dynamics").value <= best.value + 1e-9
        assert best_response(game, best.alpha, best.profile).steps == 0


def test_different_costs_equal_the_closed_form():
    rng = np.random.default_rng(0)
    for users in (3, 8, 50, 3000):
        cost = rng.random(users) * 3.0 / users
        costs = np.column_stack([np.zeros(users), cost])
        utility = DPMeanEstimation(users)
        best = optimal_alpha(AcquisitionGame(utility, costs, (0, np.inf)))
        k = np.arange(users + 1.0)
        worth = (users + 2) / users * k / (k + 2)
        kept = worth - k * np.append(0, np.sort(cost))
        assert_allclose(best.value, kept.max(), rtol=1e-13)
        assert int(best.profile.sum()) == int(kept.argmax())
        assert best.equilibrium.regret <= 1e-15
        assert best.profile.tolist() == (cost <= np.sort(cost)[int(kept.argmax()) - 1]).tolist()


def test_nobody_is_paid_when_all_costs_are_too_high():
    game = costly(20, 5.0)
    for selection in ("optimistic", "pessimistic", "dynamics"):
        best = optimal_alpha(game, selection)
        assert (best.alpha, best.value, best.regime) == (0.0, 0.0, "nobody is paid")
    assert optimal_alpha(game, play="symmetric").regime == "nobody is paid"


def test_regimes_have_names():
    assert optimal_alpha(costly(2, 0.05)).regime == "everyone shares"
    assert optimal_alpha(costly(2, 0.6)).regime == "some share"
    assert str(optimal_alpha(costly(2, 0.6))).startswith("alpha 0.9, value 0.0666667, some share")


def test_utilities_that_fall_are_solved_too():
    falling = SymmetricUtility([0.0, -1.0, -2.0])  # nobody is ever willing
    game = AcquisitionGame(falling, [[0, 0.1], [0, 0.2]])
    assert optimal_alpha(game).value == 0.0
    hump = SymmetricUtility([0.0, 3.0, 1.0, 6.0])
    game = AcquisitionGame(hump, [[0, 0.1], [0, 0.2], [0, 0.9]])
    assert_allclose(optimal_alpha(game).value, 6.0 - 3 * 0.9)


def test_free_data_is_taken_for_nothing():
    game = AcquisitionGame(DPMeanEstimation(3), np.zeros((3, 2)), (0, np.inf))
    assert (optimal_alpha(game).alpha, optimal_alpha(game).value) == (0.0, 1.0)
    assert_allclose(optimal_alpha(game, play="symmetric").value, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"selection": "hopeful"}, "selection"),
        ({"play": "chess"}, "play"),
        ({"play": "mixed", "selection": "pessimistic"}, "optimistic only"),
        ({"selection": "dynamics", "start": "middle"}, "start"),
        ({"selection": "dynamics", "start": [[0, 1], [1, 1]]}, "one profile"),
        ({"selection": "dynamics", "order": "alphabetical"}, "order"),
    ],
)
def test_unknown_words_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        optimal_alpha(costly(2, 0.2), **arguments)


def test_three_levels_in_symmetric_play_are_told_what_to_use():
    game = AcquisitionGame(DPMeanEstimation(2), [[0, 0.1, 0.2]] * 2, (0, 1, np.inf))
    with pytest.raises(InvalidInput, match="symmetric_equilibria"):
        optimal_alpha(game, play="symmetric")
