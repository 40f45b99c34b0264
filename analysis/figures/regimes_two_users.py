"""Regimes against the cost of privacy: symmetric play and the asymmetric equilibrium (Fig. 8)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.panels import panels
from analysis.figures.studies import ALPHA, axis_text, optima, threshold_lines
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed

PLAYS = {"symmetric": "symmetric equilibrium", "pure": "best pure equilibrium (asymmetric)"}
MEASURES = {
    "alpha": f"best share paid out, {ALPHA}*",
    "private": "chance of privacy, p*",
    "value": f"platform keeps, (1 - {ALPHA}*) U",
}


@themed
def draw(run: Run, *, study: str | None = None) -> Figure:
    """Draw the best share, the chance of privacy and the platform's value against the cost.

    The thresholds of symmetric play are vertical lines: up to the first everyone shares, from the
    second on nobody is paid.

    Parameters
    ----------
    run
        A run of the experiment "platform" with a study over "cost".
    study
        The study to draw; the first over "cost" when None.

    Raises
    ------
    ResultsError
        When there is no such study.
    """
    frame = optima(run, "cost", study=study)
    frame = frame[frame["study"] == frame["study"].iloc[0]]
    lines = thresholds_of(run, str(frame["study"].iloc[0]))
    layout = panels(1, 3, height=2.2, share=False)
    styles = looks(name for name in PLAYS if (frame["play"] == name).any())
    for column, (measure, label) in enumerate(MEASURES.items()):
        axes = layout.axes[0, column]
        _draw_lines(axes, frame, measure, styles)
        axes.set_title(label)
        axes.set_xlabel(axis_text("cost"))
        axes.set_ylim(-0.03, 1.06)
        threshold_lines(axes, lines, named=column == len(MEASURES) - 1)
    handles = [
        Line2D([], [], color=look.color, linestyle=look.dash, marker=look.marker)
        for look in styles.values()
    ]
    headline(layout.figure, str(frame["title"].iloc[0]))
    note = (
        "Dashed lines: thresholds of symmetric play. For pure play, p* is the share of users who "
        "keep their data. Exact: no interval."
    )
    legend_below(layout.figure, handles, [PLAYS[name] for name in styles], note)
    return layout.figure


def thresholds_of(run: Run, study: str) -> dict[str, float]:
    """Return both thresholds of a study by their words; none without symmetric play."""
    if not run.rows("thresholds"):
        return {}
    table = run.table("thresholds")
    rows = table[table["study"] == study]
    if rows.empty:
        return {}
    first = rows.iloc[0]
    return {
        f"everyone up to {first['c_th']:.3g}": float(first["c_th"]),
        f"nobody from {first['switch_off']:.3g}": float(first["switch_off"]),
    }


def _draw_lines(axes: Axes, frame: pd.DataFrame, measure: str, styles: dict[str, Look]) -> None:
    for name, look in styles.items():
        part = frame[frame["play"] == name].sort_values("x")
        axes.plot(
            part["x"],
            part[measure],
            color=look.color,
            linestyle=look.dash,
            marker=look.marker,
            markevery=max(len(part) // 8, 1),
            markeredgecolor="white",
            markeredgewidth=0.4,
            label=name,
        )
