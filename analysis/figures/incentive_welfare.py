"""Whose money it is: deficits of the platform, and welfare against the best graph."""

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.panels import panels
from analysis.figures.sharing_parts import rule_looks, rule_text, rules_of
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, themed
from analysis.tables import require


@themed
def draw(run: Run) -> Figure:
    """Draw the deficit of each random market and its welfare as a share of the exact graph's.

    Parameters
    ----------
    run
        A run of the experiment "incentives".

    Raises
    ------
    ResultsError
        When the table or a column is missing.
    """
    frame = run.table("incentive_markets")
    require(frame, ["rule", "deficit", "money", "optimal_share"])
    rules, styles = rules_of(frame), rule_looks()
    layout = panels(1, 2, height=2.2, share=False)
    left, right = layout.axes[0, 0], layout.axes[0, 1]
    for place, rule in enumerate(rules):
        rows = frame[frame["rule"] == rule]
        spread = 0.6 * (np.arange(len(rows)) / max(len(rows) - 1, 1) - 0.5)
        for axes, values in (
            (left, rows["deficit"] / rows["money"].where(rows["money"] > 0)),
            (right, rows["optimal_share"]),
        ):
            color = styles[rule].color
            axes.plot(values, place + spread, ".", markersize=2, color=color, alpha=0.5)
            axes.plot([values.mean()], [place], marker="|", markersize=16, color=INK, mew=1.6)
    for axes in (left, right):
        axes.set_yticks(range(len(rules)), [rule_text(rule) for rule in rules])
        axes.set_ylim(len(rules) - 0.5, -0.5)
    left.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    left.set_xlabel("deficit of the platform (share of what buyers pay)")
    right.set_xlabel("welfare as a share of the exact graph's")
    headline(layout.figure, "What truth costs: deficits, and welfare of the graphs")
    worst = frame["optimal_share"].min()
    note = (
        "A dot is a random market, a bar the mean. A negative deficit is a surplus. The worst "
        f"graph reaches {100 * worst:.0f}\N{NO-BREAK SPACE}% of what is possible."
    )
    legend_below(layout.figure, [], [], note)
    return layout.figure
