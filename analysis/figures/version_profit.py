"""The broker's profit against the pool that she promises, or the cut that she keeps."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.panels import draw_points, panels, seeds_note
from analysis.figures.version_parts import (
    means,
    read,
    rule_looks,
    rule_text,
    rules_of,
    swept,
)
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed

_AXES = {"pool": "reward pool (money)", "cut": "cut of the broker (share of the revenue)"}


@themed
def draw(run: Run) -> Figure:
    """Draw profit over pool and over cut, with the exact best choice where it was computed.

    Parameters
    ----------
    run
        A run of the experiment "versions" with markets that sweep "pool" or "cut".

    Raises
    ------
    ResultsError
        When no market sweeps them.
    """
    frame = swept(run, *_AXES)
    choices = read(run, "version_choices") if "version_choices" in run.tables else None
    markets = list(dict.fromkeys(frame["market"]))
    layout = panels(1, len(markets), height=2.6, share=False)
    rules = rules_of(frame)
    styles = rule_looks() | looks(rule for rule in rules if rule not in rule_looks())
    handles: dict[str, object] = {}
    best = False
    for column, market in enumerate(markets):
        axes = layout.axes[0, column]
        rows = frame[frame["market"] == market]
        name = str(rows["x_name"].iloc[0])
        for rule in rules:
            found = means(rows[rows["pricing"] == rule], ["x"], "broker_profit")
            handles[rule_text(rule)] = draw_points(axes, found, "x", styles[rule], rule_text(rule))
        axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
        if choices is not None:
            best |= _mark(axes, choices[choices["market"] == market], name)
        axes.set_title(str(rows["title"].iloc[0]))
        axes.set_xlabel(_AXES[name])
        axes.set_ylabel("broker's profit (money)")
    if best:
        handles["exact best choice for a survey, and the profit it lets her expect"] = _star()
    headline(layout.figure, "The broker's profit against pool and cut")
    legend_below(layout.figure, list(handles.values()), list(handles), _note(frame, best))
    return layout.figure


def _mark(axes: Axes, choices: pd.DataFrame, name: str) -> bool:
    """Mark each seed's best choice on its survey; tell whether there is one."""
    if choices.empty:
        return False
    point = choices.groupby(["seed", "pricing", "versions"], sort=False).first().reset_index()
    best = point.loc[point.groupby(["seed", "pricing"])["expected_profit"].idxmax()]
    best = best[(best["expected_profit"] > 0) & (best[name] >= 0)]  # no cut below 0 promises it
    axes.plot(
        best[name],
        best["expected_profit"],
        linestyle="none",
        marker="*",
        color=INK,
        markersize=7,
        markeredgecolor="white",
        markeredgewidth=0.4,
        zorder=4,
    )
    return bool(np.isfinite(best[name]).any())


def _star() -> Line2D:
    return Line2D([], [], color=INK, marker="*", linestyle="none", markersize=7)


def _note(frame: pd.DataFrame, best: bool) -> str:
    why = "Profit is what buyers paid less the pool; 0 where nothing is traded. "
    stars = "A star is one seed's survey, solved exactly for every number of versions. "
    return why + (stars if best else "") + seeds_note([frame["seed"].nunique()])
