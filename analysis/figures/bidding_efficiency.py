"""What money buys when owners tell the truth and when they bid their best, and who loses then."""

from matplotlib.figure import Figure

from analysis.figures.bidding_dots import dots, rule_rows, zero_line
from analysis.figures.bidding_parts import place_text, read
from analysis.figures.panels import panels, seeds_note
from analysis.names import in_order, setting_text
from analysis.runs import Run
from analysis.style import headline, legend_below, looks, themed
from analysis.tables import mean_interval


@themed
def draw(run: Run, *, owners: int | None = None, budget: float | None = None) -> Figure:
    """Draw privacy bought by what is possible, at the truth and in equilibrium, and losers.

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
    columns = ["ratio", "ratio_truthful", "losing"]
    frame = read(run, "bidding", columns, owners=owners, budget=budget)
    settings = list(dict.fromkeys(frame["setting"]))
    names = in_order(frame["mechanism"].tolist())
    styles = looks(["equilibrium", "truth"])
    layout = panels(len(settings), 2, height=0.5 + 0.2 * len(names), share=False)
    handles: dict[str, object] = {}
    for row, setting in enumerate(settings):
        part = frame[frame["setting"] == setting]
        bought, losing = layout.axes[row, 0], layout.axes[row, 1]
        for measure, text, filled in (
            ("ratio_truthful", "truth", False),
            ("ratio", "equilibrium", True),
        ):
            table = mean_interval(part, ["mechanism"], measure)
            handles[f"at the {text}" if text == "truth" else f"in {text}"] = dots(
                bought, table, names, styles[text], filled=filled
            )
        dots(losing, mean_interval(part, ["mechanism"], "losing"), names, styles["equilibrium"])
        for axes in (bought, losing):
            rule_rows(axes, names, labels=axes is bought)
        bought.set_xlim(left=0)
        losing.set_xlim(-0.02, 1.02)
        zero_line(bought, 1.0)
        bought.set_title(setting_text(setting))
        bought.set_xlabel("privacy bought (share of what is possible)")
        losing.set_xlabel("owners who lose, in equilibrium (share)")
    headline(layout.figure, "What the money buys when owners bid their best")
    note = place_text(frame)
    note += "Beyond 1 owners must lose. Nobody can offer nothing, so some lose a little. "
    note += seeds_note([frame["seed"].nunique()])
    legend_below(layout.figure, list(handles.values()), list(handles), note)
    return layout.figure
