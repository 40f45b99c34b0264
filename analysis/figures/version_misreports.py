"""What owners gain by misreporting their costs, assigned or choosing their privacy."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.panels import draw_points, panels, seeds_note
from analysis.figures.version_parts import means, read
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

_ROUNDING = 1e-9  # of an owner's pay


@themed
def draw(run: Run) -> Figure:
    """Draw the share of liars who gain, the largest gain and the mean one over the lie's factor.

    Parameters
    ----------
    run
        A run of the experiment "versions" whose markets sweep "lie".

    Raises
    ------
    ResultsError
        When no market has liars and sweeps their lie.
    """
    frame = gains(run)
    styles = looks(dict.fromkeys(frame["title"]))
    layout = panels(1, 3, height=2.2, share=False)
    handles: dict[str, object] = {}
    values = (
        ("gains", "mean", "Lies that pay", "liars who gain (%)"),
        ("percent", "max", "The best of them", "gain (% of honest utility)"),
        ("percent", "mean", "Lies on average", "gain (% of honest utility)"),
    )
    for column, (name, how, title, unit) in enumerate(values):
        axes = layout.axes[0, column]
        seeds = frame.groupby(["title", "x", "seed"], sort=False)[name].agg(how).reset_index()
        for market, look in styles.items():
            rows = means(seeds[seeds["title"] == market], ["x"], name)
            handles[market] = draw_points(axes, rows, "x", look, market)
        axes.axvline(1.0, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        axes.axhline(0, color=INK, linewidth=0.6, zorder=1)
        axes.set_title(title)
        if name == "gains":
            axes.set_ylim(-4, 104)
        else:  # gains are far smaller than losses
            axes.set_yscale("symlog", linthresh=1.0)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("reported cost / true cost")
        axes.set_ylabel(unit)
    headline(layout.figure, "What owners gain by misreporting their costs")
    note = (
        "Gain: her utility less what she alone would have had by telling the truth, the other lies "
        "unchanged. Middle: the most that one liar of a seed gains. "
    )
    legend_below(
        layout.figure,
        list(handles.values()),
        list(handles),
        note + seeds_note([frame["seed"].nunique()]),
    )
    return layout.figure


def gains(run: Run) -> pd.DataFrame:
    """Return every liar with what her lie brought, in % of her honest utility, and whether it paid.

    Raises
    ------
    ResultsError
        When no market has liars and sweeps their lie.
    """
    frame = read(run, "version_owners", ["honest_utility", "kind"])
    frame = frame[(frame["x_name"] == "lie") & (frame["kind"] == "liar")]
    if frame.empty:
        raise ResultsError(f"No market of {run.folder} has liars and sweeps their lie.")
    gain = frame["utility"] - frame["honest_utility"]
    unit = frame["honest_utility"].where(frame["honest_utility"] > 0)
    pays = gain > _ROUNDING * frame["payment"].clip(lower=1e-300)
    return frame.assign(percent=100 * gain / unit, gains=100.0 * pays)


def lies(run: Run) -> bool:
    """Tell whether a market of the run sweeps the lie of its owners."""
    frame = run.table("version_owners", columns=["x_name", "kind"])
    return bool(((frame["x_name"] == "lie") & (frame["kind"] == "liar")).any())
