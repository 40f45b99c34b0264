"""Two users of different costs: the best share, who shares, what is kept (Fig. 9)."""

from matplotlib.figure import Figure

from analysis.figures.maps import draw_plane
from analysis.figures.panels import panels
from analysis.figures.studies import ALPHA, optima
from analysis.runs import Run
from analysis.style import headline, legend_below, themed

MEASURES = {
    "alpha": f"best share paid out, {ALPHA}*",
    "private": "mean chance of privacy",
    "value": f"platform keeps, (1 - {ALPHA}*) U",
}


@themed
def draw(run: Run, *, study: str | None = None) -> Figure:
    """Draw three planes over both costs, the borders of the regimes as lines.

    Parameters
    ----------
    run
        A run of the experiment "platform" with a study over "cost_1" and "cost_2".
    study
        The study to draw; the first over both costs when None.

    Raises
    ------
    ResultsError
        When there is no such study.
    """
    frame = optima(run, "cost_1", "cost_2", study=study)
    part = frame[frame["study"] == frame["study"].iloc[0]]
    layout = panels(1, 3, height=2.0, share=False)
    for column, (measure, label) in enumerate(MEASURES.items()):
        axes = layout.axes[0, column]
        mesh = draw_plane(axes, part, measure, (0.0, 1.0))
        axes.set_title(label)
        axes.set_box_aspect(1)
        if column:
            axes.set_ylabel("")
    layout.figure.colorbar(mesh, ax=list(layout.axes.values()), shrink=0.8, pad=0.01)
    headline(layout.figure, str(part["title"].iloc[0]))
    note = "Lines: borders of regimes. The platform has its favorite among all equilibria."
    legend_below(layout.figure, [], [], note)
    return layout.figure
