"""What the figures of markets share: one market out of a sweep, lines and panels of many."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.names import (
    budget_text,
    keep,
    merge_equal,
    middle,
    setting_text,
    with_lines,
    written,
)
from analysis.runs import Run
from analysis.tables import mean_interval

MARKET = ("setting", "budget_law", "budget_level", "mechanism", "aggregator", "seed")
"""Columns that name one market of a run."""
LINES = ("mechanism", "aggregator", "buyer")
"""Columns that may tell lines of one panel apart."""
QUALITY = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "AUC",
}


def one_market(
    run: Run, wanted: Mapping[str, object], columns: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Read the rounds of one market: what is wanted, else the middle level and the first entry.

    Returns
    -------
    tuple
        The rows of "rounds" (`columns` and `MARKET`), and the market's name as a dict that
        `Run.table` takes as `where`.
    """
    frame = run.table("rounds", columns=list(dict.fromkeys([*MARKET, *columns])))
    chosen: dict[str, object] = {}
    for column in MARKET:
        entry = wanted.get(column)
        if entry is None:
            levels = frame[column].tolist()
            entry = middle(levels) if column == "budget_level" else levels[0]
        frame = keep(frame, {column: entry})
        chosen[column] = entry
    return frame, chosen


def market_text(chosen: Mapping[str, object]) -> str:
    """One market in words: mechanism, aggregator, setting, budget, seed."""
    auction = f"{written(chosen['mechanism'])} + {written(chosen['aggregator'])}"
    budget = budget_text(chosen["budget_law"], chosen["budget_level"])
    parts = (auction, setting_text(chosen["setting"]), budget, f"seed {chosen['seed']}")
    return ", ".join(part for part in parts if part)


def lifetime_cap(run: Run, setting: object) -> float | None:
    """Find the owners' lifetime cap of a setting in the manifest; None where there is none."""
    population = run.setting("population", {})
    places = [entry for entry in run.setting("settings", []) if entry.get("name") == setting]
    for place in (*places, population, run.manifest):
        cap = place.get("lifetime_cap")
        if isinstance(cap, (int, float)) and np.isfinite(cap):
            return float(cap)
    return None


def with_after(frame: pd.DataFrame) -> pd.DataFrame:
    """Add `after`, the number of rounds done: 1 for the first round, however rounds are counted."""
    return frame.assign(after=frame["round"] - frame["round"].min() + 1)


def known_metrics(frame: pd.DataFrame) -> list[str]:
    """List the measures of the model's quality that were taken at all."""
    return [name for name in QUALITY if np.isfinite(frame[name]).any()]


def summarize(
    frame: pd.DataFrame, place: Sequence[str], measures: Sequence[str], lines: Sequence[str] = LINES
) -> pd.DataFrame:
    """Mean and interval of several measures, one below the other.

    Mechanisms that agree in all of them are joined into one line with both names.

    Parameters
    ----------
    frame
        Rows with `seed`, `place`, `lines` and `measures`.
    place
        Columns that name a panel and a place on its horizontal axis.
    measures
        Numeric columns.
    lines
        Columns that may tell lines apart, the mechanism first.

    Returns
    -------
    DataFrame
        As of `mean_interval`, with `measure` and `line`.
    """
    keys = [*place, *lines]
    parts = [mean_interval(frame, keys, name).assign(measure=name) for name in measures]
    table = pd.concat(parts, ignore_index=True)
    others = [key for key in (*keys, "measure") if key != "mechanism"]
    merged = merge_equal(table, "mechanism", others, ["mean", "infinite"])
    return with_lines(merged, lines)


def settings_in_order(frame: pd.DataFrame) -> list[str]:
    """Low sensitivity first."""
    names = [str(name) for name in frame["setting"].unique()]
    return sorted(names, key=lambda name: (name != "low", name))
