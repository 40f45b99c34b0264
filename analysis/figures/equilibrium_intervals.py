"""Every pure equilibrium against the share that is paid out (Figs. 6, 7a and 7b)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.panels import panels
from analysis.figures.studies import ALPHA, SELECTIONS, members_text
from analysis.names import keep
from analysis.runs import Run
from analysis.style import FAINT, INK, Look, headline, legend_below, looks, themed

_NAMED = 26  # partitions up to this number have their name on the axis


@themed
def draw(run: Run, *, study: str | None = None) -> Figure:
    """Draw, for each study, the intervals on which partitions are equilibria, and what is kept.

    Left, a bar for each partition from the least to the greatest share at which it is an
    equilibrium, those worth most on top. Right, what the platform keeps along each bar, and its
    optima: where the favorite, the worst and the dynamic equilibrium leave it most.

    Parameters
    ----------
    run
        A run of the experiment "platform" with a study that lists partitions.
    study
        Only this study; all that list partitions when None.

    Raises
    ------
    ResultsError
        When there is no such study.
    """
    table = keep(run.table("partitions"), {"study": study})
    best = run.table("optima")
    names = list(dict.fromkeys(table["study"]))
    styles = looks(name for name in SELECTIONS if (best["selection"] == name).any())
    layout = panels(len(names), 2, height=2.5, share=False)
    for row, name in enumerate(names):
        part = table[table["study"] == name]
        left, right = layout.axes[row, 0], layout.axes[row, 1]
        _draw_bars(left, part)
        _draw_values(right, part, best[best["study"] == name], styles)
        left.set_title(str(part["title"].iloc[0]))
        right.set_title("what the platform keeps")
        _limit(left, right, part)
    for column in (0, 1):
        layout.axes[len(names) - 1, column].set_xlabel(
            f"share paid out, {ALPHA} (square-root scale)"
        )
    handles = [
        Line2D([], [], color=look.color, marker=look.marker, linestyle="none", markersize=6)
        for look in styles.values()
    ]
    labels = [f"best against {SELECTIONS[name]}" for name in styles]
    if (table["followed"] == 1).any():
        handles.append(Line2D([], [], color=INK, linewidth=2.4))
        labels.append("the profile that is followed")
    headline(layout.figure, "Pure equilibria against the share that is paid out")
    note = (
        "A bar is a partition: users at the highest level, the next ones, ... and the private one. "
        "Bars of equal numbers differ in who is where. Open marks: approached, not reached. Exact."
    )
    legend_below(layout.figure, handles, labels, note)
    return layout.figure


def _draw_bars(axes: Axes, part: pd.DataFrame) -> None:
    rows = part[part["followed"] == 0].sort_values(["utility", "left"], ignore_index=True)
    place = np.arange(len(rows))
    followed = part[part["followed"] == 1]
    same = rows["counts"].isin(followed["counts"]).to_numpy()
    axes.hlines(place[~same], rows["left"][~same], rows["right"][~same], color=FAINT, linewidth=2.2)
    axes.hlines(place[same], rows["left"][same], rows["right"][same], color=INK, linewidth=2.8)
    short = rows["right"] - rows["left"] < 0.004
    axes.plot(rows["left"][short], place[short], "|", color=FAINT, markersize=3.5)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    step = -(-len(rows) // _NAMED)
    shown = place[::-1][::step]
    size = 5.2 if len(shown) > 16 else 6.2
    axes.set_yticks(shown, [members_text(rows["counts"][i]) for i in shown], fontsize=size)
    axes.grid(visible=False, axis="y")
    axes.set_ylabel("partition")


def _draw_values(
    axes: Axes, part: pd.DataFrame, best: pd.DataFrame, styles: dict[str, Look]
) -> None:
    numbers = part[["left", "right", "utility", "followed"]].to_numpy(dtype=float)
    for left, right, utility, followed in numbers:
        ends = np.array([left, right])
        axes.plot(
            ends,
            (1.0 - ends) * utility,
            color=INK if followed else FAINT,
            linewidth=2.2 if followed else 0.9,
            marker=".",
            markersize=2.2,
            solid_capstyle="butt",
        )
    for size, (name, look) in zip((9.0, 6.5, 4.5), styles.items(), strict=False):
        rows = best[best["selection"] == name]
        for alpha, value, attained in rows[["alpha", "value", "attained"]].to_numpy(dtype=float):
            axes.plot(
                [alpha],
                [value],
                color=look.color,
                marker=look.marker,
                markersize=size,
                clip_on=False,
                fillstyle="full" if attained else "none",
                linestyle="none",
                markeredgecolor=look.color if not attained else "white",
                zorder=4,
            )
    axes.set_ylabel(f"(1 - {ALPHA}) U")


def _limit(left: Axes, right: Axes, part: pd.DataFrame) -> None:
    """End the axis soon after the last interval begins: to the right all give everything."""
    end = min(1.0, 1.15 * float(part["left"].max()) + 0.02)
    ticks = [tick for tick in (0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if tick <= end]
    for axes in (left, right):
        axes.set_xscale("function", functions=(_root, _square))
        axes.set_xlim(0.0, end)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)


def _root(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.maximum(values, 0.0)))


def _square(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(values, 0.0) ** 2)
