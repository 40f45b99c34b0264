"""Error bound of the bought gradient against the buyer's budget (FL-Market, Fig. 5)."""

from matplotlib.figure import Figure

from analysis.figures.errors import (
    Sweep,
    count_text,
    draw_errors,
    error_constants,
    read_errors,
    summarize_errors,
)
from analysis.names import budget_axis, keep, middle
from analysis.runs import Run
from analysis.style import themed


@themed
def draw(
    run: Run,
    *,
    setting: str | None = None,
    budget_law: str | None = None,
    owners: int | None = None,
) -> Figure:
    """Draw mean error bounds (logarithmic) over budgets: a column a setting, rows by budget law.

    Parameters
    ----------
    run
        A run of auctions.
    setting, budget_law
        Only this one; all of them when None.
    owners
        The number of owners; the middle one of the run when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    frame = keep(read_errors(run), {"setting": setting, "budget_law": budget_law})
    size = middle(frame["owners"].tolist()) if owners is None else owners
    frame = keep(frame, {"owners": size})
    profiles = frame.groupby(["setting", "budget_law", "budget", "mechanism", "aggregator"])
    total = profiles["profiles"].sum()
    title = "Error bound of the bought gradient against the buyer's budget"
    note = f"{size:,} owners, {count_text(total.tolist(), 'profiles')}. {error_constants(run)}"
    laws = {str(law): budget_axis(law) for law in frame["budget_law"].unique()}
    return draw_errors(summarize_errors(frame), Sweep(title, "budget", "budget_law", laws, note))
