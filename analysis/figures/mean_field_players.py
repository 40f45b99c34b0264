"""How far N owners are from their mean field: gains of a deviation, errors of the price."""

from matplotlib.figure import Figure

from analysis.figures.mean_field_parts import read, titles
from analysis.figures.panels import draw_points, level_ticks, log_scale, panels, seeds_note
from analysis.figures.slopes import fitted_slope
from analysis.runs import Run
from analysis.style import headline, legend_below, looks, themed
from analysis.tables import mean_interval

_MEASURES = {
    "relative_gain": "gain of the best deviation\n(share of what the policy earns)",
    "price_error": "error of the price (share)",
}
_SHORT = {"relative_gain": "gain", "price_error": "price"}


@themed
def draw(run: Run) -> Figure:
    """Draw gain and price error against the number of owners, with fitted slopes.

    Parameters
    ----------
    run
        A run of the experiment "mean-field" with players.

    Raises
    ------
    ResultsError
        When a table or column is missing.
    """
    frame = read(run, "mean_field_players", ["owners", *_MEASURES])
    names = titles(frame)
    styles = looks(names)
    layout = panels(1, 2, height=2.4, share=False)
    handles: dict[str, object] = {}
    slopes: dict[str, list[str]] = {game: [] for game in names}
    for column, (measure, label) in enumerate(_MEASURES.items()):
        axes = layout.axes[0, column]
        table = mean_interval(frame, ["game", "owners"], measure)
        table = table[table["mean"] > 0]
        for game in names:
            rows = table[table["game"] == game]
            slope = fitted_slope(rows["owners"], rows["mean"]).text()
            slopes[game].append(f"{_SHORT[measure]} {slope}")
            handles[game] = draw_points(axes, rows, "owners", styles[game], game)
        level_ticks(axes, frame["owners"].tolist())
        log_scale(axes, table["mean"].tolist())
        axes.set_xlabel("owners")
        axes.set_ylabel(label)
    headline(layout.figure, "Finitely many owners, by the policy of the mean field")
    labels = [f"{names[game]}; slopes: {', '.join(slopes[game])}" for game in handles]
    note = seeds_note([frame["seed"].nunique()]) + " Slopes with 95 % intervals of the fit."
    legend_below(layout.figure, list(handles.values()), labels, note)
    return layout.figure


def fits(run: Run) -> bool:
    """Tell whether a run has simulated finitely many owners."""
    return bool(run.rows("mean_field_players"))
