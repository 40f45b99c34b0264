"""What one owner gains by leaving how all others play, in ever larger markets."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.bidding_parts import read
from analysis.figures.panels import draw_points, level_ticks, log_scale, panels, seeds_note
from analysis.figures.slopes import fitted_slope
from analysis.names import budget_text, in_order, setting_text
from analysis.runs import Run
from analysis.style import headline, legend_below, looks, themed
from analysis.tables import mean_interval

_LEAST = 1e-6
"""Gains below this share of the money an owner are rounding, and not drawn."""


@themed
def draw(run: Run, *, owners: int | None = None, budget: float | None = None) -> Figure:
    """Draw the gain of the best lie against the number of owners, with fitted slopes.

    Parameters
    ----------
    run
        A run of the experiment "bidding" with crowds.
    owners, budget
        Which ones; the middle ones if None.

    Raises
    ------
    ResultsError
        When what was asked for is missing.
    """
    columns = ["play", "crowd", "regret", "regret_error"]
    frame = shares(read(run, "bidding_crowds", columns, owners=owners, budget=budget))
    settings = list(dict.fromkeys(frame["setting"]))
    names = lines_of(frame)
    styles = looks(names)
    layout = panels(1, len(settings), height=2.4)
    handles: dict[str, object] = {}
    shown: set[str] = set()
    for column, setting in enumerate(settings):
        axes = layout.axes[0, column]
        table = clear(frame[frame["setting"] == setting])
        for name in names:
            rows = table[table["line"] == name]
            if rows.empty:
                continue
            slope = fitted_slope(rows["crowd"], rows["mean"]).text()
            slopes = len(settings) == 1 and len(rows) > 1
            text = f"{name}: slope {slope}" if slopes else name
            handles[text] = draw_points(axes, rows, "crowd", styles[name], name)
            shown.add(name)
        level_ticks(axes, frame["crowd"].tolist())
        log_scale(axes, table["mean"].tolist())
        axes.set_xlabel("owners")
        axes.set_title(setting_text(setting))
    layout.axes[0, 0].set_ylabel("gain of the best lie\n(share of B / N)")
    headline(layout.figure, "What is gained by leaving the truth, or the mean field")
    text = budget_text("per-owner", float(frame["each"].iloc[0]))
    note = f"{text[0].upper()}{text[1:]}. Gains within noise of 0 are left out"
    hidden = [name for name in names if name not in shown]
    note += f", all of: {'; '.join(hidden)}. " if hidden else ". "
    note += "Slopes with 95 % intervals of the fit. " if len(settings) == 1 else ""
    note += seeds_note([frame["seed"].nunique()])
    legend_below(layout.figure, list(handles.values()), list(handles), note)
    return layout.figure


def shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Write gains as shares of `each`, the money an owner."""
    each = frame["budget"].where(
        frame["budget_law"] == "per-owner", frame["budget"] / frame["owners"]
    )
    gains = {name: frame[name] / each for name in ("regret", "regret_error")}
    return frame.assign(each=each, line=frame["mechanism"] + ", " + frame["play"], **gains)


def lines_of(frame: pd.DataFrame) -> list[str]:
    """Return the lines, rules in their order and the truth first."""
    pairs = frame.drop_duplicates("line")
    return [
        str(row.line)
        for name in in_order(pairs["mechanism"].tolist())
        for row in pairs[pairs["mechanism"] == name]
        .sort_values("play", ascending=False)
        .itertuples()
    ]


def clear(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean gains by line and crowd, those that are more than noise and rounding."""
    by = ["line", "crowd"]
    table = mean_interval(frame, by, "regret").set_index(by)
    within = frame.groupby(by)["regret_error"].agg(
        lambda errors: np.sqrt((errors**2).sum()) / len(errors)
    )
    keep = (table["mean"] > 2.0 * within) & (table["mean"] > _LEAST)
    return pd.DataFrame(table[keep].reset_index())


def fits(run: Run) -> bool:
    """Tell whether larger markets were measured."""
    return bool(run.rows("bidding_crowds"))
