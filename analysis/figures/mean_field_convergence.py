"""How the solvers of a mean field converge, and how much a coarser grid errs."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.mean_field_parts import first_seed, one_game, read
from analysis.figures.panels import empty_note, log_scale, panels
from analysis.figures.slopes import fitted_slope
from analysis.runs import Run
from analysis.style import INK, headline, legend_below, looks, themed


@themed
def draw(run: Run, *, game: str | None = None) -> Figure:
    """Draw residuals by method over steps, and price errors over the size of the grid.

    Parameters
    ----------
    run
        A run of the experiment "mean-field".
    game
        Which game; the one with most methods if None.

    Raises
    ------
    ResultsError
        When what was asked for is missing.
    """
    history = first_seed(read(run, "mean_field_history", ["step", "residual"]))
    history = one_game(history, game, "method")
    name = str(history["game"].iloc[0])
    rounds = one_game(first_seed(read(run, "mean_field_rounds", ["round", "price"])), name)
    layout = panels(1, 2, height=2.4, share=False)
    handles = _residuals(layout.axes[0, 0], history)
    slope = _errors(layout.axes[0, 1], grid_errors(rounds))
    headline(layout.figure, f"Solving the mean field: {history['title'].iloc[0]}")
    first = history.iloc[0]
    note = (
        f"Left: on {first['cells']} x {first['nodes']} cells and nodes; residuals are what each "
        "method brings to 0, and jump where it leaves a coarse grid for this one. Right: "
        f"{first['method']} against the finest grid, slope {slope}."
    )
    legend_below(layout.figure, list(handles.values()), list(handles), note)
    return layout.figure


def grid_errors(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return `cells` and `error`: the mean of |p - p*| / p*, p* of the finest grid, over rounds."""
    rows = rounds[rounds["method"] == rounds["method"].iloc[0]]
    prices = rows.pivot_table(index="round", columns="cells", values="price").sort_index(axis=1)
    finest = prices.iloc[:, -1]
    errors = prices.iloc[:, :-1].sub(finest, axis=0).abs().div(finest, axis=0).mean()
    return pd.DataFrame(errors.rename("error").reset_index())


def _residuals(axes: Axes, history: pd.DataFrame) -> dict[str, object]:
    first = history.iloc[0]
    same = (history["cells"] == first["cells"]) & (history["nodes"] == first["nodes"])
    rows = history[same]
    handles: dict[str, object] = {}
    for method, look in looks(rows["method"]).items():
        here = rows[(rows["method"] == method) & (rows["residual"] > 0)]
        (handles[method],) = axes.plot(
            here["step"],
            here["residual"],
            color=look.color,
            marker=look.marker,
            linestyle=look.dash,
            markersize=3,
            markevery=max(1, len(here) // 12),
            label=method,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    log_scale(axes, rows["residual"].tolist())
    axes.set_xlabel("step")
    axes.set_ylabel("residual")
    return handles


def _errors(axes: Axes, errors: pd.DataFrame) -> str:
    axes.set_xlabel("cells of value")
    axes.set_ylabel("error of the prices (share)")
    if errors.empty:
        empty_note(axes, "one grid")
        return "unknown with one grid"
    axes.plot(errors["cells"], errors["error"], color=INK, marker="o")
    axes.set_xscale("log")
    axes.set_xticks(errors["cells"], [f"{cells:g}" for cells in errors["cells"]])
    axes.set_xticks([], minor=True)
    log_scale(axes, errors["error"].tolist())
    return fitted_slope(errors["cells"], errors["error"]).text()
