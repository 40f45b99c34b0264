"""Figures of auctions: what stands on the axes is what stands in the table."""

import numpy as np
import pytest

from analysis import draw_figure, load_run, mean_interval
from analysis.figures import error_against_budget, error_against_owners
from analysis.names import written
from market_sim.errors import ResultsError


def lines_of(axes):
    """Lines with a label of ours, by label."""
    return {line.get_label(): line for line in axes.get_lines() if line.get_label()[0] != "_"}


def panels_of(figure):
    """Main panels, without the strips below them."""
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def strips_of(figure):
    return [axes for axes in figure.axes if not axes.get_title(loc="left")]


def legend_text(figure):
    (legend,) = figure.legends
    entries = [text.get_text() for text in legend.get_texts()]
    return entries, " ".join(legend.get_title().get_text().split())


def test_lines_and_bars_are_the_tables_means_and_intervals(make_auctions):
    run = load_run(make_auctions())
    figure = draw_figure("error-against-budget", run)
    keys = ["setting", "budget_law", "mechanism", "aggregator", "budget"]
    table = mean_interval(run.table("auctions"), keys, "error_bound_mean")
    places = [(law, setting) for law in ("fixed", "proportional") for setting in ("low", "high")]
    for axes, (law, setting) in zip(panels_of(figure), places, strict=True):
        lines = lines_of(axes)
        part = table[(table["budget_law"] == law) & (table["setting"] == setting)]
        assert axes.get_yscale() == "log"
        assert axes.get_title(loc="left") == f"{setting} sensitivity"
        bars = [bar for bar in axes.collections if len(bar.get_segments())]
        names = list(part.groupby(["mechanism", "aggregator"]).groups)
        assert len(lines) == len(bars) == len(names) == 4
        drawn = [sorted(map(tuple, np.array(bar.get_segments())[:, :, 1])) for bar in bars]
        for mechanism, aggregator in names:
            rows = part[(part["mechanism"] == mechanism) & (part["aggregator"] == aggregator)]
            line = lines[f"{written(mechanism)} + {written(aggregator)}"]
            np.testing.assert_allclose(line.get_xdata(), rows["budget"])
            np.testing.assert_allclose(line.get_ydata(), rows["mean"])
            ends = sorted(zip(rows["low"], rows["high"], strict=True))
            assert any(np.allclose(ends, bar) for bar in drawn)


def test_the_share_without_a_winner_is_shown_below(make_auctions):
    run = load_run(make_auctions(budgets={"fixed": (2.0, 20.0)}, settings=("low",)))
    (strip,) = strips_of(draw_figure("error-against-budget", run))
    table = run.table("auctions")
    for line, mechanism in zip(
        strip.get_lines()[::2], ("all-in-critical", "all-in-singer"), strict=True
    ):
        rows = table[(table["mechanism"] == mechanism) & (table["seed"] == 0)][::2]
        share = 100 * (1 - rows["profiles_with_winner"] / rows["profiles"])
        np.testing.assert_allclose(line.get_ydata(), share)
    assert strip.get_lines()[-1].get_ydata()[0] > 20


def test_no_winner_at_all_is_marked_at_the_upper_edge_and_said(make_auctions):
    run = load_run(make_auctions(winners=False, settings=("low",), budgets={"fixed": (1.0, 2.0)}))
    figure = draw_figure("error-against-budget", run)
    (axes,) = panels_of(figure)
    marks = [line for line in axes.get_lines() if line.get_label() == "_infinite"]
    assert [list(line.get_xdata()) for line in marks] == [[1.0, 2.0]] * 2
    assert "no profile has a winner" in axes.texts[0].get_text()
    assert "no profile has a winner" in legend_text(figure)[1]
    (strip,) = strips_of(figure)
    assert all((line.get_ydata() == 100).all() for line in strip.get_lines())


def test_one_seed_has_the_interval_of_its_profiles_and_says_so(make_auctions):
    run = load_run(
        make_auctions(
            seeds=(0,),
            settings=("low",),
            budgets={"fixed": (5.0,)},
            mechanisms=("all-in-critical",),
            aggregators=("error-opt",),
        )
    )
    figure = draw_figure("error-against-budget", run)
    (axes,) = panels_of(figure)
    (bar,) = [bar for bar in axes.collections if len(bar.get_segments())]
    row = run.table("auctions").iloc[0]
    reach = 1.959964 * row["error_bound_se"]
    expected = [row["error_bound_mean"] - reach, row["error_bound_mean"] + reach]
    np.testing.assert_allclose(bar.get_segments()[0][:, 1], expected)
    assert "over one seed's profiles" in legend_text(figure)[1]
    assert not strips_of(figure)


