"""How often a lie pays, and how much, by what it is about and the rule of payment."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.panels import panels, seeds_note
from analysis.figures.sharing_parts import draw_rows, rule_looks, rule_text, rules_of
from analysis.runs import Run
from analysis.style import headline, legend_below, themed
from analysis.tables import mean_interval, require

_ORDER = ("lower cost", "cost to one buyer", "higher cost", "gain", "size")
_MEASURES = {
    "lie_share": "lies that pay (%)",
    "gain_share": "participants who can gain (%)",
    "regret_mean": "best lie found (money, mean)",
}


@themed
def draw(run: Run) -> Figure:
    """Draw the share of paying lies, of participants who can gain, and the mean gain.

    Parameters
    ----------
    run
        A run of the experiment "incentives".

    Raises
    ------
    ResultsError
        When the table or a column is missing.
    """
    frame = run.table("incentives")
    require(frame, ["seed", "market", "rule", "deviation", *_MEASURES])
    rules, styles = rules_of(frame), rule_looks()
    named = {rule_text(rule): styles[rule] for rule in rules}
    found = [name for name in _ORDER if name in set(frame["deviation"])]
    layout = panels(len(found), 3, height=0.32 + 0.13 * len(rules), share=False, below=0.7)
    for row, deviation in enumerate(found):
        part = frame[frame["deviation"] == deviation]
        for column, (measure, text) in enumerate(_MEASURES.items()):
            axes = layout.axes[row, column]
            rows = _means(part, measure)
            draw_rows(axes, rows, "rule", list(named), named)
            axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
            if rows["mean"].max() == 0:
                axes.set_xlim(-0.05, 1.0)
            elif measure != "regret_mean":
                axes.set_xlim(right=min(103.0, axes.get_xlim()[1]))
            if column:
                axes.tick_params(labelleft=False)
            else:
                axes.set_title(f"lie: {deviation}")
            if row == len(found) - 1:
                axes.set_xlabel(text)
    headline(layout.figure, "Which lies pay under which rule")
    note = "Lies in the cost are exact, the others a grid: a lower bound. "
    legend_below(layout.figure, [], [], note + seeds_note([frame["seed"].nunique()]))
    return layout.figure


def _means(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return means over seeds by rule; shares become percentages."""
    factor = 1.0 if measure == "regret_mean" else 100.0
    scaled = rows.assign(rule=rows["rule"].map(rule_text), **{measure: factor * rows[measure]})
    each = scaled.groupby(["seed", "rule"], sort=False)[measure].mean().reset_index()
    return mean_interval(each, ["rule"], measure)
