"""Equilibria of small games against Gambit (in fractions, degenerate games too) and nashpy."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from market_sim.solvers import mixed_equilibria, pure_equilibria, symmetric_equilibria

FOLDER = Path(__file__).resolve().parent
ROWS = json.loads((FOLDER / "tables" / "gambit_equilibria.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def maker():
    """The script that made the table."""
    sys.path.insert(0, str(FOLDER))
    try:
        import make_gambit_tables

        yield make_gambit_tables
    finally:
        sys.path.remove(str(FOLDER))


def small(maker, row):
    return maker.drawn(row["seed"], row["users"], row["levels"], row["kinds"])


def probabilities(row) -> list[np.ndarray]:
    return [
        np.array([[float(Fraction(x)) for x in user] for user in play]) for play in row["mixed"]
    ]


def test_the_table_holds_degenerate_games_and_ties():
    assert len(ROWS) > 100
    assert sum(row["degenerate"] for row in ROWS) > 50
    assert any(len(row["pure"]) > 2 for row in ROWS)


def test_pure_equilibria_are_those_of_gambit(maker):
    for row in ROWS:
        game = small(maker, row)
        expected: dict = {}
        for profile in row["pure"]:
            key = game.partition(profile)
            expected[key] = expected.get(key, 0) + 1
        found = pure_equilibria(game.game(), float(Fraction(row["alpha"])))
        assert {game.partition(e.strategy): e.represents for e in found} == expected, row


def test_mixed_equilibria_of_two_users_are_those_of_gambit(maker):
    compared = 0
    for row in ROWS:
        if row["users"] == 2 and row["levels"] == 2:
            found = mixed_equilibria(small(maker, row).game(), float(Fraction(row["alpha"])))
            mine = sorted(e.strategy.round(9).tolist() for e in found)
            theirs = sorted(play.round(9).tolist() for play in probabilities(row))
            assert mine == theirs, row
            compared += 1
    assert compared > 20


def test_symmetric_equilibria_are_those_of_gambit(maker):
    compared = 0
    for row in ROWS:
        if row["users"] == 2 and row["kinds"] == 1 and not row["degenerate"]:
            expected = [play[0] for play in probabilities(row) if np.allclose(play[0], play[1])]
            game = small(maker, row).game()
            found = symmetric_equilibria(game, float(Fraction(row["alpha"])))
            mine = sorted(e.strategy.round(9).tolist() for e in found)
            assert_allclose(mine, sorted(np.round(expected, 9).tolist()), atol=1e-9)
            compared += 1
    assert compared > 10


@pytest.mark.slow
def test_gambit_still_says_so(maker):
    pytest.importorskip("pygambit")
    for row in ROWS[::5]:
        again = maker.by_gambit(small(maker, row), Fraction(row["alpha"]))
        assert all(row[key] == value for key, value in again.items())


def test_nashpy_agrees_where_no_game_is_degenerate(maker):
    nashpy = pytest.importorskip("nashpy")
    for row in ROWS:
        if row["users"] == 2 and not row["degenerate"]:
            game = small(maker, row)
            first, second = (a.astype(float) for a in maker.payoffs(game, Fraction(row["alpha"])))
            theirs = [np.array(e) for e in nashpy.Game(first, second).vertex_enumeration()]
            assert len(theirs) == len(row["mixed"])
