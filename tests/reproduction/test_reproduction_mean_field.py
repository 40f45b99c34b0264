"""The mean field at its full size, and how fast finitely many owners approach it."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.laws import Uniform
from market_sim.solvers import static_regret

pytestmark = pytest.mark.slow

OWNERS = np.array([100, 316, 1000, 3162, 10_000])


def slope(measured):
    return np.polyfit(np.log(OWNERS), np.log(measured), 1)[0]


@pytest.mark.parametrize("curvature", [0.0, 0.1, 1.0])
def test_a_hundred_by_a_hundred_states_and_fifty_rounds(curvature):
    found = ms.MeanFieldGame(
        Uniform(0, 1),
        Uniform(0.1, 5),
        0.5,
        0.05,
        rounds=50,
        reversion=0.1,
        volatility=0.1,
        curvature=curvature,
    ).equilibrium()
    assert found.converged
    assert abs(found.relative_exploitability) <= 1e-10
    assert found.mass_error <= 1e-12
    assert found.clearing_error <= 1e-8


def test_a_deviation_gains_less_than_one_over_root_n():
    game = ms.MeanFieldGame(
        Uniform(0, 1),
        Uniform(0.1, 5),
        1.3,
        0.2,
        rounds=6,
        reversion=0.1,
        volatility=0.1,
        curvature=0.1,
        cells=20,
        nodes=21,
    )
    found = game.equilibrium()
    gaps = [found.players_gap(int(n), seed=0, markets=max(40, 200_000 // n)) for n in OWNERS]
    assert -2.2 < slope([gap.relative_gain for gap in gaps]) < -1.6
    assert -0.56 < slope([gap.price_error for gap in gaps]) < -0.44


def test_ex_post_regret_of_the_static_price():
    price = ms.mean_field_price(Uniform(0, 1), Uniform(0.1, 5), 0.5)
    mean, worst = [], []
    for owners in OWNERS:
        rng = np.random.default_rng(int(owners))
        shape = (max(20, 200_000 // owners), int(owners))
        value, cap = rng.uniform(0, 1, shape), rng.uniform(0.1, 5, shape)
        gain = static_regret(value, cap, 0.5 * owners, price)
        mean.append(gain.mean())
        worst.append(gain.max(axis=1).mean())
    assert -1.2 < slope(mean) < -0.85
    assert -0.65 < slope(worst) < -0.25
