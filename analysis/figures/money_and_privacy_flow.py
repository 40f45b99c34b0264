"""How one round's money and privacy flowed, and what each owner got for what she sold."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.markets import market_text, one_market
from analysis.figures.panels import empty_note
from analysis.figures.ribbons import Column, Flow, draw_flows
from analysis.names import keep
from analysis.runs import Run
from analysis.style import FAINT, TWO_COLUMNS, headline, legend_below, looks, themed
from market_sim.errors import ResultsError

MOST_OWNERS = 12
ROUNDING = 1e-9
SALE = ["owner", "buyer", "epsilon", "payment", "cost", "cap"]
MONEY, PRIVACY = (look.color for look in looks(["money", "privacy"]).values())


@themed
def draw(run: Run, *, round_: int | None = None, **market: object) -> Figure:
    """Draw a round: money from buyers through escrow to owners and back, privacy the other way.

    Above, ribbons as wide as their amounts; below, each owner's payment beside her cost, and the
    epsilon she sold beside her cap. Of more than twelve owners the twelve best paid are shown and
    the others are one box.

    Parameters
    ----------
    run
        A run of markets.
    round_
        The round; the first one with a trade when None, else the first.
    market
        Which market of a sweep: setting, budget_law, budget_level, mechanism, aggregator, seed; the
        middle level and the first of the others where not said.

    Raises
    ------
    ResultsError
        When a table or what was asked for is missing.
    """
    columns = ["round", "buyer", "status", "budget", "spent", "returned", "winners"]
    unknown = sorted(
        set(market) - {"setting", "budget_law", "budget_level", "mechanism", "aggregator", "seed"}
    )
    if unknown:
        raise ResultsError(f"A market is not named by {unknown[0]!r}.")
    rounds, chosen = one_market(run, market, columns)
    if round_ is None:
        traded = rounds[rounds["winners"] > 0]
        round_ = int((rounds if traded.empty else traded)["round"].min())
    rounds = keep(rounds, {"round": round_})
    sales = run.table("owners", columns=SALE, where={**chosen, "round": round_})
    sales = _name_owners(sales)
    figure = Figure(figsize=(TWO_COLUMNS, 6.0), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[1.75, 1], width_ratios=[1.25, 1])
    _draw_money(figure.add_subplot(grid[0, 0]), rounds, sales)
    _draw_privacy(figure.add_subplot(grid[0, 1]), sales)
    handles = _draw_bars(figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1]), sales)
    headline(figure, f"How money and privacy flowed in round {round_}")
    note = f"{market_text(chosen)}. Widths are proportional to amounts."
    shown = sales["name"].nunique()
    count = sales["owner"].nunique()
    if count > shown:
        note += f" {count - shown + 1:,} of {count:,} owners are drawn as one, without bars."
    legend_below(figure, list(handles.values()), list(handles), note)
    return figure


def _name_owners(sales: pd.DataFrame) -> pd.DataFrame:
    """Name each owner's box; beyond the best paid, all share the box "others"."""
    totals = sales.groupby("owner")["payment"].sum()
    if len(totals) <= MOST_OWNERS + 1:
        return sales.assign(name=sales["owner"].astype(str))
    best = totals.sort_values(ascending=False, kind="stable").index[:MOST_OWNERS]
    name = sales["owner"].astype(str).where(sales["owner"].isin(best), "others")
    return sales.assign(name=name)


def _names(sales: pd.DataFrame, amount: str) -> list[str]:
    """Owners in order with some `amount`, the box of the others last."""
    totals = sales.groupby("name")[amount].sum()
    names = [str(name) for name in totals.index[totals > 0]]
    return sorted(names, key=lambda name: (name == "others", int(name) if name != "others" else 0))


def _called(names: Sequence[str]) -> dict[str, str]:
    return {name: name if name == "others" else f"owner {name}" for name in names}


