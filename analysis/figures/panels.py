"""A grid of panels, and lines with their intervals on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis.style import FAINT, TWO_COLUMNS, Look

SPREAD = "Bars: 95\N{NO-BREAK SPACE}% intervals over {n} seeds."


@dataclass(frozen=True)
class Panels:
    """A figure and its axes by (row, column); `strips` are the low axes under them, if any."""

    figure: Figure
    axes: Mapping[tuple[int, int], Axes]
    strips: Mapping[tuple[int, int], Axes]

    def bottom(self, row: int, column: int) -> Axes:
        """Return the axes that carry the horizontal labels of a panel."""
        return self.strips.get((row, column), self.axes[row, column])


def panels(
    rows: int,
    columns: int,
    *,
    strip: bool = False,
    height: float | None = None,
    share: bool = True,
    below: float = 0.9,
) -> Panels:
    """Lay out rows x columns panels across the width of a page, each with a strip if asked for.

    Panels of a row have one vertical scale unless `share` is false. `below` is the room in inches
    for title, legend and note.
    """
    each = height or (2.3 if columns < 3 else 1.9)
    width = TWO_COLUMNS if columns > 1 else 0.62 * TWO_COLUMNS
    extra = 0.45 if strip else 0.0
    figure = Figure(figsize=(width, min(rows * (each + extra) + below, 9.6)), layout="constrained")
    heights = [each, extra] if strip else [each]
    grid = figure.add_gridspec(rows * len(heights), columns, height_ratios=heights * rows)
    axes: dict[tuple[int, int], Axes] = {}
    strips: dict[tuple[int, int], Axes] = {}
    for row in range(rows):
        for column in range(columns):
            left = axes.get((row, 0)) if share else None
            axes[row, column] = figure.add_subplot(grid[row * len(heights), column], sharey=left)
            if column and share:
                axes[row, column].tick_params(labelleft=False, which="both")
            if strip:
                strips[row, column] = _strip(figure, grid[2 * row + 1, column], axes, (row, column))
    return Panels(figure, axes, strips)


def _strip(
    figure: Figure, place: object, axes: Mapping[tuple[int, int], Axes], at: tuple[int, int]
) -> Axes:
    low = figure.add_subplot(place, sharex=axes[at])  # type: ignore[call-overload]
    axes[at].tick_params(labelbottom=False)
    low.set_ylim(-22, 122)
    low.set_yticks([0, 100], ["0", "100"] if at[1] == 0 else ["", ""])
    if at[1] == 0:
        low.set_ylabel("no\nwinner\n(%)", rotation=0, ha="right", va="center", fontsize=6.5)
    drawn: Axes = low
    return drawn


def level_ticks(axes: Axes, levels: Sequence[float]) -> None:
    """Put ticks at the levels of a sweep; a logarithmic axis where they span a factor of 8."""
    ordered = sorted({float(level) for level in levels})
    if ordered[0] > 0 and ordered[-1] / ordered[0] >= 8:
        axes.set_xscale("log")
    step = -(-len(ordered) // 8)
    shown = ordered[::-step][::-1]
    axes.set_xticks(shown, [f"{level:g}" for level in shown])
    axes.set_xticks([], minor=True)
    axes.margins(x=0.07)
    if len(ordered) == 1:
        half = abs(ordered[0]) / 2 or 1.0
        axes.set_xlim(ordered[0] - half, ordered[0] + half)


def draw_points(axes: Axes, rows: pd.DataFrame, x: str, look: Look, label: str) -> Line2D:
    """Draw a line through the means with interval bars; infinite means are marks at the top edge.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        One row a point, with `x`, `mean`, `low` and `high`.
    x
        The column along the horizontal axis.
    look, label
        How the line looks and what it is called.
    """
    ordered = rows.sort_values(x)
    place = ordered[x].to_numpy(dtype=float)
    mean = ordered["mean"].to_numpy(dtype=float)
    line = _draw_means(axes, place, mean, look, label)
    known = np.isfinite(ordered["low"].to_numpy(dtype=float))
    if known.any():
        low, high = (ordered[name].to_numpy(dtype=float)[known] for name in ("low", "high"))
        centre = mean[known]
        axes.errorbar(
            place[known],
            centre,
            yerr=np.maximum([centre - low, high - centre], 0),
            fmt="none",
            ecolor=look.color,
            elinewidth=0.9,
            capsize=2,
            capthick=0.9,
        )
    mark_infinite(axes, place[np.isposinf(mean)], look)
    return line


def draw_band(axes: Axes, rows: pd.DataFrame, x: str, look: Look, label: str) -> Line2D:
    """Draw a curve of means with few markers and a band for the interval."""
    ordered = rows.sort_values(x)
    place = ordered[x].to_numpy(dtype=float)
    mean = ordered["mean"].to_numpy(dtype=float)
    line = _draw_means(axes, place, mean, look, label, every=max(1, len(place) // 8))
    low, high = (ordered[name].to_numpy(dtype=float) for name in ("low", "high"))
    if np.isfinite(low).any():
        axes.fill_between(place, low, high, color=look.color, alpha=0.15, linewidth=0)
    mark_infinite(axes, place[np.isposinf(mean)], look)
    return line


def _draw_means(
    axes: Axes,
    place: np.ndarray,
    mean: np.ndarray,
    look: Look,
    label: str,
    every: int | None = None,
) -> Line2D:
    """Draw the line through the finite means, with a marker at each or at every so many."""
    (line,) = axes.plot(
        place,
        np.where(np.isfinite(mean), mean, np.nan),
        color=look.color,
        marker=look.marker,
        linestyle=look.dash,
        label=label,
        markevery=every,
        markeredgecolor="white",
        markeredgewidth=0.4,
    )
    return line


def mark_infinite(axes: Axes, places: np.ndarray, look: Look) -> None:
    """Mark on the upper edge where the value is infinite, because nobody ever won."""
    if len(places):
        axes.plot(
            places,
            np.full(len(places), 0.97),
            transform=axes.get_xaxis_transform(),
            marker=look.marker,
            color=look.color,
            linestyle="none",
            fillstyle="none",
            clip_on=False,
            label="_infinite",
        )


def log_scale(axes: Axes, means: Sequence[float], *, room: float = 1.0) -> None:
    """Make the vertical axis logarithmic, ticks written plainly, limits from the means.

    Parameters
    ----------
    axes
        Whose scale is set.
    means
        Positive numbers that must be seen; infinite ones and NaN are passed over.
    room
        Factor left free above the largest, for marks at the upper edge.
    """
    values = np.asarray(means, dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        axes.set_yticks([])
        return
    axes.set_yscale("log")
    low, high = float(values.min()) / 1.6, float(values.max()) * 1.6 * room
    axes.set_ylim(low, high)
    subs = (1.0, 2.0, 5.0) if high / low < 500 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def share_limits(axes: Axes) -> None:
    """Keep a vertical axis of shares within 0 and 1, even where an interval reaches beyond."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), min(high, 1.02))


def seeds_note(counts: Sequence[int]) -> str:
    """Say what the interval bars are, or why there are none."""
    most = max(counts, default=0)
    if most == 0:
        return ""
    if most == 1:
        return "One seed: no interval over seeds."
    return SPREAD.format(n=most)


def profiles_text(profiles: Sequence[int]) -> str:
    """Write how many profiles were drawn, such as "1 profile" or "1,000 profiles"."""
    most = int(max(profiles))
    return f"{most:,} profile{'s' if most != 1 else ''}"


def empty_note(axes: Axes, text: str) -> None:
    """Say inside empty axes why there is nothing to see."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=8
    )
