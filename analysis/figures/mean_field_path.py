"""The mean field round by round: price, sales, who sells, what is left."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures.mean_field_parts import first_solves, read, titles
from analysis.figures.panels import panels
from analysis.runs import Run
from analysis.style import headline, legend_below, looks, themed

_MEASURES = {
    "price": "price\n(money a unit of epsilon)",
    "supply": "sold\n(epsilon an owner)",
    "selling": "owners who sell\n(share)",
    "privacy_left": "privacy left\n(epsilon an owner)",
}


@themed
def draw(run: Run) -> Figure:
    """Draw price, supply, share of sellers and privacy left over rounds, one line a game.

    Parameters
    ----------
    run
        A run of the experiment "mean-field".

    Raises
    ------
    ResultsError
        When a table or column is missing.
    """
    frame = first_solves(read(run, "mean_field_rounds", ["round", *_MEASURES]))
    names = titles(frame)
    styles = looks(names)
    layout = panels(2, 2, height=1.7, share=False)
    handles: dict[str, object] = {}
    for place, (measure, label) in enumerate(_MEASURES.items()):
        axes = layout.axes[divmod(place, 2)]
        for game, title in names.items():
            rows = frame[frame["game"] == game].sort_values("round")
            (handles[title],) = axes.plot(
                rows["round"] + 1,
                rows[measure],
                color=styles[game].color,
                linestyle=styles[game].dash,
                marker=styles[game].marker,
                markevery=max(1, len(rows) // 8),
                label=title,
            )
        axes.set_ylabel(label)
        axes.set_ylim(0, 1.08 * float(frame[measure].max()) or 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if place > 1:
            axes.set_xlabel("round")
    headline(layout.figure, "A market of owners without number, round by round")
    shown = frame.drop_duplicates("game")
    solves = {f"{row.method} on {row.cells} x {row.nodes}" for row in shown.itertuples()}
    note = f"Solved by {' and '.join(sorted(solves))} cells of value and nodes of privacy."
    legend_below(layout.figure, list(handles.values()), list(handles), note)
    return layout.figure
