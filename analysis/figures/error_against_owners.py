"""Error bound of the bought gradient against the number of owners (FL-Market, Fig. 6)."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.errors import (
    Sweep,
    draw_errors,
    error_constants,
    read_errors,
    summarize_errors,
)
from analysis.names import budget_text, keep, middle
from analysis.runs import Run
from analysis.style import themed


@themed
def draw(
    run: Run,
    *,
    setting: str | None = None,
    budget_law: str | None = None,
    budget: float | None = None,
) -> Figure:
    """Draw mean error bounds (logarithmic) over the number of owners, at one budget of each law.

    Parameters
    ----------
    run
        A run of auctions.
    setting, budget_law
        Only this one; all of them when None.
    budget
        The budget, or the rate; the middle one of each law when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    frame = keep(read_errors(run), {"setting": setting, "budget_law": budget_law, "budget": budget})
    laws = frame["budget_law"].unique()
    levels = {law: middle(frame.loc[frame["budget_law"] == law, "budget"]) for law in laws}
    frame = pd.concat([keep(frame, {"budget_law": law, "budget": levels[law]}) for law in laws])
    labels = {str(law): f"owners, {budget_text(law, levels[law])}" for law in laws}
    title = "Error bound of the bought gradient against the number of owners"
    sweep = Sweep(title, "owners", "budget_law", labels, error_constants(run))
    return draw_errors(summarize_errors(frame), sweep)
