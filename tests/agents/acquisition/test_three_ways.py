"""One market solved by agents, by equilibria and in the mean-field limit."""

import numpy as np
import pytest

import market_sim as ms
from agents.acquisition import (
    AcquisitionMarket,
    BestResponse,
    NoRegret,
    mean_field,
    solve_three_ways,
)
from market_sim.games import AcquisitionGame, DPMeanEstimation, SymmetricUtility
from market_sim.solvers import basins, symmetric_equilibria

ALPHA_7B = 0.1303371240150109
FIGURE_6 = [2, 2, 2, 2, 1, 1, 1, 1, 1, 0]


def test_at_figure_7b_best_response_ends_in_the_profile_of_figure_6(figure_7b):
    """About 97 % of random starts keep 32.98, not the 64.06 of the optimistic optimum."""
    found = solve_three_ways(
        figure_7b, ALPHA_7B, behavior=BestResponse(0.0), rounds=10, judged=0.1, runs=60, seed=1
    )
    (often, share), *_ = found.ends
    assert 0.9 <= share <= 1.0
    assert (1 - ALPHA_7B) * often == pytest.approx(32.9837, abs=1e-3)
    best, worst = found.equilibria
    assert best.value == pytest.approx(64.05699421740286, abs=1e-8)
    assert worst.value == pytest.approx(32.9837, abs=1e-3)
    assert found.gaps()["best pure"][0] < -28
    assert found.mean_field == ()
    assert "users differ" in str(found)


def test_the_end_is_figure_6_user_by_user(figure_7b):
    market = AcquisitionMarket(
        figure_7b, ALPHA_7B, behavior=BestResponse(0.5), timing="in turn", start="random", seed=11
    )
    market.run(40)
    assert market.levels.tolist() == FIGURE_6
    assert market.tables()["rounds"]["kept"][-1] == pytest.approx(32.9837, abs=1e-3)


@pytest.mark.slow
def test_many_starts_at_figure_7b_end_as_often_there_as_single_moves_say(figure_7b):
    """The market's agents against the solver's dynamics, which share no code with them."""
    found = solve_three_ways(
        figure_7b, ALPHA_7B, behavior=BestResponse(0.0), rounds=7, judged=0.1, runs=800, seed=0
    )
    often = basins(figure_7b, ALPHA_7B, starts=800, seed=1)
    assert found.ends[0][0] == pytest.approx(often.utility[0])
    assert found.ends[0][1] == pytest.approx(often.share[0], abs=0.03)
    assert found.ends[0][1] > 0.95


@pytest.mark.parametrize("alpha", [0.05, 0.15, 0.25, 0.6])
def test_the_mean_field_is_an_equilibrium_of_the_straight_lines(alike, alpha):
    game = alike()
    paid = game.symmetric.coefficients
    for found in mean_field(game, alpha):
        gain = alpha * np.interp(9 * found.chance, np.arange(10), paid) - 0.03
        if 0 < found.chance < 1:
            assert gain == pytest.approx(0, abs=1e-12)
        else:
            assert gain * (2 * found.chance - 1) >= 0
        assert found.value == pytest.approx((1 - alpha) * found.utility)
        worth = 10 * found.chance * np.interp(9 * found.chance, np.arange(10), paid)
        assert found.utility == pytest.approx(worth)


def test_the_mean_field_comes_near_as_users_become_many():
    gaps = []
    for users in (10, 100, 1000):
        cost = 0.3 / users
        game = AcquisitionGame(DPMeanEstimation(users), [[0, cost]] * users, [0, np.inf])
        (limit,), (finite,) = mean_field(game, 0.2), symmetric_equilibria(game, 0.2)
        assert limit.stable
        gaps.append(abs(limit.chance - finite.strategy[1]))
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]


def test_all_equilibria_of_the_mean_field_are_found():
    """U = k^2 up to 4: payments first rise, then fall, and cross the cost twice."""
    game = AcquisitionGame(SymmetricUtility([0, 1, 4, 9, 6, 5]), [[0, 1.0]] * 5)
    found = mean_field(game, 0.8)  # payments 1, 2, 3, 1.5, 1: gains -.2, .6, 1.4, .2, -.2
    assert [f.chance for f in found] == pytest.approx([0, 0.25 / 4, 3.5 / 4])
    assert [f.stable for f in found] == [True, False, True]
    at_a_number = mean_field(game, 1 / 1.5)  # gains -1/3, 1/3, 1, 0, -1/3
    assert [f.chance for f in at_a_number] == pytest.approx([0, 0.5 / 4, 3 / 4])
    free = AcquisitionGame(SymmetricUtility([0, 1, 2]), [[0, 0.5]] * 2)
    assert [f.chance for f in mean_field(free, 0.5)] == [0, 1]  # indifferent everywhere: the ends


def test_one_user_alone():
    game = AcquisitionGame(SymmetricUtility([0, 1.0]), [[0, 0.4]])
    assert [f.chance for f in mean_field(game, 0.3)] == [0]
    assert [f.chance for f in mean_field(game, 0.5)] == [1]


def test_three_ways_agree_for_many_users(alike):
    game = alike(300, 0.0015)
    found = solve_three_ways(
        game, 0.25, behavior=BestResponse(0.9), timing="together", rounds=150, judged=0.2, seed=2
    )
    gaps = found.gaps()
    assert set(gaps) == {"pure", "symmetric", "mean field"}
    for value, participation, payments in gaps.values():
        assert abs(value) < 0.005
        assert abs(participation) < 0.01
        assert abs(payments) < 0.005
    text = str(found)
    for name in ("agents", "pure", "symmetric", "mean field", "runs end at"):
        assert name in text
    assert f"{found.agents.value:.6g}" in text


def test_learners_solved_three_ways(alike):
    found = solve_three_ways(
        alike(), 0.15, behavior=NoRegret(rate=10.0, pooled=True), timing="together", rounds=800
    )
    assert abs(found.gaps()["symmetric"][1]) < 0.04
    # ten users are few: the limit misses .04 of participation
    assert found.gaps()["mean field"][1] == pytest.approx(0.04, abs=0.03)


def test_a_private_level_that_gives_has_no_limit():
    game = AcquisitionGame(DPMeanEstimation(3), [[0, 0.05]] * 3, [1.0, np.inf], private_gives=True)
    found = solve_three_ways(game, 0.4, rounds=5)
    assert found.mean_field == ()
    assert "a private level that gives" in found.note


def test_the_same_seed_gives_the_same_result(alike):
    one, other = (solve_three_ways(alike(), 0.2, rounds=10, runs=3, seed=4) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"alpha": -0.1}, "alpha must be one number from 0 to 1"),
        ({"judged": 0.0}, "judged must be above 0 and at most 1"),
        ({"rounds": 0}, "rounds must be a whole number"),
        ({"runs": 0}, "runs must be a whole number"),
        ({"timing": "now"}, "timing must be"),
    ],
)
def test_bad_input_of_three_ways(alike, wrong, sentence):
    with pytest.raises(ms.InvalidInput, match=sentence):
        solve_three_ways(alike(), **({"alpha": 0.2, "rounds": 2} | wrong))


def test_the_limit_needs_two_levels_and_identical_users(mixed_costs):
    with pytest.raises(ms.InvalidInput, match="identical users"):
        mean_field(mixed_costs, 0.2)
    game = AcquisitionGame(DPMeanEstimation(3), [[0, 0.1, 0.2]] * 3, [0, 1.0, np.inf])
    with pytest.raises(ms.InvalidInput, match="two levels"):
        mean_field(game, 0.2)
