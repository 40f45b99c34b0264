"""FigureSpec: what draws a figure, and which runs it fits."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from analysis.runs import Run


@dataclass(frozen=True)
class FigureSpec:
    """A figure of the registry.

    Attributes
    ----------
    draw
        Takes a run and returns the figure.
    experiments
        The kinds of experiment it can be drawn from.
    tables
        The tables it reads.
    shows
        One line on what is seen.
    fits
        Whether a run of such an experiment has something to see in it.
    """

    draw: Callable[[Run], Figure]
    experiments: tuple[str, ...]
    tables: tuple[str, ...]
    shows: str
    fits: Callable[[Run], bool] = lambda _: True
