"""Scenarios of bidding games: tables as solved, resumed runs, what is refused."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import ScenarioError
from scenarios import load_scenario
from scenarios.bidding import run_bidding
from scenarios.run import resume_run, run_scenario
from scenarios.schemas import TABLES
from scenarios.summary import summarize
from scenarios.units import plan

SMALL = """
title = "small"
experiment = "bidding"
seed = 3
seeds = 2
mechanisms = ["first-price", "proportional-share"]
figures = ["bidding-strategies"]
[population]
law = "uniform"
owners = 3
[[budget]]
law = "per-owner"
levels = [0.5]
[bidding]
steps = 3
profiles = 10
values = 5
bids = 9
offers = 3
judged = 20
coalitions = [2, 4]
coalition_profiles = 2
crowds = [2, 4]
crowd_draws = 80
"""


@pytest.fixture
def write(tmp_path):
    def to(text=SMALL):
        file = tmp_path / "small.toml"
        file.write_text(text)
        return file

    return to


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    file = tmp_path_factory.mktemp("first") / "small.toml"
    file.write_text(SMALL)
    scenario = load_scenario(file)
    return run_bidding(scenario, plan(scenario)[0])


def test_a_unit_for_each_seed_and_rule(write):
    units = plan(load_scenario(write()))
    assert [(unit.seed, unit.mechanism) for unit in units] == [
        (3, "first-price"), (3, "proportional-share"),
        (4, "first-price"), (4, "proportional-share"),
    ]  # fmt: skip


def test_tables_have_their_columns(first):
    for name, columns in first.items():
        assert list(columns) == list(TABLES[name])
        assert len({len(values) for values in columns.values()}) == 1
        assert set(columns["mechanism"]) == {"first-price"}
    assert first["bidding_collusion"]["size"] == [2]  # there are no four owners
    crowds = zip(first["bidding_crowds"]["play"], first["bidding_crowds"]["crowd"], strict=True)
    assert list(crowds) == [("truth", 2), ("truth", 4), ("mean field", 2), ("mean field", 4)]
    assert len(first["bidding"]["regret"]) == 1


def test_the_tables_are_those_of_the_solver(first):
    law = ms.privacy_auction_law("uniform", 3)
    game = ms.BiddingGame(ms.FirstPrice(), law, 3, 1.5)
    found = ms.bayes_nash_bids(game, values=5, bids=9, offers=3, steps=3, profiles=10, seed=3)
    assert first["bidding"]["regret"] == [found.regret]
    judged = ms.bidding_efficiency(game, found.strategy, profiles=20, seed=4)
    assert first["bidding"]["ratio"] == [judged.ratio]
    assert first["bidding"]["bound"] == [judged.bound]
    told = first["bidding_strategies"]
    bid, _ = found.strategy(np.array(told["value"]), np.full(len(told["value"]), 2.55))
    np.testing.assert_array_equal(told["bid"], bid)
    pair = ms.collusion_audit(ms.FirstPrice(), law, budget=1.5, size=2, profiles=2, seed=3)
    assert first["bidding_collusion"]["gain_mean"] == [pair.gain_mean]


def test_larger_markets_have_the_same_money_an_owner(first):
    law = ms.privacy_auction_law("uniform", 3)
    found = ms.regret_scaling(ms.FirstPrice(), law, (2, 4), 0.5, draws=80, seed=3)
    np.testing.assert_allclose(first["bidding_crowds"]["regret"][:2], 0.5 * found.regret)
    np.testing.assert_allclose(first["bidding_crowds"]["slope"][:2], found.slope)
    found = ms.regret_scaling(ms.FirstPrice(), law, (2, 4), 0.5, "bid", draws=80, seed=3)
    np.testing.assert_allclose(first["bidding_crowds"]["regret"][2:], 0.5 * found.regret)


def test_what_is_not_asked_for_is_left_out(write):
    text = SMALL.replace("crowds = [2, 4]", "").replace("coalitions = [2, 4]", "coalitions = []")
    scenario = load_scenario(write(text.replace("per-owner", "fixed")))
    found = run_bidding(scenario, plan(scenario)[1])
    assert found["bidding_collusion"]["size"] == []
    assert found["bidding_crowds"]["crowd"] == []
    assert found["bidding"]["bound"][0] > 0


def test_a_lone_owner_is_a_game_too(write):
    scenario = load_scenario(write(SMALL.replace("owners = 3", "owners = 1")))
    found = run_bidding(scenario, plan(scenario)[1])
    assert found["bidding_collusion"]["size"] == []
    assert found["bidding"]["ratio_truthful"][0] > 0


def test_a_resumed_run_equals_an_undisturbed_one(write, tmp_path, tables):
    scenario = load_scenario(write())
    whole = run_scenario(scenario, out=tmp_path / "whole")

    def stop(done, _):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_scenario(scenario, out=tmp_path / "cut", progress=stop)
    resumed = resume_run(tmp_path / "cut")
    assert tables(resumed.path) == tables(whole.path)
    table = summarize(whole.path)
    assert table["mechanism"].tolist() == ["first-price", "proportional-share"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('law = "uniform"', "", r"bidding games need linear costs.*population\.law"),
        ('law = "uniform"', 'law = "normal"', r"population\.law is 'normal'"),
        ("crowds = [2, 4]", "crowds = [2]", "two and more different"),
        ("crowds = [2, 4]", "crowds = [1, 2]", r"bidding\.crowds.*2"),
        ("coalitions = [2, 4]", "coalitions = [2, 2]", "different sizes"),
        ("profiles = 10", "profiles = 1", r"bidding\.profiles.*2"),
        ("values = 5", "value = 5", "values"),
        ('"first-price", "proportional-share"', '"fist-price"', "first-price"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(write, old, new, message):
    assert old in SMALL
    with pytest.raises(ScenarioError, match=message) as caught:
        load_scenario(write(SMALL.replace(old, new)))
    assert "\n" not in str(caught.value)
