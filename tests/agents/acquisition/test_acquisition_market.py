"""Rounds of the acquisition market: who is there, who is paid what, and that it adds up."""

import mesa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from agents.acquisition import AcquisitionMarket, BestResponse, LogitResponse, NoRegret
from agents.acquisition.offers import Offers
from market_sim.games import AcquisitionGame, FunctionUtility, fair_values


def same_tables(one, other):
    first, second = one.tables(), other.tables()
    assert first.keys() == second.keys()
    for name, table in first.items():
        for column, values in table.items():
            assert values.tolist() == second[name][column].tolist(), (name, column)


@pytest.mark.parametrize("timing", ["together", "in turn"])
@pytest.mark.parametrize("presence", [1.0, 0.6])
def test_payments_and_what_is_kept_add_up_to_the_value(mixed_costs, timing, presence):
    market = AcquisitionMarket(
        mixed_costs, 0.4, presence=presence, start="random", timing=timing, seed=2
    )
    market.run(12)
    rounds, users = market.tables()["rounds"], market.tables()["users"]
    assert rounds["paid"] == pytest.approx(0.4 * rounds["utility"])
    assert rounds["paid"] + rounds["kept"] == pytest.approx(rounds["utility"])
    paid = np.bincount(users["round"], users["payment"])
    assert paid == pytest.approx(rounds["paid"])
    assert users["payment"] - users["cost"] == pytest.approx(users["utility"])


def test_payments_are_the_fair_values_of_who_is_present(mixed_costs):
    market = AcquisitionMarket(mixed_costs, 0.7, presence=0.5, start="random", seed=4)
    market.run(8)
    table = market.tables()["users"]
    absences = 0
    for number in range(8):
        row = table["round"] == number
        here, level = table["present"][row], table["level"][row]
        gives = np.where(here, mixed_costs.level_values[level], 0.0)
        fair = fair_values(mixed_costs.utility, gives, method="subsets").users
        assert table["payment"][row] == pytest.approx(0.7 * fair, abs=1e-12)
        assert not table["cost"][row][~here].any()
        absences += int((~here).sum())
    assert absences > 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_offers_are_the_payments_after_a_move(mixed_costs, seed):
    game, rng = mixed_costs, np.random.default_rng(seed)
    levels, present = rng.integers(0, 3, 5), rng.random(5) < 0.7
    rows = np.flatnonzero(present)
    offered = Offers(game).payments(levels, present, rows)
    for place, user in enumerate(rows):
        for new in range(3):
            moved = levels.copy()
            moved[user] = new
            gives = np.where(present, game.level_values[moved], 0.0)
            expected = fair_values(game.utility, gives, method="subsets").users[user]
            assert offered[place, new] == pytest.approx(expected, abs=1e-12)


def test_a_game_without_a_table_pays_the_same(figure_7b, monkeypatch):
    levels = np.array([2, 2, 2, 2, 1, 1, 1, 1, 1, 0])
    present = np.ones(10, dtype=bool)
    present[3] = False
    rows = np.flatnonzero(present)
    from_table = Offers(figure_7b).payments(levels, present, rows)
    monkeypatch.setattr(type(figure_7b), "tabulated", property(lambda _: False))
    direct = Offers(figure_7b)
    assert direct.payments(levels, present, rows) == pytest.approx(from_table, abs=1e-10)
    assert direct.range[1] > 0 > direct.range[0]


def test_who_is_present_depends_on_user_and_round_only(alike):
    first = AcquisitionMarket(alike(), 0.2, presence=0.5, seed=7)
    other = AcquisitionMarket(
        alike(), 0.9, presence=0.5, seed=7, behavior=NoRegret(), timing="in turn"
    )
    for market in (first, other):
        market.run(20)
    here = first.tables()["users"]["present"]
    assert here.tolist() == other.tables()["users"]["present"].tolist()
    assert 0.35 < here.mean() < 0.65
    small = AcquisitionMarket(alike(4), 0.2, presence=0.5, seed=7)
    small.run(20)
    assert small.tables()["users"]["present"].reshape(20, 4).tolist() == (
        here.reshape(20, 10)[:, :4].tolist()
    )


def test_presence_may_differ_between_users(alike):
    chances = [1.0] * 9 + [0.01]
    market = AcquisitionMarket(alike(), 0.3, presence=chances, seed=0)
    market.run(20)
    here = market.tables()["users"]["present"].reshape(20, 10)
    assert here[:, :9].all()
    assert here[:, 9].sum() < 5


