"""Who is where in a mean field, and how much she sells there: law and policy over the states."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from analysis.figures.maps import COLORS
from analysis.figures.mean_field_parts import first_solves, one_game, read
from analysis.figures.panels import panels
from analysis.figures.studies import edges
from analysis.runs import Run
from analysis.style import headline, themed

_FAINTEST = 1e-5
"""States with a smaller share of the owners stay white."""


@themed
def draw(run: Run, *, game: str | None = None) -> Figure:
    """Draw law and policy over value and privacy left before the first, middle and last round.

    Parameters
    ----------
    run
        A run of the experiment "mean-field".
    game
        Which game; the first if None.

    Raises
    ------
    ResultsError
        When what was asked for is missing.
    """
    columns = ["round", "value", "privacy_left", "mass", "amount"]
    frame = one_game(first_solves(read(run, "mean_field_states", columns)), game)
    rounds = sorted(frame["round"].unique())
    most = float(frame["mass"].max())
    scales = {
        "mass": (LogNorm(min(_FAINTEST, most / 10), most), "owners in the state (share)"),
        "amount": (Normalize(0.0, float(frame["amount"].max()) or 1.0), "sold there (epsilon)"),
    }
    layout = panels(2, len(rounds), height=2.0, below=0.5)
    for row, (measure, (norm, label)) in enumerate(scales.items()):
        for column, number in enumerate(rounds):
            axes = layout.axes[row, column]
            mesh = _heat(axes, frame[frame["round"] == number], measure, norm)
            if row == 0:
                axes.set_title(f"round {number + 1}")
            else:
                axes.set_xlabel("unit value (money)")
            if column == 0:
                axes.set_ylabel("privacy left (epsilon)")
        across = [layout.axes[row, column] for column in range(len(rounds))]
        layout.figure.colorbar(mesh, ax=across, label=label, pad=0.01, aspect=18)
    headline(layout.figure, f"Owners and what they sell: {frame['title'].iloc[0]}")
    return layout.figure


def _heat(axes: Axes, rows: pd.DataFrame, measure: str, norm: Normalize) -> QuadMesh:
    table = rows.pivot_table(index="privacy_left", columns="value", values=measure)
    shown = table.to_numpy()
    mesh: QuadMesh = axes.pcolormesh(
        edges(table.columns.to_numpy(), log=False),
        edges(table.index.to_numpy(), log=False),
        np.ma.masked_less(shown, norm.vmin or 0.0) if isinstance(norm, LogNorm) else shown,
        cmap=COLORS,
        norm=norm,
        rasterized=True,
    )
    axes.grid(visible=False)
    return mesh
