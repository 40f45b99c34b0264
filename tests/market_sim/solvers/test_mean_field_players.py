"""Finitely many owners beside the mean field."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.games.mean_field_flow import Response, policy_value
from market_sim.laws import Uniform
from market_sim.solvers.mean_field_players import unit_revenue


@pytest.fixture(scope="module")
def solution():
    game = ms.MeanFieldGame(
        Uniform(0, 1),
        Uniform(0.1, 5),
        1.3,
        [0.2, 0.0, 0.3],
        rounds=3,
        volatility=0.1,
        curvature=0.1,
        cells=12,
        nodes=14,
    )
    return game.equilibrium()


def test_many_owners_sell_what_the_mean_field_says(solution):
    sold = solution.simulate(40_000, seed=1, markets=6) / 40_000
    spread = sold.std(axis=0) / np.sqrt(6)
    assert (np.abs(sold.mean(axis=0) - solution.supply) <= 5 * spread + 1e-12).all()
    assert (sold[:, 1] == 0).all()


def test_the_same_seed_gives_the_same_market(solution):
    one, two, other = (solution.simulate(50, seed=s, markets=3) for s in (4, 4, 5))
    assert one.tolist() == two.tolist() != other.tolist()


def test_revenue_without_noise_is_the_formula(solution):
    game = solution.game
    expected = 9 * solution.supply
    table = unit_revenue(game, np.tile(expected, (2, 1)), expected, 10)
    amount = np.cumsum(game.units)
    total = 10 * game.money[:, None] * amount / (expected[:, None] + amount)
    assert_allclose(np.cumsum(table * game.units, axis=1), total)
    assert (np.diff(table, axis=1) <= 0).all()


def test_the_control_leaves_the_mean_alone(solution):
    game = solution.game
    others = solution.simulate(299, seed=2, markets=4000)
    plain = unit_revenue(game, others, others.mean(axis=0), 300)
    controlled = unit_revenue(game, others, 299 * solution.supply, 300)
    assert_allclose(plain, controlled, rtol=0.01)
    half = unit_revenue(game, others[:40], 299 * solution.supply, 300)
    raw = unit_revenue(game, others[:40], others[:40].mean(axis=0), 300)
    assert np.abs(half - controlled).max() < 0.5 * np.abs(raw - controlled).max()


def test_a_deviation_gains_less_among_more_owners(solution):
    gaps = [solution.players_gap(n, seed=1, markets=m) for n, m in ((10, 4000), (100, 1000))]
    assert gaps[0].gain > 30 * gaps[1].gain > 0
    assert gaps[0].price_error > 2 * gaps[1].price_error > 0
    assert gaps[1].idle == 0
    assert gaps[0].relative_gain > gaps[0].gain / solution.mean_value


def test_no_other_policy_gains_more(solution):
    game, owners = solution.game, 20
    gap = solution.players_gap(owners, seed=3, markets=2000)
    others = solution.simulate(owners - 1, 3, 2000)
    table = unit_revenue(game, others, (owners - 1) * solution.supply, owners)

    def worth(policy):
        return float((game.initial_law * policy_value(game, policy, table)[0]).sum())

    followed = worth(solution.response)
    rng = np.random.default_rng(0)
    for _ in range(30):
        other = Response(game, solution.price * rng.uniform(0.5, 1.2, 3))
        assert worth(other) - followed <= gap.gain + 1e-12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.simulate(0, 1), "owners must be"),
        (lambda s: s.simulate(5, -1), "seed must be"),
        (lambda s: s.simulate(5, 1, markets=0), "markets must be"),
        (lambda s: s.players_gap(1, 1), "at least 2"),
    ],
)
def test_bad_input_is_refused(solution, call, message):
    with pytest.raises(InvalidInput, match=message):
        call(solution)
