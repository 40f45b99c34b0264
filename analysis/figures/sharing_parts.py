"""What the figures of markets for models share: names of methods and rules, order, means."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.panels import empty_note, panels
from analysis.names import keep
from analysis.runs import Run
from analysis.style import Look, headline, looks
from analysis.tables import require

METHODS = {
    "ipfl": "iPFL",
    "local": "Local",
    "fedavg": "FedAvg",
    "fedprox": "FedProx",
    "ditto": "Ditto",
    "pfedgraph": "pFedGraph",
}
RULES = {
    "published": "published",
    "vcg": "VCG",
    "critical": "critical",
    "two_sided": "two-sided",
    "free": "",
}
KINDS = ("trader", "buyer", "seller", "liar", "leaver", "attacker")
_VARIANTS = [("ipfl", rule) for rule in RULES if rule != "free"]
_VARIANTS += [(method, "free") for method in METHODS if method != "ipfl"]


def rule_text(rule: object) -> str:
    """Write a payment rule as figures do; unknown ones stay."""
    return RULES.get(str(rule), str(rule))


def variant_text(method: object, rule: object) -> str:
    """Write a method and its rule of payment, such as "iPFL (VCG)"."""
    name, paid = METHODS.get(str(method), str(method)), rule_text(rule)
    return f"{name} ({paid})" if paid else name


def variant_looks() -> dict[str, Look]:
    """Return one look for each known variant, the same in every figure."""
    return looks(variant_text(*variant) for variant in _VARIANTS)


def rule_looks() -> dict[str, Look]:
    """Return one look for each payment rule, that of iPFL under it."""
    every = variant_looks()
    return {rule: every[variant_text("ipfl", rule)] for rule in RULES if rule != "free"}


def rules_of(frame: pd.DataFrame) -> list[str]:
    """Return the payment rules of a table in their order; "free" is none."""
    found = set(frame["rule"])
    return [rule for rule in RULES if rule in found and rule != "free"]


def read(run: Run, table: str, columns: Sequence[str] = (), **wanted: object) -> pd.DataFrame:
    """Return rows of a table of a market for models, with the column `variant`.

    Raises
    ------
    ResultsError
        When the table or a column is missing, or no row is as wanted.
    """
    frame = run.table(table)
    require(frame, ["seed", "market", "title", "method", "rule", *columns])
    kept = keep(frame, wanted)
    texts = [variant_text(*pair) for pair in zip(kept["method"], kept["rule"], strict=True)]
    return kept.assign(variant=texts)


def variants_of(frame: pd.DataFrame) -> list[str]:
    """Return the variants of a table, known ones in their order."""
    found = list(dict.fromkeys(frame["variant"]))
    known = list(variant_looks())
    return [name for name in known if name in found] + [n for n in found if n not in known]


def markets_of(frame: pd.DataFrame) -> list[str]:
    """Return the markets of a table in its order."""
    return list(dict.fromkeys(frame["market"]))


def title_of(frame: pd.DataFrame, market: str) -> str:
    """Return what a market is called in figures."""
    return str(frame.loc[frame["market"] == market, "title"].iloc[0])


def empty_figure(title: str, why: str) -> Figure:
    """Return a figure that says why there is nothing to see."""
    layout = panels(1, 1, height=1.0)
    layout.axes[0, 0].set_axis_off()
    empty_note(layout.axes[0, 0], why)
    headline(layout.figure, title)
    return layout.figure


def draw_rows(
    axes: Axes, rows: pd.DataFrame, by: str, order: Sequence[str], styles: dict[str, Look]
) -> None:
    """Draw means as points beside each other's names, with intervals as bars.

    Parameters
    ----------
    axes
        Where to draw; the first name is on top.
    rows
        One row a name, with the column `by`, `mean`, `low` and `high`.
    by
        The column of names.
    order
        Names from top to bottom.
    styles
        How each looks.
    """
    indexed = rows.set_index(by)
    for place, name in enumerate(order):
        if name not in indexed.index:
            continue
        row = indexed.loc[name]
        reach = np.array([[row["mean"] - row["low"]], [row["high"] - row["mean"]]])
        axes.errorbar(
            [row["mean"]],
            [place],
            xerr=np.nan_to_num(np.maximum(reach, 0.0)),
            fmt=styles[name].marker,
            color=styles[name].color,
            elinewidth=0.9,
            capsize=2,
        )
    axes.set_yticks(range(len(order)), list(order))
    axes.set_ylim(len(order) - 0.5, -0.5)
