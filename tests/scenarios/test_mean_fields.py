"""Scenarios of mean field games: tables as solved, resumed runs, what is refused."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import ScenarioError
from scenarios import load_scenario
from scenarios.mean_fields import game_of, run_mean_field
from scenarios.run import resume_run, run_scenario
from scenarios.schemas import TABLES
from scenarios.summary import summarize
from scenarios.units import plan

SMALL = """
title = "small"
experiment = "mean-field"
seed = 3
seeds = 2
figures = ["mean-field-path"]

[[mean_field]]
name = "drift"
privacy = 4.0
cap = 2.0
budget = [0.2, 0.3, 0.1]
rounds = 3
reversion = 0.2
volatility = 0.1
curvature = 0.1
methods = ["newton", "damped"]
grids = [[8, 9], [4, 5]]
players = [2, 5]
markets = 4

[[mean_field]]
name = "still"
title = "values stay"
law = "realistic"
value_range = [0.0, 5.0]
privacy = 2.0
cap = 2.0
rounds = 1
grids = [[8, 9]]
"""


@pytest.fixture
def write(tmp_path):
    def to(text=SMALL):
        file = tmp_path / "small.toml"
        file.write_text(text)
        return file

    return to


@pytest.fixture
def first(write):
    scenario = load_scenario(write())
    return run_mean_field(scenario, plan(scenario)[0])


def test_a_unit_for_each_seed_and_game(write):
    units = plan(load_scenario(write()))
    assert [(unit.seed, unit.setting) for unit in units] == [
        (3, "drift"), (3, "still"), (4, "drift"), (4, "still"),
    ]  # fmt: skip


def test_tables_have_their_columns_and_every_solve(first):
    for name, columns in first.items():
        assert list(columns) == list(TABLES[name])
        assert len({len(values) for values in columns.values()}) == 1
    solves = zip(first["mean_field"]["method"], first["mean_field"]["cells"], strict=True)
    assert list(solves) == [("newton", 8), ("newton", 4), ("damped", 8)]
    assert len(first["mean_field_rounds"]["round"]) == 3 * 3
    assert len(first["mean_field_states"]["value"]) == 3 * 8 * 9
    assert first["mean_field_players"]["owners"] == [2, 5]


def test_the_tables_are_those_of_the_solver(first, write):
    entry = load_scenario(write()).mean_field[0]
    game = game_of(entry, (8, 9))
    assert game.rounds == 3
    assert np.allclose(game.money, [0.2, 0.3, 0.1])
    solution = ms.solve_mean_field(game)
    rounds = first["mean_field_rounds"]
    assert rounds["price"][:3] == solution.price.tolist()
    assert np.allclose(np.multiply(rounds["price"], rounds["supply"])[:3], [0.2, 0.3, 0.1])
    assert first["mean_field"]["clearing_error"][0] == solution.clearing_error
    history = [r for r, s in zip(*(first["mean_field_history"][k] for k in ("residual", "cells")),
                                 strict=True) if s == 4]  # fmt: skip
    assert history[-1] < 1e-8


def test_states_are_a_law_with_what_it_sells(first):
    states = {name: np.array(first["mean_field_states"][name]) for name in ("round", "mass")}
    amount = np.array(first["mean_field_states"]["amount"])
    supply = first["mean_field_rounds"]["supply"]
    for number in range(3):
        here = states["round"] == number
        assert states["mass"][here].sum() == pytest.approx(1.0, abs=1e-12)
        assert (states["mass"] * amount)[here].sum() == pytest.approx(supply[number])
    left = np.array(first["mean_field_states"]["privacy_left"])
    start = states["round"] == 0
    assert (states["mass"][start] * left[start]).sum() == pytest.approx(4.0)


def test_what_is_sold_is_no_longer_left(first):
    rounds = first["mean_field_rounds"]
    left, supply = np.array(rounds["privacy_left"][:3]), np.array(rounds["supply"][:3])
    assert left[0] == pytest.approx(4.0)
    np.testing.assert_allclose(np.diff(left), -supply[:2], rtol=1e-9)
    assert all(0 < share < 1 for share in rounds["selling"])


def test_methods_agree_on_the_price(first):
    price = np.array(first["mean_field_rounds"]["price"]).reshape(3, 3)
    np.testing.assert_allclose(price[2], price[0], rtol=1e-5)
    assert abs(price[1] - price[0]).max() > 1e-4  # another grid


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


def test_the_summary_has_the_evidence_of_each_solve(write, tmp_path):
    path = run_scenario(load_scenario(write()), out=tmp_path / "run").path
    table = summarize(path)
    assert len(table) == 4
    assert table["converged"].all()
    assert (table["clearing_error"] < 1e-8).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'law = "realistic"',
            'law = "normal"',
            r"mean_field\.1\.law is 'normal', expected 'uniform'",
        ),
        ("grids = [[8, 9], [4, 5]]", "grids = []", "one or more different grids"),
        ("grids = [[8, 9], [4, 5]]", "grids = [[8, 9], [8, 9]]", "different grids"),
        ("grids = [[8, 9], [4, 5]]", "grids = [[8, 1]]", r"grids.*greater than or equal to 2"),
        ("players = [2, 5]", "players = [1]", r"players.*greater than or equal to 2"),
        ("players = [2, 5]", "players = [5, 5]", "different numbers of players"),
        ("budget = [0.2, 0.3, 0.1]", "budget = [0.2, 0.3]", "one for each of the 3 rounds"),
        ('methods = ["newton", "damped"]', 'methods = ["secant"]', r"methods.*newton"),
        ("value_range = [0.0, 5.0]", "", r"mean_field\.still"),
        ("value_range = [0.0, 5.0]", "value_range = [5.0, 1.0]", r"mean_field\.still"),
        ('name = "still"', 'name = "drift"', "drift"),
        ("volatility = 0.1", "volatile = 0.1", "volatility"),
    ],
)
def test_bad_games_are_refused_in_a_sentence(write, old, new, message):
    assert old in SMALL
    with pytest.raises(ScenarioError, match=message) as caught:
        load_scenario(write(SMALL.replace(old, new)))
    assert "\n" not in str(caught.value)
