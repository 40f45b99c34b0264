"""How much regret an attack measures, by its strength."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from analysis.figures.attacks import (
    PUBLISHED,
    SHARE,
    intervals,
    middle_budget,
    read_attacks,
    zero_scale,
)
from analysis.figures.markets import settings_in_order
from analysis.figures.panels import empty_note, panels, profiles_text, seeds_note
from analysis.names import budget_text, in_order, setting_text
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed


@themed
def draw(run: Run, *, setting: str | None = None, budget_law: str | None = None) -> Figure:
    """Draw the mean regret found against restarts times steps, a line for each mechanism.

    Open marks are the test that was published with the learned auctions; a level line without a
    curve is what the audit found of a mechanism that is no network. At the middle budget.

    Parameters
    ----------
    run
        A run of the experiment "attack".
    setting, budget_law
        Only this one; all settings and the first law when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    frame = middle_budget(read_attacks(run, setting=setting, budget_law=budget_law))
    keys = ["setting", "mechanism", "method", "lies"]
    table = intervals(frame, keys, ["percent"])
    settings = settings_in_order(table)
    styles = looks(in_order(table["mechanism"].tolist()))
    layout = panels(1, len(settings), height=2.8)
    handles: dict[str, object] = {}
    for column, name in enumerate(settings):
        axes = layout.axes[0, column]
        handles |= _panel(axes, table[table["setting"] == name], styles)
        axes.set_title(setting_text(name))
        axes.set_xlabel("strength of the attack (restarts \N{MULTIPLICATION SIGN} steps)")
    layout.axes[0, 0].set_ylabel(SHARE)
    zero_scale(layout.axes[0, 0], table["percent_mean"].tolist(), "y")
    budget = budget_text(frame["budget_law"].iloc[0], frame["budget"].iloc[0])
    number = profiles_text(frame["profiles"].tolist())
    note = (
        f"{budget[0].upper()}{budget[1:]}, {number} a seed. Open marks: the test published with "
        f"the learned auctions. {seeds_note([frame['seed'].nunique()])}"
    )
    headline(layout.figure, "How much an owner can gain, by how hard one looks")
    names = [name for name in styles if name in handles]
    legend_below(layout.figure, [handles[name] for name in names], names, note)
    return layout.figure


def _panel(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if part.empty:
        empty_note(axes, "not run")
        return {}
    curves = part[(part["lies"] > 0) & (part["method"] != PUBLISHED)]
    ends = (curves["lies"].min(), curves["lies"].max()) if len(curves) else (1.0, 100.0)
    drawn: dict[str, object] = {}
    for name, look in styles.items():
        rows = part[part["mechanism"] == name]
        weak = rows[rows["method"] == PUBLISHED]
        strong = rows[rows["method"] != PUBLISHED].sort_values("lies")
        if strong.empty:
            continue
        drawn[name] = _curve(axes, strong, look, ends)
        axes.plot(
            weak["lies"],
            weak["percent_mean"],
            linestyle="none",
            marker=look.marker,
            color=look.color,
            fillstyle="none",
            markersize=6,
            label="_published",
        )
    return drawn


def _curve(axes: Axes, rows: pd.DataFrame, look: Look, ends: tuple[float, float]) -> object:
    """Draw a curve with its bars, or a level line where there is one audit instead of a curve."""
    level = len(rows) == 1 and rows["lies"].iloc[0] == 0
    places = np.array(ends) if level else rows["lies"].to_numpy(dtype=float)
    mean, low, high = (
        np.broadcast_to(rows[f"percent_{name}"].to_numpy(dtype=float), places.shape)
        for name in ("mean", "low", "high")
    )
    shown = np.isfinite(low) & (places == places[-1] if level else True)
    spread = np.stack([mean - np.maximum(low, 0.0), high - mean])[:, shown]
    axes.errorbar(
        places[shown], mean[shown], yerr=spread, fmt="none", ecolor=look.color, elinewidth=0.8
    )
    (line,) = axes.plot(
        places,
        mean,
        color=look.color,
        linestyle=look.dash,
        marker=look.marker,
        markevery=[1] if level else None,
        markeredgecolor="white",
        markeredgewidth=0.4,
    )
    return line
