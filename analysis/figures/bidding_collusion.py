"""What owners gain by lying together, under each rule."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.bidding_dots import dots, rule_rows, zero_line
from analysis.figures.bidding_parts import money, place_text, read
from analysis.figures.panels import panels, seeds_note
from analysis.names import in_order, setting_text
from analysis.runs import Run
from analysis.style import headline, legend_below, looks, themed
from analysis.tables import mean_interval

_MEASURES = {"gain_mean": "together", "paired_gain_mean": "no member loses"}


@themed
def draw(run: Run, *, owners: int | None = None, budget: float | None = None) -> Figure:
    """Draw the gains of the best coalition found, by size and rule, as shares of the budget.

    Parameters
    ----------
    run
        A run of the experiment "bidding" with coalitions.
    owners, budget
        Which ones; the middle ones if None.

    Raises
    ------
    ResultsError
        When what was asked for is missing.
    """
    columns = ["size", "profiles", *_MEASURES]
    frame = shares(read(run, "bidding_collusion", columns, owners=owners, budget=budget))
    settings = list(dict.fromkeys(frame["setting"]))
    names = in_order(frame["mechanism"].tolist())
    sizes = sorted(frame["size"].unique())
    styles = looks(str(size) for size in sizes)
    layout = panels(1, len(settings), height=0.6 + 0.1 * (1 + len(sizes)) * len(names))
    handles: dict[str, object] = {}
    for column, setting in enumerate(settings):
        axes = layout.axes[0, column]
        part = frame[frame["setting"] == setting]
        for place, size in enumerate(sizes):
            shift = 0.5 * ((place + 0.5) / len(sizes) - 0.5)
            for measure, text in _MEASURES.items():
                table = mean_interval(part[part["size"] == size], ["mechanism"], measure)
                filled = text == "no member loses"
                look = styles[str(size)]
                handle = dots(axes, table, names, look, shift=shift, filled=filled)
                handles[f"{size} owners, {text}"] = handle
        rule_rows(axes, names, labels=column == 0)
        axes.grid(visible=False, axis="y")
        zero_line(axes)
        axes.set_title(setting_text(setting))
        axes.set_xlabel("gain of the best coalition\n(share of the budget)")
    headline(layout.figure, "What owners gain by lying together")
    markets = int(frame["profiles"].max())
    note = f"{place_text(frame)}Means over {markets} markets a seed; what the search found is a "
    note += "lower bound. " + seeds_note([frame["seed"].nunique()])
    legend_below(layout.figure, list(handles.values()), list(handles), note)
    return layout.figure


def shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Write gains as shares of the budget."""
    budget = money(frame)
    return frame.assign(**{measure: frame[measure] / budget for measure in _MEASURES})


def fits(run: Run) -> bool:
    """Tell whether coalitions were tried."""
    return bool(run.rows("bidding_collusion"))
