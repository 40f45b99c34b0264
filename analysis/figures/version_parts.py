"""What the figures of version markets share: names of pricing rules, their order, means."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.panels import level_ticks
from analysis.names import keep
from analysis.runs import Run
from analysis.style import Look, looks
from analysis.tables import mean_interval, require
from market_sim.errors import ResultsError

RULES = {
    "fit": "Eq. (26)",
    "fit-scaled": "Eq. (26), scaled",
    "complete-space": "complete price space",
    "flat": "flat price",
    "ideal": "ideal prices",
}
REFERENCE = "complete-space"
LABEL = "label of the version (privacy \N{GREEK SMALL LETTER EPSILON})"
MARKETS = "version_markets"


def rule_text(rule: object) -> str:
    """Write a pricing rule as figures do; unknown ones stay."""
    return RULES.get(str(rule), str(rule))


def rules_of(frame: pd.DataFrame) -> list[str]:
    """Return the pricing rules of a table, known ones first and in their order."""
    found = list(dict.fromkeys(frame["pricing"]))
    return [rule for rule in RULES if rule in found] + [r for r in found if r not in RULES]


def rule_looks() -> dict[str, Look]:
    """Return one look for each known pricing rule, the same in every figure."""
    return looks(RULES)


def read(run: Run, table: str, columns: Sequence[str] = (), **wanted: object) -> pd.DataFrame:
    """Return rows of a table of a version market; `wanted` as in `analysis.names.keep`.

    Raises
    ------
    ResultsError
        When the table or a column is missing, or no row is as wanted.
    """
    frame = run.table(table)
    require(frame, ["seed", "market", "x_name", "x", "pricing", *columns])
    return keep(frame, wanted)


def unswept(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows at the first value of each market's sweep."""
    first = frame.groupby("market", sort=False)["x"].transform("min")
    return frame[(frame["x"] == first) | (frame["x"].isna() & first.isna())]


def reference(frame: pd.DataFrame) -> str:
    """Return the rule that stands for all where one must: if it is there the complete space."""
    rules = rules_of(frame)
    return REFERENCE if REFERENCE in rules else rules[0]


def swept(run: Run, *parameters: str) -> pd.DataFrame:
    """Return the markets that sweep one of the parameters.

    Raises
    ------
    ResultsError
        When there is none.
    """
    frame = read(run, MARKETS)
    found = frame[frame["x_name"].isin(parameters)]
    if found.empty:
        raise ResultsError(f"No market of {run.folder} sweeps {' or '.join(parameters)}.")
    return found


def sweeps(run: Run, *parameters: str) -> bool:
    """Tell whether a market of the run sweeps one of the parameters."""
    names = run.table(MARKETS, columns=["x_name"])["x_name"]
    return bool(names.isin(parameters).any())


def label_ticks(axes: Axes, labels: Sequence[float], *, apart: float = 0.13) -> None:
    """Put ticks at the labels of versions; of two that are near each other one is written.

    Parameters
    ----------
    axes
        Whose horizontal axis is set.
    labels
        Labels of the versions.
    apart
        Least distance of two written ones, as a part of the axis.
    """
    level_ticks(axes, labels)
    ordered = sorted({float(label) for label in labels})
    place = np.log(ordered) if axes.get_xscale() == "log" else np.asarray(ordered)
    reach = max(float(place[-1] - place[0]), 1e-300)
    written: list[int] = []
    for number in range(len(ordered)):
        if not written or place[number] - place[written[-1]] >= apart * reach:
            written.append(number)
    texts = [f"{label:g}" if i in written else "" for i, label in enumerate(ordered)]
    axes.set_xticks(ordered, texts)


def means(frame: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """Return means over seeds with their intervals, the groups in the table's order."""
    return mean_interval(frame, by, value)
