"""The look of every figure: sizes for print, colors that grey print and everyone tells apart."""

import os
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import seaborn as sns
from matplotlib import style
from matplotlib.figure import Figure

from market_sim.errors import ResultsError

ONE_COLUMN = 3.5
"""Width in inches of a figure in one column of a two-column paper."""
TWO_COLUMNS = 7.16
"""Width in inches of a figure across both columns."""
RESOLUTION = 300
"""Dots per inch of the PNG."""
INK = "#333333"
FAINT = "#8c8c8c"

_COLORS = tuple(sns.color_palette("colorblind").as_hex()[index] for index in (0, 3, 2, 4, 1, 7))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
_DASHES: tuple[tuple[int, tuple[float, ...]], ...] = (
    (0, ()),
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (5, 1.5, 1.2, 1.5)),
    (0, (8, 2, 2, 2, 2, 2)),
    (0, (3, 3)),
    (0, (1, 3)),
)

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Look:
    """How one line is drawn: color, marker and dashes, each different from its neighbors'."""

    color: str
    marker: str
    dash: tuple[int, tuple[float, ...]]


def looks(names: Iterable[str]) -> dict[str, Look]:
    """One look for each name, in the order given; no two of the first 210 are the same."""
    return {
        name: Look(
            _COLORS[index % len(_COLORS)],
            _MARKERS[index % len(_MARKERS)],
            _DASHES[index % len(_DASHES)],
        )
        for index, name in enumerate(dict.fromkeys(names))
    }


@contextmanager
def theme() -> Iterator[None]:
    """Matplotlib's settings for our figures, undone on leaving; the user's own do not leak in."""
    settings: dict[str, Any] = {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("paper"),
        "font.family": ["DejaVu Sans"],
        "font.size": 7.5,
        "axes.titlesize": 8,
        "axes.titlelocation": "left",
        "axes.labelsize": 7.5,
        "figure.titlesize": 9,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7.5,
        "legend.title_fontsize": 7,
        "legend.frameon": False,
        "legend.handlelength": 3.6,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "axes.linewidth": 0.7,
        "grid.color": "#dddddd",
        "grid.linewidth": 0.5,
        "lines.linewidth": 1.2,
        "lines.markersize": 4.0,
        "pdf.fonttype": 42,
        "savefig.dpi": RESOLUTION,
    }
    with style.context(["default", settings]):
        yield


def themed(draw: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Let a drawing function run inside `theme`."""

    @wraps(draw)
    def inside(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        with theme():
            return draw(*arguments, **named)

    return inside


def headline(figure: Figure, text: str) -> None:
    """Put a bold title at the upper left, broken into lines that fit the figure's width."""
    letters = int(figure.get_figwidth() * 12.2)
    figure.suptitle(
        textwrap.fill(text, letters), x=0.01, horizontalalignment="left", fontweight="bold"
    )


def legend_below(
    figure: Figure, handles: Sequence[Any], labels: Sequence[str], note: str = ""
) -> None:
    """Put the legend and a note under all panels, where they cover no data."""
    inches = figure.get_figwidth()
    longest = max((len(label) for label in labels), default=1)
    columns = max(1, min(len(labels), int(inches / (0.72 + 0.048 * longest))))
    figure.legend(
        list(handles),
        list(labels),
        loc="outside lower center",
        ncols=columns,
        title=textwrap.fill(note, int(inches * 18.5)) or None,
    )


def save(figure: Figure, folder: str | Path, name: str) -> tuple[Path, Path]:
    """Write `name`.pdf (vectors) and `name`.png (300 dpi) into `folder`, whole or not at all.

    The files carry no date, so the same figure gives the same bytes.

    Returns
    -------
    tuple of Path
        The PDF and the PNG.

    Raises
    ------
    ResultsError
        When the folder cannot be made or the disk refuses a file.
    """
    place = Path(folder)
    pdf, png = place / f"{name}.pdf", place / f"{name}.png"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with theme():
            _write(figure, pdf, {"CreationDate": None, "Creator": "market_sim"})
            _write(figure, png, {"Software": None})
    except OSError as problem:
        raise ResultsError(f"Figure {name!r} cannot be written to {place}: {problem}.") from problem
    return pdf, png


def _write(figure: Figure, target: Path, metadata: dict[str, str | None]) -> None:
    """Write beside the target, then rename: a reader never meets half a file."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=target.suffix)
    os.close(handle)
    try:
        figure.savefig(temporary, format=target.suffix[1:], dpi=RESOLUTION, metadata=metadata)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
