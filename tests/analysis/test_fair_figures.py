"""Figures on fair payments: what is drawn equals the tables; every one draws the smallest run."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, QuadMesh

from analysis import FIGURES, draw_figure, figure_names, load_run
from analysis.figures import equilibrium_intervals, fair_payments, price_of_robustness
from analysis.figures.regimes_two_users import MEASURES, thresholds_of
from analysis.figures.studies import edges, is_log, members_text, optima, plane, swept
from analysis.style import theme
from market_sim.errors import ResultsError

REGIMES = ("nobody is paid", "some share", "everyone shares")


def optimum(study, **values):
    """Return one row of "optima"; its numbers mean nothing, but are known."""
    row = {
        "seed": 0,
        "study": study,
        "title": f"study {study}",
        "x_name": "",
        "x": np.nan,
        "y_name": "",
        "y": np.nan,
        "play": "pure",
        "selection": "optimistic",
        "alpha": 0.3,
        "value": 0.5,
        "value_se": 0.0,
        "utility": 0.7,
        "regime": "some share",
        "private": 0.25,
        "profile": "",
        "attained": 1,
        "regret": 0.0,
        "status": "",
    }
    return row | values


def sweep(points=5):
    costs = np.linspace(0.1, 0.9, points)
    return [
        optimum("c", x_name="cost", x=c, play=play, alpha=c * f, value=1 - c * f, private=c)
        for c in costs
        for play, f in (("symmetric", 1.0), ("pure", 0.8))
    ]


def chart(name, axes=("cost_1", "cost_2"), size=4, regimes=REGIMES):
    points = np.linspace(0.1, 0.9, size)
    return [
        optimum(
            name,
            x_name=axes[0],
            y_name=axes[1],
            x=x,
            y=y,
            play="mixed",
            alpha=(x + 2 * y) / 3,
            regime=regimes[min(int(3 * max(x, y)), len(regimes) - 1)],
        )
        for x in points
        for y in points
    ]


def comparison():
    return [
        optimum("r", x_name="cost_scale", x=x, selection=name, value=v / x)
        for x in (1.0, 2.0, 4.0)
        for name, v in (("optimistic", 1.0), ("pessimistic", 0.6), ("dynamics", 0.9))
    ] + [
        optimum("u", x_name="cost_bound", x=x, selection=name, value=v, value_se=se)
        for x in (0.1, 0.2)
        for name, v, se in (("unknown costs", 0.5, 0.0), ("known costs", 0.8, 0.01))
    ]


THRESHOLDS = {"c_th": 1 / 3, "switch_off": 2 / 3, "gamma_min": 0.5, "gamma_max": 2 / 3}
PARTITIONS = [
    {"counts": "[[2, 0]]", "left": 0.0, "right": 0.2, "utility": 0.0, "followed": 0},
    {"counts": "[[1, 1]]", "left": 0.1, "right": 0.4, "utility": 2.0, "followed": 0},
    {"counts": "[[0, 2]]", "left": 0.3, "right": 1.0, "utility": 3.0, "followed": 0},
    {"counts": "[[1, 1]]", "left": 0.15, "right": 0.35, "utility": 2.0, "followed": 1},
]
USERS = [
    (100.0, 1.0, 2.0, 5.0),
    (10.0, 1.0, 2.0, 3.0),
    (10.0, 1.0, 2.0, 3.0),
    (10.0, 1.0, 0.0, 0.0),
]
ENDS = [
    {"end": 0, "counts": "[[1, 1]]", "share": 0.9, "utility": 2.0, "value": 1.4, "promised": 2.1},
    {"end": 1, "counts": "[[0, 2]]", "share": 0.1, "utility": 3.0, "value": 2.1, "promised": 2.1},
]


def write(folder, kind, **tables):
    """Write a run; a table without rows keeps its columns."""
    folder.mkdir()
    for name, frame in tables.items():
        pd.DataFrame(frame).to_parquet(folder / f"{name}.parquet", index=False)
    content = {"format": 1, "experiment": kind, "title": "made-up", "status": "complete"}
    (folder / "manifest.json").write_text(json.dumps(content))
    return load_run(folder)


@pytest.fixture
def platform(tmp_path):
    """Return a function that writes a run of platforms from rows of its tables."""

    def make(rows, partitions=(), ends=(), thresholds=(), name="run"):
        study = {"seed": 0, "study": rows[0]["study"], "title": rows[0]["title"]}
        return write(
            tmp_path / name,
            "platform",
            optima=rows,
            partitions=[study | row for row in partitions],
            ends=[study | {"alpha": 0.3, "starts": 10} | row for row in ends],
            thresholds=[study | row for row in thresholds],
        )

    return make


@pytest.fixture
def payments(tmp_path):
    """Write a run of payments of two cases."""
    rows = [
        {
            "case": case,
            "title": f"case {case}",
            "user": user,
            "data_size": size,
            "importance": importance,
            "level": level,
            "payment": paid,
        }
        for case, factor in (("one", 1.0), ("two", -2.0))
        for user, (size, importance, level, paid) in enumerate([*USERS, (10.0, 9.0, 1.0, factor)])
    ]
    return write(tmp_path / "payments", "fair-value", payments=rows)


def render(figure):
    memory = io.BytesIO()
    with theme():
        figure.savefig(memory, format="png", dpi=30)
    assert len(memory.getvalue()) > 1000


def test_bars_of_payments_are_those_of_the_table(payments):
    figure = draw_figure("fair-payments", payments)
    render(figure)
    for axes, factor in zip(figure.axes, (1.0, -2.0), strict=True):
        widths = [bar.get_width() for bar in axes.patches if bar.get_height() == 0.72]
        assert widths[:4] == [5.0, 3.0, factor, 0.0]
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert names[1] == "n 10 \N{MULTIPLICATION SIGN} 2"
        assert names[2].startswith("\N{BLACK STAR}")
    assert [text.get_text() for text in figure.axes[1].texts] == ["5", "3", "-2", "0"]


def test_one_case_of_payments_may_be_chosen(payments):
    figure = fair_payments.draw(payments, case="two")
    assert len(figure.axes) == 1
    with pytest.raises(ResultsError, match="there are one, two"):
        fair_payments.draw(payments, case="three")


def test_lines_over_the_cost_are_those_of_the_table(platform):
    run = platform(sweep(), thresholds=[{"axis": "", "at": np.nan} | THRESHOLDS])
    figure = draw_figure("regimes-two-users", run)
    render(figure)
    table = run.table("optima")
    for axes, measure in zip(figure.axes, MEASURES, strict=True):
        for play in ("symmetric", "pure"):
            line = next(line for line in axes.lines if line.get_label() == play)
            rows = table[table["play"] == play]
            assert np.allclose(line.get_xdata(), rows["x"])
            assert np.allclose(line.get_ydata(), rows[measure])
        upright = [line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1]
        assert upright == pytest.approx([1 / 3, 2 / 3])
    assert list(thresholds_of(run, "c")) == ["everyone up to 0.333", "nobody from 0.667"]


def test_without_thresholds_there_are_no_vertical_lines(platform):
    run = platform(sweep())
    assert thresholds_of(run, "c") == {}
    assert len(draw_figure("regimes-two-users", run).axes[0].lines) == 2


@pytest.mark.parametrize("name", ["two-costs", "regime-map"])
def test_planes_are_those_of_the_table(platform, name):
    run = platform(chart("m"))
    figure = draw_figure(name, run)
    render(figure)
    mesh = next(item for item in figure.axes[0].collections if isinstance(item, QuadMesh))
    x, y, values = plane(run.table("optima"), "alpha")
    assert np.allclose(mesh.get_array(), values)
    assert np.allclose(values, (x + 2 * y[:, None]) / 3)
    words = {text.get_text().replace("\n", " ") for text in figure.axes[0].texts}
    assert words == set(REGIMES)


def test_thresholds_are_lines_on_the_map(platform):
    rows = chart("m", axes=("cost", "users"))
    lines = [{"axis": "users", "at": at} | THRESHOLDS for at in (0.1, 0.5, 0.9)]
    figure = draw_figure("regime-map", platform(rows, thresholds=lines))
    render(figure)
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    for key in ("c_th", "switch_off"):
        assert np.allclose(drawn[key].get_xdata(), THRESHOLDS[key])
        assert drawn[key].get_ydata().tolist() == [0.1, 0.5, 0.9]


def test_a_map_of_one_regime_has_one_name(platform):
    figure = draw_figure("regime-map", platform(chart("m", size=2, regimes=("some share",))))
    render(figure)
    assert [text.get_text() for text in figure.axes[0].texts] == ["some\nshare"]


def test_intervals_and_values_are_those_of_the_table(platform):
    rows = [
        optimum("c", selection=name, alpha=a, value=v, attained=at)
        for name, a, v, at in (("optimistic", 0.1, 1.8, 1), ("pessimistic", 0.4, 1.7, 0))
    ]
    figure = equilibrium_intervals.draw(platform(rows, PARTITIONS))
    render(figure)
    left, right = figure.axes
    bars = [item for item in left.collections if isinstance(item, LineCollection)]
    found = sorted((s[0][0], s[1][0]) for item in bars for s in item.get_segments())
    assert found == [(0.0, 0.2), (0.1, 0.4), (0.3, 1.0)]
    lines = [line for line in right.lines if len(line.get_xdata()) == 2]
    for line, row in zip(lines, PARTITIONS, strict=True):
        ends = np.array([row["left"], row["right"]])
        assert np.allclose(line.get_xdata(), ends)
        assert np.allclose(line.get_ydata(), (1 - ends) * row["utility"])
    marks = [line for line in right.lines if len(line.get_xdata()) == 1]
    assert [(m.get_xdata()[0], m.get_ydata()[0]) for m in marks] == [(0.1, 1.8), (0.4, 1.7)]
    assert [m.get_fillstyle() for m in marks] == ["full", "none"]


def test_comparisons_are_shares_of_the_best_case(platform):
    run = platform(comparison(), ends=ENDS)
    figure = draw_figure("price-of-robustness", run)
    render(figure)
    heights = [set(np.round(line.get_ydata(), 9)) for line in figure.axes[0].lines]
    assert heights == [{100.0}, {60.0}, {90.0}]
    unknown = [set(np.round(line.get_ydata(), 9)) for line in figure.axes[1].lines]
    assert unknown == [{62.5}, {100.0}]
    bars = [patch.get_width() for patch in figure.axes[2].patches]
    assert bars == pytest.approx([90.0, 10.0])
    dark = [patch.get_facecolor()[0] for patch in figure.axes[2].patches]
    assert dark[1] < dark[0]  # only the second keeps the promise


def test_what_fits_depends_on_what_was_studied(platform, payments):
    assert figure_names(payments) == ["fair-payments"]
    assert figure_names(platform(sweep(), name="a")) == ["regimes-two-users"]
    assert figure_names(platform(chart("m"), name="b")) == ["two-costs", "regime-map"]
    assert figure_names(platform(comparison(), name="c")) == ["price-of-robustness"]
    run = platform([optimum("c")], PARTITIONS, ENDS, name="d")
    assert figure_names(run) == ["equilibrium-intervals", "price-of-robustness"]


@pytest.mark.parametrize(
    "name", ["regimes-two-users", "two-costs", "regime-map", "price-of-robustness"]
)
def test_a_run_that_does_not_hold_it_says_so(platform, name):
    with pytest.raises(ResultsError, match="No study of"):
        draw_figure(name, platform([optimum("c")]))


def test_other_experiments_are_refused(payments):
    with pytest.raises(ResultsError, match="needs a run of platform"):
        draw_figure("regime-map", payments)
    assert FIGURES["fair-payments"].experiments == ("fair-value",)


def test_rows_are_counted(platform):
    run = platform(sweep(3))
    assert (run.rows("optima"), run.rows("ends"), run.rows("nothing")) == (6, 0, 0)
    assert swept(run, "cost")
    assert not swept(run, "users")
    with pytest.raises(ResultsError, match=r"No study of .* sweeps s2 and r2"):
        optima(run, "s2", "r2")


def test_grids_and_their_cells():
    assert edges(np.array([1.0, 2.0, 3.0]), log=False).tolist() == [0.5, 1.5, 2.5, 3.5]
    assert edges(np.array([1.0, 4.0]), log=True).tolist() == pytest.approx([0.5, 2.0, 8.0])
    assert edges(np.array([2.0]), log=False).tolist() == [1.5, 2.5]
    assert is_log(np.geomspace(0.1, 10, 7))
    assert not is_log(np.linspace(0.1, 10, 7))
    assert not is_log(np.array([0.0, 1.0, 10.0]))


def test_partitions_are_written_from_the_highest_level():
    assert members_text("[[1, 2, 0], [0, 3, 4]]") == "4\N{MIDDLE DOT}5\N{MIDDLE DOT}1"


def test_the_best_case_is_the_favorite_or_known_costs(platform):
    parts = price_of_robustness.comparisons(platform(comparison()))
    kept = [price_of_robustness.relative(part) for part in parts]
    assert kept[0].groupby("selection")["kept"].mean()["pessimistic"] == pytest.approx(60.0)
    assert kept[1].groupby("selection")["kept_se"].max()["known costs"] == pytest.approx(1.25)
