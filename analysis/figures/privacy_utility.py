"""What a model learns, against the privacy that its owners lost."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.markets import QUALITY, known_metrics
from analysis.figures.panels import draw_points, panels, seeds_note
from analysis.names import in_order, setting_text, with_labels
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed
from analysis.tables import mean_interval
from market_sim.errors import ResultsError

_MARKET = ["seed", "setting", "budget_law", "budget_level", "mechanism", "aggregator"]
_LEVELS = "uniform epsilon"


@themed
def draw(run: Run) -> Figure:
    """Draw the quality of the last model over the privacy lost, a point a mechanism and budget.

    Parameters
    ----------
    run
        A run of markets that learn.

    Raises
    ------
    ResultsError
        When the market has no learning.
    """
    frame, composed = points(run)
    metrics = known_metrics(frame)
    if not metrics:
        raise ResultsError(f"The markets of {run.folder} have no learning, so no accuracy to draw.")
    settings = list(dict.fromkeys(frame["setting"]))
    names = in_order(frame["line"].tolist())
    styles = looks(names)
    layout = panels(len(settings), len(metrics), height=2.2, share=False)
    handles: dict[str, object] = {}
    for row, setting in enumerate(settings):
        part = frame[frame["setting"] == setting]
        for column, metric in enumerate(metrics):
            axes = layout.axes[row, column]
            table = curve(part, metric)
            for name in names:
                rows = table[table["line"] == name]
                finite = rows[np.isfinite(rows["privacy"])]
                if len(finite):
                    handles[name] = draw_points(axes, finite, "privacy", styles[name], name)
                elif len(rows):
                    level = float(rows["mean"].iloc[0])
                    handles[name] = axes.axhline(level, color=INK, linestyle=(0, (4, 2)))
            if (part["privacy"].replace(np.inf, 0.0) > 0).any():  # somebody sold
                axes.set_xscale("log")
                axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.set_ylabel(QUALITY[metric])
            if column == 0:
                axes.set_title(setting_text(setting))
            if row == len(settings) - 1:
                axes.set_xlabel("privacy lost by an owner\n(epsilon)")
    headline(layout.figure, "What the model learns, against the privacy lost")
    how = "composed over all rounds" if composed else "summed over all rounds"
    note = f"Mean over owners, {how}; along a line the budget grows. "
    legend_below(
        layout.figure,
        list(handles.values()),
        list(handles),
        note + seeds_note([frame["seed"].nunique()]),
    )
    return layout.figure


def points(run: Run) -> tuple[pd.DataFrame, bool]:
    """Return each market's last round with `privacy`, the mean loss of an owner, and `line`.

    Also tells whether losses are composed, as where owners were recorded, or summed.
    """
    rounds = with_labels(run.table("rounds"))
    last = rounds.sort_values("round").groupby(_MARKET, sort=False).tail(1)
    composed = "owners" in run.tables and bool(run.rows("owners"))
    if composed:
        owners = with_labels(run.table("owners", columns=[*_MARKET, "round", "privacy_spent"]))
        final = owners[owners["round"] == owners.groupby(_MARKET)["round"].transform("max")]
        lost = final.groupby(_MARKET)["privacy_spent"].mean()
    else:
        sums = rounds.groupby(_MARKET).agg(sold=("epsilon_sold", "sum"), of=("participants", "max"))
        lost = sums["sold"] / sums["of"]
    frame = last.merge(lost.rename("privacy").reset_index(), on=_MARKET)
    levels = frame["mechanism"].str.startswith(_LEVELS)
    return frame.assign(line=frame["mechanism"].mask(levels, _LEVELS)), composed


def curve(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return means over seeds of a metric and of the privacy lost, by line, rule and budget."""
    by = ["line", "mechanism", "budget_law", "budget_level"]
    table = mean_interval(frame, by, metric)
    lost = frame.groupby(by)["privacy"].mean().reset_index()
    return table.merge(lost, on=by)
