"""Accuracy, utility and the graph's inside share, round after round."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import draw_band, empty_note, panels, seeds_note
from analysis.figures.sharing_parts import (
    markets_of,
    read,
    title_of,
    variant_looks,
    variants_of,
)
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed
from analysis.tables import mean_interval

_MEASURES = {
    "accuracy": "accuracy",
    "utility": "utility a round (money)",
    "inside_share": "imports from\nthe own group (share)",
}


@themed
def draw(run: Run) -> Figure:
    """Draw accuracy, utility of a round and the share of imports inside groups over rounds.

    Parameters
    ----------
    run
        A run of the experiment "sharing".

    Raises
    ------
    ResultsError
        When a table or column is missing.
    """
    frame = read(run, "sharing_rounds", ["round", *_MEASURES])
    measures = [name for name in _MEASURES if name != "inside_share" or grouped(frame)]
    markets, variants = markets_of(frame), variants_of(frame)
    styles = variant_looks() | looks(name for name in variants if name not in variant_looks())
    layout = panels(len(measures), len(markets), height=1.6, share=False)
    handles: dict[str, object] = {}
    for column, market in enumerate(markets):
        part = frame[frame["market"] == market].assign(after=lambda rows: rows["round"] + 1)
        for row, measure in enumerate(measures):
            axes = layout.axes[row, column]
            if measure != "inside_share" or grouped(part):
                handles |= _draw_panel(axes, part, measure, styles)
            else:
                axes.set_axis_off()
                empty_note(axes, "one group")
            if column == 0:
                axes.set_ylabel(_MEASURES[measure])
            if row == len(measures) - 1:
                axes.set_xlabel("rounds done")
        layout.axes[0, column].set_title(title_of(frame, market))
    headline(layout.figure, "Markets for models, round after round")
    note = "Means over participants who are present and no attackers. "
    note += seeds_note([frame["seed"].nunique()]).replace("Bars", "Bands")
    order = [name for name in variants if name in handles]
    legend_below(layout.figure, [handles[name] for name in order], order, note)
    return layout.figure


def _draw_panel(
    axes: Axes, part: pd.DataFrame, measure: str, styles: dict[str, Look]
) -> dict[str, object]:
    """Draw one measure of one market, a line a method; methods without imports have no share."""
    rows = mean_interval(part, ["variant", "after"], measure)
    rows = rows[rows["mean"].notna()]
    if rows.empty:
        empty_note(axes, "nothing to show")
    return {
        name: draw_band(axes, rows[rows["variant"] == name], "after", styles[name], name)
        for name in variants_of(rows)
    }


def grouped(frame: pd.DataFrame) -> bool:
    """Tell whether participants are of several groups, so that imports can cross them."""
    return bool((frame["inside_share"] < 1).any())
