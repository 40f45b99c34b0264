"""The parts of the loss while a learned auction is trained."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.figures.panels import Panels, draw_band, log_scale, panels
from analysis.names import setting_text, shared_names, with_lines, written
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed
from analysis.tables import mean_interval

GROUPS: dict[str, tuple[str, ...]] = {
    "error bound\n(squared gradient norm)": ("error_bound", "held_out_error_bound"),
    "regret\n(sum over owners)": ("regret",),
    "IR violation\n(sum over owners)": ("ir_violation",),
    "regret, held out\n(mean an owner)": ("held_out_regret",),
    "IR violation, held out\n(mean an owner)": ("held_out_ir_violation",),
}
"""Measures by the label of the vertical axis of their panel; any other has a panel of its own."""
FIRST = ("error_bound", "regret", "ir_violation", "loss")
_WORDS = {"ir": "IR", "rgv": "regret", "irv": "IR", "phi": "multiplier of", "rho": "weight of"}
_COLUMNS = 2
_DECADES = 20.0


@themed
def draw(run: Run, *, setting: str | None = None) -> Figure:
    """Draw a panel for each part of the loss over iterations; held-out error beside its own.

    With several seeds lines are means and bands their 95 % intervals. A panel whose positive
    values span a factor of 20 or more is logarithmic. What never changes is told in the note.

    Parameters
    ----------
    run
        A run of the experiment "training", finished or not.
    setting
        Only this setting; all of them when None.

    Raises
    ------
    ResultsError
        When the table or the setting is missing.
    """
    where = None if setting is None else {"setting": setting}
    frame = run.table("training", where=where)
    names = {"recipe": frame["recipe"].map(written), "setting": frame["setting"].map(setting_text)}
    frame = frame.assign(**names)
    constant = constants(frame)
    table = summarize(frame[~frame["measure"].isin(constant)])
    groups = grouped(table["measure"].tolist())
    rows = -(-len(groups) // _COLUMNS)
    layout = panels(rows, min(_COLUMNS, len(groups)), height=1.6, share=False)
    styles = looks(dict.fromkeys(table["line"]))
    handles: dict[str, object] = {}
    places = [divmod(number, _COLUMNS) for number in range(rows * len(layout.axes) // rows)]
    for place, (label, measures) in zip(places, groups.items(), strict=False):
        part = table[table["measure"].isin(measures)]
        handles |= _panel(layout.axes[place], part, styles)
        layout.axes[place].set_ylabel(label)
    for place in places[len(groups) :]:
        layout.axes[place].set_visible(False)
    _label(layout, places, len(groups))
    headline(layout.figure, "Training: the parts of the loss")
    ordered = [name for name in styles if name in handles]
    legend_below(
        layout.figure, [handles[name] for name in ordered], ordered, _note(table, constant)
    )
    return layout.figure


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean and interval over seeds of every measure and iteration; `line` names the curve."""
    keys = ["recipe", "setting", "measure", "iteration"]
    table = with_lines(mean_interval(frame, keys, "value"), ["recipe", "setting"])
    held = table["measure"].str.startswith("held_out_")
    if not held.any():
        return table
    return table.assign(line=table["line"].where(~held, table["line"] + ", held out"))


def constants(frame: pd.DataFrame) -> dict[str, float]:
    """Return the measures that never change, with their values; not all of them."""
    values = frame.groupby("measure", sort=False)["value"].agg(["min", "max"])
    same = values["min"] == values["max"]
    kept = values.loc[same, "min"]
    return {} if same.all() else {str(name): float(value) for name, value in kept.items()}


def grouped(measures: list[str]) -> dict[str, list[str]]:
    """Return the panels in order: what is minimized and what is forbidden first."""
    present = sorted(dict.fromkeys(measures), key=_rank)
    found: dict[str, list[str]] = {}
    for measure in present:
        label = next((key for key, inner in GROUPS.items() if measure in inner), label_of(measure))
        found.setdefault(label, []).append(measure)
    return found


def _rank(measure: str) -> tuple[int, bool, str]:
    plain = measure.removeprefix("held_out_")
    return (FIRST.index(plain) if plain in FIRST else len(FIRST), measure != plain, measure)


def label_of(measure: str) -> str:
    """Write a measure's name as axes do."""
    return " ".join(_WORDS.get(word, word) for word in measure.split("_"))


def _panel(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    drawn: dict[str, object] = {}
    for (line, _), rows in part.groupby(["line", "measure"], sort=False):
        known = rows[rows["mean"].notna()]
        if len(known):
            drawn[str(line)] = draw_band(axes, known, "iteration", styles[str(line)], str(line))
    values = part["mean"].to_numpy(dtype=float)
    positive = values[np.isfinite(values) & (values > 0)]
    if len(positive) and (values >= 0).all() and positive.max() > _DECADES * positive.min():
        floor = max(float(positive.min()), float(positive.max()) * 1e-6)
        log_scale(axes, [floor, float(positive.max())])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return drawn


def _label(layout: Panels, places: list[tuple[int, int]], used: int) -> None:
    for number, place in enumerate(places[:used]):
        if number + _COLUMNS >= used:
            layout.axes[place].set_xlabel("iterations")


def _note(table: pd.DataFrame, constant: dict[str, float]) -> str:
    seeds = int(table["n"].max())
    spread = f"Bands: 95\N{NO-BREAK SPACE}% intervals over {seeds} seeds." if seeds > 1 else ""
    same = ", ".join(f"{label_of(name)} {value:g}" for name, value in constant.items())
    same = f" Throughout: {same}." if same else ""
    return f"{shared_names(table, ['recipe', 'setting'])}{spread or 'One seed.'}{same}"
