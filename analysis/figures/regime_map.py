"""Maps of the best share over two parameters, with regimes and their thresholds as lines."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.maps import draw_plane
from analysis.figures.panels import panels
from analysis.figures.studies import ALPHA, broken
from analysis.names import keep
from analysis.runs import Run
from analysis.style import headline, legend_below, themed
from market_sim.errors import ResultsError

THRESHOLDS = {
    "c_th": ("threshold c_th: up to it everyone shares", (0, (5, 2))),
    "switch_off": ("switch-off: from it on nobody is paid", (0, (1.2, 1.2))),
}


@themed
def draw(run: Run, *, study: str | None = None) -> Figure:
    """Draw one map for each study with two axes: the best share as color, the regimes' borders.

    Where symmetric play gives thresholds in closed form they are lines of their own, on top of the
    borders that were found point by point.

    Parameters
    ----------
    run
        A run of the experiment "platform".
    study
        Only this study; all with two axes when None.

    Raises
    ------
    ResultsError
        When no study has two axes.
    """
    frame = keep(run.table("optima"), {"study": study})
    frame = frame[frame["y_name"] != ""]
    if frame.empty:
        raise ResultsError(f"No study of {run.folder} has two axes, so there is no map.")
    names = list(dict.fromkeys(frame["study"]))
    columns = min(len(names), 3)
    layout = panels(-(-len(names) // columns), columns, height=2.2, share=False)
    drawn: set[str] = set()
    for place, name in enumerate(names):
        part = frame[frame["study"] == name]
        axes = layout.axes[divmod(place, columns)]
        own = part[(part["play"] == part["play"].iloc[0])]
        lines = _thresholds(run, own)
        mesh = draw_plane(axes, own, "alpha", (0.0, 1.0), borders=lines.empty)
        axes.set_title(broken(str(own["title"].iloc[0]), 28))
        axes.set_box_aspect(1)
        drawn |= _draw_thresholds(axes, lines)
    for place in range(len(names), len(layout.axes)):
        layout.axes[divmod(place, columns)].set_visible(False)
    bar = layout.figure.colorbar(mesh, ax=list(layout.axes.values()), shrink=0.8, pad=0.01)
    bar.set_label(f"best share paid out, {ALPHA}*")
    headline(layout.figure, "The best share to pay out, and its regimes")
    handles = [
        Line2D([], [], color="black", linestyle=dash, linewidth=1.4)
        for key, (_, dash) in THRESHOLDS.items()
        if key in drawn
    ]
    labels = [THRESHOLDS[key][0] for key in THRESHOLDS if key in drawn]
    if len(drawn) == 0 or len(names) > 1:
        handles.append(Line2D([], [], color="black", linewidth=0.8))
        labels.append("border of regimes, point by point")
    note = "Every point is exact: no interval."
    legend_below(layout.figure, handles, labels, note)
    return layout.figure


def has_map(run: Run) -> bool:
    """Tell whether a run holds a study with two axes."""
    return bool((run.table("optima", columns=["y_name"])["y_name"] != "").any())


def _thresholds(run: Run, part: pd.DataFrame) -> pd.DataFrame:
    """Return the thresholds of the cost at each value of the other parameter, if there are any."""
    if not run.rows("thresholds") or part["x_name"].iloc[0] != "cost":
        return pd.DataFrame()
    table = run.table("thresholds")
    rows: pd.DataFrame = table[(table["study"] == part["study"].iloc[0]) & (table["axis"] != "")]
    return rows.drop_duplicates("at").sort_values("at")


def _draw_thresholds(axes: Axes, rows: pd.DataFrame) -> set[str]:
    """Draw thresholds as dashes on white, which any color below leaves visible; return which."""
    if rows.empty:
        return set()
    limits = axes.get_xlim(), axes.get_ylim()
    for key, (_, dash) in THRESHOLDS.items():
        axes.plot(rows[key], rows["at"], color="white", linewidth=2.2, solid_capstyle="butt")
        axes.plot(rows[key], rows["at"], color="black", linestyle=dash, linewidth=1.3, label=key)
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
    return set(THRESHOLDS)
