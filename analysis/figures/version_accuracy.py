"""Accuracy of the versions that were sold, and what they cost."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import (
    draw_points,
    log_scale,
    panels,
    seeds_note,
    share_limits,
)
from analysis.figures.version_parts import (
    LABEL,
    label_ticks,
    means,
    read,
    reference,
    rule_looks,
    rule_text,
    rules_of,
    unswept,
)
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed
from market_sim.errors import ResultsError


@themed
def draw(run: Run, *, market: str | None = None) -> Figure:
    """Draw the measured accuracy of each version over its label, and below it the prices.

    Parameters
    ----------
    run
        A run of the experiment "versions" that learns.
    market
        Which market; the first if None.

    Raises
    ------
    ResultsError
        When nothing was learned.
    """
    frame = unswept(read(run, "versions", market=market))
    frame = frame[frame["market"] == frame["market"].iloc[0]]
    if not learned(run):
        raise ResultsError(f"The versions of {run.folder} were not trained: nothing is accurate.")
    layout = panels(1, 2, height=2.5, share=False)
    rules = rules_of(frame)
    styles = rule_looks() | looks(rule for rule in rules if rule not in rule_looks())
    shown = reference(frame)
    model = unswept(read(run, "version_markets", market=frame["market"].iloc[0]))
    _accuracy(layout.axes[0, 0], frame[frame["pricing"] == shown], model)
    axes = layout.axes[0, 1]
    handles = []
    for rule in rules:
        rows = means(frame[frame["pricing"] == rule], ["label"], "price")
        handles.append(draw_points(axes, rows, "label", styles[rule], rule_text(rule)))
    log_scale(axes, frame["price"].tolist())
    axes.set_ylabel("price (money)")
    axes.set_title("What they cost")
    for place in (layout.axes[0, 0], axes):
        label_ticks(place, frame["label"].tolist())
        place.set_xlabel(LABEL)
    headline(layout.figure, f"Versions of a model: {frame['title'].iloc[0]}")
    note = f"Left: prices by the {rule_text(shown)}; the model that they pay for differs by rule. "
    texts = [rule_text(rule) for rule in rules]
    legend_below(layout.figure, handles, texts, note + seeds_note([frame["seed"].nunique()]))
    return layout.figure


def _accuracy(axes: Axes, rows: pd.DataFrame, model: pd.DataFrame) -> None:
    """Draw the versions' accuracy; dashed that of the model itself, without further noise."""
    rule = rows["pricing"].iloc[0]
    draw_points(axes, means(rows, ["label"], "accuracy"), "label", rule_looks()[rule], "")
    whole = model[model["pricing"] == rule]["accuracy"].mean()
    axes.axhline(whole, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    axes.annotate(
        "the model before any version is cut",
        (0.02, whole),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=6.5,
    )
    axes.set_ylim(0.0, min(1.02, 1.15 * float(np.nanmax([whole, rows["accuracy"].max()]))))
    share_limits(axes)
    axes.set_ylabel("accuracy on the test set")
    axes.set_title("How good they are")


def learned(run: Run) -> bool:
    """Tell whether any version was trained and judged."""
    return bool(run.table("versions", columns=["accuracy"])["accuracy"].notna().any())
