"""Floors that cost more than they pay: who leaves a contest, and who would come back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.games import contest as module


def by_hand(contest, pool):
    """Drop the most negative owner and solve again, with forced floors among those left."""
    rules, kept, left = contest.rules, np.arange(contest.owners), []
    while kept.size:
        part = ms.RewardContest(
            rules.cost[kept],
            rules.size[kept],
            rules.q,
            rules.p,
            rules.low[kept],
            rules.high[kept],
            participation=False,
        ).equilibrium(pool)
        if part.utility.min() >= -1e-12 * pool:
            break
        worst = int(part.utility.argmin())
        left.append(int(kept[worst]))
        kept = np.delete(kept, worst)
    return left


@settings(max_examples=50)
@given(
    st.lists(st.floats(0.05, 20.0), min_size=1, max_size=8),
    st.sampled_from([(1, 1), (1, 1.5), (0.5, 2)]),
    st.floats(0.1, 100.0),
    st.floats(0.01, 3.0),
)
def test_whoever_loses_most_leaves_until_nobody_loses(cost, powers, pool, low):
    size = np.linspace(1, 2, len(cost))
    contest = ms.RewardContest(cost, size, *powers, low=low, high=2 * low)
    found = contest.equilibrium(pool)
    assert found.dropped.tolist() == by_hand(contest, pool)
    assert (found.utility >= -1e-12 * pool).all()
    assert found.regret <= 1e-10 * pool
    assert (found.epsilon[found.dropped] == 0).all()
    assert (found.payment[found.dropped] == 0).all()


def test_the_status_names_who_left():
    found = ms.RewardContest([1.0, 1.2, 50.0], None, 1, 2, low=0.5, high=0.6).equilibrium(2.0)
    assert found.dropped.tolist() == [2]
    assert found.entry_regret == 0.0
    assert "2 of 3 owners share the pool" in found.status
    assert "1 left because the floor would cost more than it pays" in found.status
    assert str(found).startswith("2 owners share 2:")
    np.testing.assert_array_equal(found.active, [True, True, False])
    np.testing.assert_allclose(found.cost, [0.25, 1.2 * 0.25, 0.0])


def test_nobody_takes_part():
    found = ms.RewardContest([1.0, 2.0], low=10.0).equilibrium(1.0)
    np.testing.assert_array_equal(found.epsilon, [0, 0])
    np.testing.assert_array_equal(found.payment, [0, 0])
    assert found.total == 0.0
    assert found.dropped.tolist() == [1, 0]
    assert found.regret == 0.0
    assert found.status.startswith("nobody takes part")


def test_an_owner_who_left_may_wish_to_come_back():
    """Out, she would come back; in, the others settle so that she loses: no rest either way."""
    rng = np.random.default_rng(4)
    wishes = 0
    for _ in range(120):
        contest = ms.RewardContest(
            np.exp(rng.standard_normal(4)), None, 1, 1, np.exp(rng.standard_normal(4))
        )
        result = contest.equilibrium(8.0)
        gains = contest.deviation_gains(result.epsilon, 8.0)
        inside = np.setdiff1d(np.arange(4), result.dropped)
        assert result.regret == pytest.approx(max(0.0, gains[inside].max(initial=0.0)), abs=1e-15)
        wishes += result.entry_regret > 1e-9
        assert result.entry_regret >= gains[result.dropped].max(initial=0.0)
    assert 0 < wishes < 30


@pytest.mark.parametrize("sizes", [(1, 2), (1, 60)])
def test_a_crowd_leaves_together_and_the_rest_are_content(monkeypatch, sizes):
    """With equal floors a crowd ends where one at a time would."""
    rng = np.random.default_rng(0)
    contest = ms.RewardContest(
        np.exp(rng.standard_normal(400)), rng.integers(*sizes, 400), 1, 2, low=0.03
    )
    slow = contest.equilibrium(1.0)
    monkeypatch.setattr(module, "CROWD", 20)
    fast = contest.equilibrium(1.0)
    assert len(slow.dropped) > 100
    assert fast.steps < slow.steps / 4
    assert fast.utility.min() >= -1e-15
    assert fast.entry_regret <= 1e-10
    if sizes == (1, 2):
        assert set(fast.dropped) == set(slow.dropped)
    assert abs(len(fast.dropped) - len(slow.dropped)) <= 3


def test_a_crowd_in_which_everybody_loses(monkeypatch):
    monkeypatch.setattr(module, "CROWD", 1)
    found = ms.RewardContest([1.0, 2.0, 3.0], low=10.0).equilibrium(1.0)
    assert found.dropped.tolist() == [2, 1, 0]
    assert found.regret == found.entry_regret == 0.0


def test_leaving_is_a_deviation_where_it_is_allowed():
    rules = {"cost": [1.0, 50.0], "p": 2, "low": 0.5, "high": 0.6}
    free, forced = (ms.RewardContest(**rules, participation=x) for x in (True, False))
    play = [0.6, 0.5]
    loss = -free.utility(play, 2.0)[1]
    assert loss > 10
    assert free.deviation_gains(play, 2.0)[1] == pytest.approx(loss)
    assert forced.deviation_gains(play, 2.0)[1] == 0.0
