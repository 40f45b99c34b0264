"""How much is still imported from attackers, and how good honest models are beside them."""

from matplotlib.figure import Figure

from analysis.figures.panels import draw_band, empty_note, panels, seeds_note, share_limits
from analysis.figures.sharing_parts import (
    markets_of,
    read,
    title_of,
    variant_looks,
    variants_of,
)
from analysis.runs import Run
from analysis.style import headline, legend_below, looks, themed
from analysis.tables import mean_interval

_MEASURES = {
    "attacker_share": "imports from\nattackers (share)",
    "accuracy": "accuracy of\nhonest participants",
}


@themed
def draw(run: Run) -> Figure:
    """Draw attackers' share of the imports and honest participants' accuracy over rounds.

    Parameters
    ----------
    run
        A run of the experiment "sharing" with attackers.

    Raises
    ------
    ResultsError
        When a table or column is missing.
    """
    frame = read(run, "sharing_rounds", ["round", *_MEASURES])
    markets, variants = markets_of(frame), variants_of(frame)
    styles = variant_looks() | looks(name for name in variants if name not in variant_looks())
    layout = panels(2, len(markets), height=1.6)
    handles: dict[str, object] = {}
    for column, market in enumerate(markets):
        part = frame[frame["market"] == market].assign(after=lambda rows: rows["round"] + 1)
        for row, (measure, text) in enumerate(_MEASURES.items()):
            axes = layout.axes[row, column]
            rows = mean_interval(part, ["variant", "after"], measure)
            rows = rows[rows["mean"].notna()]
            if rows.empty:
                empty_note(axes, "nothing to show")
            for name in variants_of(rows):
                here = rows[rows["variant"] == name]
                handles[name] = draw_band(axes, here, "after", styles[name], name)
            if column == 0:
                axes.set_ylabel(text)
            if row == 0:
                axes.set_ylim(-0.03, 1.03)
        layout.axes[0, column].set_title(title_of(frame, market))
        layout.axes[1, column].set_xlabel("rounds done")
    share_limits(layout.axes[1, 0])
    headline(layout.figure, "Attackers in a market for models")
    note = "Attackers ask nothing for their models. "
    note += seeds_note([frame["seed"].nunique()]).replace("Bars", "Bands")
    order = [name for name in variants if name in handles]
    legend_below(layout.figure, [handles[name] for name in order], order, note)
    return layout.figure


def attacked(run: Run) -> bool:
    """Tell whether anybody attacks."""
    kinds = run.table("sharing_participants", columns=["kind"])["kind"]
    return bool((kinds == "attacker").any())
