"""How owners bid in equilibrium: what they ask and what they offer, by their value."""

from matplotlib.figure import Figure

from analysis.figures.bidding_parts import place_text, read
from analysis.figures.panels import draw_band, panels, seeds_note
from analysis.names import in_order, setting_text
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed
from analysis.tables import mean_interval

_MEASURES = {
    "bid": "value told\n(money a unit of epsilon)",
    "offered": "cap told\n(share of the true cap)",
}


@themed
def draw(run: Run, *, owners: int | None = None, budget: float | None = None) -> Figure:
    """Draw the value and the cap that owners tell against their true value, by rule.

    Parameters
    ----------
    run
        A run of the experiment "bidding".
    owners, budget
        Which ones; the middle ones if None.

    Raises
    ------
    ResultsError
        When what was asked for is missing.
    """
    columns = ["value", *_MEASURES]
    frame = read(run, "bidding_strategies", columns, owners=owners, budget=budget)
    settings = list(dict.fromkeys(frame["setting"]))
    names = in_order(frame["mechanism"].tolist())
    styles = looks(names)
    layout = panels(len(settings), len(_MEASURES), height=2.3, share=False)
    handles: dict[str, object] = {}
    for row, setting in enumerate(settings):
        part = frame[frame["setting"] == setting]
        # Told values are drawn up to a little beyond the largest true one: dearer asks never sell.
        ends = [0.0, float(part["value"].max())]
        for column, (measure, label) in enumerate(_MEASURES.items()):
            axes = layout.axes[row, column]
            table = mean_interval(part, ["mechanism", "value"], measure)
            for name in names:
                rows = table[table["mechanism"] == name]
                if len(rows):
                    handles[name] = draw_band(axes, rows, "value", styles[name], name)
            if measure == "bid":
                axes.plot(ends, ends, color=INK, linewidth=0.8, zorder=1)
                axes.set_ylim(0, 1.3 * ends[1])
                axes.set_title(setting_text(setting))
            else:
                axes.set_ylim(-0.03, 1.06)
            axes.set_ylabel(label)
            if row == len(settings) - 1:
                axes.set_xlabel("true value (money a unit of epsilon)")
    headline(layout.figure, "What owners tell when they bid their best")
    note = (
        place_text(frame)
        + "Thin line: the truth. Owners with the mean cap; where they hardly ever "
    )
    note += "sell, what they tell means little. "
    note += seeds_note([frame["seed"].nunique()]).replace("Bars", "Bands")
    legend_below(layout.figure, list(handles.values()), list(handles), note)
    return layout.figure
