"""Economic utility and accuracy of the ways to learn from each other, by task."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.panels import panels, seeds_note
from analysis.figures.sharing_parts import (
    draw_rows,
    empty_figure,
    markets_of,
    read,
    title_of,
    variant_looks,
    variants_of,
)
from analysis.runs import Run
from analysis.style import headline, legend_below, looks, themed
from analysis.tables import mean_interval

_TITLE = "What participants gain, and how good their models are"
_MEASURES = {
    "economic_utility": "economic utility of a participant (money, all rounds)",
    "accuracy": "accuracy on a participant's own mix of labels",
}


@themed
def draw(run: Run) -> Figure:
    """Draw mean economic utility and accuracy after the last round, for every task and method.

    Parameters
    ----------
    run
        A run of the experiment "sharing".

    Raises
    ------
    ResultsError
        When a table or column is missing.
    """
    frame = last_round(read(run, "sharing_participants", ["round", "kind", *_MEASURES]))
    if frame.empty:
        return empty_figure(_TITLE, "all participants are attackers")
    markets, variants = markets_of(frame), variants_of(frame)
    styles = variant_looks() | looks(name for name in variants if name not in variant_looks())
    layout = panels(len(markets), 2, height=0.5 + 0.17 * len(variants), share=False, below=0.7)
    for row, market in enumerate(markets):
        part = frame[frame["market"] == market]
        for column, (measure, text) in enumerate(_MEASURES.items()):
            axes = layout.axes[row, column]
            each = part.groupby(["seed", "variant"], sort=False)[measure].mean().reset_index()
            draw_rows(axes, mean_interval(each, ["variant"], measure), "variant", variants, styles)
            if column:
                axes.tick_params(labelleft=False)
            else:
                axes.set_title(title_of(frame, market))
            if row == len(markets) - 1:
                axes.set_xlabel(text)
    headline(layout.figure, _TITLE)
    note = "Means over participants who are no attackers, after the last round. "
    legend_below(layout.figure, [], [], note + seeds_note([frame["seed"].nunique()]))
    return layout.figure


def last_round(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each market's last round, without attackers."""
    last = frame.groupby(["market", "method", "rule", "seed"], sort=False)["round"].transform("max")
    return frame[(frame["round"] == last) & (frame["kind"] != "attacker")]
