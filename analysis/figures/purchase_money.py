"""Where the buyer's money goes: costs of privacy, owners' gains, what is left."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures.panels import panels
from analysis.names import budget_text, in_order, keep, middle, setting_text, with_labels
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed

_EDGES = (-1.2, 2.2)
"""Bars that go on beyond these shares are cut."""
_PARTS = ("cost of the privacy sold", "owners' gain", "left to the buyer")


@themed
def draw(run: Run, *, owners: int | None = None, budget: float | None = None) -> Figure:
    """Draw the shares of the budget for every rule and setting, at one market size and budget.

    Parameters
    ----------
    run
        A run of auctions.
    owners, budget
        Which ones; the middle ones if None.

    Raises
    ------
    ResultsError
        When what was asked for is missing.
    """
    frame = with_labels(run.table("auctions"))
    frame = frame[frame["aggregator"] == frame["aggregator"].iloc[0]]
    frame = keep(frame, {"budget_law": frame["budget_law"].iloc[0]})
    number = middle(frame["owners"].tolist()) if owners is None else owners
    level = middle(frame["budget"].tolist()) if budget is None else budget
    frame = keep(frame, {"owners": number, "budget": level})
    settings = list(dict.fromkeys(frame["setting"]))
    names = in_order(frame["mechanism"].tolist())
    colors = {name: look.color for name, look in looks(_PARTS).items()}
    layout = panels(1, len(settings), height=0.6 + 0.2 * len(names))
    cut = False
    for column, setting in enumerate(settings):
        axes = layout.axes[0, column]
        table = shares(frame[frame["setting"] == setting]).reindex(names)
        below, above = np.zeros(len(names)), np.zeros(len(names))
        for part in _PARTS:
            width = table[part].to_numpy()
            left = np.where(width >= 0, above, below)
            axes.barh(range(len(names)), width, left=left, height=0.7, color=colors[part])
            above += np.maximum(np.nan_to_num(width), 0.0)
            below += np.minimum(np.nan_to_num(width), 0.0)
        cut = cut or below.min() < _EDGES[0] or above.max() > _EDGES[1]
        axes.set_xlim(
            max(_EDGES[0], min(-0.05, 1.1 * below.min())), min(_EDGES[1], 1.05 * above.max())
        )
        axes.axvline(0.0, color=INK, linewidth=0.8)
        axes.axvline(1.0, color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlabel("share of the budget")
        axes.set_title(setting_text(setting))
    headline(layout.figure, "Where the buyer's money goes")
    note = (
        f"{number:,} owners, {budget_text(frame['budget_law'].iloc[0], level)}. Bars to the left "
        "of 0 are losses of owners, or money beyond the budget. "
    )
    note += "Bars that reach the edge go on. " if cut else ""
    count = frame["seed"].nunique()
    seeds = f"Means over {count} seeds." if count > 1 else "One seed."
    handles = [Patch(color=colors[part]) for part in _PARTS]
    legend_below(layout.figure, handles, list(_PARTS), note + seeds)
    return layout.figure


def shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of the budget by mechanism, means over seeds; they add up to 1."""
    gain = rows["owner_utility_mean"].replace([np.inf, -np.inf], np.nan)
    # Payments are cost plus gain; the table has all three an owner, and payments by budget.
    paid = rows["cost_mean"] + gain
    unit = rows["spent_share_mean"] / paid.where(paid > 0)
    parts = {
        _PARTS[0]: rows["cost_mean"] * unit,
        _PARTS[1]: gain * unit,
        _PARTS[2]: 1.0 - rows["spent_share_mean"],
    }
    return pd.DataFrame(parts).groupby(rows["mechanism"]).mean()
