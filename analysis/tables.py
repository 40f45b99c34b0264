"""Tables of a run: means with their uncertainty over seeds, and text, LaTeX or CSV of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.runs import Run, load_run
from market_sim.errors import ResultsError
from market_sim.shapes import Array

__all__ = [
    "Run",
    "half_width",
    "load_run",
    "mean_interval",
    "require",
    "to_csv",
    "to_latex",
    "to_text",
]


def require(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a frame that is empty or lacks one of `columns`.

    Raises
    ------
    ResultsError
        Naming what is missing.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ResultsError(
            f"The table lacks column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(str, frame.columns))}."
        )
    if frame.empty:
        raise ResultsError("The table has no rows, expected at least one.")


def half_width(deviation: ArrayLike, count: ArrayLike, level: float = 0.95) -> Array:
    """Half of Student's interval of a mean, t_{n-1} s / sqrt(n); NaN for fewer than two samples.

    Parameters
    ----------
    deviation, count
        Sample standard deviations (n - 1 in the divisor) and sample sizes, of one shape.
    level
        Coverage of the interval, between 0 and 1.
    """
    from scipy import stats

    if not 0 < level < 1:
        raise ResultsError(f"The level of an interval is {level}, expected between 0 and 1.")
    spread, size = np.asarray(deviation, dtype=np.float64), np.asarray(count, dtype=np.float64)
    enough = size >= 2
    samples = np.where(enough, size, 2.0)
    quantile = stats.t.ppf(0.5 + level / 2, samples - 1)
    return np.where(enough, quantile * spread / np.sqrt(samples), np.nan)


def mean_interval(
    frame: pd.DataFrame,
    by: Sequence[str],
    value: str,
    *,
    unit: str = "seed",
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean over seeds, with Student's interval: mean +- t_{n-1} s / sqrt(n).

    Rows of one seed are averaged first, so that n counts independent samples. Infinite values (no
    winner) are kept out of the mean and counted in `infinite`; a NaN is no observation.

    Parameters
    ----------
    frame
        Rows with the columns `by`, `unit` and `value`.
    by
        Columns that name a group; each group gives one row of the result, sorted.
    value
        The numeric column to average.
    unit
        The column of independent repetitions.
    level
        Coverage of the interval.

    Returns
    -------
    DataFrame
        `by`, then `n` (seeds with a finite value), `mean`, `low`, `high` (NaN when n < 2) and
        `infinite` (share of the rows that are infinite). The mean is inf where all rows are.

    Raises
    ------
    ResultsError
        When a column is missing or the frame is empty.
    """
    require(frame, [*by, unit, value])
    keys = list(by) or ["_all"]
    names = list(dict.fromkeys([*by, unit]))
    rows = frame[names].assign(_all=0, _value=frame[value].astype(float))
    infinite = np.isinf(rows["_value"]).astype(float).where(rows["_value"].notna())
    shares = rows.assign(infinite=infinite).groupby(keys)["infinite"].mean().to_frame()
    finite = rows[np.isfinite(rows["_value"])]
    per_unit = finite.groupby(list(dict.fromkeys([*keys, unit])))["_value"].mean()
    means = per_unit.groupby(level=keys).agg(n="count", mean="mean", _spread="std")
    table = shares.join(means)
    count = table["n"].fillna(0).to_numpy(dtype=float)
    half = half_width(table["_spread"], count, level)
    table["infinite"] = table["infinite"].fillna(0.0)
    never = (count == 0) & (table["infinite"] > 0)
    table["mean"] = table["mean"].mask(never, np.inf)
    table["n"] = count.astype(int)
    table = table.assign(low=table["mean"] - half, high=table["mean"] + half).reset_index()
    return table[[*by, "n", "mean", "low", "high", "infinite"]]


def _number(value: object, digits: int) -> str:
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return "-" if np.isnan(value) else f"{value:.{digits}g}"
    return str(value)


def _cells(frame: pd.DataFrame, digits: int) -> tuple[list[str], list[list[str]], list[bool]]:
    """Header, body and which columns hold numbers; low and high become one interval column."""
    both = {"low", "high"} <= set(frame.columns)
    names = [str(name) for name in frame.columns if not (both and name == "high")]
    columns: list[list[str]] = []
    for name in names:
        texts = [_number(value, digits) for value in frame[name]]
        if both and name == "low":
            highs = [_number(value, digits) for value in frame["high"]]
            pairs = zip(texts, highs, strict=True)
            texts = ["-" if low == "-" else f"[{low}, {high}]" for low, high in pairs]
        columns.append(texts)
    numeric = [pd.api.types.is_numeric_dtype(frame[name]) for name in names]
    header = ["95 % interval" if both and name == "low" else name for name in names]
    body = [list(row) for row in zip(*columns, strict=True)]
    return header, body, numeric


def to_text(frame: pd.DataFrame, digits: int = 4) -> str:
    """Aligned plain text of a summary table, `low` and `high` joined to one interval column."""
    header, body, numeric = _cells(frame, digits)
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]

    def line(cells: list[str]) -> str:
        placed = zip(cells, widths, numeric, strict=True)
        return "  ".join(
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in placed
        ).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(header), rule, *map(line, body)]) + "\n"


def to_latex(frame: pd.DataFrame, digits: int = 4) -> str:
    """Write a summary table as a LaTeX tabular with booktabs rules, text escaped."""
    header, body, numeric = _cells(frame, digits)
    special = str.maketrans(
        {mark: f"\\{mark}" for mark in "&%$#_{}"}
        | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    )
    lines = [" & ".join(cell.translate(special) for cell in row) for row in (header, *body)]
    layout = "".join("r" if right else "l" for right in numeric)
    rows = [f"{line} \\\\" for line in lines]
    return "\n".join(
        [
            f"\\begin{{tabular}}{{{layout}}}",
            "\\toprule",
            rows[0],
            "\\midrule",
            *rows[1:],
            "\\bottomrule",
            "\\end{tabular}",
            "",
        ]
    )


def to_csv(frame: pd.DataFrame) -> str:
    """CSV of a table with all digits, one header line, no index."""
    return str(frame.to_csv(index=False, lineterminator="\n"))
