"""What is proved about the regret of learned auctions, beside what an attack has found."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.attacks import SHARE, intervals, middle_budget, zero_scale
from analysis.figures.markets import settings_in_order
from analysis.figures.panels import empty_note, level_ticks, panels, profiles_text
from analysis.names import budget_text, in_order, keep, setting_text, with_labels
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed


@themed
def draw(run: Run, *, setting: str | None = None, budget_law: str | None = None) -> Figure:
    """Draw the mean regret over the size of lies: found (lower edge) and proved (upper edge).

    The truth lies between the edges. At the middle budget.

    Parameters
    ----------
    run
        A run of the experiment "attack" that certifies a mechanism.
    setting, budget_law
        Only this one; all settings and the first law when None.

    Raises
    ------
    ResultsError
        When the run has no certificates, or what was asked for is missing.
    """
    frame = keep(run.table("certificates"), {"setting": setting, "budget_law": budget_law})
    frame = middle_budget(with_labels(frame))
    percent = {f"{end}_percent": 100 * frame[f"{end}_share"] for end in ("lower", "upper")}
    keys = ["setting", "mechanism", "radius"]
    table = intervals(frame.assign(**percent), keys, tuple(percent))
    settings = settings_in_order(table)
    styles = looks(in_order(table["mechanism"].tolist()))
    layout = panels(1, len(settings), height=2.6)
    handles: dict[str, object] = {}
    for column, name in enumerate(settings):
        axes = layout.axes[0, column]
        handles |= _panel(axes, table[table["setting"] == name], styles)
        axes.set_title(setting_text(name))
        axes.set_xlabel("size of lies (share of rate and cap)")
    layout.axes[0, 0].set_ylabel(SHARE)
    zero_scale(layout.axes[0, 0], table["upper_percent_mean"].tolist(), "y")
    headline(layout.figure, "Regret within small lies: found and proved")
    names = [name for name in styles if name in handles]
    legend_below(layout.figure, [handles[name] for name in names], names, _note(frame))
    return layout.figure


def has_certificates(run: Run) -> bool:
    """Tell whether anything was proved."""
    return bool(run.rows("certificates"))


def _panel(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    if part.empty:
        empty_note(axes, "not run")
        return {}
    drawn: dict[str, object] = {}
    for name, look in styles.items():
        rows = part[part["mechanism"] == name].sort_values("radius")
        if rows.empty:
            continue
        place = rows["radius"].to_numpy(dtype=float)
        lower, upper = (rows[f"{end}_percent_mean"] for end in ("lower", "upper"))
        axes.fill_between(place, lower, upper, color=look.color, alpha=0.15, linewidth=0)
        (drawn[name],) = axes.plot(
            place, upper, color=look.color, marker=look.marker, linestyle=look.dash
        )
        axes.plot(
            place,
            lower,
            color=look.color,
            marker=look.marker,
            linestyle=look.dash,
            fillstyle="none",
            label="_lower",
        )
    level_ticks(axes, part["radius"].tolist())
    return drawn


def _note(frame: pd.DataFrame) -> str:
    budget = budget_text(frame["budget_law"].iloc[0], frame["budget"].iloc[0])
    seeds = frame["seed"].nunique()
    closed = 100 * float(frame["closed_share"].mean())
    return (
        f"{budget[0].upper()}{budget[1:]}. A lie may name any family of valuations; its rate and "
        "cap stay near those that ask the truth. Filled marks: no such lie gains more (proved); "
        "open marks: what one was seen to gain. Means over "
        f"{seeds} seed{'s' if seeds > 1 else ''} of {profiles_text(frame['profiles'].tolist())}; "
        f"{closed:.3g} % of the owners closed."
    )
