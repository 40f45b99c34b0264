"""What the platform loses when users do not play its favorite equilibrium or hide their costs."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.panels import panels
from analysis.figures.studies import (
    ALPHA,
    SELECTIONS,
    axis_text,
    broken,
    is_log,
    members_text,
)
from analysis.runs import Run
from analysis.style import FAINT, INK, Look, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

_SWEEPS = ("cost", "cost_scale", "users", "s2", "r2", "cost_bound")
BEST = ("optimistic", "known costs")


@themed
def draw(run: Run) -> Figure:
    """Draw a panel for each comparison that the run holds.

    Sweeps compare what is kept in the favorite equilibrium, the worst one and where dynamics end,
    or with costs known and unknown; then, for each study with random starts, where best response
    ends at the share that is best in theory, and what is kept there.

    Parameters
    ----------
    run
        A run of the experiment "platform".

    Raises
    ------
    ResultsError
        When no study compares anything.
    """
    lines = comparisons(run)
    ends = _ends(run)
    number = len(lines) + len(ends)
    if not number:
        raise ResultsError(f"No study of {run.folder} compares selections or has random starts.")
    columns = min(number, 3)
    layout = panels(-(-number // columns), columns, height=2.2, share=False)
    found = {name for part in lines for name in part["selection"]}
    styles = looks(name for name in SELECTIONS if name in found)
    spots = [layout.axes[divmod(place, columns)] for place in range(len(layout.axes))]
    for axes, part in zip(spots, lines, strict=False):
        _draw_sweep(axes, part, styles)
    for axes, part in zip(spots[len(lines) :], ends, strict=False):
        _draw_ends(axes, part)
    for axes in spots[number:]:
        axes.set_visible(False)
    handles = [
        Line2D([], [], color=look.color, linestyle=look.dash, marker=look.marker)
        for look in styles.values()
    ]
    headline(layout.figure, "The price of robustness")
    legend_below(layout.figure, handles, [SELECTIONS[name] for name in styles], _note(lines, ends))
    return layout.figure


def comparisons(run: Run) -> list[pd.DataFrame]:
    """Return the studies over one parameter that compare selections."""
    frame = run.table("optima")
    frame = frame[frame["x_name"].isin(_SWEEPS) & (frame["y_name"] == "")]
    parts = [frame[frame["study"] == name] for name in dict.fromkeys(frame["study"])]
    return [part for part in parts if part["selection"].nunique() > 1]


def fits(run: Run) -> bool:
    """Tell whether the run holds a comparison."""
    return bool(comparisons(run)) or bool(_ends(run))


def _ends(run: Run) -> list[pd.DataFrame]:
    if not run.rows("ends"):
        return []
    table = run.table("ends")
    return [table[table["study"] == name] for name in dict.fromkeys(table["study"])]


def relative(part: pd.DataFrame) -> pd.DataFrame:
    """Add what is kept and its standard error in % of the best case: favorite, or costs known."""
    best = part[part["selection"].isin(BEST)].set_index("x")["value"]
    scale = 100.0 / part["x"].map(best)
    return part.assign(kept=part["value"] * scale, kept_se=part["value_se"] * scale)


def _draw_sweep(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> None:
    for name, look in styles.items():
        rows = relative(part)
        rows = rows[rows["selection"] == name].sort_values("x")
        if rows.empty:
            continue
        axes.plot(
            rows["x"],
            rows["kept"],
            color=look.color,
            linestyle=look.dash,
            marker=look.marker,
            markevery=max(len(rows) // 8, 1),
            markeredgecolor="white",
            markeredgewidth=0.4,
        )
        if (rows["kept_se"] > 0).any():
            spread = 1.96 * rows["kept_se"]
            low, high = rows["kept"] - spread, rows["kept"] + spread
            axes.fill_between(rows["x"], low, high, color=look.color, alpha=0.25, linewidth=0)
    if is_log(part["x"].drop_duplicates().sort_values().to_numpy(dtype=float)):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel(axis_text(part["x_name"].iloc[0]))
    axes.set_ylabel("kept (% of the best case)")
    axes.set_title(_title(part))
    axes.set_ylim(bottom=0.0, top=108.0)


def _title(part: pd.DataFrame) -> str:
    return broken(str(part["title"].iloc[0]), 30)


def _draw_ends(axes: Axes, part: pd.DataFrame) -> None:
    """Draw where random starts end: a bar of its share, the value kept written beside it."""
    rows = part.sort_values("share", ascending=False).head(6).reset_index(drop=True)
    place = range(len(rows))
    share = 100 * rows["share"]
    good = rows["value"] >= rows["promised"] * (1 - 1e-9)
    colors = [INK if reached else FAINT for reached in good]
    axes.barh(place, share, color=colors, height=0.65)
    for position, (part_of, kept) in enumerate(zip(share, rows["value"], strict=True)):
        axes.annotate(
            f"{part_of:.2g} %, keeps {kept:.4g}",
            (part_of, position),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.3,
        )
    axes.set_yticks(place, [members_text(counts) for counts in rows["counts"]], fontsize=6.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 185)
    axes.set_xticks(range(0, 101, 25))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("starts that end here (%)")
    axes.set_ylabel("users by level, high to low")
    axes.set_title(_title(part))


def _note(lines: list[pd.DataFrame], ends: list[pd.DataFrame]) -> str:
    parts = []
    if any((part["value_se"] > 0).any() for part in lines):
        parts.append("Bands: 95\N{NO-BREAK SPACE}% intervals of drawn costs; all else is exact.")
    if ends:
        promised = ", ".join(f"{float(part['promised'].iloc[0]):.4g}" for part in ends)
        starts = int(ends[0]["starts"].iloc[0])
        parts.append(
            f"Bars: best response from {starts:,} random starts at the {ALPHA} that is best in "
            f"theory, which promises {promised}; dark where the promise is kept."
        )
    return " ".join(parts)
