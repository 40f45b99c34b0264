"""Best response climbs the potential and ends where nobody gains; noise obeys the Gibbs law."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from small_games import random_game

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame, DPMeanEstimation, FunctionUtility
from market_sim.solvers import basins, best_response, logit_choice, logit_response, pure_regret


def mean_game(users: int = 4, cost: float = 0.1) -> AcquisitionGame:
    return AcquisitionGame(DPMeanEstimation(users), [[0, cost, 2 * cost]] * users, (0, 2, np.inf))


@pytest.mark.parametrize("order", ["cyclic", "random"])
@pytest.mark.parametrize("seed", range(5))
def test_the_potential_rises_to_an_equilibrium(order, seed):
    game = random_game(np.random.default_rng(seed), 5, 3, kinds=2, coarse=False).game()
    for alpha in (0.1, 0.4, 0.9):
        found = best_response(game, alpha, "random", order, seed=seed)
        assert found.witness is not None
        assert (np.diff(found.witness) > 0).all()
        assert found.steps == found.witness.size - 1
        assert_allclose(found.witness[-1], game.potential(found.strategy, alpha), atol=1e-12)
        assert found.regret <= 1e-12
        assert "nobody gains" in found.status


def test_each_move_gains_what_the_potential_rises():
    game = mean_game()
    start = np.array([0, 2, 1, 0])
    one = best_response(game, 0.6, start, max_moves=1)
    user = int(np.flatnonzero(one.strategy != start)[0])
    gain = game.payoff(one.strategy, 0.6)[user] - game.payoff(start, 0.6)[user]
    assert_allclose(np.diff(one.witness), gain, atol=1e-14)


def test_stopping_early_is_said():
    found = best_response(mean_game(), 0.9, max_moves=1)
    assert found.steps == 1
    assert "max_moves" in found.status
    assert found.regret > 0.01


def test_an_equilibrium_stays():
    game = mean_game()
    there = best_response(game, 0.5)
    again = best_response(game, 0.5, there.strategy)
    assert again.steps == 0
    assert again.strategy.tolist() == there.strategy.tolist()


def test_the_same_seed_goes_the_same_way():
    game = random_game(np.random.default_rng(1), 5, 3, kinds=3).game()
    first, second = (best_response(game, 0.4, "random", "random", seed=3) for _ in range(2))
    assert first.witness.tolist() == second.witness.tolist()


def test_without_a_table_play_ends_in_the_same_place():
    game = random_game(np.random.default_rng(4), 4, 3, coarse=False).game()

    class Untabulated(AcquisitionGame):
        tabulated = False

    twin = Untabulated(game.utility, game.costs)
    for alpha in (0.2, 0.7):
        slow, fast = best_response(twin, alpha), best_response(game, alpha)
        assert slow.strategy.tolist() == fast.strategy.tolist()
        assert slow.witness is None
        assert slow.steps == fast.steps


def test_basins_add_up_and_are_equilibria():
    game = mean_game()
    for alpha in (0.3, 0.6):
        found = basins(game, alpha, starts=50, seed=1)
        assert_allclose(found.share.sum(), 1.0)
        assert (np.diff(found.share) <= 0).all()
        assert all(pure_regret(game, profile, alpha) <= 1e-12 for profile in found.profiles)
        assert_allclose(found.utility, game.value(found.profiles))
        assert_allclose(found.mean_utility(), found.share @ found.utility)
        assert found.counts.shape == (found.share.size, 1, 3)


def test_noisy_choice_is_the_softmax():
    assert_allclose(logit_choice([0.0, np.log(3.0)], 1.0), [0.25, 0.75])
    assert_allclose(logit_choice([[5.0, 5.0], [0.0, 1e6]], 2.0), [[0.5, 0.5], [0.0, 1.0]])
    assert_allclose(logit_choice([1.0, 2.0, 3.0], 0.0), 1 / 3)


def test_noisy_play_obeys_the_gibbs_law_of_the_potential():
    game = AcquisitionGame(DPMeanEstimation(2), [[0, 0.3], [0, 0.4]], (0, np.inf))
    rate, alpha, steps = 4.0, 0.7, 20_000
    path = logit_response(game, alpha, rate, steps=steps).witness
    heights = game.potential(list(product(range(2), repeat=2)), alpha)  # all different
    seen = np.abs(path[:, None] - heights).argmin(axis=1)
    expected = np.exp(rate * heights) / np.exp(rate * heights).sum()
    # successive profiles depend on each other: allow for a quarter of the steps
    error = np.sqrt(expected * (1 - expected) / (steps / 4))
    assert (np.abs(np.bincount(seen, minlength=4) / path.size - expected) < 4 * error).all()
    assert np.ptp(expected) > 0.02


def test_rational_play_ends_near_an_equilibrium():
    game = mean_game()
    found = logit_response(game, 0.5, 1e6, steps=400)
    assert found.regret <= 1e-12
    assert found.witness.size == 401


def test_noisy_play_without_a_table():
    users = 20
    utility = FunctionUtility(lambda x: np.sqrt(x.sum(axis=1)), users)

    class Untabulated(AcquisitionGame):
        tabulated = False

    game = Untabulated(
        FunctionUtility(utility.value, users, np.zeros(users)), np.tile([0.0, 0.1], (users, 1))
    )
    assert logit_response(game, 0.5, 5.0, steps=3).witness is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: best_response(g, 1.5), "alpha"),
        (lambda g: best_response(g, 0.5, [0, 1]), "users"),
        (lambda g: best_response(g, 0.5, order="no"), "order"),
        (lambda g: logit_response(g, 0.5, -1.0), "rationality"),
        (lambda g: logit_response(g, 0.5, 1.0, steps=0), "steps"),
        (lambda g: basins(g, 0.5, starts=0), "starts"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call(mean_game())
