"""Lies about costs to a broker who computes the equilibrium: some of them pay."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.games.contest_reports import misreport_gains

FACTORS = [0.5, 0.7, 0.9, 1.0, 1.1, 1.5, 2.0]


def shares(seed, owners, p):
    cost = np.random.default_rng(seed).random(owners) + 0.5
    return misreport_gains(ms.RewardContest(cost, None, 1, p), 1.0, FACTORS)


def test_gains_by_hand():
    """Two owners, q = p = 1: z = c_j / (c_i + c_j), epsilon = R c_j / (c_i + c_j)^2."""
    found = misreport_gains(ms.RewardContest([1.0, 2.0]), 5.0, [1.0, 3.0], owners=[1])
    lie, truth = 6.0, 2.0
    utility = [5 / (1 + c) - 2.0 * 5 * 1.0 / (1 + c) ** 2 for c in (truth, lie)]
    np.testing.assert_allclose(found.gain, [[0.0, utility[1] - utility[0]]], atol=1e-14)
    assert found.owners.tolist() == [1]


def test_about_a_quarter_of_the_lies_pay_in_small_markets():
    paying = np.mean([shares(seed, 5, 1.0).paying for seed in range(6)])
    assert 0.15 < paying < 0.35


def test_truth_gains_nothing_and_crowds_make_lies_useless():
    few, many = shares(1, 5, 2.0), shares(1, 20, 2.0)
    np.testing.assert_allclose(few.gain[:, 3], 0.0, atol=1e-15)
    assert few.liars > 0.5
    assert many.paying == 0.0
    assert few.pool == 1.0


@pytest.mark.parametrize(
    ("factors", "owners", "message"),
    [
        ([1.0], None, "other than 1"),
        (0.5, None, "other than 1"),
        ([0.0, 1.0], None, "factors must be greater than 0"),
        ([2.0], [2], "numbers from 0 to 1"),
        ([2.0], [], "numbers from 0 to 1"),
        ([2.0], [0.5], "numbers from 0 to 1"),
    ],
)
def test_bad_input(factors, owners, message):
    with pytest.raises(InvalidInput, match=message):
        misreport_gains(ms.RewardContest([1.0, 2.0]), 1.0, factors, owners)
