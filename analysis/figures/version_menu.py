"""The menu of versions: prices, ideal prices and the prices that admit no arbitrage."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.figures.panels import log_scale, panels
from analysis.figures.version_parts import (
    LABEL,
    label_ticks,
    read,
    rule_looks,
    rule_text,
    rules_of,
    unswept,
)
from analysis.runs import Run
from analysis.style import FAINT, INK, Look, headline, legend_below, looks, themed

_COLUMNS = 3


@themed
def draw(run: Run, *, market: str | None = None, seed: int | None = None) -> Figure:
    """Draw a panel for each rule of pricing: its menu, the ideal prices and the cone.

    One survey is shown, since means of menus are no menu: that of the first seed and round.

    Parameters
    ----------
    run
        A run of the experiment "versions".
    market
        Which market; the first if None.
    seed
        Which seed; the least if None.

    Raises
    ------
    ResultsError
        When the table is missing or what was asked for is not there.
    """
    frame = unswept(read(run, "versions", market=market, seed=seed))
    frame = frame[(frame["seed"] == frame["seed"].min()) & (frame["round"] == 0)]
    frame = frame[frame["market"] == frame["market"].iloc[0]]
    rules = rules_of(frame)
    columns = min(len(rules), _COLUMNS)
    rows = -(-len(rules) // columns)
    layout = panels(rows, columns, height=2.0)
    styles = rule_looks() | looks(rule for rule in rules if rule not in rule_looks())
    everything = np.concatenate([frame["price"], frame["ideal_price"]])
    for number, rule in enumerate(rules):
        place = divmod(number, columns)
        axes = layout.axes[place]
        _panel(axes, frame[frame["pricing"] == rule].sort_values("label"), styles[rule])
        axes.set_title(rule_text(rule))
        log_scale(axes, everything.tolist())
        if number + columns >= len(rules):
            axes.set_xlabel(LABEL)
        if place[1] == 0:
            axes.set_ylabel("price (money)")
    for number in range(len(rules), rows * columns):
        layout.axes[divmod(number, columns)].set_visible(False)
    headline(layout.figure, f"Prices of versions: {frame['title'].iloc[0]}")
    legend_below(layout.figure, *_legend(), _note(frame))
    return layout.figure


def _panel(axes: Axes, rows: pd.DataFrame, look: Look) -> None:
    label = rows["label"].to_numpy(dtype=float)
    price = rows["price"].to_numpy(dtype=float)
    for above in range(1, len(label)):
        low, high = (float(rows[f"cone_{end}"].iloc[above]) for end in ("low", "high"))
        if np.isfinite(low) and np.isfinite(high):
            reach = label[above - 1 : above + 1]
            axes.fill_between(reach, [low, low], [low, high], color=FAINT, alpha=0.22, linewidth=0)
    axes.plot(
        label,
        rows["ideal_price"],
        linestyle="none",
        marker="X",
        color=INK,
        markersize=5,
        markeredgecolor="white",
        markeredgewidth=0.4,
        zorder=3,
    )
    axes.plot(
        label,
        price,
        color=look.color,
        marker="o",
        markersize=6.5,
        fillstyle="none",
        linewidth=1.0,
        zorder=4,
    )
    label_ticks(axes, label.tolist())


def _legend() -> tuple[list[object], list[str]]:
    handles: list[object] = [
        Line2D([], [], color=INK, marker="X", linestyle="none", markersize=5),
        Line2D([], [], color=INK, marker="o", fillstyle="none", markersize=6.5),
        Patch(facecolor=FAINT, alpha=0.22),
    ]
    return handles, ["ideal price", "price on the menu", "no arbitrage, given the version below"]


def _note(frame: pd.DataFrame) -> str:
    unsold = " A version without a price is not sold." if frame["price"].isna().any() else ""
    return (
        f"One survey (seed {int(frame['seed'].iloc[0])}, {int(_asked(frame)):,} buyers asked). "
        f"Shaded: prices that rise while price per unit of precision falls, from the version "
        f"below.{unsold}"
    )


def _asked(frame: pd.DataFrame) -> float:
    return float(frame[frame["pricing"] == frame["pricing"].iloc[0]]["wanted"].sum())
