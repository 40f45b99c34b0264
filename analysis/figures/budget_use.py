"""How much of the buyer's money is spent, and how many owners win."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.markets import settings_in_order, summarize
from analysis.figures.panels import draw_points, empty_note, level_ticks, panels, seeds_note
from analysis.names import (
    budget_axis,
    in_order,
    keep,
    middle,
    setting_text,
    shared_names,
    with_labels,
)
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

MEASURES = {"spent_share": "money spent (%)", "winners": "winners"}
PLACE = ["setting", "budget_law", "level"]
LINE = ["mechanism", "buyer"]


@themed
def draw(run: Run, *, budget_law: str | None = None, owners: int | None = None) -> Figure:
    """Draw the share of the budget that is spent and the number of winners against the budget.

    The aggregator has no say in who wins: a line is a mechanism, and a buyer where there are more.

    Parameters
    ----------
    run
        A run of auctions or of markets.
    budget_law
        Only this one; all of them when None.
    owners
        For auctions: the number of owners, the middle one when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    table = summarize_spending(keep(spending(run, owners), {"budget_law": budget_law}))
    styles = looks(in_order(table["line"].tolist()))
    rows = [(law, name) for law in sorted(table["budget_law"].unique()) for name in MEASURES]
    settings = settings_in_order(table)
    layout = panels(len(rows), len(settings), height=1.6)
    handles: dict[str, object] = {}
    for row, (law, measure) in enumerate(rows):
        part = table[(table["budget_law"] == law) & (table["measure"] == measure)]
        for column, setting in enumerate(settings):
            axes = layout.axes[row, column]
            handles.update(_draw_panel(axes, part[part["setting"] == setting], styles))
            axes.tick_params(labelbottom=measure == "winners")
            if measure == "winners":
                axes.set_xlabel(budget_axis(law))
            if row == 0:
                axes.set_title(setting_text(setting))
        layout.axes[row, 0].set_ylabel(MEASURES[measure])
        layout.axes[row, 0].set_ylim(0, _top(measure, part))
    names = [name for name in styles if name in handles]
    headline(layout.figure, "How much money is spent and how many owners win")
    note = shared_names(table, LINE[:1]) + seeds_note(table["n"].tolist())
    legend_below(layout.figure, [handles[name] for name in names], names, note)
    return layout.figure


def spending(run: Run, owners: int | None = None) -> pd.DataFrame:
    """Spent share of the budget and winners, one row a market and round, or a batch of auctions.

    Returns
    -------
    DataFrame
        `seed`, `setting`, `budget_law`, `level`, `mechanism`, `buyer`, `spent_share`, `winners`.
    """
    if run.experiment == "auctions":
        names = {"budget": "level", "spent_share_mean": "spent_share", "winners_mean": "winners"}
        keys = ["seed", "setting", "budget_law", "mechanism", "owners"]
        frame = run.table("auctions", columns=[*keys, *names]).rename(columns=names)
        size = middle(frame["owners"].tolist()) if owners is None else owners
        known = frame[frame["spent_share"].notna()]  # a bound buys nothing
        return with_labels(keep(known, {"owners": size}).assign(buyer=""))
    if run.experiment != "market":
        raise ResultsError(f"A run of experiment {run.experiment!r} spends no budget.")
    keys = ["seed", "setting", "budget_law", "budget_level", "mechanism", "buyer"]
    frame = run.table("rounds", columns=[*keys, "budget", "spent", "winners"])
    # A buyer without money has no share to spend: no observation.
    share = frame["spent"] / frame["budget"].where(frame["budget"] > 0)
    return with_labels(frame.assign(spent_share=share).rename(columns={"budget_level": "level"}))


def summarize_spending(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean and interval of both measures (`measure`; shares in %), equal mechanisms joined."""
    percent = frame.assign(spent_share=100 * frame["spent_share"])
    return summarize(percent, PLACE, list(MEASURES), LINE)


def _top(measure: str, part: pd.DataFrame) -> float:
    """Return the upper limit of an axis that starts at 0."""
    largest = part[["mean", "high"]].max().max()
    return 105.0 if measure == "spent_share" else 1.08 * max(float(largest), 1.0)


def _draw_panel(axes: Axes, part: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    if part.empty:
        empty_note(axes, "not run")
        return {}
    drawn: dict[str, object] = {}
    for name, look in styles.items():
        points = part[part["line"] == name]
        if len(points):
            drawn[name] = draw_points(axes, points, "level", look, name)
    level_ticks(axes, part["level"].tolist())
    return drawn