@pytest.mark.parametrize(
    "behavior", [BestResponse(0.3), LogitResponse(0.01), NoRegret("bandit"), NoRegret(pooled=True)]
)
@pytest.mark.parametrize("timing", ["together", "in turn"])
def test_the_same_seed_gives_the_same_tables(mixed_costs, behavior, timing):
    def run(seed):
        market = AcquisitionMarket(
            mixed_costs, 0.5, behavior=behavior, presence=0.8, timing=timing, seed=seed
        )
        market.run(10)
        return market

    same_tables(run(3), run(3))
    one, other = run(3).tables()["users"], run(4).tables()["users"]
    assert one["level"].tolist() != other["level"].tolist() or (
        one["present"].tolist() != other["present"].tolist()
    )


def test_rng_is_the_seed_in_the_words_of_mesa(alike):
    one, other = AcquisitionMarket(alike(), 0.2, seed=5), AcquisitionMarket(alike(), 0.2, rng=5)
    for market in (one, other):
        market.run(4)
    same_tables(one, other)


def test_a_lost_payment_is_found(alike, monkeypatch):
    market = AcquisitionMarket(alike(), 0.5, behavior=BestResponse(0.0))
    monkeypatch.setattr(Offers, "value", lambda *_: 0.123)
    with pytest.raises(ms.LedgerImbalance, match=r"payments of round 0 sum to .* 0.0615"):
        market.step()


def test_users_are_mesa_agents_that_show_the_columns(alike):
    game = alike()
    market = AcquisitionMarket(
        game, 0.3, behavior=BestResponse(0.2), exceptions=[(NoRegret(), [2])], seed=1
    )
    market.run(6)
    user, table = market.user(2), market.tables()["users"]
    assert isinstance(user, mesa.Agent)
    assert market.user(2) is user
    assert user in market.agents
    mine = table["user"] == 2
    assert user.level == table["level"][mine][-1]
    assert user.present
    assert user.money == pytest.approx(table["payment"][mine].sum())
    assert user.utility == pytest.approx(table["utility"][mine].sum())
    assert user.costs.tolist() == [0, 0.03]
    assert user.behavior == NoRegret()
    assert user.chances.sum() == pytest.approx(1)
    assert np.isnan(market.user(3).chances).all()
    assert market.user(3).behavior == BestResponse(0.2)
    assert market.platform in market.agents


def test_progress_and_tables_without_users(alike):
    market, seen = AcquisitionMarket(alike(), 0.3, record_users=False), []
    market.run(3, seen.append)
    assert seen == [1, 2, 3]
    assert set(market.tables()) == {"rounds"}
    assert market.tables()["rounds"]["round"].tolist() == [0, 1, 2]


BAD = [
    ({"platform": 1.2}, "alpha must be one number from 0 to 1, got 1.2"),
    ({"presence": 0.0}, "presence must be greater than 0"),
    ({"presence": 1.5}, "presence must be above 0 and at most 1"),
    ({"presence": [0.5, 0.5]}, r"one number or one a user \(10\)"),
    ({"start": "middle"}, "start must be a profile, None or"),
    ({"start": [3] * 10}, "level numbers 0 to 1, got 3"),
    ({"timing": "later"}, 'timing must be "together" or "in turn"'),
    ({"seed": -1}, "seed must be"),
    ({"behavior": BestResponse}, "behavior must be an instance of Behavior"),
    ({"exceptions": [(BestResponse(), [10])]}, "users are whole numbers from 0 to 9"),
    ({"exceptions": [(BestResponse(), [0.5])]}, "users are whole numbers from 0 to 9"),
]


@pytest.mark.parametrize(("wrong", "sentence"), BAD)
def test_bad_input_of_the_market(alike, wrong, sentence):
    with pytest.raises(ms.InvalidInput, match=sentence):
        AcquisitionMarket(alike(), **({"platform": 0.2} | wrong))


def test_bad_games_and_calls(alike):
    with pytest.raises(ms.InvalidInput, match="game must be an AcquisitionGame, got list"):
        AcquisitionMarket([0.1], 0.2)
    market = AcquisitionMarket(alike(), 0.2)
    with pytest.raises(ms.InvalidInput, match="no regret before the first round"):
        market.platform_regret()
    with pytest.raises(ms.InvalidInput, match="rounds must be a whole number"):
        market.run(0)
    with pytest.raises(ms.InvalidInput, match=r"users are whole numbers from 0 to 9, got .-1"):
        market.user(-1)


def test_a_utility_may_be_a_function():
    utility = FunctionUtility(lambda levels: np.sqrt(levels.sum(axis=1)), 3)
    market = AcquisitionMarket(AcquisitionGame(utility, [[0, 0.1]] * 3), 0.5, seed=1)
    market.run(20)
    assert market.tables()["rounds"]["givers"][-1] == 3
