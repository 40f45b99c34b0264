"""Whether every import pays: what sellers get against their cost, what buyers pay against gain."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import panels
from analysis.figures.sharing_parts import empty_figure, rule_looks, rule_text, rules_of
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, themed
from analysis.tables import require

_TITLE = "Individual rationality, import by import"
_COLUMNS = ("rule", "market", "seed", "draw", "buyer", "received", "cost")


@themed
def draw(run: Run) -> Figure:
    """Draw sellers' money over their cost for each import, and buyers' money over their gain.

    Parameters
    ----------
    run
        A run of the experiment "incentives".

    Raises
    ------
    ResultsError
        When the table or a column is missing.
    """
    if "incentive_edges" in run.tables and not run.rows("incentive_edges"):
        return empty_figure(_TITLE, "nobody imports anything")
    frame = run.table("incentive_edges")
    require(frame, [*_COLUMNS, "buyer_gain", "buyer_spent"])
    rules, styles = rules_of(frame), rule_looks()
    layout = panels(2, len(rules), height=1.6, share=False)
    buyers = frame.drop_duplicates(["market", "seed", "rule", "draw", "buyer"])
    for column, rule in enumerate(rules):
        color = styles[rule].color
        upper, lower = layout.axes[0, column], layout.axes[1, column]
        sales = frame[frame["rule"] == rule]
        bought = buyers[buyers["rule"] == rule]
        _scatter(upper, sales, "cost", "received", color)
        _scatter(lower, bought, "buyer_gain", "buyer_spent", color)
        upper.set_title(rule_text(rule))
        upper.set_xlabel("cost of the export")
        lower.set_xlabel("gain from all imports")
    layout.axes[0, 0].set_ylabel("seller gets (money)")
    layout.axes[1, 0].set_ylabel("buyer pays (money)")
    headline(layout.figure, _TITLE)
    below = _count(frame["received"] < frame["cost"] - 1e-9)
    above = _count(buyers["buyer_spent"] > buyers["buyer_gain"] + 1e-9)
    note = (
        f"Line: where it would be even. Sellers belong above it, buyers below. Of {len(frame):,} "
        f"imports {below} pay the seller less than her cost; of {len(buyers):,} buyers {above} pay "
        "more than they gain."
    )
    legend_below(layout.figure, [], [], note)
    return layout.figure


def _scatter(axes: Axes, rows: pd.DataFrame, x: str, y: str, color: str) -> None:
    axes.plot(rows[x], rows[y], linestyle="none", marker=".", markersize=2, color=color, alpha=0.5)
    top = float(np.nanmax([rows[x].max(), 1e-9]))
    axes.plot([0, top], [0, top], color=INK, linewidth=0.8, linestyle=(0, (4, 2)))


def _count(marked: "pd.Series[bool]") -> str:
    return f"{int(marked.sum()):,}" if marked.any() else "none"
