"""What the figures of bidding games share: one market size and budget, rules and their looks."""

from collections.abc import Sequence

import pandas as pd

from analysis.names import budget_text, keep, middle, with_labels
from analysis.runs import Run
from analysis.tables import require

_PLACE = ["seed", "setting", "owners", "budget_law", "budget", "mechanism"]


def read(
    run: Run,
    table: str,
    columns: Sequence[str],
    *,
    owners: int | None = None,
    budget: float | None = None,
) -> pd.DataFrame:
    """Return a table at one number of owners and one budget, the middle ones if None.

    Raises
    ------
    ResultsError
        When the table or a column is missing, or what was asked for.
    """
    frame = run.table(table)
    require(frame, [*_PLACE, *columns])
    frame = keep(with_labels(frame), {"budget_law": frame["budget_law"].iloc[0]})
    frame = keep(frame, {"owners": middle(frame["owners"].tolist()) if owners is None else owners})
    level = middle(frame["budget"].tolist()) if budget is None else budget
    return keep(frame, {"budget": level})


def place_text(frame: pd.DataFrame) -> str:
    """Say which market is shown, such as "10 owners, budget 5 (money). "."""
    first = frame.iloc[0]
    return f"{first['owners']:,} owners, {budget_text(first['budget_law'], first['budget'])}. "


def money(frame: pd.DataFrame) -> "pd.Series[float]":
    """Return the buyer's money in each row."""
    owners = frame["owners"].where(frame["budget_law"] == "per-owner", 1)
    return frame["budget"] * owners
