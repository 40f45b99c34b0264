"""N-player gaps: markets of agents agree with arrays, and the slope is what it should be."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import market_sim as ms
from agents.following import PriceTaking
from agents.mean_field_gap import (
    _following_market,
    _market,
    _static_gain,
    dynamic_gap,
    fitted_slope,
    replacement_gain,
    static_gap,
)
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.laws import Uniform
from market_sim.solvers.mean_field_players import players_gap, simulate
from market_sim.solvers.mean_field_static import static_regret

VALUE, CAP = Uniform(0.0, 1.0), Uniform(0.1, 5.0)


@pytest.fixture(scope="module")
def solved():
    game = MeanFieldGame(
        VALUE, 2.0, 1.0, 0.2, rounds=4, reversion=0.1, volatility=0.15, cells=12, nodes=9
    )
    solution = game.equilibrium()
    assert solution.converged
    return solution


@pytest.mark.parametrize("owners", [2, 7, 60])
@pytest.mark.parametrize("price", [0.05, 0.44, 2.0])
def test_the_static_gain_is_that_of_arrays(owners, price):
    rng = np.random.default_rng(owners)
    value, cap = VALUE.sample(rng, (owners,)), CAP.sample(rng, (owners,))
    people = ms.Population(ms.Valuations.linear(value), cap)
    market = _market(people, 0.5 * owners, PriceTaking(price), 1)
    market.step()
    gain = _static_gain(market, 0.5 * owners)
    assert_allclose(gain, static_regret(value, cap, 0.5 * owners, price), atol=1e-10)
    assert (gain >= -1e-12).all()


def test_no_amount_on_a_grid_beats_the_static_best():
    rng = np.random.default_rng(5)
    value, cap, money = VALUE.sample(rng, (9,)), CAP.sample(rng, (9,)), 4.5
    people = ms.Population(ms.Valuations.linear(value), cap)
    market = _market(people, money, PriceTaking(0.44), 1)
    market.step()
    table = market.tables()["owners"]
    others = table["epsilon"].sum() - table["epsilon"]
    part = np.linspace(1e-6, 1.0, 4001)[:, None] * cap
    best = (money * part / (others + part) - value * part).max(axis=0)
    idle = np.maximum(best, 0.0)
    assert_allclose(_static_gain(market, money), idle - table["utility"], atol=1e-5)


def test_the_static_gap_falls_with_n():
    gap = static_gap(VALUE, CAP, 0.5, [30, 300, 3000], estimates=8, seed=1)
    assert gap.gap.shape == (3, 8)
    assert (np.diff(gap.gap.mean(axis=1)) < 0).all()
    low, high = gap.interval
    assert low < gap.slope < high
    assert gap.slope == pytest.approx(-1.0, abs=0.25)
    assert "slope -" in str(gap)
    again = static_gap(VALUE, CAP, 0.5, [30, 300, 3000], estimates=8, seed=1)
    assert_allclose(again.gap, gap.gap, rtol=0)


def test_markets_of_agents_sell_what_the_mean_field_says(solved):
    owners = 4000
    market = _following_market(solved, owners, 3)
    market.run(4)
    sold = market.tables()["owners"]["epsilon"].reshape(4, owners).mean(axis=1)
    assert_allclose(sold, solved.supply, rtol=0.05)
    arrays = simulate(solved, owners, 3)[0] / owners
    assert_allclose(sold, arrays, rtol=0.07)
    with pytest.raises(ms.InvalidInput, match="round must be below 4"):
        market.step()


@pytest.mark.parametrize("foresight", [False, True])
def test_the_dynamic_gap_agrees_with_arrays(solved, foresight):
    owners, batch = 30, 5
    count = {"estimates": 4, "markets": batch}
    gap = dynamic_gap(solved, [owners, 300], **count, foresight=foresight, seed=2)
    sold = simulate(solved, owners - 1, 4, markets=200).reshape(40, batch, -1)
    arrays = [replacement_gain(solved, part, owners, foresight=foresight) for part in sold]
    error = np.hypot(gap.gap[0].std() / np.sqrt(4), np.std(arrays) / np.sqrt(40))
    assert abs(gap.gap[0].mean() - np.mean(arrays)) < 4 * error
    assert gap.gap[1].mean() < 0.5 * gap.gap[0].mean()


def test_foresight_pays_and_the_law_is_what_arrays_know(solved):
    others = simulate(solved, 99, 4, markets=300)
    law = replacement_gain(solved, others, 100)
    assert law == pytest.approx(players_gap(solved, 100, 1, 300).gain, rel=0.3)
    assert replacement_gain(solved, others[:1], 100, foresight=True) > law > 0


def test_against_the_mean_field_itself_nothing_is_gained(solved):
    owners = 10**9
    gain = replacement_gain(solved, solved.supply[None] * owners, owners, foresight=True)
    assert gain == pytest.approx(0.0, abs=1e-7 * solved.mean_value)


def test_the_slope_of_a_known_power():
    size = np.array([10.0, 100.0, 1000.0])
    noise = np.random.default_rng(0).lognormal(0.0, 0.2, (3, 50))
    slope, (low, high) = fitted_slope(size, noise * size[:, None] ** -0.5, np.random.default_rng(1))
    assert low < -0.5 < high
    assert slope == pytest.approx(-0.5, abs=0.03)
    assert high - low < 0.08


@pytest.mark.slow
def test_the_slope_from_ten_to_ten_thousand(solved):
    sizes = [10, 32, 100, 316, 1000, 3162, 10_000]
    static = static_gap(VALUE, CAP, 0.5, sizes, estimates=40)
    assert static.interval[0] < -1.0 < static.interval[1]
    foreseen = dynamic_gap(solved, sizes, estimates=12, markets=1, foresight=True)
    assert foreseen.interval[1] < -0.5
    known = dynamic_gap(solved, sizes[:5], estimates=4, markets=8)
    assert known.slope < foreseen.slope


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"budget": 0.0}, "budget"),
        ({"sizes": [10]}, "sizes"),
        ({"sizes": [1, 10]}, "sizes"),
        ({"estimates": 1}, "estimates"),
    ],
)
def test_bad_input(change, name):
    given = {"budget": 0.5, "sizes": [10, 20], "estimates": 2} | change
    budget, sizes = given.pop("budget"), given.pop("sizes")
    with pytest.raises(ms.InvalidInput, match=name):
        static_gap(VALUE, CAP, budget, sizes, **given)


def test_a_budget_that_changes_is_refused():
    game = MeanFieldGame(VALUE, 2.0, 1.0, [0.2, 0.3], rounds=2, cells=4, nodes=5)
    with pytest.raises(ms.InvalidInput, match="same budget"):
        dynamic_gap(game.equilibrium(), [10, 20])
