"""Quality of the model and error bound of the gradient, round after round."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures.markets import (
    LINES,
    MARKET,
    QUALITY,
    known_metrics,
    settings_in_order,
    summarize,
    with_after,
)
from analysis.figures.panels import (
    draw_band,
    empty_note,
    log_scale,
    panels,
    seeds_note,
    share_limits,
)
from analysis.names import (
    budget_text,
    in_order,
    keep,
    middle,
    setting_text,
    shared_names,
    with_labels,
)
from analysis.runs import Run
from analysis.style import FAINT, Look, headline, legend_below, looks, themed


@themed
def draw(run: Run, *, budget_law: str | None = None, budget_level: float | None = None) -> Figure:
    """Draw the quality measures and the error bound over rounds, at one budget.

    Rounds without a winner have an infinite error bound: they are kept out of the curve's mean and
    shown in a strip, as the share of seeds.

    Parameters
    ----------
    run
        A run of markets.
    budget_law, budget_level
        The budget; the first law and its middle level when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    columns = list(dict.fromkeys([*MARKET, *LINES, "round", "error_bound", *QUALITY]))
    frame = with_after(with_labels(run.table("rounds", columns=columns)))
    law = frame["budget_law"].iloc[0] if budget_law is None else budget_law
    frame = keep(frame, {"budget_law": law})
    level = middle(frame["budget_level"].tolist()) if budget_level is None else budget_level
    frame = keep(frame, {"budget_level": level})
    rows = [*known_metrics(frame), "error_bound"]
    settings = settings_in_order(frame)
    layout = panels(len(rows), len(settings), height=1.5)
    table = summarize(frame, ["setting", "after"], rows)
    styles = looks(in_order(table["line"].tolist()))
    handles: dict[str, object] = {}
    for row, value in enumerate(rows):
        for column, setting in enumerate(settings):
            axes = layout.axes[row, column]
            part = table[(table["setting"] == setting) & (table["measure"] == value)]
            handles.update(_draw_panel(axes, part, styles))
            _label(axes, (row, column), value, len(rows))
            if row == 0:
                axes.set_title(setting_text(setting))
            if value == "error_bound":
                _error_scale(axes, table)
        if value != "error_bound":
            share_limits(layout.axes[row, 0])  # shared by the row, so not before it is drawn
    _majority(run, [layout.axes[0, column] for column in range(len(settings))], rows[0], handles)
    names = [name for name in [*styles, "majority class"] if name in handles]
    title = "Learning and error bound" if len(rows) > 1 else "Error bound"
    headline(layout.figure, f"{title}, round after round")
    note = seeds_note(table["n"].tolist()).replace("Bars", "Bands")
    budget = budget_text(law, level)
    note = f"{budget[0].upper()}{budget[1:]}. {shared_names(table, LINES[:2])}{note}"
    if np.isinf(frame["error_bound"]).any():
        share = float(np.isinf(frame["error_bound"]).mean())
        note += (
            f" Crosses: rounds without a winner in some seed, the bound is infinite "
            f"({100 * share:.3g} % of all rounds); means are over the others."
        )
    legend_below(layout.figure, [handles[name] for name in names], names, note)
    return layout.figure


def _draw_panel(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    if part.empty or not (np.isfinite(part["mean"]) | np.isposinf(part["mean"])).any():
        empty_note(axes, "not run")
        return {}
    drawn: dict[str, object] = {}
    marked = 0
    for name, look in styles.items():
        rows = part[part["line"] == name]
        if rows.empty:
            continue
        drawn[name] = draw_band(axes, rows.assign(mean=_finite(rows)), "after", look, name)
        never = rows.loc[rows["infinite"] > 0, "after"]
        if len(never):
            axes.plot(
                never,
                np.full(len(never), 0.95 - 0.07 * marked),
                linestyle="none",
                marker="x",
                markersize=3,
                color=look.color,
                transform=axes.get_xaxis_transform(),
                label="_no winner",
            )
            marked += 1
    return drawn


def _finite(rows: pd.DataFrame) -> pd.Series:
    """Means without the infinite ones, which are drawn as crosses instead."""
    return rows["mean"].where(np.isfinite(rows["mean"]))


def _error_scale(axes: Axes, table: pd.DataFrame) -> None:
    rows = table[table["measure"] == "error_bound"]
    marked = rows.loc[rows["infinite"] > 0, "line"].nunique()
    log_scale(axes, rows["mean"].tolist(), room=1.5**marked)


def _label(axes: Axes, at: tuple[int, int], value: str, rows: int) -> None:
    if at[1] == 0:
        axes.set_ylabel(QUALITY.get(value, "error bound\n(squared gradient norm)"))
    if at[0] == rows - 1:
        axes.set_xlabel("rounds done")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.tick_params(labelbottom=False)


def _majority(run: Run, row: list[Axes], metric: str, handles: dict[str, object]) -> None:
    level = run.setting("majority_accuracy")
    if metric == "accuracy" and level is not None:
        for axes in row:
            handles["majority class"] = axes.axhline(
                float(level), color=FAINT, linewidth=1.6, linestyle=(0, (1, 1))
            )
