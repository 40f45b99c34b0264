"""The mean field game: transitions, laws, rewards, and that forward is the adjoint of backward."""

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.games.mean_field_flow import Response, TableShares, flow, policy_value
from market_sim.games.mean_field_grid import reflected_kernel, units_of
from market_sim.games.mean_field_laws import node_shares
from market_sim.laws import LogNormal, Mixture, Uniform

SMALL = {"cap": 1.3, "budget": 0.2, "rounds": 4, "cells": 5, "nodes": 7}
MOVING = {"reversion": 0.2, "volatility": 0.15, "curvature": 0.3}


def small(**changes):
    return ms.MeanFieldGame(Uniform(0, 1), Uniform(0.1, 3), **{**SMALL, **MOVING, **changes})


@pytest.mark.parametrize(("reversion", "volatility"), [(0, 0), (0.5, 0), (0, 0.3), (2, 0.1)])
def test_the_kernel_keeps_mass_and_sign(reversion, volatility):
    kernel = reflected_kernel(np.linspace(0, 1, 31), reversion, 0.4, volatility)
    assert kernel.min() >= 0
    assert_allclose(kernel.sum(axis=1), 1, atol=1e-15)
    if reversion == volatility == 0:
        assert_allclose(kernel, np.eye(30))


def test_the_kernel_has_the_moments_of_the_diffusion():
    edges = np.linspace(0, 10, 401)  # far from the ends nothing is reflected
    middle = 0.5 * (edges[1:] + edges[:-1])
    row = reflected_kernel(edges, 0.5, 5.0, 0.4)[160]
    start, fade = middle[160], np.exp(-0.5)
    assert row @ middle == pytest.approx(5 + (start - 5) * fade, abs=1e-3)
    spread = row @ middle**2 - (row @ middle) ** 2
    assert spread == pytest.approx(0.4**2 * (1 - fade**2) / (2 * 0.5), rel=2e-2)


def test_values_settle_in_the_truncated_normal_law():
    edges = np.linspace(0, 1, 101)
    law = np.full(100, 0.01) @ np.linalg.matrix_power(reflected_kernel(edges, 0.3, 0.4, 0.2), 400)
    scale = 0.2 / np.sqrt(0.6)
    ends = (0 - 0.4) / scale, (1 - 0.4) / scale
    expected = np.diff(scipy.stats.truncnorm(*ends, 0.4, scale).cdf(edges))
    assert np.abs(law - expected).max() < 2e-5


def test_units_end_with_what_is_left_of_the_cap():
    assert_allclose(units_of(1.3, 0.5, 7), [0.5, 0.5, 0.3])
    assert_allclose(units_of(1.0, 0.5, 7), [0.5, 0.5])
    assert_allclose(units_of(0.2, 0.5, 7), [0.2])
    assert_allclose(units_of(99, 0.5, 4), [0.5] * 3)


@pytest.mark.parametrize(
    "law", [Uniform(0.1, 5), Mixture((Uniform(0.1, 0.5), Uniform(2, 5))), scipy.stats.beta(2, 3)]
)
def test_nodes_keep_mass_and_mean(law):
    mean = law.mean() if callable(law.mean) else law.mean
    high = (law.support() if callable(law.support) else law.support)[1]
    for nodes in (2, 8, 100):
        game = ms.MeanFieldGame(Uniform(0, 1), law, 1.0, 0.2, rounds=1, nodes=nodes, cells=3)
        shares = game.initial_law.sum(axis=0)
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1, abs=1e-14)
        assert shares @ game.left == pytest.approx(mean, abs=1e-9)
        assert game.left[-1] == high


def test_nodes_split_a_number_between_neighbors():
    shares = node_shares(Uniform(0.2, 0.4), np.array([0.0, 1.0, 2.0]))
    assert_allclose(shares, [0.7, 0.3, 0.0], atol=1e-14)


def test_one_number_of_privacy_and_an_unbounded_value():
    game = ms.MeanFieldGame(
        LogNormal(0, 0.5), 3.0, 1.0, 0.2, rounds=2, value_range=(0, 4), cells=8, nodes=5
    )
    assert game.initial_law[:, -1].sum() == pytest.approx(1)
    inside = LogNormal(0, 0.5).cdf([0.5, 1.0])
    share = (inside[1] - inside[0]) / LogNormal(0, 0.5).cdf(4.0)
    assert game.initial_law[1].sum() == pytest.approx(share)


def test_backward_and_forward_are_adjoint():
    rng = np.random.default_rng(0)
    game = small()
    table = np.sort(rng.random((4, 5, 7, game.units.size)), axis=-1)[..., ::-1]
    price = rng.random(4)
    policy = TableShares(table)
    made = flow(game, policy)
    backward = (game.initial_law * policy_value(game, policy, price)[0]).sum()
    assert backward == pytest.approx(price @ made.supply - made.cost, abs=1e-14)
    assert made.mass_error < 1e-14
    assert made.law.min() >= -1e-17


