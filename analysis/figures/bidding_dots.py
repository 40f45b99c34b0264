"""Rows of dots: one line for each rule, two or more measures on it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from analysis.style import INK, Look


def rule_rows(axes: Axes, names: list[str], *, labels: bool) -> None:
    """Give each rule a line of its own, the first at the top, named at the left if asked for."""
    axes.set_yticks(range(len(names)), names if labels else [""] * len(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def dots(
    axes: Axes,
    table: pd.DataFrame,
    names: list[str],
    look: Look,
    *,
    shift: float = 0.0,
    filled: bool = True,
) -> Line2D:
    """Draw `mean` with its interval at each rule's line, `shift` lines below it."""
    rows = table.set_index("mechanism").reindex(names)
    place = np.arange(len(names)) + shift
    mean, low, high = (rows[name].to_numpy(dtype=float) for name in ("mean", "low", "high"))
    known = np.isfinite(low) & np.isfinite(high)
    if known.any():
        spread = np.maximum([mean[known] - low[known], high[known] - mean[known]], 0)
        axes.errorbar(
            mean[known], place[known], xerr=spread, fmt="none", ecolor=look.color, elinewidth=0.9
        )
    (line,) = axes.plot(
        mean,
        place,
        linestyle="none",
        marker=look.marker,
        markersize=5 if filled else 7,
        color=look.color,
        markerfacecolor=look.color if filled else "white",
        markeredgecolor=look.color,
    )
    return line


def zero_line(axes: Axes, at: float = 0.0) -> None:
    """Draw a vertical line at a place that matters."""
    axes.axvline(at, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
