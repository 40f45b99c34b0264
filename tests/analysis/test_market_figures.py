"""Figures of markets and audits: what stands on the axes is what stands in the tables."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis import draw_figure, load_run, mean_interval
from analysis.figures import (
    accuracy_against_budget,
    learning_curve,
    money_and_privacy_flow,
    owner_outcomes,
)
from analysis.figures.owner_outcomes import owner_curves
from analysis.figures.ribbons import Column, Flow, draw_flows
from market_sim.errors import ResultsError


def lines_of(axes):
    return {line.get_label(): line for line in axes.get_lines() if line.get_label()[0] != "_"}


def note_of(figure):
    return " ".join(figure.legends[0].get_title().get_text().split())


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_accuracy_is_the_mean_over_seeds_after_the_rounds_asked_for(make_market):
    run = load_run(make_market(settings=("low",), mechanisms=("all-in-critical",), first=1))
    figure = accuracy_against_budget.draw(run, rounds=[1, 10])
    table = run.table("rounds")
    for column, stop in enumerate((1, 10)):
        rows = table[table["round"] == stop]
        for row, metric in enumerate(("accuracy", "balanced_accuracy", "auc")):
            axes = figure.axes[2 * row + column]
            expected = mean_interval(rows, ["budget_level"], metric)
            line = lines_of(axes)["All-in (critical)"]
            np.testing.assert_allclose(line.get_xdata(), expected["budget_level"])
            np.testing.assert_allclose(line.get_ydata(), expected["mean"])
            ends = np.array(axes.collections[0].get_segments())[:, :, 1]
            np.testing.assert_allclose(ends, expected[["low", "high"]])


@pytest.mark.parametrize(
    ("rounds", "manifest", "expected"),
    [(12, {}, [10]), (3, {}, [3]), (20, {}, [10, 20]), (12, {"report_rounds": [2, 5, 99]}, [2, 5])],
)
def test_the_rounds_shown_are_those_planned_or_the_last(make_market, rounds, manifest, expected):
    run = load_run(make_market(rounds=rounds, settings=("low",), manifest=manifest))
    figure = draw_figure("accuracy-against-budget", run)
    titles = [axes.get_title(loc="left") for axes in figure.axes[: len(expected)]]
    assert titles == [f"low sensitivity,\nafter {stop} rounds" for stop in expected]


def test_the_majority_class_is_drawn_for_accuracy_only(make_market):
    run = load_run(make_market(settings=("low",), manifest={"majority_accuracy": 0.88}))
    for name in ("accuracy-against-budget", "learning-curve"):
        figure = draw_figure(name, run)
        flat = [
            [line for line in axes.get_lines() if list(line.get_ydata()) == [0.88, 0.88]]
            for axes in figure.axes
        ]
        assert [len(lines) for lines in flat] == [1] + [0] * (len(flat) - 1)
        assert "majority class" in legend_of(figure)


def test_rounds_that_were_not_run_and_markets_that_do_not_learn_are_refused(make_market):
    with pytest.raises(ResultsError, match="no round 99; it has 1 to 12"):
        accuracy_against_budget.draw(load_run(make_market()), rounds=[99])
    with pytest.raises(ResultsError, match="no learning"):
        draw_figure("accuracy-against-budget", load_run(make_market(name="b", learning=False)))


def test_learning_curves_mark_every_round_without_a_winner(make_market):
    run = load_run(make_market(settings=("low",), rounds=10))
    figure = draw_figure("learning-curve", run)
    axes = figure.axes[-1]
    (crosses,) = [line for line in axes.get_lines() if line.get_label() == "_no winner"]
    # singer has no winner in rounds 3 and 8, counted from 0
    assert list(crosses.get_xdata()) == [4, 9]
    singer = lines_of(axes)["All-in (singer)"].get_ydata()
    assert np.isnan(singer[[3, 8]]).all()
    assert np.isfinite(np.delete(singer, [3, 8])).all()
    assert "Crosses" in note_of(figure)
    assert "(10 % of all rounds)" in note_of(figure)


def test_learning_curves_are_the_tables_means(make_market):
    run = load_run(make_market(settings=("high",)))
    figure = learning_curve.draw(run, budget_level=10.0)
    table = run.table("rounds", where={"budget_level": 10.0, "mechanism": "all-in-critical"})
    for axes, metric in zip(
        figure.axes, ("accuracy", "balanced_accuracy", "auc", "error_bound"), strict=True
    ):
        expected = mean_interval(table, ["round"], metric)
        line = next(iter(lines_of(axes).values()))
        np.testing.assert_allclose(line.get_xdata(), expected["round"] + 1)
        np.testing.assert_allclose(line.get_ydata(), expected["mean"])


def test_a_market_without_learning_shows_the_error_bound_alone(make_market):
    figure = draw_figure("learning-curve", load_run(make_market(learning=False)))
    assert len(figure.axes) == 2


def bars_of(axes):
    return [[patch.get_height() for patch in bars] for bars in axes.containers]


def test_the_flow_of_a_round_is_the_owners_table(make_market):
    run = load_run(make_market())
    figure = money_and_privacy_flow.draw(
        run, round_=2, setting="high", mechanism="all-in-critical", budget_level=10.0, seed=1
    )
    where = {
        "setting": "high", "mechanism": "all-in-critical", "budget_level": 10.0, "seed": 1,
        "round": 2,
    }  # fmt: skip
    sales = run.table("owners", where=where)
    _, _, left, right = figure.axes
    np.testing.assert_allclose(bars_of(left), sales[["payment", "cost"]].T)
    np.testing.assert_allclose(bars_of(right), sales[["epsilon", "cap"]].T)
    assert "round 2" in figure.get_suptitle()
    assert "high sensitivity, budget 10 (money), seed 1" in note_of(figure)


def test_the_flow_starts_at_the_first_round_with_a_trade(make_market):
    path = make_market(settings=("low",), mechanisms=("all-in-critical",))
    table = pd.read_parquet(path / "rounds.parquet")
    table.loc[table["round"] < 4, "winners"] = 0
    table.to_parquet(path / "rounds.parquet")
    assert "round 4" in draw_figure("money-and-privacy-flow", load_run(path)).get_suptitle()


def test_a_round_without_a_winner_shows_the_money_returned(make_market):
    run = load_run(make_market(winners=False))
    figure = draw_figure("money-and-privacy-flow", run)
    money, privacy, left, _ = figure.axes
    texts = [text.get_text() for text in money.texts]
    assert "returned to\nbank: 5" in texts
    assert "nobody sold privacy" in privacy.texts[0].get_text()
    assert "nobody was paid" in left.texts[0].get_text()


def test_a_crowd_is_one_box_and_nothing_is_lost(make_market):
    run = load_run(make_market(owners=60, buyers=("bank", "shop"), settings=("low",)))
    figure = draw_figure("money-and-privacy-flow", run)
    money, privacy, *_ = figure.axes
    where = {"seed": 0, "budget_level": 5.0, "mechanism": "all-in-critical", "round": 0}
    sales = run.table("owners", where=where)
    for axes, column in ((money, "payment"), (privacy, "epsilon")):
        amounts = [
            float(text.get_text().split(": ")[1])
            for text in axes.texts
            if text.get_text().startswith(("owner", "others"))
        ]
        assert len(amounts) == 13
        assert sum(amounts) == pytest.approx(sales[column].sum(), rel=0.01)
    assert "48 of 60 owners are drawn as one" in note_of(figure)


def test_an_unknown_choice_of_a_market_is_refused(make_market):
    run = load_run(make_market())
    for draw in (money_and_privacy_flow.draw, owner_outcomes.draw):
        with pytest.raises(ResultsError, match="not named by 'color'"):
            draw(run, color="red")
        with pytest.raises(ResultsError, match="seed = 77; there are 0, 1, 2"):
            draw(run, seed=77)
    with pytest.raises(ResultsError, match="round = 50"):
        money_and_privacy_flow.draw(run, round_=50)


def test_ribbons_are_as_wide_as_their_amounts_and_fit():
    axes = Figure().add_subplot()
    flows = [Flow("a", "c", 3, "red"), Flow("b", "c", 1, "red"), Flow("a", "d", 0, "red")]
    columns = [Column(0.2, ("a", "b")), Column(0.8, ("c", "d"))]
    heights = draw_flows(axes, columns, flows, {})
    assert heights["a"] == pytest.approx(3 * heights["b"])
    assert heights["c"] == pytest.approx(heights["a"] + heights["b"])
    assert heights["d"] == 0
    assert heights["a"] + heights["b"] < 1
    ribbons = [patch for patch in axes.patches if len(patch.get_path()) > 5]
    widths = [
        patch.get_path().vertices[0, 1] - patch.get_path().vertices[7, 1] for patch in ribbons
    ]
    assert widths == pytest.approx([heights["a"], heights["b"]])


def test_owner_curves_add_up_money_and_keep_composed_privacy():
    frame = pd.DataFrame(
        {
            "round": [5, 5, 6, 6],
            "owner": [0, 0, 0, 0],
            "buyer": ["x", "y", "x", "y"],
            "payment": [1.0, 2.0, 0.0, 4.0],
            "utility": [0.5, 0.5, 0.0, 1.0],
            "privacy_spent": [1.0, 2.0, 2.0, 2.5],
        }
    )
    curves = owner_curves(frame)
    assert curves["after"].tolist() == [1, 2]
    assert curves["payment"].tolist() == [3.0, 7.0]
    assert curves["utility"].tolist() == [1.0, 2.0]
    assert curves["privacy_spent"].tolist() == [2.0, 2.5]


@pytest.mark.parametrize(
    ("scenario", "cap"),
    [
        ({"population": {"lifetime_cap": 30.0}}, 30.0),
        (
            {
                "population": {"lifetime_cap": 30.0},
                "settings": [{"name": "low", "lifetime_cap": 9.0}],
            },
            9.0,
        ),
        ({"population": {"lifetime_cap": None}}, None),
        ({}, None),
    ],
)
def test_the_lifetime_cap_is_drawn_where_there_is_one(make_market, scenario, cap):
    figure = draw_figure("owner-outcomes", load_run(make_market(manifest={"scenario": scenario})))
    assert ("lifetime cap" in legend_of(figure)) == (cap is not None)
    if cap is not None:
        assert list(figure.axes[2].get_lines()[-1].get_ydata()) == [cap, cap]


def test_many_owners_are_drawn_as_a_spread(make_market):
    run = load_run(make_market(owners=40, settings=("low",)))
    figure = draw_figure("owner-outcomes", run)
    assert legend_of(figure) == ["median owner", "middle half", "all owners"]
    where = {"seed": 0, "budget_level": 5.0, "mechanism": "all-in-critical"}
    curves = owner_curves(run.table("owners", where=where))
    median = curves.groupby("after")["payment"].median()
    np.testing.assert_allclose(figure.axes[0].get_lines()[0].get_ydata(), median)


def test_the_audit_shows_mean_95th_percentile_and_maximum(make_audit):
    run = load_run(make_audit())
    figure = draw_figure("audit", run)
    regret, share, *_ = figure.axes
    assert [text.get_text() for text in regret.get_yticklabels()] == [
        "All-in (critical)", "All-in (singer)", "All-in (published)",
    ]  # fmt: skip
    drawn = [list(line.get_xdata()) for line in regret.get_lines() if len(line.get_xdata()) == 3]
    # critical and singer have no regret; over seeds the mean of means and the maximum of maxima
    expected = [[0, 0, 0.0315], [0, 0, 0.42], [0, 0, 5.72]] * 3
    np.testing.assert_allclose(np.sort(drawn, axis=1), expected)
    assert [text.get_text() for text in share.texts].count("35 %") == 3
    assert legend_of(figure) == ["lie in value", "lie in cap", "lie in both"]


def test_an_audit_in_which_nobody_gains_is_drawn(make_audit):
    run = load_run(
        make_audit(seeds=(0,), mechanisms=("all-in-critical",), settings=("low", "high"))
    )
    figure = draw_figure("audit", run)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["All-in (critical), high", "All-in (critical), low"]


def test_no_panel_of_a_row_cuts_off_what_another_panel_shows(make_market):
    run = load_run(make_market(settings=("low",), first=1))
    for axes in accuracy_against_budget.draw(run, rounds=[1, 10]).axes:
        (low, high), drawn = axes.get_ylim(), axes.dataLim
        assert low <= max(drawn.y0, -0.02)
        assert high >= min(drawn.y1, 1.02)
