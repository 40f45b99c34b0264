"""Quality of the bought model against the buyer's budget (FL-Market, Fig. 8)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    Panels,
    draw_points,
    empty_note,
    level_ticks,
    panels,
    seeds_note,
    share_limits,
)
from analysis.names import (
    budget_axis,
    in_order,
    keep,
    setting_text,
    shared_names,
    with_labels,
)
from analysis.runs import Run
from analysis.style import FAINT, Look, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

PUBLISHED_ROUNDS = (10, 100)
PLACE = ["setting", "budget_law", "after", "budget_level"]


@themed
def draw(
    run: Run,
    *,
    rounds: Sequence[int] | None = None,
    setting: str | None = None,
    budget_law: str | None = None,
) -> Figure:
    """Draw accuracy, balanced accuracy and AUC over budgets, after some numbers of rounds.

    Parameters
    ----------
    run
        A run of markets with learning.
    rounds
        After how many rounds; when None, the manifest's `report_rounds`, else 10 and 100, as far as
        the run has come, and its last round where that is twice as late or more.
    setting, budget_law
        Only this one; all of them when None.

    Raises
    ------
    ResultsError
        When the market has no learning, or what was asked for is missing.
    """
    columns = [*MARKET, "buyer", "round", *QUALITY]
    frame = with_after(with_labels(run.table("rounds", columns=list(dict.fromkeys(columns)))))
    frame = keep(frame, {"setting": setting, "budget_law": budget_law})
    metrics = known_metrics(frame)
    if not metrics:
        raise ResultsError(f"The markets of {run.folder} have no learning, so no accuracy to draw.")
    stops = _stops(run, frame, rounds)
    frame = frame[frame["after"].isin(stops)]
    return _draw(run, frame, metrics, stops)


def _stops(run: Run, frame: pd.DataFrame, rounds: Sequence[int] | None) -> list[int]:
    done = set(frame["after"].tolist())
    if rounds is not None:
        missing = sorted(set(rounds) - done)
        if missing:
            raise ResultsError(f"The run has no round {missing[0]}; it has 1 to {max(done)}.")
        return sorted(set(rounds))
    if (planned := run.setting("report_rounds")) is not None:
        return sorted(done & set(planned)) or [max(done)]
    shown, last = done & set(PUBLISHED_ROUNDS), max(done)
    return sorted(shown | {last}) if last >= 2 * max(shown, default=0) else sorted(shown)


def _draw(run: Run, frame: pd.DataFrame, metrics: list[str], stops: list[int]) -> Figure:
    rows = [(law, name) for law in sorted(frame["budget_law"].unique()) for name in metrics]
    columns = [(name, stop) for name in settings_in_order(frame) for stop in stops]
    layout = panels(len(rows), len(columns), height=1.75)
    table = summarize(frame, PLACE, metrics)
    styles = looks(in_order(table["line"].tolist()))
    shown: dict[str, object] = {}
    for row, (law, metric) in enumerate(rows):
        summary = table[(table["budget_law"] == law) & (table["measure"] == metric)]
        for column, (setting, stop) in enumerate(columns):
            axes = layout.axes[row, column]
            part = summary[(summary["setting"] == setting) & (summary["after"] == stop)]
            shown.update(_draw_panel(axes, part, styles))
            _majority(run, axes, metric, shown)
            name = setting_text(setting)
            if row == 0:
                after = f"after {stop} round{'s' if stop > 1 else ''}"
                axes.set_title(f"{name},\n{after}" if name else after)
        share_limits(layout.axes[row, 0])  # shared by the row, so not before all of it is drawn
        _label_row(layout, row, (law, metric), (len(columns), metrics[-1]))
    names = [name for name in [*styles, "majority class"] if name in shown]
    note = shared_names(table, LINES[:2]) + seeds_note(table["n"].tolist())
    headline(layout.figure, "Quality of the bought model against the buyer's budget")
    legend_below(layout.figure, [shown[name] for name in names], names, note)
    return layout.figure


def _draw_panel(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    found = part[np.isfinite(part["mean"])]
    if found.empty:
        empty_note(axes, "not run")
        axes.set_xticks([])
        return {}
    lines: dict[str, object] = {}
    for name, look in styles.items():
        points = found[found["line"] == name]
        if len(points):
            lines[name] = draw_points(axes, points, "budget_level", look, name)
    level_ticks(axes, found["budget_level"].tolist())
    return lines


def _label_row(layout: Panels, row: int, what: tuple[str, str], bounds: tuple[int, str]) -> None:
    law, metric = what
    columns, last = bounds
    layout.axes[row, 0].set_ylabel(QUALITY[metric])
    for column in range(columns):
        if metric == last:
            label = budget_axis(law) if columns < 3 else budget_axis(law).replace(" (", "\n(")
            layout.axes[row, column].set_xlabel(label)
        else:
            layout.axes[row, column].tick_params(labelbottom=False)


def _majority(run: Run, axes: Axes, metric: str, shown: dict[str, object]) -> None:
    level = run.setting("majority_accuracy")
    if metric == "accuracy" and level is not None:
        shown["majority class"] = axes.axhline(
            float(level), color=FAINT, linewidth=1.6, linestyle=(0, (1, 1)), label="majority class"
        )
