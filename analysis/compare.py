"""Paired comparisons: two mechanisms that met the same owners and the same noise."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.runs import Run
from analysis.tables import half_width, require
from market_sim.errors import ResultsError

PLACES = {
    "auctions": (
        "auctions",
        "error_bound_mean",
        ("setting", "owners", "budget_law", "budget", "aggregator"),
    ),
    "market": (
        "rounds",
        "error_bound",
        ("setting", "budget_law", "budget_level", "aggregator", "buyer"),
    ),
    "audit": ("audit", "regret_mean", ("setting", "population", "deviation")),
}
"""For each kind of experiment: its table, its main value, and what names one comparison."""


def paired_interval(
    frame: pd.DataFrame,
    by: Sequence[str],
    value: str,
    *,
    baseline: str,
    between: str = "mechanism",
    unit: str = "seed",
    within: Sequence[str] = (),
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean of the differences x_s - b_s over seeds s, with the paired interval of Student's t.

    With common random numbers the difference within a seed varies far less than either value.
    The differences of one seed are averaged first. A pair with an infinite or missing value on
    either side gives no difference and is counted in `unpaired`.

    Parameters
    ----------
    frame
        Rows with the columns `by`, `between`, `unit` and `value`.
    by
        Columns that name one comparison.
    value
        The numeric column to compare.
    baseline
        The entry of `between` that is subtracted.
    between, unit
        The column that is compared, and the column of independent repetitions.
    within
        Columns that name the pairs inside a seed, such as the round.
    level
        Coverage of the interval.

    Returns
    -------
    DataFrame
        `by`, `between`, `n` (seeds), `baseline_mean` and `mean` over the same pairs, `difference`,
        `low`, `high` (NaN when n < 2) and `unpaired`.

    Raises
    ------
    ResultsError
        When a column is missing, the baseline is not in the table, or nothing stands beside it.
    """
    require(frame, [*by, between, unit, value])
    present = [str(name) for name in sorted(frame[between].unique())]
    if baseline not in present:
        raise ResultsError(f"The {between} {baseline!r} is not among {', '.join(present)}.")
    if len(present) < 2:
        raise ResultsError(f"Only {baseline!r} is in the table, expected a {between} beside it.")
    groups = list(by) or ["_all"]
    rows = frame.assign(_all=0, **{value: frame[value].astype(float)})
    # An infinite value makes its pair's mean infinite: it must not pass for a finite one.
    wide = rows.groupby([*groups, unit, *within, between])[value].mean().unstack(between)
    wide.columns = wide.columns.astype(str)
    others = [name for name in present if name != baseline]
    found = [_paired(wide, groups, unit, (name, baseline), level) for name in others]
    table = pd.concat([part.assign(**{between: part["other"]}) for part in found])
    columns = ["n", "baseline_mean", "mean", "difference", "low", "high", "unpaired"]
    ordered = table.sort_values([*by, between], kind="stable", ignore_index=True)
    return ordered[[*by, between, *columns]]


def _paired(
    wide: pd.DataFrame, groups: list[str], unit: str, names: tuple[str, str], level: float
) -> pd.DataFrame:
    """One row a group: the first of `names` against the second, both columns of `wide`."""
    name, baseline = names
    pairs = pd.DataFrame({"mean": wide[name], "baseline_mean": wide[baseline]})
    finite = pd.Series(np.isfinite(pairs.to_numpy()).all(axis=1), index=pairs.index)
    kept = pairs.where(finite)
    kept["difference"] = kept["mean"] - kept["baseline_mean"]
    grouped = kept.groupby(level=[*groups, unit]).mean().groupby(level=groups)
    table = grouped.mean()
    count = grouped["difference"].count()
    half = half_width(grouped["difference"].std(), count, level)
    present = pairs.notna().any(axis="columns")
    table["unpaired"] = (present & ~finite).groupby(level=groups).sum()
    table["n"] = count
    table["low"] = table["difference"] - half
    table["high"] = table["difference"] + half
    return table.reset_index().assign(other=name)


def compare_run(
    run: Run, *, baseline: str, value: str | None = None, between: str = "mechanism"
) -> pd.DataFrame:
    """Compare what a run swept, pair by pair, with the paired interval of each difference.

    Parameters
    ----------
    run
        An opened run of any experiment.
    baseline
        The mechanism (or the aggregator, see `between`) that the others are compared with.
    value
        The column to compare: the error bound, or an audit's mean regret, when None.
    between
        "mechanism" or "aggregator".

    Returns
    -------
    DataFrame
        As of `paired_interval`.
    """
    if run.experiment not in PLACES:
        raise ResultsError(
            f"A run of experiment {run.experiment!r} cannot be compared; expected one of "
            f"{', '.join(sorted(PLACES))}."
        )
    name, usual, keys = PLACES[run.experiment]
    both = ("mechanism", *keys)
    if between not in both:
        known = ", ".join(both)
        raise ResultsError(f"Cannot compare between {between!r}; expected one of {known}.")
    by = [key for key in both if key != between]
    within = ["round"] if name == "rounds" else []
    chosen = usual if value is None else value
    frame = run.table(name, columns=[*by, *within, between, "seed", chosen])
    return paired_interval(frame, by, chosen, baseline=baseline, between=between, within=within)