def test_privacy_that_leaves_the_owners_is_what_is_sold():
    game = small()
    made = flow(game, Response(game, np.array([0.5, 0.7, 0.6, 0.8])))
    left = made.law.sum(axis=1) @ game.left
    assert_allclose(-np.diff(left), made.supply, atol=1e-14)


def test_supply_is_the_gradient_of_the_value():
    game, price = small(), np.array([0.5, 0.7, 0.6, 0.8])
    supply = flow(game, Response(game, price)).supply
    for round_ in range(4):
        move = 1e-6 * np.eye(4)[round_]
        up, down = (Response(game, price + s * move).mean_value for s in (1, -1))
        assert (up - down) / 2e-6 == pytest.approx(supply[round_], abs=1e-6)


def slow_value(game, price, draws):
    """Maximize over every number of units at every value of a fine row within each cell."""
    value = np.zeros((game.cells, game.nodes))
    inner = (np.arange(draws) + 0.5) / draws
    for round_ in reversed(range(game.rounds)):
        keep = game.kernel @ value
        best = np.zeros_like(value)
        for cell in range(game.cells):
            values = game.edges[cell] + game.width * inner
            for node in range(game.nodes):
                options = [np.full(draws, keep[cell, node])]
                reward, after = np.zeros(draws), keep[cell, node]
                for unit, size in enumerate(game.units[:node]):
                    part = size / game.step
                    after += part * (keep[cell, node - unit - 1] - keep[cell, node - unit])
                    reward = reward + size * (price[round_] - values - game.unit_cost[unit])
                    options.append(reward + after)
                best[cell, node] = np.max(options, axis=0).mean()
        value = best
    return value


@pytest.mark.parametrize("changes", [{}, {"curvature": 0.0}, {"cap": 0.2}, {"cap": 9.0}])
def test_the_best_response_is_the_maximum_over_all_amounts(changes):
    game, price = small(**changes), np.array([0.5, 0.9, 0.6, 0.8])
    found = Response(game, price).value[0]
    assert np.abs(found - slow_value(game, price, 400)).max() < 1e-6


def test_the_value_is_concave_in_privacy():
    value = Response(small(), np.array([0.5, 0.9, 0.6, 0.8])).value
    assert np.diff(value, 2, axis=2).max() < 1e-14


def test_the_cost_of_curvature_is_exact_at_nodes():
    game = small(cap=1.0, nodes=13)
    sold = np.cumsum(game.units)
    assert_allclose(np.cumsum(game.units * game.unit_cost), 0.5 * 0.3 * sold**2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": 0.0}, "0 in every round"),
        ({"budget": [1.0, 2.0]}, "one for each of the 4 rounds"),
        ({"budget": -1.0}, "at least 0"),
        ({"rounds": 0}, "rounds must be a whole number"),
        ({"nodes": 1}, "nodes must be a whole number of at least 2"),
        ({"cap": 0.0}, "cap must be greater than 0"),
        ({"cap": [1.0, 2.0]}, "cap must be one number"),
        ({"volatility": -0.1}, "volatility must be at least 0"),
        ({"mean_value": -0.1}, "mean_value must be at least 0"),
        ({"value_range": (0.5, 0.5)}, "low < high"),
        ({"value_range": (2.0, 3.0)}, "no probability"),
        ({"value_range": (0.5, 0.5 + 1e-14)}, "too narrow"),
        ({"curvature": [0.1, 0.2]}, "curvature must be one number"),
        ({"value": LogNormal(0, 1)}, "unbounded: give value_range"),
        ({"value": 0.5}, "must be a law"),
        ({"privacy": LogNormal(0, 1)}, "law of privacy is unbounded"),
        ({"privacy": 0.0}, "privacy must be greater than 0"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(changes, message):
    arguments = {"value": Uniform(0, 1), "privacy": 3.0, **SMALL, **changes}
    with pytest.raises(InvalidInput, match=message):
        ms.MeanFieldGame(**arguments)


def test_very_fast_values_forget_where_they_were():
    edges = np.linspace(0.0, 1.0, 11)
    for volatility in (1e3, 1e9, 1e200):
        assert_allclose(reflected_kernel(edges, 0.3, 0.2, volatility), 0.1, rtol=1e-5)
    assert_allclose(reflected_kernel(edges * 1e-200, 0.3, 0.2, 1.0), 0.1, rtol=1e-12)


def test_the_law_at_rest_goes_over_into_the_kernel():
    edges = np.linspace(0.0, 1.0, 11)
    slow, fast = (reflected_kernel(edges, 5e3, 0.2, s) for s in (44.999, 45.023))  # limit: 45.016
    assert_allclose(fast, slow, rtol=3e-3)
    assert slow[0, 1] > 1.5 * slow[0, -1]  # reversion holds them around 0.2


def test_drift_beyond_double_precision_is_refused(monkeypatch):
    def singular(matrix):
        raise np.linalg.LinAlgError

    monkeypatch.setattr(np.linalg, "inv", singular)
    with pytest.raises(InvalidInput, match="move too fast for double precision"):
        reflected_kernel(np.linspace(0.0, 1.0, 11), 1.0, 0.5, 0.1)
