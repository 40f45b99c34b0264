"""What owners chose and got, each over her cost."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.panels import panels
from analysis.figures.version_parts import read, reference, rule_text, unswept
from analysis.runs import Run
from analysis.style import FAINT, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

_PANELS = (
    ("epsilon", "What they give", "privacy loss \N{GREEK SMALL LETTER EPSILON}"),
    ("payment", "What they are paid", "payment (money)"),
    ("utility", "What is left of it", "payment less cost (money)"),
)


@themed
def draw(run: Run, *, market: str | None = None, pricing: str | None = None) -> Figure:
    """Draw epsilon, payment and utility of each owner over her cost, of one seed.

    Parameters
    ----------
    run
        A run of the experiment "versions".
    market, pricing
        Which market and rule of pricing; the first market and the complete price space if None.

    Raises
    ------
    ResultsError
        When the table is missing, what was asked for is not there, or nobody traded.
    """
    frame = unswept(read(run, "version_owners", market=market, pricing=pricing))
    frame = frame[(frame["market"] == frame["market"].iloc[0]) & (frame["round"] == 0)]
    rule = pricing or reference(frame)
    traded = frame[(frame["epsilon"] > 0) & (frame["pricing"] == rule)]
    if traded.empty:
        raise ResultsError(f"Owners of {run.folder} never took part under {rule_text(rule)}.")
    seed = int(traded["seed"].min())
    frame = frame[(frame["pricing"] == rule) & (frame["seed"] == seed)]
    layout = panels(1, 3, height=2.2, share=False)
    for column, (name, title, unit) in enumerate(_PANELS):
        axes = layout.axes[0, column]
        _points(axes, frame, name)
        axes.set_title(title)
        axes.set_ylabel(unit)
        axes.set_xlabel("cost c (money at \N{GREEK SMALL LETTER EPSILON} = 1)")
    headline(layout.figure, f"Owners in the reward contest: {frame['title'].iloc[0]}")
    legend_below(layout.figure, *_legend(frame), _note(frame, seed, rule))
    return layout.figure


def _points(axes: Axes, frame: pd.DataFrame, name: str) -> None:
    sizes = frame["data_size"] / frame["data_size"].mean()
    for kind, look in looks(["honest", "liar"]).items():
        for inside, fill in ((True, look.color), (False, "white")):
            rows = frame[(frame["kind"] == kind) & ((frame["epsilon"] > 0) == inside)]
            axes.scatter(
                rows["cost"],
                rows[name],
                s=16 * sizes[rows.index],
                marker=look.marker,
                facecolor=fill,
                edgecolor=look.color if inside else FAINT,
                linewidth=0.7,
                alpha=0.9,
            )
    axes.set_ylim(bottom=min(0.0, 1.1 * float(frame[name].min())) - 0.03 * float(frame[name].max()))


def _legend(frame: pd.DataFrame) -> tuple[list[object], list[str]]:
    styles = looks(["honest", "liar"])
    present = [kind for kind in styles if (frame["kind"] == kind).any()]
    handles: list[object] = [
        Line2D([], [], color=styles[kind].color, marker=styles[kind].marker, linestyle="none")
        for kind in present
    ]
    texts = [{"honest": "takes part", "liar": "takes part, misreports"}[kind] for kind in present]
    if (frame["epsilon"] == 0).any():
        blank = Line2D([], [], color="white", marker="o", markeredgecolor=FAINT, linestyle="none")
        return [*handles, blank], [*texts, "stays out"]
    return handles, texts


def _note(frame: pd.DataFrame, seed: int, rule: str) -> str:
    inside = int((frame["epsilon"] > 0).sum())
    paid = float(frame["payment"].sum())
    return (
        f"One market (seed {seed}, {rule_text(rule)}): {inside} of {len(frame)} owners share "
        f"{paid:.4g} of money. The larger a mark, the more samples she has."
    )


def fits(run: Run) -> bool:
    """Tell whether any owner ever took part."""
    return bool((run.table("version_owners", columns=["epsilon"])["epsilon"] > 0).any())
