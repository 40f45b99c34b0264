"""How much privacy a rule buys of what its money could buy from owners who cannot lie."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.panels import draw_points, level_ticks, panels, seeds_note
from analysis.names import budget_axis, budget_text, in_order, keep, middle, setting_text
from analysis.names import with_labels as labelled
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed
from analysis.tables import mean_interval
from market_sim.errors import ResultsError

_NORMAL = 1.959964
_HIGHEST = 1.3
"""Larger ratios, which owners pay for by losses, are marks at the upper edge."""
_COLUMNS = [
    "seed",
    "setting",
    "owners",
    "budget_law",
    "budget",
    "mechanism",
    "aggregator",
    "profiles",
    "purchase_ratio_mean",
    "purchase_ratio_se",
    "purchase_limit",
]


@themed
def draw_owners(run: Run, *, budget: float | None = None) -> Figure:
    """Draw the ratio over the number of owners, with the limit of truthful rules.

    Parameters
    ----------
    run
        A run of auctions among owners with linear costs.
    budget
        The budget; the middle one if None.

    Raises
    ------
    ResultsError
        When the run has no such ratio, or what was asked for is missing.
    """
    frame = _read(run)
    level = middle(frame["budget"].tolist()) if budget is None else budget
    frame = keep(frame, {"budget": level})
    text = budget_text(frame["budget_law"].iloc[0], level)
    return _draw(frame, "owners", "owners", f"{text[0].upper()}{text[1:]}. ")


@themed
def draw_budgets(run: Run, *, owners: int | None = None) -> Figure:
    """Draw the ratio over the budget, with the limit of truthful rules.

    Parameters
    ----------
    run
        A run of auctions among owners with linear costs.
    owners
        The number of owners; the middle one if None.

    Raises
    ------
    ResultsError
        When the run has no such ratio, or what was asked for is missing.
    """
    frame = _read(run)
    number = middle(frame["owners"].tolist()) if owners is None else owners
    frame = keep(frame, {"owners": number})
    return _draw(frame, "budget", budget_axis(frame["budget_law"].iloc[0]), f"{number:,} owners. ")


def _read(run: Run) -> pd.DataFrame:
    frame = labelled(run.table("auctions", columns=_COLUMNS))
    # What was bought does not depend on how it is weighed.
    frame = frame[frame["aggregator"] == frame["aggregator"].iloc[0]]
    frame = frame[frame["budget_law"] == frame["budget_law"].iloc[0]]
    known = frame["purchase_ratio_mean"].notna()
    if not known.any():
        raise ResultsError(f"{run.folder} has no market of linear costs alone, so no such ratio.")
    return pd.DataFrame(frame[known])


def ratios(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return mean ratios; one seed has the interval of the mean over its profiles."""
    table = mean_interval(frame, by, "purchase_ratio_mean").set_index(by)
    within = frame.groupby(by)["purchase_ratio_se"].mean()
    single = (table["n"] == 1) & np.isfinite(within)
    table.loc[single, "low"] = table["mean"] - _NORMAL * within
    table.loc[single, "high"] = table["mean"] + _NORMAL * within
    return pd.DataFrame(table.reset_index())


def _draw(frame: pd.DataFrame, x: str, label: str, where: str) -> Figure:
    settings = list(dict.fromkeys(frame["setting"]))
    names = in_order(frame["mechanism"].tolist())
    styles = looks(names)
    layout = panels(1, len(settings), height=2.6)
    handles: dict[str, Line2D] = {}
    beyond = False
    for column, setting in enumerate(settings):
        axes = layout.axes[0, column]
        part = frame[frame["setting"] == setting]
        table = cut(ratios(part, ["mechanism", x]))
        beyond = beyond or bool(np.isinf(table["mean"]).any())
        for name in names:
            rows = table[table["mechanism"] == name]
            if len(rows):
                handles[name] = draw_points(axes, rows, x, styles[name], name)
        limit = part.groupby(x)["purchase_limit"].first()
        if limit.notna().any():
            axes.plot(limit.index, limit, color=INK, linestyle=(0, (4, 2)), linewidth=0.9, zorder=1)
        level_ticks(axes, part[x].tolist())
        axes.set_xlabel(label)
        axes.set_title(setting_text(setting))
    layout.axes[0, 0].set_ylabel("privacy bought\n(share of what is possible)")
    known = frame["purchase_limit"].notna().any()
    if known:
        line = Line2D([], [], color=INK, linestyle=(0, (4, 2)), linewidth=0.9)
        handles["best truthful rule, many owners"] = line
    headline(layout.figure, "Privacy bought, as a share of what full information buys")
    if beyond:
        where += f"Marks at the upper edge: more than {_HIGHEST:g}, where owners lose. "
    seeds = int(frame.groupby("setting")["seed"].nunique().max())
    note = where + ("Bars: 95 % intervals over profiles." if seeds == 1 else seeds_note([seeds]))
    legend_below(layout.figure, list(handles.values()), list(handles), note)
    return layout.figure


def cut(table: pd.DataFrame) -> pd.DataFrame:
    """Take ratios beyond the highest that is drawn to be infinite, without an interval."""
    high = table["mean"] > _HIGHEST
    mean = table["mean"].mask(high, np.inf)
    return table.assign(mean=mean, low=table["low"].mask(high), high=table["high"].mask(high))


def fits(run: Run) -> bool:
    """Tell whether a run of auctions knows such ratios."""
    try:
        columns = ["purchase_ratio_mean"]
        return bool(run.table("auctions", columns=columns)["purchase_ratio_mean"].notna().any())
    except ResultsError:  # a run of an earlier version, or an unfinished one
        return False
