"""Error bounds of auctions along a sweep: what the two error figures share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import (
    Panels,
    draw_points,
    empty_note,
    level_ticks,
    log_scale,
    panels,
    seeds_note,
)
from analysis.names import (
    in_order,
    merge_equal,
    setting_text,
    shared_names,
    with_labels,
    with_lines,
    written,
)
from analysis.runs import Run
from analysis.style import FAINT, INK, Look, headline, legend_below, looks
from analysis.tables import mean_interval

KEYS = ["setting", "owners", "budget_law", "budget", "mechanism", "aggregator"]
COLUMNS = [
    *KEYS,
    "seed",
    "profiles",
    "profiles_with_winner",
    "error_bound_mean",
    "error_bound_se",
]
MOST_LINES = 6
POSSIBLE = (written("full-information"), written("full-information-bound"))
IMPOSSIBLE = "impossible unless owners lose"
NORMAL = 1.959964


@dataclass(frozen=True)
class Sweep:
    """What an error figure shows: title, swept column, what names a row, a note, vertical axis."""

    title: str
    x: str
    row: str
    x_labels: dict[str, str]
    note: str = ""
    y_label: str = "error bound\n(squared gradient norm)"


def read_errors(run: Run) -> pd.DataFrame:
    """Read the auctions of a run, names written as figures write them."""
    return with_labels(run.table("auctions", columns=COLUMNS))


def summarize_errors(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean error bound over seeds with its interval, and the share of profiles without a winner.

    A single seed has no interval over seeds; then the interval is that of the mean over its
    profiles, mean +- 1.96 standard errors.

    Returns
    -------
    DataFrame
        One row for each of `KEYS`: `n`, `mean`, `low`, `high`, `no_winner` (0 to 1); `mean` is inf
        where no profile of any seed had a winner.
    """
    won = frame["profiles_with_winner"] > 0
    values = frame.assign(error_bound_mean=frame["error_bound_mean"].where(won, np.inf))
    table = mean_interval(values, KEYS, "error_bound_mean").set_index(KEYS)
    sums = frame.groupby(KEYS)[["profiles", "profiles_with_winner"]].sum()
    table["no_winner"] = 1 - sums["profiles_with_winner"] / sums["profiles"]
    within = frame.groupby(KEYS)["error_bound_se"].mean()
    single = (table["n"] == 1) & np.isfinite(within)
    table.loc[single, "low"] = table["mean"] - NORMAL * within
    table.loc[single, "high"] = table["mean"] + NORMAL * within
    return table.reset_index()


def draw_errors(summary: pd.DataFrame, sweep: Sweep) -> Figure:
    """Draw one column of panels a setting, one row for each of `sweep.row`, one line an auction.

    Mechanisms that agree everywhere are one line with both names. With more than six lines, of
    several mechanisms and aggregators, every mechanism gets its own row of panels. What not even
    full information makes possible is a shaded region.
    """
    possible = summary[summary["mechanism"].isin(POSSIBLE)]
    others = [key for key in KEYS if key != "mechanism"]
    auctions = summary[~summary["mechanism"].isin(POSSIBLE)]
    table = merge_equal(auctions, "mechanism", [*others, sweep.row], ["mean", "no_winner"])
    table = with_lines(table, ["mechanism", "aggregator"])
    several = table["mechanism"].nunique() > 1 and table["aggregator"].nunique() > 1
    if table["line"].nunique() > MOST_LINES and several:
        table["row"] = table[sweep.row].astype(str) + "\n" + table["mechanism"]
        table = with_lines(table, ["aggregator"])
    else:
        table["row"] = table[sweep.row].astype(str)
    rows = _rows(table, sweep.row)
    columns = sorted(table["setting"].unique(), key=lambda name: (name != "low", name))
    styles = looks(in_order(table["line"].tolist()))
    layout = panels(
        len(rows),
        len(columns),
        strip=bool((table["no_winner"] > 0).any()),
        below=0.9 + 0.12 * max(0, len(styles) - 4),
    )
    for row, name in enumerate(rows):
        for column, setting in enumerate(columns):
            part = table[(table["row"] == name) & (table["setting"] == setting)]
            _draw_panel(layout, (row, column), part, sweep, styles)
            layout.axes[row, column].set_title(_panel_title(name, setting))
            # The same limits everywhere: panels are compared with each other.
            log_scale(layout.axes[row, column], [*table["mean"], *possible["mean"]])
            here = possible[possible[sweep.row].astype(str) == name.split("\n")[0]]
            _draw_possible(layout.axes[row, column], here[here["setting"] == setting], sweep.x)
    _finish(layout, table, sweep, styles)
    return layout.figure


