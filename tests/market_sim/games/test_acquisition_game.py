"""The data acquisition game: payoffs, gains, potential and regret."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import (
    AcquisitionGame,
    DPMeanEstimation,
    FederatedMeanEstimation,
    SymmetricUtility,
    TableUtility,
    fair_values,
)

SIZE = [100.0, 10.0, 10.0, 100.0]
COSTS = [[0, 0.1, 0.5], [0, 0.1, 0.4], [0, 0.1, 0.4], [0, 0.2, 4.0]]
PROFILES = np.array(list(itertools.product(range(3), repeat=4)))


@pytest.fixture(scope="module")
def game():
    return AcquisitionGame(FederatedMeanEstimation(SIZE, r2=1.0, s2=100.0), COSTS)


@st.composite
def random_games(draw):
    users, levels = draw(st.integers(1, 4)), draw(st.integers(2, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    table = rng.normal(size=(levels,) * users)
    table[(0,) * users] = 0.0
    costs = rng.uniform(0, 1, (users, levels))
    costs[:, 0] = 0.0
    return AcquisitionGame(TableUtility(table), costs), rng.integers(0, levels, users)


@settings(max_examples=40)
@given(random_games(), st.floats(0, 1))
def test_a_move_changes_the_potential_by_what_the_mover_gains(pair, alpha):
    game, profile = pair
    gains = game.deviation_gains(profile, alpha)
    for user, level in itertools.product(range(game.users), range(game.levels)):
        moved = profile.copy()
        moved[user] = level
        change = game.potential(moved, alpha) - game.potential(profile, alpha)
        assert gains[user, level] == pytest.approx(float(change), abs=1e-12)
        own = game.payoff(moved, alpha)[user] - game.payoff(profile, alpha)[user]
        assert gains[user, level] == pytest.approx(own, abs=1e-12)
    assert game.regret(profile, alpha) == pytest.approx(gains.max(), abs=1e-12)
    assert gains[np.arange(game.users), profile] == pytest.approx(0.0, abs=1e-15)


def test_payoffs_are_shares_of_fair_payments_less_costs(game):
    values = fair_values(game.utility, PROFILES, method="types")
    assert game.payments(PROFILES) == pytest.approx(values.users, abs=1e-11)
    payoff = game.payoff(PROFILES, 0.3)
    assert payoff == pytest.approx(0.3 * values.users - game.cost(PROFILES), abs=1e-11)
    assert game.value(PROFILES) == pytest.approx(values.utility)
    assert game.platform_utility(PROFILES, 0.3) == pytest.approx(0.7 * values.utility)


def test_the_table_and_single_payments_agree(game):
    direct = [game.regret(profile, 0.13) for profile in PROFILES[::7]]
    table = game.deviation_gains(PROFILES[::7], 0.13).max(axis=(1, 2))
    assert direct == pytest.approx(table, abs=1e-11)
    assert game.payment_gains(PROFILES[::7]).shape == (12, 4, 3)


def test_users_are_grouped_by_data_and_costs(game):
    assert game.kinds.tolist() == [1, 0, 0, 1]
    assert len(set(game.groups.tolist())) == 3
    assert game.groups[1] == game.groups[2]
    counts = game.counts(PROFILES)
    assert counts.shape == (81, 2, 3)
    assert (counts.sum(axis=(1, 2)) == 4).all()


def test_many_different_users_are_served_without_a_table():
    size = np.arange(1.0, 21.0)
    costs = np.column_stack([np.zeros(20), np.full(20, 0.1), np.ones(20)])
    game = AcquisitionGame(FederatedMeanEstimation(size, r2=1.0, s2=1.0), costs)
    assert not game.tabulated
    profile = np.zeros(20, dtype=int)
    profile[:4] = [2, 1, 1, 2]
    small = AcquisitionGame(FederatedMeanEstimation(size, r2=1.0, s2=1.0), costs)
    assert game.payoff(profile, 0.5)[4:] == pytest.approx(0.0)
    gains = small.deviation_gains(profile, 0.5)
    assert gains.shape == (20, 3)
    moved = profile.copy()
    moved[7] = 2
    assert gains[7, 2] == pytest.approx(small.payoff(moved, 0.5)[7] - small.payoff(profile, 0.5)[7])


def test_private_levels_can_give_data():
    costs = [[0, 0.1]] * 3
    game = AcquisitionGame(
        DPMeanEstimation(3), costs, level_values=(1.0, np.inf), private_gives=True
    )
    for profile in itertools.product(range(2), repeat=3):
        levels = game.level_values[np.array(profile)]
        paid = fair_values(game.utility, levels, method="subsets").users
        assert game.payments(profile) == pytest.approx(paid, abs=1e-13)
        assert game.deviation_gains(profile, 0.4).max() == pytest.approx(
            float(game.regret(profile, 0.4)), abs=1e-13
        )


def test_a_million_users_are_set_up_quickly_and_paid():
    users = 1_000_000
    costs = np.zeros((users, 2))
    costs[:, 1] = np.linspace(0, 1, users)
    k = np.arange(users + 1.0)
    game = AcquisitionGame(SymmetricUtility(k / (k + 2)), costs)
    profile = (np.arange(users) < 10).astype(int)
    assert game.payments(profile)[0] == pytest.approx(10 / 12 / 10)
    assert game.potential(profile) == pytest.approx((1 / (k[1:11] + 2)).sum() - costs[:10].sum())


def test_a_function_may_be_the_utility():
    game = AcquisitionGame(lambda levels: levels.sum(axis=1), [[0, 0.5], [0, 1.5]])
    assert game.payoff([1, 1]) == pytest.approx([0.5, -0.5])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"costs": [[0.1, 1.0], [0.0, 1.0]]}, "column 0"),
        ({"costs": [[0.0, -1.0], [0.0, 1.0]]}, "at least 0"),
        ({"costs": [[0.0, np.inf], [0.0, 1.0]]}, "finite"),
        ({"costs": [[0.0, np.nan], [0.0, 1.0]]}, "NaN"),
        ({"costs": [0.0, 1.0]}, "users, levels"),
        ({"costs": [[0.0], [0.0]]}, "at least two levels"),
        ({"costs": [[0.0, 1.0]] * 3}, "2 users"),
        ({"utility": lambda levels: levels.sum(axis=1) + 1}, "no data must be 0"),
        ({"utility": "data"}, "utility must be"),
        ({"level_values": (1.0, 2.0)}, "must start at 0"),
        ({"level_values": (0.0, 0.0)}, "ascend"),
        ({"level_values": (0.0, 2.0, 3.0)}, "one number a level"),
        ({"level_values": (0.0, np.nan)}, "NaN"),
        ({"level_values": (-1.0, 1.0)}, "at least 0"),
    ],
)
def test_bad_games_are_refused(change, words):
    arguments = {"utility": DPMeanEstimation(2), "costs": [[0.0, 1.0], [0.0, 1.0]]} | change
    with pytest.raises(InvalidInput, match=words):
        AcquisitionGame(arguments.pop("utility"), arguments.pop("costs"), **arguments)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, np.nan, [0.1, 0.2]])
def test_a_share_outside_of_zero_to_one_is_refused(game, alpha):
    for method in (game.payoff, game.deviation_gains, game.potential, game.regret):
        with pytest.raises(InvalidInput, match="alpha"):
            method([0, 0, 0, 0], alpha)


@pytest.mark.parametrize("profile", [[0, 0, 0], [0, 0, 0, 3], [0, 0, 0, -1], [0, 0, 0, 0.5], 1])
def test_profiles_that_do_not_fit_are_refused(game, profile):
    with pytest.raises(InvalidInput, match="profile"):
        game.payoff(profile)


def test_symmetric_play_needs_identical_users(game):
    with pytest.raises(InvalidInput, match="identical users"):
        _ = game.symmetric
