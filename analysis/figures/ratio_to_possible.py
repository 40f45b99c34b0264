"""Error bound as a multiple of the least that a budget can buy with full information."""

import numpy as np
from matplotlib.figure import Figure

from analysis.figures.errors import (
    COLUMNS,
    POSSIBLE,
    Sweep,
    draw_errors,
    error_constants,
    summarize_errors,
)
from analysis.names import budget_axis, keep, middle, with_labels
from analysis.runs import Run
from analysis.style import themed
from market_sim.errors import ResultsError

RATIO = "ratio_to_possible"


@themed
def draw(
    run: Run,
    *,
    setting: str | None = None,
    budget_law: str | None = None,
    owners: int | None = None,
) -> Figure:
    """Draw mean error bounds over budgets, divided by the proved least one of the same profiles.

    Parameters
    ----------
    run
        A run of auctions with `bound = true`.
    setting, budget_law
        Only this one; all of them when None.
    owners
        The number of owners; the middle one of the run when None.

    Raises
    ------
    ResultsError
        When the run has no bound, or what was asked for is missing.
    """
    frame = with_labels(run.table("auctions", columns=[*COLUMNS, RATIO]))
    frame = keep(frame, {"setting": setting, "budget_law": budget_law})
    size = middle(frame["owners"].tolist()) if owners is None else owners
    frame = keep(frame, {"owners": size})
    frame = frame[~frame["mechanism"].isin(POSSIBLE)]
    if frame[RATIO].isna().all():
        raise ResultsError(f"{run.folder} holds no bound: run its scenario with bound = true.")
    # One ratio a row: its standard error over profiles is not known, that over seeds is.
    ratios = frame.assign(error_bound_mean=frame[RATIO], error_bound_se=np.nan)
    laws = {str(law): budget_axis(law) for law in ratios["budget_law"].unique()}
    sweep = Sweep(
        "Error bound as a multiple of what full information makes possible",
        "budget",
        "budget_law",
        laws,
        f"{size:,} owners. {error_constants(run)}The least error is that of a buyer who knows all "
        "costs and pays no more than them; only an auction in which owners lose can be below 1. ",
        "error bound\n(multiple of the least possible)",
    )
    return draw_errors(summarize_errors(ratios), sweep)


def fits(run: Run) -> bool:
    """Tell whether a run of auctions knows what is possible."""
    try:
        return bool(run.table("auctions", columns=[RATIO])[RATIO].notna().any())
    except ResultsError:  # a run of an earlier version, or an unfinished one
        return False
