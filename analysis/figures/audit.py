"""What owners gain by lying: the audit of mechanisms."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import Panels, empty_note, panels, profiles_text
from analysis.names import in_order, keep, with_labels
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed
from analysis.tables import mean_interval

MEASURES = ("regret_mean", "regret_p95", "regret_max", "gain_share")
KEYS = ["setting", "mechanism", "population", "deviation"]
LIES = {"value": "lie in value", "cap": "lie in cap", "both": "lie in both"}


@themed
def draw(run: Run, *, setting: str | None = None) -> Figure:
    """Draw, for each mechanism, the regret (mean to 95th percentile to maximum) and who gains.

    Left the regret, on a scale that is linear near 0 and logarithmic beyond; right the share of
    owners who gain more than 1 % of their payment. One row of panels for each population.

    Parameters
    ----------
    run
        A run of audits.
    setting
        Only this setting; all of them when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    frame = with_labels(run.table("audit", columns=["seed", "profiles", *KEYS, *MEASURES]))
    frame = keep(frame, {"setting": setting})
    several = frame["setting"].nunique() > 1
    names = frame["mechanism"] + (", " + frame["setting"] if several else "")
    frame = frame.assign(name=names)
    keys = ["population", "name", "deviation"]
    table = frame[keys].drop_duplicates().set_index(keys)
    for measure in MEASURES:
        table[measure] = mean_interval(frame, keys, measure).set_index(keys)["mean"]
    table["regret_max"] = frame.groupby(keys)["regret_max"].max()
    shares = mean_interval(frame, keys, "gain_share").set_index(keys)
    table = table.join(shares[["low", "high"]]).reset_index()
    mechanisms = in_order(table["name"].tolist())
    populations = sorted(table["population"].unique(), reverse=True)
    layout = panels(len(populations), 2, height=0.35 + 0.42 * len(mechanisms))
    styles = looks(name for name in LIES if (table["deviation"] == name).any())
    for row, population in enumerate(populations):
        part = table[table["population"] == population]
        _panel_pair(layout, row, part, mechanisms, styles)
        layout.axes[row, 0].set_title(f"{population} owners: regret")
        layout.axes[row, 1].set_title(f"{population} owners: who gains")
    _finish(layout, frame, styles, len(populations))
    return layout.figure


def _panel_pair(
    layout: Panels, row: int, part: pd.DataFrame, mechanisms: list[str], styles: dict[str, Look]
) -> None:
    left, right = layout.axes[row, 0], layout.axes[row, 1]
    offsets = np.linspace(-0.25, 0.25, len(styles)) if len(styles) > 1 else np.zeros(1)
    for (deviation, look), offset in zip(styles.items(), offsets, strict=True):
        rows = part[part["deviation"] == deviation]
        place = np.array([mechanisms.index(name) for name in rows["name"]], dtype=float) + offset
        _draw_regret(left, rows, place, look)
        _draw_share(right, rows, place, look)
    left.set_yticks(range(len(mechanisms)), mechanisms)
    left.set_ylim(len(mechanisms) - 0.5, -0.5)
    for axes in (left, right):
        axes.grid(visible=False, axis="y")
        for line in range(1, len(mechanisms)):
            axes.axhline(line - 0.5, color="#dddddd", linewidth=0.5)
    _regret_scale(left, part)
    right.set_xlim(-4, 118)
    right.set_xticks(range(0, 101, 20))


def _draw_regret(axes: Axes, rows: pd.DataFrame, place: np.ndarray, look: Look) -> None:
    mean, p95, worst = (rows[name].to_numpy(dtype=float) for name in MEASURES[:3])
    axes.hlines(place, mean, worst, color=look.color, linewidth=1.0, linestyle=look.dash)
    axes.plot(mean, place, linestyle="none", marker=look.marker, color=look.color)
    axes.plot(p95, place, linestyle="none", marker="|", markersize=7, color=look.color)
    axes.plot(
        worst, place, linestyle="none", marker=look.marker, color=look.color, fillstyle="none"
    )


def _draw_share(axes: Axes, rows: pd.DataFrame, place: np.ndarray, look: Look) -> None:
    share = 100 * rows["gain_share"].to_numpy(dtype=float)
    axes.hlines(place, 0, share, color=look.color, linewidth=1.0, linestyle=look.dash)
    axes.plot(share, place, linestyle="none", marker=look.marker, color=look.color)
    low, high = (100 * rows[name].to_numpy(dtype=float) for name in ("low", "high"))
    known = np.isfinite(low)
    if known.any():
        axes.errorbar(
            share[known],
            place[known],
            fmt="none",
            ecolor=look.color,
            elinewidth=0.9,
            capsize=2,
            xerr=np.maximum([share - low, high - share], 0)[:, known],
        )
    ends = np.where(known, np.minimum(high, 100), share)
    for value, end, height in zip(share, ends, place, strict=True):
        axes.annotate(
            f"{value:.0f} %" if value >= 10 else f"{value:.2g} %",
            (end, height),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
            annotation_clip=False,
        )


def _regret_scale(axes: Axes, part: pd.DataFrame) -> None:
    """Three decades below the largest regret are logarithmic, the rest down to 0 linear."""
    values = part[list(MEASURES[:3])].to_numpy(dtype=float)
    largest = float(np.nanmax(values, initial=0.0))
    if not len(part):
        empty_note(axes, "not run")
    elif largest <= 0:
        axes.set_xlim(-0.05, 1)
        axes.set_xticks([0])
    else:
        top = int(np.ceil(np.log10(largest)))
        threshold = 10.0 ** (top - 3)
        axes.set_xscale("symlog", linthresh=threshold, linscale=0.5)
        axes.set_xlim(-threshold / 5, 10.0**top * 1.3)
        ticks = [0.0, *(10.0 ** (top - step) for step in (3, 2, 1, 0))]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)


def _finish(layout: Panels, frame: pd.DataFrame, styles: dict[str, Look], rows: int) -> None:
    layout.axes[rows - 1, 0].set_xlabel("regret (money): most an owner gains by lying")
    layout.axes[rows - 1, 1].set_xlabel("owners who gain > 1 % of their payment (%)")
    handles = [
        layout.figure.axes[0].plot(
            [], [], color=look.color, marker=look.marker, linestyle=look.dash
        )[0]
        for look in styles.values()
    ]
    seeds = frame["seed"].nunique()
    note = (
        "Regret: filled mark the mean, tick the 95th percentile, open mark the maximum. "
        f"{seeds} seed{'s' if seeds > 1 else ''}, {profiles_text(frame['profiles'].tolist())} each."
    )
    headline(layout.figure, "What owners gain by lying to each mechanism")
    legend_below(layout.figure, handles, [LIES[name] for name in styles], note)
