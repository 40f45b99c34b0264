"""What each type of user is paid for her data (Fair Value of Data, Figs. 5a and 5b)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.studies import broken
from analysis.names import keep
from analysis.runs import Run
from analysis.style import INK, TWO_COLUMNS, headline, legend_below, looks, themed

TYPE = ["level", "data_size", "importance"]
_HATCHES = ("", "////", "....", "xxxx", "----", "\\\\\\\\")


@themed
def draw(run: Run, *, case: str | None = None) -> Figure:
    """Draw one panel for each case: a bar for each type of user, the payment written beside it.

    Users of equal level, data and importance are one type, since they are paid the same. Every
    panel has a scale of its own: payments of important users are a hundred times larger.

    Parameters
    ----------
    run
        A run of the experiment "fair-value".
    case
        Only this case; all of them when None.

    Raises
    ------
    ResultsError
        When the table or the case is missing.
    """
    frame = keep(run.table("payments"), {"case": case})
    cases = list(dict.fromkeys(frame["case"]))
    columns = 3 if len(cases) % 3 == 0 else min(len(cases), 2)
    rows = -(-len(cases) // columns)
    kinds = frame.drop_duplicates(TYPE).groupby(["case"], sort=False).size().max()
    height = rows * (0.55 + 0.17 * max(int(kinds), 4)) + 0.7
    figure = Figure(figsize=(TWO_COLUMNS, min(height, 9.6)), layout="constrained")
    levels = sorted(frame["level"].unique())
    styles = looks(map(str, levels))
    colors = {level: styles[str(level)].color for level in levels}
    hatches = {level: _HATCHES[place % len(_HATCHES)] for place, level in enumerate(levels)}
    for place, name in enumerate(cases):
        axes = figure.add_subplot(rows, columns, place + 1)
        part = payments_by_type(frame[frame["case"] == name])
        _draw_panel(axes, part, colors, hatches)
        title = str(frame.loc[frame["case"] == name, "title"].iloc[0])
        axes.set_title(broken(title, 96 // columns), fontsize=7)
        if place >= len(cases) - columns:
            axes.set_xlabel("fair payment (value at \N{GREEK SMALL LETTER ALPHA} = 1)")
    handles = [
        figure.axes[0].barh([0], [0], color=colors[level], hatch=hatches[level], edgecolor="white")
        for level in levels
    ]
    headline(figure, run.title)
    note = (
        "One bar a type of user, n: her samples, \N{MULTIPLICATION SIGN} k: k users are paid this "
        "each. Exact: no interval. Panels differ in scale."
    )
    legend_below(figure, handles, [level_text(level) for level in levels], note)
    return figure


def payments_by_type(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the payment and number of each type of user, the highest level first."""
    found = frame.groupby(TYPE).agg(payment=("payment", "mean"), users=("user", "size"))
    order = ["level", "importance", "data_size"]
    return found.reset_index().sort_values(order, ascending=False, ignore_index=True)


def level_text(level: float) -> str:
    """Write a level as legends do."""
    return "level 0 (gives nothing)" if level == 0 else f"level {level:g}"


def _draw_panel(
    axes: Axes, part: pd.DataFrame, colors: dict[float, str], hatches: dict[float, str]
) -> None:
    place = np.arange(len(part))
    paid = part["payment"].to_numpy(dtype=float)
    axes.barh(
        place,
        paid,
        height=0.72,
        color=[colors[level] for level in part["level"]],
        hatch=[hatches[level] for level in part["level"]],
        edgecolor="white",
        linewidth=0.3,
    )
    several = part["importance"].nunique() > 1
    sizes = zip(part["importance"] > 1, part["data_size"], part["users"], strict=True)
    names = [_type_text(star and several, size, users) for star, size, users in sizes]
    axes.set_yticks(place, names, fontsize=6.5)
    axes.set_ylim(len(part) - 0.45, -0.55)
    axes.axvline(0, color=INK, linewidth=0.7)
    low, high = min(paid.min(), 0.0), max(paid.max(), 0.0)
    width = (high - low) or 1.0
    for position, value in zip(place, paid, strict=True):
        axes.annotate(
            f"{value:.3g}",
            (max(value, 0.0), position),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
        )
    axes.set_xlim(low - (0.04 * width if low < 0 else 0), high + 0.24 * width)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=5)


def _type_text(star: bool, size: float, users: int) -> str:
    mark = "\N{BLACK STAR} " if star else ""
    return f"{mark}n {size:g} \N{MULTIPLICATION SIGN} {users}"