def _draw_money(axes: Axes, rounds: pd.DataFrame, sales: pd.DataFrame) -> None:
    axes.set_title("money")
    sums = rounds.groupby("buyer")[["budget", "returned"]].sum()
    paid = sales.groupby("name")["payment"].sum()
    owners = _names(sales, "payment")
    labels = {f"buyer {name}": f"{name}\n{row['budget']:.3g}" for name, row in sums.iterrows()}
    labels |= {name: f"{text}: {paid[name]:.3g}" for name, text in _called(owners).items()}
    flows = [
        Flow(f"buyer {name}", "escrow", float(row["budget"]), MONEY)
        for name, row in sums.iterrows()
    ]
    flows += [Flow("escrow", name, float(paid[name]), MONEY) for name in owners]
    boxes = list(owners)
    for name, row in sums.iterrows():
        if row["returned"] > ROUNDING * row["budget"]:
            box = f"returned to {name}"
            boxes.append(box)
            labels[box] = f"returned to\n{name}: {row['returned']:.3g}"
            flows.append(Flow("escrow", box, float(row["returned"]), FAINT))
    if not any(flow.amount > 0 for flow in flows):
        axes.set_axis_off()
        empty_note(axes, "no buyer has money")
        return
    columns = [
        Column(0.16, tuple(f"buyer {name}" for name in sums.index), "left"),
        Column(0.42, ("escrow",), "above"),
        Column(0.74, tuple(boxes)),
    ]
    draw_flows(axes, columns, flows, labels)


def _draw_privacy(axes: Axes, sales: pd.DataFrame) -> None:
    axes.set_title("privacy (epsilon)")
    sold = sales[sales["epsilon"] > 0]
    if sold.empty:
        axes.set_axis_off()
        empty_note(axes, "nobody sold privacy")
        return
    amounts = sold.groupby(["name", "buyer"])["epsilon"].sum()
    totals = sold.groupby("name")["epsilon"].sum()
    gained = sold.groupby("buyer")["epsilon"].sum()
    owners = _names(sold, "epsilon")
    labels = {name: f"{text}: {totals[name]:.3g}" for name, text in _called(owners).items()}
    labels |= {f"buyer {name}": f"{name}\n{amount:.3g}" for name, amount in gained.items()}
    flows = [
        Flow(name, f"buyer {buyer}", float(amounts[name, buyer]), PRIVACY)
        for name in owners
        for buyer in gained.index
        if (name, buyer) in amounts.index
    ]
    columns = [
        Column(0.27, tuple(owners), "left"),
        Column(0.78, tuple(f"buyer {name}" for name in gained.index)),
    ]
    draw_flows(axes, columns, flows, labels)


def _draw_bars(left: Axes, right: Axes, sales: pd.DataFrame) -> dict[str, object]:
    """Payment beside cost and epsilon beside cap, one pair of bars an owner."""
    names = sorted(set(sales["name"]) - {"others"}, key=int)
    sums = sales.groupby("name")[["payment", "cost", "epsilon"]].sum().loc[names]
    # Each buyer's row repeats the owner's cap: count it once.
    caps = sales.groupby(["name", "owner"])["cap"].max().groupby("name").sum().loc[names]
    place = np.arange(len(names), dtype=float)
    handles: dict[str, object] = {}
    for axes, first, second, color, bare, title in (
        (left, sums["payment"], sums["cost"], MONEY, "cost", "payment and cost of what was sold"),
        (right, sums["epsilon"], caps, PRIVACY, "cap", "epsilon sold and offered"),
    ):
        solid = axes.bar(place - 0.2, first, 0.4, color=color, linewidth=0)
        open_ = axes.bar(
            place + 0.2,
            second,
            0.4,
            facecolor="white",
            edgecolor=color,
            hatch="/////",
            linewidth=0.8,
        )
        handles["payment" if bare == "cost" else "epsilon sold"] = solid
        handles["true cost" if bare == "cost" else "cap"] = open_
        axes.set_title(title)
        axes.set_xticks(place, names)
        axes.set_xlabel("owner")
        axes.grid(visible=False, axis="x")
    left.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
    if not sums["payment"].any():
        left.set_yticks([0])
        empty_note(left, "nobody was paid")
    left.set_ylabel("money")
    right.set_ylabel("epsilon")
    return handles
