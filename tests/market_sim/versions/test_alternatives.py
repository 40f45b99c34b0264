"""What else the broker could have done: a flat price, an auction for privacy."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.pricing import Survey
from market_sim.versions import OwnerNoise, auction_privacy, flat_price

COST = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
SIZE = np.full(5, 40.0)


def test_the_flat_price_earns_most_of_all_flat_prices():
    rng = np.random.default_rng(0)
    survey = Survey([0.1, 0.2], rng.integers(0, 2, 50), rng.lognormal(0, 1, 50))
    best = flat_price(survey)
    earned = survey.revenue(np.column_stack([survey.value, survey.value]))
    assert survey.revenue([best, best]) == pytest.approx(earned.max())


def test_an_auction_buys_whole_caps_within_its_budget():
    bought = auction_privacy(COST, SIZE, p=2.0, cap=2.0, budget=40.0, noise=OwnerNoise())
    won = bought.epsilon > 0
    assert 0 < won.sum() < 5
    assert np.all(bought.epsilon[won] == 2.0)
    assert bought.spent <= 40.0
    assert np.all(bought.payment >= bought.cost)
    assert np.array_equal(bought.cost[won], COST[won] * 4.0)
    assert bought.label == pytest.approx(float(OwnerNoise().global_label(bought.epsilon, SIZE)))


def test_nobody_gains_there_by_asking_for_more_than_her_cost():
    noise = OwnerNoise()
    honest = auction_privacy(COST, SIZE, p=1.0, cap=1.0, budget=9.0, noise=noise)
    for owner, factor in ((0, 1.5), (1, 1.2), (2, 0.5), (4, 0.2)):
        told = COST.copy()
        told[owner] *= factor
        found = auction_privacy(told, SIZE, p=1.0, cap=1.0, budget=9.0, noise=noise)
        lied = found.payment[owner] - COST[owner] * found.epsilon[owner]
        assert lied <= honest.payment[owner] - honest.cost[owner] + 1e-12


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cost": [1.0, -1.0]}, "cost"),
        ({"data_size": [1.0]}, "one number an owner"),
        ({"cap": 0.0}, "cap"),
        ({"cap": [1.0, 2.0]}, "cap one number"),
    ],
)
def test_bad_input(wrong, message):
    given = {"cost": [1.0, 2.0], "data_size": [3.0, 3.0], "p": 1.0, "cap": 1.0, "budget": 5.0}
    with pytest.raises(ms.InvalidInput, match=message):
        auction_privacy(**(given | wrong), noise=OwnerNoise())