def _rows(table: pd.DataFrame, row: str) -> list[str]:
    """Names of the rows of panels: by the sweep's rows, then by mechanism."""
    pairs = table[[row, "mechanism", "row"]].drop_duplicates()
    order = in_order(pairs["mechanism"].tolist())
    pairs = pairs.assign(rank=pairs["mechanism"].map(order.index))
    return list(dict.fromkeys(pairs.sort_values([row, "rank"])["row"]))


def _panel_title(row: str, setting: str) -> str:
    extra = row.split("\n")[1:]
    return ", ".join(part for part in (setting_text(setting), *extra) if part)


def _draw_panel(
    layout: Panels, at: tuple[int, int], part: pd.DataFrame, sweep: Sweep, styles: dict[str, Look]
) -> None:
    axes = layout.axes[at]
    if at[1] == 0:
        axes.set_ylabel(sweep.y_label)
    if part.empty:
        empty_note(axes, "not run")
        return
    for name, look in styles.items():
        points = part[part["line"] == name]
        if points.empty:
            continue
        draw_points(axes, points, sweep.x, look, name)
        if layout.strips:
            ordered = points.sort_values(sweep.x)
            layout.strips[at].plot(
                ordered[sweep.x],
                100 * ordered["no_winner"],
                color=look.color,
                marker=look.marker,
                linestyle=look.dash,
                markersize=3,
                linewidth=0.9,
            )
    if not np.isfinite(part["mean"]).any():
        empty_note(axes, "no profile has a winner:\nthe error bound is infinite")
    level_ticks(axes, part[sweep.x].tolist())
    layout.bottom(*at).set_xlabel(sweep.x_labels[str(part[sweep.row].iloc[0])])


def _draw_possible(axes: Axes, rows: pd.DataFrame, x: str) -> None:
    """Shade what is proved to be impossible, and draw what full information can buy."""
    purchase, proof = (rows[rows["mechanism"] == name].sort_values(x) for name in POSSIBLE)
    if len(purchase):
        axes.plot(purchase[x], purchase["mean"], color=INK, linewidth=0.9, label="_possible")
    if len(proof):
        floor = axes.get_ylim()[0]
        axes.fill_between(
            proof[x].to_numpy(dtype=float),
            floor,
            proof["mean"].to_numpy(dtype=float),
            color=FAINT,
            alpha=0.3,
            linewidth=0,
            label=IMPOSSIBLE,
        )


def _finish(layout: Panels, table: pd.DataFrame, sweep: Sweep, styles: dict[str, Look]) -> None:
    handles: dict[str, object] = {
        str(line.get_label()): line for axes in layout.axes.values() for line in axes.get_lines()
    }
    shaded = [patch for axes in layout.axes.values() for patch in axes.collections]
    handles |= {name: p for p in shaded if (name := str(p.get_label())) == IMPOSSIBLE}
    names = [name for name in (*styles, IMPOSSIBLE) if name in handles]
    counts = table["n"].tolist()
    note = seeds_note(counts).strip()
    if max(counts) == 1 and table["low"].notna().any():
        note = "Bars: 95\N{NO-BREAK SPACE}% intervals of the mean over one seed's profiles."
    if (table["no_winner"] > 0).any():
        note += " Means are over the profiles with a winner; the others have no finite bound."
    if np.isposinf(table["mean"]).any():
        note += " Open marks at the upper edge: no profile has a winner."
    if IMPOSSIBLE in handles:
        note += " Dark line: what a buyer could get who knew all costs and paid no more than them."
    note = f"{shared_names(table, ['mechanism', 'aggregator'])}{sweep.note}{note}"
    headline(layout.figure, sweep.title)
    legend_below(layout.figure, [handles[name] for name in names], names, note)


def error_constants(run: Run) -> str:
    """Say which clip and dimension the error bounds are for, where the scenario says it."""
    constants = run.setting("error")
    if not isinstance(constants, dict) or not {"clip", "dim"} <= set(constants):
        return ""
    return f"Clip norm {constants['clip']:g}, dimension {constants['dim']:,}. "


def count_text(values: Sequence[int], thing: str) -> str:
    """Write a count with its unit, such as "10 owners" or "5 to 100 owners"."""
    low, high = min(values), max(values)
    return f"{low:,} {thing}" if low == high else f"{low:,} to {high:,} {thing}"
