"""Flows as ribbons between columns of boxes (a Sankey drawing)."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from analysis.style import INK


@dataclass(frozen=True)
class Flow:
    """An amount that goes from one named box to another."""

    source: str
    target: str
    amount: float
    color: str
    hatch: str = ""


@dataclass(frozen=True)
class Column:
    """Boxes above one another at a horizontal place; labels stand left, right or above."""

    place: float
    boxes: tuple[str, ...]
    side: str = "right"


BOX = 0.035
GAP = 0.03


def draw_flows(
    axes: Axes, columns: Sequence[Column], flows: Sequence[Flow], labels: dict[str, str]
) -> dict[str, float]:
    """Draw boxes as high as what passes through them and ribbons as wide as their amounts.

    Parameters
    ----------
    axes
        Empty axes; they get the unit square as limits and no frame.
    columns
        Boxes from left to right, top to bottom.
    flows
        Amounts >= 0 between boxes of different columns; zero ones are not drawn.
    labels
        What stands beside each box.

    Returns
    -------
    dict
        Height of each box on the axes, for tests.
    """
    axes.set_axis_off()
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(0, 1)
    heights = _heights(columns, flows)
    tops = _place_boxes(axes, columns, heights, labels)
    places = {name: column.place for column in columns for name in column.boxes}
    scale = _scale(columns, flows)
    leaving, arriving = dict(tops), dict(tops)
    for flow in flows:
        width = flow.amount * scale
        if width <= 0:
            continue
        start = (places[flow.source] + BOX / 2, leaving[flow.source])
        end = (places[flow.target] - BOX / 2, arriving[flow.target])
        if places[flow.source] > places[flow.target]:
            start, end = (start[0] - BOX, start[1]), (end[0] + BOX, end[1])
        axes.add_patch(_ribbon(start, end, width, flow))
        leaving[flow.source] -= width
        arriving[flow.target] -= width
    return heights


def _through(name: str, flows: Sequence[Flow]) -> float:
    """Return what passes through a box: the larger of all that comes and all that goes."""
    comes = sum(flow.amount for flow in flows if flow.target == name)
    goes = sum(flow.amount for flow in flows if flow.source == name)
    return max(comes, goes)


def _scale(columns: Sequence[Column], flows: Sequence[Flow]) -> float:
    """Axes heights per unit of amount, so that the fullest column just fits."""
    fits = []
    for column in columns:
        total = sum(_through(name, flows) for name in column.boxes)
        if total > 0:
            fits.append((1 - GAP * (len(column.boxes) + 1)) / total)
    return min(fits, default=0.0)


def _heights(columns: Sequence[Column], flows: Sequence[Flow]) -> dict[str, float]:
    scale = _scale(columns, flows)
    return {name: scale * _through(name, flows) for column in columns for name in column.boxes}


def _place_boxes(
    axes: Axes, columns: Sequence[Column], heights: dict[str, float], labels: dict[str, str]
) -> dict[str, float]:
    """Draw the boxes of each column, evenly spread, and return their upper edges."""
    tops: dict[str, float] = {}
    for column in columns:
        free = 1 - sum(heights[name] for name in column.boxes)
        gap = free / (len(column.boxes) + 1)
        top = 1 - gap
        for name in column.boxes:
            tops[name] = top
            height = max(heights[name], 0.004)
            corner = (column.place - BOX / 2, top - height)
            axes.add_patch(Rectangle(corner, BOX, height, facecolor=INK, linewidth=0))
            _label(axes, column, (top, top - height / 2), labels.get(name, name))
            top -= heights[name] + gap
    return tops


def _label(axes: Axes, column: Column, heights: tuple[float, float], text: str) -> None:
    edge, height = heights
    if column.side == "above":
        axes.text(column.place, edge + 0.012, text, ha="center", va="bottom", fontsize=6.8)
        return
    right = column.side == "right"
    place = column.place + (1 if right else -1) * (BOX / 2 + 0.012)
    axes.text(
        place,
        height,
        text,
        ha="left" if right else "right",
        va="center",
        fontsize=6.8,
        linespacing=1.05,
    )


def _ribbon(
    start: tuple[float, float], end: tuple[float, float], width: float, flow: Flow
) -> PathPatch:
    """Bend a band between two upper corners so that it leaves and arrives level."""
    middle = (start[0] + end[0]) / 2
    points = [
        start,
        (middle, start[1]),
        (middle, end[1]),
        end,
        (end[0], end[1] - width),
        (middle, end[1] - width),
        (middle, start[1] - width),
        (start[0], start[1] - width),
        start,
    ]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(
        Path(points, codes),
        facecolor=flow.color,
        alpha=0.55,
        linewidth=0.3,
        edgecolor="white",
        hatch=flow.hatch or None,
    )
