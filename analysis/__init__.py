"""Tables in, figures out: what a run left on disk, with its uncertainty. Runs no simulation."""

from analysis.compare import compare_run, paired_interval
from analysis.figures import FIGURES, draw_figure, figure_names, plot_run
from analysis.runs import Run, load_run
from analysis.style import save
from analysis.tables import mean_interval, to_csv, to_latex, to_text

__all__ = [
    "FIGURES",
    "Run",
    "compare_run",
    "draw_figure",
    "figure_names",
    "load_run",
    "mean_interval",
    "paired_interval",
    "plot_run",
    "save",
    "to_csv",
    "to_latex",
    "to_text",
]
