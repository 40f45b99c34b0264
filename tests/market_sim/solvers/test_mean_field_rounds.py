"""The dynamic mean field: known answers, agreement of methods, honest failure."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.games.mean_field_flow import Response, flow
from market_sim.laws import Mixture, Uniform
from market_sim.solvers.mean_field_slope import supply_slope

BASE = {
    "cap": 1.3,
    "budget": 0.2,
    "rounds": 5,
    "reversion": 0.1,
    "volatility": 0.1,
    "curvature": 0.1,
    "cells": 15,
    "nodes": 16,
}
METHODS = ("newton", "damped", "fictitious-play", "mirror-descent")


def market(**changes):
    return ms.MeanFieldGame(Uniform(0, 1), Uniform(0.1, 5), **{**BASE, **changes})


@pytest.mark.parametrize("budget", [0.01, 0.3, 1.5])
def test_one_round_has_the_static_price(budget):
    still = {"reversion": 0.0, "volatility": 0.0, "curvature": 0.0, "rounds": 1, "cap": 5.0}
    found = market(**still, budget=budget).equilibrium()
    assert found.price[0] == pytest.approx(np.sqrt(budget / 2.55), abs=1e-10)
    assert found.converged
    law = Mixture((Uniform(0.1, 0.5), Uniform(2, 5)))
    other = ms.MeanFieldGame(Uniform(0, 1), law, 5.0, budget, rounds=1).equilibrium()
    assert other.price[0] == pytest.approx(ms.mean_field_price(Uniform(0, 1), law, budget))


def test_owners_with_plenty_of_privacy_play_the_static_game_in_each_round():
    game = ms.MeanFieldGame(Uniform(0, 1), 10.0, 2.0, [0.1, 0.3, 0.2, 0.05], rounds=4, nodes=41)
    found = game.equilibrium()
    static = [ms.mean_field_price(Uniform(0, 1), 2.0, money) for money in (0.1, 0.3, 0.2, 0.05)]
    assert_allclose(found.price, static, atol=1e-9)


def test_quadratic_costs_of_a_single_round():
    # v ~ U[0, 1], kappa = 1, no cap in the way: a = p - v where positive, E a = p^2 / 2 (p <= 1)
    game = ms.MeanFieldGame(
        Uniform(0, 1), 1.0, 1.0, 0.1, rounds=1, curvature=1.0, cells=50, nodes=401
    )
    assert game.equilibrium().price[0] == pytest.approx(0.2 ** (1 / 3), abs=1e-5)


def test_patient_owners_make_prices_equal():
    # Frozen values, no curvature: nobody would sell in a round that pays less. On the grid values
    # are drawn again within a cell, and the option to wait for a lower one is worth its width.
    frozen = {"volatility": 0.0, "reversion": 0.0, "curvature": 0.0}
    coarse, fine = (market(**frozen, cells=cells).equilibrium() for cells in (30, 120))
    assert fine.converged
    assert np.ptp(fine.price) < 2e-3
    assert 2.5 < np.ptp(coarse.price) / np.ptp(fine.price) < 6


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("changes", [{}, {"curvature": 0.0}, {"budget": [0.1, 0, 0.2, 0, 0.4]}])
def test_all_methods_agree_and_carry_their_evidence(method, changes):
    game = market(**changes)
    found = ms.solve_mean_field(game, method)
    assert found.converged, str(found)
    assert found.solver == method
    assert found.mass_error <= 1e-12
    assert found.clearing_error <= 1e-8
    assert -1e-12 < found.relative_exploitability <= 1e-4
    reference = game.equilibrium().price
    assert np.abs(found.price - reference).max() < (5e-3 if method == "fictitious-play" else 1e-8)
    assert found.price[np.broadcast_to(game.budget, 5) == 0].sum() == 0
    assert found.history.size == found.steps
    assert "converged in" in found.status


@pytest.mark.parametrize("method", METHODS)
def test_a_solve_that_is_cut_short_says_so(method):
    found = ms.solve_mean_field(market(), method, steps=2)
    assert not found.converged
    assert found.status.startswith("not converged")
    assert found.exploitability > 0
    assert np.isfinite(found.price).all()


def test_exploitability_notices_a_wrong_price():
    from market_sim.solvers.mean_field_result import certified

    game = market()
    right = game.equilibrium()
    for factor in (0.97, 1.03):
        wrong = right.price * np.array([factor, 1, 1, 1, 1])
        found = certified(game, wrong, Response(game, wrong), solver="none", history=[], steps=0)
        assert found.exploitability > 1e-6
        assert not found.converged


def test_money_that_nobody_takes_is_no_equilibrium():
    from market_sim.solvers.mean_field_result import certified

    game, price = market(), np.full(5, 1e-9)
    found = certified(game, price, Response(game, price), solver="none", history=[], steps=0)
    assert found.exploitability == np.inf
    assert not found.converged


def test_a_budget_that_never_binds_is_said():
    found = market(budget=[0.1, 9.0], rounds=2).equilibrium()
    assert found.converged
    assert found.binds
    assert "1 of 2 rounds, where the budget does not bind" in found.status
    most = np.minimum(found.game.left, found.game.cap)
    assert found.supply[-1] == pytest.approx((found.law[1] @ most).sum())


def test_the_slope_is_the_jacobian_of_supply():
    game, price = market(), np.array([0.6, 0.65, 0.7, 0.68, 0.72])
    response = Response(game, price)
    slope = supply_slope(game, response, flow(game, response).law)
    assert_allclose(slope, slope.T, atol=1e-14)
    assert np.linalg.eigvalsh(slope).min() > -1e-12
    for round_ in range(5):
        move = 1e-7 * np.eye(5)[round_]
        up, down = (flow(game, Response(game, price + s * move)).supply for s in (1, -1))
        assert_allclose((up - down) / 2e-7, slope[:, round_], atol=5e-3)  # kinks are crossed


def test_finer_grids_converge():
    prices = [market(cells=k, nodes=101).equilibrium().price for k in (10, 20, 40, 160)]
    errors = [np.abs(price - prices[-1]).max() for price in prices[:-1]]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() > 1.5
    nodes = [market(cells=20, nodes=n).equilibrium().price for n in (11, 21, 41, 161)]
    errors = [np.abs(price - nodes[-1]).max() for price in nodes[:-1]]
    assert np.log2(np.array(errors[:-1]) / errors[1:]).min() > 0.8


def test_the_coarse_start_changes_nothing():
    fine = market(cells=50, nodes=50).equilibrium()
    assert fine.converged
    assert np.abs(fine.price - market(cells=40, nodes=40).equilibrium().price).max() < 2e-3


def test_the_policy_is_what_the_law_was_made_with():
    found = market().equilibrium()
    game = found.game
    draws = (np.arange(400) + 0.5) / 400
    for round_ in (0, 4):
        for cell in (0, 7, 14):
            value = game.edges[cell] + game.width * draws[:, None]
            sold = found.policy(round_, value, game.left).mean(axis=0)
            assert_allclose(sold, found.amount[round_, cell], atol=game.step / 300)


def test_the_policy_is_feasible_and_falls_in_the_value():
    found = market().equilibrium()
    rng = np.random.default_rng(0)
    left = rng.uniform(0, 7, (50, 1))
    value = np.linspace(0, 2, 80)
    sold = found.policy(2, value, left)
    assert sold.shape == (50, 80)
    assert (sold >= 0).all()
    assert (sold <= np.minimum(left, 1.3) + 1e-12).all()
    cell = np.minimum(value / found.game.width, 14).astype(int)
    same = np.diff(cell) == 0
    assert np.diff(sold, axis=1)[:, same].max() <= 1e-12
    assert found.policy(2, 0.1, 0.0) == 0


def test_bad_input_is_refused():
    found = market(rounds=1).equilibrium()
    for call, message in (
        (lambda: ms.solve_mean_field(market(), "guess"), "unknown method"),
        (lambda: ms.solve_mean_field(market(), steps=0), "steps must be"),
        (lambda: ms.solve_mean_field(market(), tolerance=0), "tolerance must be"),
        (lambda: found.policy(1, 0.5, 1.0), "round must be below 1"),
        (lambda: found.policy(0, -0.5, 1.0), "value must be at least 0"),
    ):
        with pytest.raises(InvalidInput, match=message):
            call()


def test_a_solution_prints_its_evidence():
    text = str(market().equilibrium())
    assert "exploitability" in text
    assert "clearing error" in text


@pytest.mark.parametrize(("privacy", "budget"), [(3.0, 5.0), (Uniform(0.1, 5), [9.0, 0.0] * 2)])
def test_a_budget_that_buys_all_that_anyone_has_never_binds(privacy, budget):
    # No round need be full: what is sold early is missing later, so the total is what counts.
    game = ms.MeanFieldGame(
        Uniform(0, 1), privacy, 2.0, budget, rounds=np.size(budget) if np.ndim(budget) else 6
    ).refined(10, 11)
    with pytest.warns(ms.MarketSimWarning, match="never binds"):
        found = game.equilibrium()
    assert found.converged
    assert not found.binds
    dear = ms.MeanFieldGame(Uniform(0, 1), privacy, 2.0, 2.0 * game.money, rounds=game.rounds)
    with pytest.warns(ms.MarketSimWarning, match="raise the prices"):
        more = dear.refined(10, 11).equilibrium()
    assert more.supply.sum() == pytest.approx(found.supply.sum(), rel=1e-9)
    assert market().equilibrium().binds


COSTLY = {
    "value": Uniform(0, 1),
    "privacy": 20.0,
    "cap": 2.0,
    "budget": 0.05,
    "rounds": 20,
    "cells": 8,
    "nodes": 21,
}


@pytest.mark.parametrize("curvature", [0.5, 1.2, 1.5, 2.0, 5.0])
def test_fictitious_play_from_an_average_that_is_worth_nothing(curvature):
    game = ms.MeanFieldGame(**COSTLY, curvature=curvature)
    found = ms.solve_mean_field(game, "fictitious-play")
    assert found.relative_exploitability <= 1e-4
    assert_allclose(found.price, game.equilibrium().price, rtol=0.02)


def test_a_market_in_which_nobody_sells_fails_in_numbers_that_can_be_read():
    found = ms.MeanFieldGame(**COSTLY, curvature=1e6).equilibrium()
    assert not found.supply.any()
    assert found.relative_exploitability == np.inf
    assert "an exploitability of inf of the value and a clearing error of 1;" in found.status
    gap = found.players_gap(4, 0, 10)
    assert (gap.price_error, gap.idle) == (np.inf, 1.0)


def test_the_status_names_what_failed():
    found = ms.solve_mean_field(market(), "damped", tolerance=1e-6)
    assert found.relative_exploitability < 1e-4
    assert "with a clearing error of " in found.status
    assert "exploitability" not in found.status


def test_what_is_no_game_and_shapes_that_do_not_fit():
    with pytest.raises(InvalidInput, match="game must be a MeanFieldGame, got int"):
        ms.solve_mean_field(3)
    with pytest.raises(InvalidInput, match=r"value has shape \(2,\) and privacy_left \(3,\)"):
        market().equilibrium().policy(0, [0.1, 0.2], [1.0, 2.0, 3.0])
