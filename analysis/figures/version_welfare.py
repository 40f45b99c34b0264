"""Who gains how much from a market of versions, by rule of pricing and beside other markets."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import panels, seeds_note
from analysis.figures.version_parts import means, read, reference, rule_text, rules_of, unswept
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed

PARTS = {"broker": "broker's profit", "owners": "owners' utility", "buyers": "buyers' surplus"}
_HATCHES = ("", "////", "....")


@themed
def draw(run: Run, *, market: str | None = None) -> Figure:
    """Draw a stacked bar for each rule of pricing, for a flat price and for a per-owner auction.

    Parameters
    ----------
    run
        A run of the experiment "versions".
    market
        Which market; the first if None.

    Raises
    ------
    ResultsError
        When the table is missing or what was asked for is not there.
    """
    frame = unswept(read(run, "version_markets", market=market))
    frame = frame[frame["market"] == frame["market"].iloc[0]]
    table = split(frame)
    names = list(dict.fromkeys(table["bar"]))
    layout = panels(1, 1, height=0.32 * len(names) + 0.8, share=False, below=1.2)
    layout.figure.set_figwidth(7.16)
    axes = layout.axes[0, 0]
    handles = _bars(axes, table, names)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("money a round")
    headline(layout.figure, f"Who gains from the market: {frame['title'].iloc[0]}")
    texts = [*PARTS.values(), "sum"]
    legend_below(layout.figure, handles, texts, _note(frame))
    return layout.figure


def split(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the three gains for each seed and bar: rules, and what else could have been done."""
    columns = {"broker": "broker_profit", "owners": "owner_utility", "buyers": "buyer_surplus"}
    bars = []
    for rule in rules_of(frame):
        rows = frame[frame["pricing"] == rule]
        bars.append(_bar(rows, rule_text(rule), {name: rows[c] for name, c in columns.items()}))
    rows = frame[frame["pricing"] == reference(frame)]
    flat = {
        "broker": rows["flat_revenue"] - rows["paid"],
        "owners": rows["owner_utility"],
        "buyers": rows["flat_surplus"],
    }
    auction = {
        "broker": rows["auction_profit"],
        "owners": rows["auction_owner_utility"],
        "buyers": rows["auction_surplus"],
    }
    bars.append(_bar(rows, "same model, one flat price", flat))
    bars.append(_bar(rows, "same money in an auction", auction))
    return pd.concat(bars, ignore_index=True)


def _bar(rows: pd.DataFrame, name: str, parts: "dict[str, pd.Series[float]]") -> pd.DataFrame:
    return pd.DataFrame({"seed": rows["seed"], "bar": name, **parts})


def _bars(axes: Axes, table: pd.DataFrame, names: list[str]) -> list[object]:
    """Stack gains to the right of zero and losses to its left; a dot is their sum."""
    handles: list[object] = []
    right, left = np.zeros(len(names)), np.zeros(len(names))
    for (part, look), hatch in zip(looks(PARTS).items(), _HATCHES, strict=True):
        value = table.groupby("bar", sort=False)[part].mean().loc[names].to_numpy(dtype=float)
        start = np.where(value >= 0, right, left)
        drawn = axes.barh(
            range(len(names)),
            value,
            left=start,
            height=0.62,
            color=look.color,
            alpha=0.75,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.4,
        )
        handles.append(drawn)
        right, left = right + np.maximum(value, 0), left + np.minimum(value, 0)
    whole = means(table.assign(sum=table[list(PARTS)].sum(axis=1)), ["bar"], "sum")
    whole = whole.set_index("bar").loc[names]
    spread = np.nan_to_num([whole["mean"] - whole["low"], whole["high"] - whole["mean"]])
    handles.append(
        axes.errorbar(
            whole["mean"],
            range(len(names)),
            xerr=spread,
            fmt="D",
            color=INK,
            markersize=3.5,
            markeredgecolor="white",
            markeredgewidth=0.4,
            elinewidth=0.9,
            capsize=2,
        )
    )
    return handles


def _note(frame: pd.DataFrame) -> str:
    return (
        "The last two bars meet the same buyers and owners as the "
        f"{rule_text(reference(frame))}: one price for all that its model reaches, and its pool "
        f"spent in an auction whose model is sold at its prices. "
        f"{seeds_note([frame['seed'].nunique()])}"
    )
