"""What the figures of platforms share: the tables of studies, regimes, axes in words."""

import json
import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.names import keep
from analysis.runs import Run
from analysis.style import INK
from market_sim.errors import ResultsError

REGIMES = ("nobody is paid", "some share", "everyone shares")
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
SELECTIONS = {
    "optimistic": "the platform's favorite equilibrium",
    "pessimistic": "the worst equilibrium",
    "dynamics": "where best response ends",
    "unknown costs": "costs unknown, their law known",
    "known costs": "costs known",
}
_AXES = {
    "cost": "cost of sharing, c",
    "cost_1": "cost of the first, c\N{SUBSCRIPT ONE}",
    "cost_2": "cost of the second, c\N{SUBSCRIPT TWO}",
    "cost_scale": "factor on all costs",
    "cost_bound": "largest cost",
    "users": "number of users, N",
    "s2": "variance of users' means, s\N{SUPERSCRIPT TWO}",
    "r2": "variance of samples, r\N{SUPERSCRIPT TWO}",
}


def broken(title: str, letters: int) -> str:
    """Break a title after its colon; without one, into lines of so many letters."""
    first, colon, rest = title.partition(": ")
    return f"{first}\n{rest}" if colon else textwrap.fill(title, letters)


def axis_text(parameter: object) -> str:
    """Write a swept parameter as axes do."""
    return _AXES.get(str(parameter), str(parameter))


def optima(
    run: Run, x: str | tuple[str, ...], y: str = "", *, study: str | None = None
) -> pd.DataFrame:
    """Return the rows of the table "optima" whose axes are these, in order.

    Parameters
    ----------
    run
        A run of the experiment "platform".
    x, y
        Swept parameters; several names for either of them, an empty one for no axis.
    study
        Only this study; all of them when None.

    Raises
    ------
    ResultsError
        When no study has these axes.
    """
    names = (x,) if isinstance(x, str) else x
    frame = keep(run.table("optima"), {"study": study})
    found = frame[frame["x_name"].isin(names) & (frame["y_name"] == y)]
    if found.empty:
        wanted = " or ".join(names) + (f" and {y}" if y else "")
        raise ResultsError(f"No study of {run.folder} sweeps {wanted}.")
    return found


def swept(run: Run, x: str | tuple[str, ...], y: str = "") -> bool:
    """Tell whether a study of the run has these axes."""
    try:
        return not optima(run, x, y).empty
    except ResultsError:
        return False


def plane(part: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the values of x and of y and a column on their grid, y along rows."""
    table = part.pivot_table(index="y", columns="x", values=column, aggfunc="first")
    return (
        table.columns.to_numpy(dtype=float),
        table.index.to_numpy(dtype=float),
        table.to_numpy(dtype=float),
    )


def regime_codes(part: pd.DataFrame) -> pd.DataFrame:
    """Add a column `code`: 0 nobody is paid, 1 some share, 2 everyone shares."""
    return part.assign(code=part["regime"].map({name: code for code, name in enumerate(REGIMES)}))


def members(counts: str) -> list[int]:
    """Return how many users are at each level, whatever their kind, from a row's JSON."""
    return [int(number) for number in np.sum(json.loads(counts), axis=0)]


def members_text(counts: str) -> str:
    """Write a partition: numbers of users from the highest level to the private one."""
    return "\N{MIDDLE DOT}".join(str(number) for number in members(counts)[::-1])


def edges(values: np.ndarray, *, log: bool) -> np.ndarray:
    """Return the borders of cells around grid values."""
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    grid = np.log(values) if log else values
    middle = (grid[1:] + grid[:-1]) / 2
    ends = np.concatenate([[2 * grid[0] - middle[0]], middle, [2 * grid[-1] - middle[-1]]])
    return np.exp(ends) if log else ends


def is_log(values: np.ndarray) -> bool:
    """Tell whether values are spaced by ratio rather than evenly."""
    if len(values) < 3 or (values <= 0).any():
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.ptp(ratios) / ratios.mean() < 0.9 * np.ptp(steps) / steps.mean())


def threshold_lines(axes: Axes, lines: Mapping[str, float], *, named: bool) -> None:
    """Draw vertical thresholds, if wanted with their names at the top edge."""
    for name, place in lines.items():
        axes.axvline(place, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        if not named:
            continue
        axes.annotate(
            name,
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(2, -3),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize=6,
            color=INK,
        )
