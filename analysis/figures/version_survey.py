"""Revenue of a menu against the number of buyers that were asked for it."""

from matplotlib.figure import Figure

from analysis.figures.panels import draw_points, level_ticks, panels, seeds_note
from analysis.figures.version_parts import means, rule_looks, rule_text, rules_of, swept
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed


@themed
def draw(run: Run) -> Figure:
    """Draw what buyers pay, and what the broker dared to promise, against the survey's size.

    Both as a share of what no price list could exceed on the same buyers.

    Parameters
    ----------
    run
        A run of the experiment "versions" whose market sweeps "surveyed".

    Raises
    ------
    ResultsError
        When no market sweeps it.
    """
    frame = swept(run, "surveyed")
    frame = frame[frame["trade"] == 1]
    frame = frame.assign(
        earned=100 * frame["revenue"] / frame["revenue_limit"],
        promised=100 * frame["revenue_bound"] / frame["revenue_limit"],
    )
    layout = panels(1, 2, height=2.4)
    rules = rules_of(frame)
    styles = rule_looks() | looks(rule for rule in rules if rule not in rule_looks())
    handles: list[object] = []
    for column, (value, title) in enumerate(
        (("earned", "What the buyers paid"), ("promised", "What the survey let the broker expect"))
    ):
        axes = layout.axes[0, column]
        for rule in rules:
            rows = means(frame[frame["pricing"] == rule], ["x"], value)
            line = draw_points(axes, rows, "x", styles[rule], rule_text(rule))
            handles += [line] if column == 0 else []
        level_ticks(axes, frame["x"].tolist())
        axes.axhline(100, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        axes.set_title(title)
        axes.set_xlabel("surveyed buyers")
    layout.axes[0, 0].set_ylim(0, 105)
    layout.axes[0, 0].set_ylabel("money (% of the most that\nany price list earns)")
    headline(layout.figure, "Revenue from versions against the size of the survey")
    note = (
        "Right: lower confidence bound of the revenue, from which the reward pool is made. Dashed: "
        "each version at its best price for the very buyers, known afterwards. "
    )
    texts = [rule_text(rule) for rule in rules]
    legend_below(layout.figure, handles, texts, note + seeds_note([frame["seed"].nunique()]))
    return layout.figure
