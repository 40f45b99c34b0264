"""The platform that learns its share from what users choose."""

import numpy as np
import pytest

import market_sim as ms
from agents.acquisition import (
    AcquisitionMarket,
    BestResponse,
    BreakpointLearner,
    LogitResponse,
)
from market_sim.games import AcquisitionGame, DPMeanEstimation, SymmetricUtility
from market_sim.solvers import optimal_alpha, pure_equilibria


def learned(game, rounds, seed=0, behavior=None, **settings):
    market = AcquisitionMarket(
        game,
        BreakpointLearner(**settings),
        behavior=BestResponse(0.2) if behavior is None else behavior,
        timing="in turn",
        seed=seed,
        record_users=False,
    )
    market.run(rounds)
    return market


@pytest.mark.parametrize("seed", range(3))
def test_it_approaches_the_best_breakpoint(alike, seed):
    """Within one resolution of alpha: it keeps more than 99 % of the optimum in the end."""
    game = alike()
    market = learned(game, 240, seed, patience=6)
    regret, best = market.platform_regret(), optimal_alpha(game)
    assert regret.late > 0.99 * best.value
    assert regret.late <= best.value + 1e-9
    assert regret.optimistic == pytest.approx(best.value)
    assert regret.pessimistic == pytest.approx(optimal_alpha(game, "pessimistic").value)
    assert market.platform.bounds.contradictions == 0
    costs = game.costs[:, 1]
    assert (market.platform.bounds.low[:, 1] <= costs + 1e-9).all()
    assert (market.platform.bounds.high[:, 1] >= costs - 1e-9).all()


def test_it_learns_with_different_costs():
    costs = [[0, c] for c in (0.01, 0.02, 0.05, 0.11, 0.2, 0.3)]
    game = AcquisitionGame(DPMeanEstimation(6), costs, [0, np.inf])
    regret = learned(game, 300, patience=6).platform_regret()
    assert regret.late > 0.985 * regret.optimistic


def test_at_figure_7b_it_keeps_the_good_equilibrium_at_a_lower_share(figure_7b):
    """From the bad equilibrium a higher share leads out; then the share can come down again."""
    market = learned(figure_7b, 240, patience=6)
    regret = market.platform_regret()
    assert regret.optimistic == pytest.approx(64.05699421740286, abs=1e-8)
    assert regret.pessimistic == pytest.approx(63.368075637921926, abs=1e-6)
    assert regret.late > regret.pessimistic
    assert regret.late > 0.995 * regret.optimistic
    kept = market.tables()["epochs"]["kept"]
    assert ((kept > 32.5) & (kept < 34)).any()  # it was in Fig. 6's profile
    assert regret.regret_optimistic > regret.regret_pessimistic


def test_noisy_users_leave_the_truth_inside_the_margin(alike):
    game = alike(6, 0.05)
    market = learned(
        game,
        300,
        behavior=LogitResponse(0.001, 0.5),
        margin=0.015,
        patience=10,
        by_standing=False,
    )
    bounds = market.platform.bounds
    assert bounds.contradictions == 0
    assert (bounds.low[:, 1] <= 0.05).all()
    assert (bounds.high[:, 1] >= 0.05).all()
    assert market.platform_regret().late > 0.8 * market.platform_regret().optimistic


def test_epochs_are_a_table_and_regret_is_a_sum(alike):
    market = learned(alike(5, 0.05), 50, patience=5)
    epochs, kept = market.tables()["epochs"], market.tables()["rounds"]["kept"]
    assert epochs["round"].tolist() == [5 * number for number in epochs["epoch"].tolist()]
    assert set(epochs["reason"]) <= {"breakpoint", "hope", "best known"}
    assert (np.diff(epochs["width"]) <= 1e-12).all()
    for first, alpha, late in zip(epochs["round"], epochs["alpha"], epochs["kept"], strict=True):
        assert (market.tables()["rounds"]["alpha"][first : first + 5] == alpha).all()
        assert late == pytest.approx(kept[first + 2 : first + 5].mean())
    regret = market.platform_regret()
    assert regret.regret_optimistic == pytest.approx((regret.optimistic - kept).sum())
    assert "regret" in str(regret)
    assert f"{regret.optimistic:.6g}" in str(regret)


def test_arms_promise_the_best_equilibrium_at_their_share():
    """U falls after three givers, so that more money ends equilibria."""
    game = AcquisitionGame(SymmetricUtility([0, 1, 4, 9, 6, 5]), [[0, 1.0]] * 5)
    platform = learned(game, 1, resolution=0.03).platform
    promised = platform._promises(game.costs, widen=False)
    assert len(promised) > 3
    for arm, value in promised.items():
        best = pure_equilibria(game, 0.03 * arm)[0]
        assert value == pytest.approx(best.value), arm


def test_what_an_arm_brought_is_kept_by_standing_profile_or_not(figure_7b):
    apart, pooled = (learned(figure_7b, 60, patience=6, by_standing=by) for by in (True, False))
    assert len({standing for standing, _ in apart.platform._arms}) > 1
    assert len({standing for standing, _ in pooled.platform._arms}) == 1


def test_a_fixed_share_has_a_regret_too(alike):
    market = AcquisitionMarket(alike(), 0.9, seed=0)
    market.run(5)
    assert market.platform_regret().regret_optimistic > 0
    assert "epochs" not in market.tables()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"patience": 0}, "patience must be a whole number of at least 1"),
        ({"resolution": 0.0}, "resolution must be a number above 0 and at most 0.5"),
        ({"resolution": 0.7}, "resolution must be a number above 0 and at most 0.5"),
        ({"tolerance": -1.0}, "tolerance must be at least 0"),
        ({"margin": -1.0}, "margin must be at least 0"),
    ],
)
def test_bad_settings_of_the_learner(wrong, sentence):
    with pytest.raises(ms.InvalidInput, match=sentence):
        BreakpointLearner(**wrong)
