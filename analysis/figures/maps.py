"""A plane of markets in color, with the borders of its regimes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis.figures.studies import REGIMES, axis_text, edges, is_log, plane, regime_codes

COLORS = "cividis"
"""Even in lightness: grey print keeps the order."""


def draw_plane(
    axes: Axes,
    part: pd.DataFrame,
    column: str,
    limits: tuple[float, float],
    *,
    borders: bool = True,
) -> QuadMesh:
    """Color a study's plane by a column of its table, regimes named.

    Parameters
    ----------
    axes
        Where to draw.
    part
        The rows of one study with two axes.
    column
        Such as "alpha" or "value".
    limits
        Of the color scale.
    borders
        Draw the borders between regimes.
    """
    x, y, values = plane(part, column)
    logs = is_log(x), is_log(y)
    mesh: QuadMesh = axes.pcolormesh(
        edges(x, log=logs[0]),
        edges(y, log=logs[1]),
        np.ma.masked_invalid(values),
        cmap=COLORS,
        vmin=limits[0],
        vmax=limits[1],
        rasterized=True,
    )
    if logs[0]:
        axes.set_xscale("log")
    if logs[1]:
        axes.set_yscale("log")
    for axis, log in ((axes.xaxis, logs[0]), (axes.yaxis, logs[1])):
        if log:
            axis.set_major_locator(LogLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(axis_text(part["x_name"].iloc[0]))
    axes.set_ylabel(axis_text(part["y_name"].iloc[0]))
    axes.grid(visible=False)
    draw_regimes(axes, part, borders=borders)
    return mesh


def draw_regimes(axes: Axes, part: pd.DataFrame, *, borders: bool) -> None:
    """Write each regime's name where it is, and draw borders between them."""
    x, y, codes = plane(regime_codes(part), "code")
    if borders and len(x) > 1 and len(y) > 1:
        for level in (0.5, 1.5):
            if codes.min() < level < codes.max():
                axes.contour(x, y, codes, levels=[level], colors="white", linewidths=2.0)
                axes.contour(x, y, codes, levels=[level], colors="black", linewidths=0.8)
    for code in np.unique(codes).astype(int):
        row, column = _inside(codes == code)
        across, up = column / max(len(x) - 1, 1), row / max(len(y) - 1, 1)
        axes.annotate(
            REGIMES[code].replace(" ", "\n", 1),
            (min(max(across, 0.14), 0.86), min(max(up, 0.08), 0.92)),
            xycoords="axes fraction",
            ha="center",
            va="center",
            fontsize=6.2,
            linespacing=0.95,
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.2},
        )


def _inside(cells: np.ndarray) -> tuple[int, int]:
    """Return the cell that is farthest from every other regime and from the edge."""
    from scipy.ndimage import distance_transform_edt

    side = [1.0 / size for size in cells.shape]
    depth = distance_transform_edt(np.pad(cells, 1), sampling=side)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row), int(column)
