"""Figures of mean field games: what is drawn equals small made-up tables."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import draw_figure, figure_names, load_run
from analysis.figures.mean_field_convergence import grid_errors
from analysis.figures.mean_field_parts import first_solves
from analysis.figures.slopes import fitted_slope
from market_sim.errors import ResultsError

GAMES = {"drift": "values drift", "still": "values stay"}
SOLVES = [("newton", 8), ("newton", 4), ("newton", 16), ("damped", 8)]


def solves(seeds=(1, 2)):
    for seed in seeds:
        for game, title in GAMES.items():
            for method, cells in SOLVES if game == "drift" else SOLVES[:1]:
                yield {
                    "seed": seed, "game": game, "title": title, "method": method,
                    "cells": cells, "nodes": cells,
                }  # fmt: skip


def price(where, number):
    """Return prices with an error of 1 / cells^2 against those without one."""
    return (0.5 + 0.1 * number) * (1 + where["cells"] ** -2.0) + (where["game"] == "still")


def rounds():
    return [
        where
        | {
            "round": number, "price": price(where, number), "supply": 2.0 - number,
            "money": 0.5, "privacy_left": 9.0 - number, "selling": 0.25,
        }
        for where in solves()
        for number in range(2)
    ]  # fmt: skip


def history():
    return [
        where | {"step": step, "residual": 10.0**-step * (2 if where["method"] == "damped" else 1)}
        for where in solves()
        for step in range(1, 4)
    ]


def states():
    rows = []
    for where in solves():
        if (where["method"], where["cells"]) != SOLVES[0]:
            continue
        for number in (0, 2, 4):
            for value in (0.25, 0.75):
                for left in (0.0, 1.0, 2.0):
                    mass = (1 + number) * value / 100 if left else 0.0
                    place = {"round": number, "value": value, "privacy_left": left}
                    rows.append(where | place | {"mass": mass, "amount": left * (1 - value)})
    return rows


def players():
    return [
        where
        | {
            "owners": owners, "markets": 5, "gain": owners**-2.0,
            "relative_gain": (3.0 if where["seed"] == 1 else 5.0) * owners**-2.0,
            "price_error": owners**-0.5, "idle": 0.0,
        }
        for where in solves()
        if (where["method"], where["cells"]) == SOLVES[0]
        for owners in (10, 100, 1000)
    ]  # fmt: skip


TABLES = {
    "mean_field_rounds": rounds,
    "mean_field_history": history,
    "mean_field_states": states,
    "mean_field_players": players,
}


@pytest.fixture
def write(tmp_path):
    def to(**changes):
        for name, make in TABLES.items():
            frame = changes.get(name, pd.DataFrame(make()))
            frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
        manifest = {"format": 1, "experiment": "mean-field", "title": "t", "status": "complete"}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        return load_run(tmp_path)

    return to


def test_a_run_has_four_figures_and_three_without_players(write):
    assert figure_names(write()) == [
        "mean-field-path",
        "mean-field-states",
        "mean-field-convergence",
        "mean-field-players",
    ]
    none = pd.DataFrame(players()).iloc[:0]
    assert "mean-field-players" not in figure_names(write(mean_field_players=none))


def test_the_first_solve_of_a_game_is_the_first_row_of_the_first_seed(write):
    kept = first_solves(write().table("mean_field_rounds"))
    assert set(kept["seed"]) == {1}
    assert set(zip(kept["method"], kept["cells"], strict=True)) == {("newton", 8)}
    assert list(dict.fromkeys(kept["game"])) == ["drift", "still"]


def test_paths_are_drawn_game_by_game(write):
    panels = draw_figure("mean-field-path", write()).axes
    drawn = {line.get_label(): line for line in panels[0].lines}
    where = {"cells": 8, "game": "drift"}
    assert np.allclose(drawn["values drift"].get_ydata(), [price(where, 0), price(where, 1)])
    assert np.allclose(drawn["values stay"].get_ydata() - drawn["values drift"].get_ydata(), 1.0)
    assert [line.get_ydata()[1] for line in panels[1].lines] == [1.0, 1.0]
    assert np.allclose(panels[2].lines[0].get_ydata(), 0.25)
    assert np.allclose(panels[3].lines[0].get_xdata(), [1, 2])


def test_states_are_colored_by_law_and_policy(write):
    figure = draw_figure("mean-field-states", write())
    law, policy = figure.axes[1].collections[0], figure.axes[4].collections[0]
    shown = np.ma.asarray(law.get_array()).reshape(3, 2)
    assert np.ma.getmaskarray(shown)[0].all()
    assert np.allclose(shown[1:], [[0.0075, 0.0225]] * 2)
    assert np.allclose(policy.get_array().reshape(3, 2), [[0, 0], [0.75, 0.25], [1.5, 0.5]])
    assert figure.axes[1].get_title(loc="left") == "round 3"


def test_another_game_is_shown_and_an_unknown_one_refused(write):
    from analysis.figures.mean_field_states import draw

    assert "values stay" in draw(write(), game="still").get_suptitle()
    with pytest.raises(ResultsError, match=r"no row has game = 'absent'|No row has game"):
        draw(write(), game="absent")


def test_residuals_are_those_of_the_first_grid(write):
    axes = draw_figure("mean-field-convergence", write()).axes[0]
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert np.allclose(drawn["newton"], [0.1, 0.01, 0.001])
    assert np.allclose(drawn["damped"], [0.2, 0.02, 0.002])


def test_coarser_grids_are_compared_with_the_finest():
    frame = pd.DataFrame(rounds())
    errors = grid_errors(frame[(frame["seed"] == 1) & (frame["game"] == "drift")])
    exact = [(1 + cells**-2.0) / (1 + 16**-2.0) - 1 for cells in (4, 8)]
    assert errors["cells"].tolist() == [4, 8]
    assert np.allclose(errors["error"], exact)


def test_one_grid_is_said_to_be_one(write):
    from analysis.figures.mean_field_convergence import draw

    axes = draw(write(), game="still").axes[1]
    assert [text.get_text() for text in axes.texts] == ["one grid"]


def test_gains_are_means_over_seeds_with_fitted_slopes(write):
    figure = draw_figure("mean-field-players", write())
    line = figure.axes[0].lines[0]
    assert np.allclose(line.get_ydata(), 4.0 * np.array([10.0, 100.0, 1000.0]) ** -2)
    text = figure.legends[0].get_texts()[0].get_text()
    assert "gain -2.00 [-2.00, -2.00], price -0.50" in text


def test_a_slope_needs_two_points_and_an_interval_three():
    assert fitted_slope([10], [1.0]).text() == "none"
    assert fitted_slope([10, 100], [1.0, 0.1]).text() == "-1.00"
    noisy = fitted_slope([1, 10, 100], [1.0, 0.2, 0.01])
    assert noisy.low < noisy.slope < noisy.high
    assert fitted_slope([1, 10, 100], [1.0, 0.1, 0.0]).points == 2