def test_payments_with_the_same_allocation_are_one_line(make_auctions):
    names = ("all-in-critical", "all-in-published")
    run = load_run(make_auctions(mechanisms=names, settings=("low",)))
    figure = draw_figure("error-against-budget", run)
    entries, note = legend_text(figure)
    assert entries == ["ErrorOpt", "BiasOpt"]
    assert "Mechanism: All-in (critical = published)." in note


def test_many_lines_are_spread_over_rows_of_panels(make_auctions):
    aggregators = ("error-opt", "bias-opt", "water-filling", "data-size")
    run = load_run(make_auctions(aggregators=aggregators))
    panels = panels_of(draw_figure("error-against-budget", run))
    assert len(panels) == 2 * 2 * 2
    assert all(len(lines_of(axes)) == 4 for axes in panels)
    titles = [axes.get_title(loc="left") for axes in panels[:4:2]]
    assert titles == [f"low sensitivity, All-in ({name})" for name in ("critical", "singer")]


def test_panels_compare_on_the_same_scale(make_auctions):
    panels = panels_of(draw_figure("error-against-budget", load_run(make_auctions())))
    assert len({axes.get_ylim() for axes in panels}) == 1


def test_the_error_over_owners_is_at_the_middle_budget(make_auctions):
    run = load_run(make_auctions(owners=(5, 10, 50), settings=("low",)))
    figure = draw_figure("error-against-owners", run)
    table = run.table("auctions")
    rows = table[
        (table["budget"] == 5.0)
        & (table["mechanism"] == "all-in-critical")
        & (table["aggregator"] == "error-opt")
    ]
    means = rows.groupby("owners")["error_bound_mean"].mean()
    line = lines_of(panels_of(figure)[0])["All-in (critical) + ErrorOpt"]
    np.testing.assert_allclose(line.get_xdata(), means.index)
    np.testing.assert_allclose(line.get_ydata(), means)
    assert strips_of(figure)[0].get_xlabel() == "owners, budget 5 (money)"


def test_a_part_of_a_run_can_be_asked_for(make_auctions):
    run = load_run(make_auctions(owners=(5, 10)))
    figure = error_against_budget.draw(run, setting="high", budget_law="fixed", owners=10)
    assert len(panels_of(figure)) == 1
    figure = error_against_owners.draw(run, budget_law="proportional", budget=2.0)
    assert len(panels_of(figure)) == 2
    with pytest.raises(ResultsError, match="owners = 7; there are 5, 10"):
        error_against_budget.draw(run, owners=7)


def test_the_constants_of_the_bound_are_said_where_known(make_auctions):
    manifest = {"scenario": {"error": {"clip": 1.0, "dim": 650}}}
    figure = draw_figure("error-against-budget", load_run(make_auctions(manifest=manifest)))
    assert "Clip norm 1, dimension 650." in legend_text(figure)[1]


def test_a_table_without_a_column_is_refused(make_auctions):
    path = make_auctions()
    table = load_run(path).table("auctions").drop(columns="error_bound_se")
    table.to_parquet(path / "auctions.parquet")
    with pytest.raises(ResultsError, match="lacks column 'error_bound_se'"):
        draw_figure("error-against-budget", load_run(path))


def test_budget_use_shows_shares_in_percent_and_no_aggregators(make_auctions):
    run = load_run(make_auctions(settings=("low",), budgets={"fixed": (2.0, 20.0)}))
    share, winners = draw_figure("budget-use", run).axes
    lines = lines_of(share)
    np.testing.assert_allclose(lines["All-in (critical)"].get_ydata(), [93, 93])
    np.testing.assert_allclose(lines["All-in (singer)"].get_ydata(), [73, 73])
    assert share.get_ylim() == (0, 105)
    table = run.table("auctions")
    expected = table.groupby("budget")["winners_mean"].mean()
    np.testing.assert_allclose(lines_of(winners)["All-in (critical)"].get_ydata(), expected)
