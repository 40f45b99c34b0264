"""What buyers who look for cheaper combinations find, by rule of pricing."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import panels, seeds_note
from analysis.figures.version_parts import means, read, rule_text, rules_of, unswept
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

_HATCHES = ("", "////", "....", "xxxx")


@themed
def draw(run: Run) -> Figure:
    """Draw how many arbitrageurs saw a combination, how many had it, and what they saved.

    Parameters
    ----------
    run
        A run of the experiment "versions" with arbitrageurs.

    Raises
    ------
    ResultsError
        When there are no arbitrageurs.
    """
    frame = found(run)
    markets = list(dict.fromkeys(frame["title"]))
    rules = rules_of(frame)
    height = 0.22 * len(rules) * max(len(markets), 2) / 2 + 0.7
    layout = panels(1, 3, height=max(height, 1.5), share=True)
    styles = looks(markets)
    handles: dict[str, object] = {}
    for column, (name, title, unit) in enumerate(
        (
            ("saw", "See one on the price list", "arbitrageurs (%)"),
            ("had", "Succeed with it", "arbitrageurs (%)"),
            ("saved", "Save by it", "money (% of the revenue)"),
        )
    ):
        axes = layout.axes[0, column]
        handles |= _bars(axes, frame, name, rules, styles)
        axes.set_title(title)
        axes.set_xlabel(unit)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(left=0, right=None if float(frame[name].max()) > 0 else 1.0)
    layout.axes[0, 0].set_yticks(range(len(rules)), [rule_text(rule) for rule in rules])
    layout.axes[0, 0].set_ylim(len(rules) - 0.45, -0.55)
    headline(layout.figure, "Buyers who look for cheaper combinations of versions")
    legend_below(layout.figure, list(handles.values()), list(handles), _note(frame))
    return layout.figure


def found(run: Run) -> pd.DataFrame:
    """Return each market with the shares of arbitrageurs who saw and had a combination, in %.

    Raises
    ------
    ResultsError
        When there are no arbitrageurs.
    """
    keys = ["seed", "market", "pricing", "round"]
    buyers = unswept(read(run, "version_buyers", ["kind"]))
    number = buyers[buyers["kind"] == "arbitrageur"].groupby(keys).size().rename("number")
    if number.empty:
        raise ResultsError(f"No buyer of {run.folder} looks for cheaper combinations.")
    frame = unswept(read(run, "version_markets")).merge(number.reset_index(), on=keys)
    frame = frame[frame["trade"] == 1]
    return frame.assign(
        saw=100 * frame["arbitrage_tried"] / frame["number"],
        had=100 * frame["arbitrage_worked"] / frame["number"],
        saved=100 * frame["arbitrage_saved"] / frame["revenue"].where(frame["revenue"] > 0),
    )


def has_arbitrageurs(run: Run) -> bool:
    """Tell whether any buyer of the run is an arbitrageur."""
    kinds = run.table("version_buyers", columns=["kind"])["kind"]
    return bool((kinds == "arbitrageur").any())


def _bars(
    axes: Axes, frame: pd.DataFrame, name: str, rules: list[str], styles: dict[str, Look]
) -> dict[str, object]:
    """Draw a bar for each rule and market with its interval; a zero is written."""
    drawn: dict[str, object] = {}
    thick = 0.72 / len(styles)
    for number, (market, look) in enumerate(styles.items()):
        table = means(frame[frame["title"] == market], ["pricing"], name).set_index("pricing")
        table = table.reindex(rules)
        place = np.arange(len(rules)) + (number - (len(styles) - 1) / 2) * thick
        spread = np.nan_to_num(
            [table["mean"] - table["low"].clip(lower=0), table["high"] - table["mean"]]
        )
        drawn[market] = axes.barh(
            place,
            table["mean"],
            height=thick,
            xerr=spread,
            color=look.color,
            alpha=0.75,
            hatch=_HATCHES[number % len(_HATCHES)],
            edgecolor="white",
            error_kw={"elinewidth": 0.8, "capsize": 2},
        )
        for y, value in zip(place, table["mean"], strict=True):
            if value == 0:
                axes.annotate(
                    "0", (0, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=6
                )
    return drawn


def _note(frame: pd.DataFrame) -> str:
    return (
        "On the price list squared labels add up, copies included. Who succeeds averages up "
        "to three different versions; copies of one version are the same bytes. "
        f"{seeds_note([frame['seed'].nunique()])}"
    )
