"""What liars gain over the truth under each rule of payment, beside honest participants."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import panels, seeds_note
from analysis.figures.sharing_parts import (
    draw_rows,
    empty_figure,
    markets_of,
    read,
    rule_looks,
    rule_text,
    rules_of,
    title_of,
)
from analysis.runs import Run
from analysis.style import INK, Look, headline, legend_below, themed
from analysis.tables import mean_interval

_TITLE = "What lies bring under each rule of payment"


@themed
def draw(run: Run) -> Figure:
    """Draw liars' gain over telling the truth, and the utilities of liars and of the honest.

    Markets without liars are left out.

    Parameters
    ----------
    run
        A run of the experiment "sharing" with liars.

    Raises
    ------
    ResultsError
        When a table or column is missing.
    """
    columns = ["round", "kind", "utility", "honest_utility", "present"]
    frame = read(run, "sharing_participants", columns, method="ipfl")
    frame = frame[frame["present"] == 1]
    frame = frame[frame["market"].isin(frame.loc[frame["kind"] == "liar", "market"])]
    if frame.empty:
        return empty_figure(_TITLE, "nobody lies")
    markets, rules = markets_of(frame), rules_of(frame)
    layout = panels(len(markets), 2, height=0.5 + 0.2 * len(rules), share=False, below=0.8)
    styles = {rule_text(rule): look for rule, look in rule_looks().items()}
    order = [rule_text(rule) for rule in rules]
    for row, market in enumerate(markets):
        part = frame[frame["market"] == market].assign(
            rule=lambda rows: rows["rule"].map(rule_text)
        )
        left, right = layout.axes[row, 0], layout.axes[row, 1]
        draw_rows(left, gains(part), "rule", order, styles)
        left.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
        _utilities(right, part, order, styles)
        left.set_title(title_of(frame, market))
        if row == len(markets) - 1:
            left.set_xlabel("a liar's gain over the truth (money a round)")
            right.set_xlabel("utility a round (money): full liars, open honest")
    headline(layout.figure, _TITLE)
    note = "Gain: a liar's utility less what the truth would have brought her in the same round. "
    legend_below(layout.figure, [], [], note + seeds_note([frame["seed"].nunique()]))
    return layout.figure


def gains(rows: pd.DataFrame) -> pd.DataFrame:
    """Return liars' mean gain over the truth by rule, with its interval over seeds."""
    lied = rows[rows["kind"] == "liar"]
    lied = lied.assign(gain=lied["utility"] - lied["honest_utility"])
    each = lied.groupby(["seed", "rule"], sort=False)["gain"].mean().reset_index()
    return mean_interval(each, ["rule"], "gain")


def _utilities(axes: Axes, part: pd.DataFrame, order: list[str], styles: dict[str, Look]) -> None:
    for kind, full in (("liar", True), ("trader", False)):
        some = part[part["kind"] == kind]
        each = some.groupby(["seed", "rule"], sort=False)["utility"].mean().reset_index()
        if each.empty:
            continue
        rows = mean_interval(each, ["rule"], "utility")
        means = dict(zip(rows["rule"], rows["mean"], strict=True))
        for place, rule in enumerate(order):
            if rule not in means:
                continue
            look = styles[rule]
            axes.plot(
                [means[rule]],
                [place],
                marker=look.marker,
                color=look.color,
                fillstyle="full" if full else "none",
                linestyle="none",
            )
    axes.set_yticks(range(len(order)), [""] * len(order))
    axes.set_ylim(len(order) - 0.5, -0.5)


def lies(run: Run) -> bool:
    """Tell whether anybody lies where money flows."""
    people = run.table("sharing_participants", columns=["kind", "method"])
    return bool(((people["kind"] == "liar") & (people["method"] == "ipfl")).any())
