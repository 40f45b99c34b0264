"""Error bound against what owners can gain by lying: which mechanisms are beaten on both counts."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.attacks import (
    PLACE,
    SHARE,
    intervals,
    place_text,
    read_attacks,
    strongest,
    zero_scale,
)
from analysis.figures.markets import settings_in_order
from analysis.figures.panels import log_scale, panels, profiles_text, seeds_note
from analysis.names import in_order
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed

AXES = ("percent", "error_bound_mean")
_COLUMNS = 3


@themed
def draw(run: Run, *, setting: str | None = None, budget_law: str | None = None) -> Figure:
    """Draw mean error bound over mean regret under the strongest attack, a panel a budget.

    Nearer to the lower left corner is better on both counts. Bars are 95 % intervals over seeds;
    the error bound is the mean over the profiles with a winner.

    Parameters
    ----------
    run
        A run of the experiment "attack".
    setting, budget_law
        Only this one; all of them when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    frame = strongest(read_attacks(run, setting=setting, budget_law=budget_law))
    table = intervals(frame, [*PLACE, "mechanism"], AXES)
    styles = looks(in_order(table["mechanism"].tolist()))
    parts = [table[(table[PLACE] == place).all(axis="columns")] for place in _places(table)]
    columns = min(len(parts), _COLUMNS)
    rows = -(-len(parts) // columns)
    layout = panels(rows, columns, height=2.5)
    handles: dict[str, object] = {}
    for number, part in enumerate(parts):
        row, column = divmod(number, columns)
        axes = layout.axes[row, column]
        handles |= _panel(axes, part, styles)
        axes.set_title(place_text(*part[PLACE].iloc[0]))
        zero_scale(axes, table["percent_mean"].tolist())
        log_scale(axes, table["error_bound_mean_mean"].tolist())
        if number + columns >= len(parts):
            axes.set_xlabel(SHARE)
        if column == 0:
            axes.set_ylabel("error bound\n(squared gradient norm)")
    for number in range(len(parts), rows * columns):
        layout.axes[divmod(number, columns)].set_visible(False)
    headline(layout.figure, "Error bound against what owners can gain by lying")
    names = [name for name in styles if name in handles]
    legend_below(layout.figure, [handles[name] for name in names], names, _note(frame))
    return layout.figure


def _places(table: pd.DataFrame) -> list[list[object]]:
    """Return where attacks took place, in order: low sensitivity first, then by budget."""
    order = settings_in_order(table)
    places = table[PLACE].drop_duplicates()
    places = places.assign(rank=[order.index(name) for name in places["setting"]])
    ordered = places.sort_values(["rank", "budget_law", "budget"])
    return ordered[PLACE].to_numpy(dtype=object).tolist()


def _panel(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    drawn: dict[str, object] = {}
    for name, look in styles.items():
        rows = part[part["mechanism"] == name]
        if len(rows):
            drawn[name] = _points(axes, rows, look)
    return drawn


def _points(axes: Axes, rows: pd.DataFrame, look: Look) -> object:
    """Draw points with their bars; an unknown interval has none."""
    x, y = (rows[f"{name}_mean"].to_numpy(dtype=float) for name in AXES)
    (marks,) = axes.plot(
        x,
        y,
        linestyle="none",
        marker=look.marker,
        color=look.color,
        markersize=5.5,
        markeredgecolor="white",
        markeredgewidth=0.4,
        clip_on=False,
        zorder=3,
    )
    spread = [
        np.nan_to_num(np.stack([middle - np.maximum(low, 0.0), high - middle]))
        for middle, low, high in (
            (x, *(rows[f"percent_{end}"].to_numpy(dtype=float) for end in ("low", "high"))),
            (
                y,
                *(rows[f"error_bound_mean_{end}"].to_numpy(dtype=float) for end in ("low", "high")),
            ),
        )
    ]
    axes.errorbar(
        x, y, xerr=spread[0], yerr=spread[1], fmt="none", ecolor=look.color, elinewidth=0.9
    )
    return marks


def _note(frame: pd.DataFrame) -> str:
    return (
        "Lower left is better. Regret: mean over owners and profiles under the strongest attack "
        f"that was run, {profiles_text(frame['profiles'].tolist())} a seed. "
        f"{seeds_note([frame['seed'].nunique()])}"
    )
