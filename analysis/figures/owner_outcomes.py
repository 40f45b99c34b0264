"""What each owner has earned and what her privacy has become, round after round."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures.markets import MARKET, lifetime_cap, market_text, one_market, with_after
from analysis.runs import Run
from analysis.style import FAINT, INK, TWO_COLUMNS, Look, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

MOST_OWNERS = 12
VALUES = {
    "payment": "money received so far",
    "utility": "utility so far (money)",
    "privacy_spent": "privacy spent so far\n(composed epsilon)",
}


@themed
def draw(run: Run, **market: object) -> Figure:
    """Draw each owner's summed payment, summed utility and composed privacy loss over rounds.

    Of more than twelve owners, the median, the middle half and the range are drawn. A dotted line
    is the lifetime cap, where the scenario gives one.

    Parameters
    ----------
    run
        A run of markets.
    market
        Which market of a sweep: setting, budget_law, budget_level, mechanism, aggregator, seed; the
        middle level and the first of the others where not said.

    Raises
    ------
    ResultsError
        When a table or what was asked for is missing.
    """
    unknown = sorted(set(market) - set(MARKET))
    if unknown:
        raise ResultsError(f"A market is not named by {unknown[0]!r}.")
    _, chosen = one_market(run, market, ["round"])
    frame = run.table("owners", columns=["round", "owner", *VALUES], where=chosen)
    curves = owner_curves(frame)
    count = curves["owner"].nunique()
    figure = Figure(figsize=(TWO_COLUMNS, 3.1), layout="constrained")
    styles = looks(f"owner {owner}" for owner in sorted(curves["owner"].unique()))
    handles: dict[str, object] = {}
    for place, (value, label) in enumerate(VALUES.items()):
        axes = figure.add_subplot(1, 3, place + 1)
        wide = curves.pivot_table(index="after", columns="owner", values=value)
        if count <= MOST_OWNERS:
            handles.update(_draw_owners(axes, wide, styles))
        else:
            handles.update(_draw_spread(axes, wide))
        axes.set_title(label)
        axes.set_xlabel("rounds done")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if value == "privacy_spent":
            handles.update(_lifetime(lifetime_cap(run, chosen["setting"]), axes))
    headline(figure, "What owners earn and what it costs their privacy")
    note = f"{market_text(chosen)}; {count:,} owner{'s' if count > 1 else ''}."
    legend_below(figure, list(handles.values()), list(handles), note)
    return figure


def owner_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum up payment and utility up to each round, beside the privacy spent after it.

    Parameters
    ----------
    frame
        Rows of "owners" of one market: one for each round, buyer and owner.

    Returns
    -------
    DataFrame
        One row for each round and owner: `after` (rounds done), `owner`, `payment`, `utility`,
        `privacy_spent`.
    """
    grouped = with_after(frame).groupby(["after", "owner"])
    # Rows of several buyers in a round: money adds up, the composed privacy is the last one.
    table = grouped[["payment", "utility"]].sum()
    table["privacy_spent"] = grouped["privacy_spent"].max()
    table = table.sort_index()
    table[["payment", "utility"]] = table.groupby(level="owner")[["payment", "utility"]].cumsum()
    return table.reset_index()


def _draw_owners(axes: Axes, wide: pd.DataFrame, styles: dict[str, Look]) -> dict[str, object]:
    drawn: dict[str, object] = {}
    for owner in wide.columns:
        name = f"owner {owner}"
        look = styles[name]
        (drawn[name],) = axes.plot(
            wide.index,
            wide[owner],
            color=look.color,
            marker=look.marker,
            linestyle=look.dash,
            markevery=max(1, len(wide) // 5),
            linewidth=1.0,
            markersize=3.2,
        )
    return drawn


def _draw_spread(axes: Axes, wide: pd.DataFrame) -> dict[str, object]:
    levels = np.nanquantile(wide.to_numpy(dtype=float), [0, 0.25, 0.5, 0.75, 1], axis=1)
    color = looks(["median"])["median"].color
    place = wide.index.to_numpy()
    return {
        "median owner": axes.plot(place, levels[2], color=color)[0],
        "middle half": axes.fill_between(
            place, levels[1], levels[3], color=color, alpha=0.35, linewidth=0
        ),
        "all owners": axes.fill_between(
            place, levels[0], levels[4], color=FAINT, alpha=0.2, linewidth=0
        ),
    }


def _lifetime(cap: float | None, axes: Axes) -> dict[str, object]:
    if cap is None:
        return {}
    line = axes.axhline(cap, color=INK, linestyle=(0, (1, 1)), linewidth=1.4)
    return {"lifetime cap": line}
