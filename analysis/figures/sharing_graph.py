"""The graph of who learns from whom, at the beginning, in the middle and at the end."""

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.panels import empty_note, panels
from analysis.figures.sharing_parts import KINDS, markets_of, read, rules_of, title_of, variant_text
from analysis.runs import Run
from analysis.style import FAINT, INK, headline, legend_below, looks, themed

_SHAPES = dict(zip(KINDS, "osDP^X", strict=True))
_WIDEST = 3.0  # points
_EDGES = ("seed", "market", "method", "rule", "round", "seller", "buyer", "price", "status")


@themed
def draw(run: Run, *, market: str | None = None, rule: str | None = None) -> Figure:
    """Draw one seed's graph after the first, a middle and the last round.

    Parameters
    ----------
    run
        A run of the experiment "sharing" with the method "ipfl".
    market, rule
        Which market and rule of payment; the first if None.

    Raises
    ------
    ResultsError
        When there is none.
    """
    people = read(run, "sharing_participants", ["participant", "kind", "cluster"], method="ipfl")
    people = people[people["market"] == (market or markets_of(people)[0])]
    people = people[people["rule"] == (rule or rules_of(people)[0])]
    chosen = people.iloc[0]
    people = people[people["seed"] == chosen["seed"]]
    where = {name: chosen[name] for name in ("seed", "market", "method", "rule")}
    edges = _edges(run, where)
    last = int(people["round"].max())
    rounds = sorted({0, last // 2, last})
    layout = panels(1, len(rounds), height=2.3, share=False)
    nodes = people[people["round"] == last].sort_values("participant")
    place = _places(nodes)
    top = max(float(edges["price"].max()), 1e-300) if len(edges) else 1.0
    for column, number in enumerate(rounds):
        axes = layout.axes[0, column]
        present = people[people["round"] == number].sort_values("participant")
        _panel(axes, present, edges[edges["round"] == number], place, top)
        axes.set_title(f"round {number + 1}")
    name = variant_text("ipfl", chosen["rule"])
    headline(layout.figure, f"Who learns from whom: {title_of(people, chosen['market'])}, {name}")
    handles, texts = _legend(nodes)
    note = (
        f"Seed {chosen['seed']}. An arrow leads from the seller to the buyer; the widest stands "
        f"for a price of {top:.3g}, red dots mark models that the market refused. "
        "Groups have a color each; who is away is pale."
    )
    legend_below(layout.figure, handles, texts, note)
    return layout.figure


def _edges(run: Run, where: dict[str, object]) -> pd.DataFrame:
    """Return the edges of one market; none where nobody ever imported."""
    if not run.rows("sharing_edges"):
        return pd.DataFrame(columns=_EDGES)
    edges = run.table("sharing_edges")
    for name, value in where.items():
        edges = edges[edges[name] == value]
    return edges


def _places(nodes: pd.DataFrame) -> dict[int, tuple[float, float]]:
    """Put participants on a circle, those of a group beside each other."""
    ordered = nodes.sort_values(["cluster", "participant"])["participant"].tolist()
    gaps = np.cumsum([0.0, *(1.0 + 0.8 * np.diff(np.sort(nodes["cluster"])).astype(bool))])
    turn = 2.0 * np.pi * gaps / (gaps[-1] + 1.8)
    return {
        int(node): (float(np.cos(angle)), float(np.sin(angle)))
        for node, angle in zip(ordered, turn, strict=True)
    }


def _panel(
    axes: Axes,
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    place: dict[int, tuple[float, float]],
    top: float,
) -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from(place)
    traded = edges[edges["status"] == "traded"]
    for seller, buyer, price in zip(
        traded["seller"], traded["buyer"], traded["price"], strict=True
    ):
        graph.add_edge(int(seller), int(buyer), width=0.3 + (_WIDEST - 0.3) * price / top)
    if not graph.number_of_edges():
        empty_note(axes, "no imports")
    widths = [graph.edges[edge]["width"] for edge in graph.edges]
    nx.draw_networkx_edges(
        graph,
        place,
        ax=axes,
        width=widths,
        edge_color=INK,
        alpha=0.55,
        arrowsize=6,
        node_size=90,
        connectionstyle="arc3,rad=0.12",
    )
    colors = {group: look.color for group, look in looks(_groups(nodes)).items()}
    for kind, rows in nodes.groupby("kind", sort=False):
        for there, some in rows.groupby("present"):
            xy = np.array([place[int(node)] for node in some["participant"]])
            axes.scatter(
                xy[:, 0],
                xy[:, 1],
                s=70,
                marker=_SHAPES.get(str(kind), "o"),
                c=[colors[str(group)] for group in some["cluster"]],
                edgecolors="white",
                linewidths=0.8,
                alpha=1.0 if there else 0.2,
                zorder=3,
            )
    refused = edges.loc[edges["status"] == "refused", "seller"].unique()
    if len(refused):
        xy = np.array([place[int(node)] for node in refused])
        axes.scatter(xy[:, 0], xy[:, 1], s=9, c="#c00000", zorder=4)
    axes.set_xlim(-1.3, 1.3)
    axes.set_ylim(-1.3, 1.3)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _groups(nodes: pd.DataFrame) -> list[str]:
    return [str(group) for group in sorted(set(nodes["cluster"]))]


def _legend(nodes: pd.DataFrame) -> tuple[list[Line2D], list[str]]:
    kinds = [kind for kind in KINDS if kind in set(nodes["kind"])]
    handles = [
        Line2D([], [], color=FAINT, marker=_SHAPES[kind], linestyle="none", markersize=6)
        for kind in kinds
    ]
    return handles, kinds


def traded(run: Run) -> bool:
    """Tell whether a market that chose a graph has an edge to draw."""
    if not run.rows("sharing_edges"):
        return False
    return bool((run.table("sharing_edges", columns=["method"])["method"] == "ipfl").any())
