"""The short table of a run: what matters of its results, means over seeds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import load_run

if TYPE_CHECKING:
    import pandas as pd

    from analysis import Run


def summarize(path: str | Path) -> "pd.DataFrame":
    """Return one row for each setting, budget and mechanism of a run, means over seeds.

    Raises
    ------
    ResultsError
        If the run or its table is not there.
    """
    run = load_run(path)
    frames = {
        "auctions": _auctions,
        "market": _markets,
        "audit": _audits,
        "fair-value": _payments,
        "platform": _optima,
        "training": _trained,
        "attack": _attacks,
        "versions": _versions,
        "sharing": _sharing,
        "incentives": _incentives,
        "mean-field": _mean_fields,
        "bidding": _bids,
    }
    return frames[run.experiment](run)


def _auctions(run: "Run") -> "pd.DataFrame":
    keys = ["setting", "owners", "budget_law", "budget", "mechanism", "aggregator"]
    table = _by(
        run.table("auctions"),
        keys,
        error_bound=("error_bound_mean", _finite_mean),
        spent_share=("spent_share_mean", "mean"),
        winners=("winners_mean", "mean"),
        ratio_to_possible=("ratio_to_possible", "mean"),
        bought=("purchase_ratio_mean", "mean"),
    )
    return table.dropna(axis="columns", how="all")


def _markets(run: "Run") -> "pd.DataFrame":
    frame = run.table("rounds")
    keys = ["setting", "budget_law", "budget_level", "mechanism", "aggregator", "buyer"]
    every = frame.assign(traded=frame["status"] == "traded").groupby(keys, sort=False)
    table = every.agg(
        rounds=("round", "nunique"),
        traded=("traded", "mean"),
        spent=("spent", "mean"),
        winners=("winners", "mean"),
        error_bound=("error_bound", _finite_mean),
    )
    last = frame[frame["round"] == frame["round"].max()].groupby(keys, sort=False)
    quality = last[["accuracy", "balanced_accuracy", "auc"]].mean()
    return table.join(quality).dropna(axis="columns", how="all").reset_index()


def _audits(run: "Run") -> "pd.DataFrame":
    return _by(
        run.table("audit"),
        ["setting", "mechanism", "population", "deviation"],
        regret_mean=("regret_mean", "mean"),
        regret_max=("regret_max", "max"),
        gain_share=("gain_share", "mean"),
    )


def _payments(run: "Run") -> "pd.DataFrame":
    """Return one row for each type of user: equal data, importance and level."""
    return _by(
        run.table("payments"),
        ["case", "data_size", "importance", "level"],
        "fair payments by type of user",
        users=("user", "count"),
        payment=("payment", "mean"),
    )


def _optima(run: "Run") -> "pd.DataFrame":
    """Return the range of each study's answers; they need no mean, being exact."""
    return _by(
        run.table("optima"),
        ["study", "play", "selection"],
        "range of the best share and of what the platform keeps",
        points=("alpha", "size"),
        alpha_least=("alpha", "min"),
        alpha_most=("alpha", "max"),
        value_least=("value", "min"),
        value_most=("value", "max"),
        regret_max=("regret", "max"),
    )


def _trained(run: "Run") -> "pd.DataFrame":
    """Return the first and the last logged value of every measure of each network."""
    return _by(
        run.table("training"),
        ["recipe", "setting", "seed", "measure"],
        "first and last logged values",
        logged_until=("iteration", "max"),
        first=("value", "first"),
        last=("value", "last"),
    )


def _attacks(run: "Run") -> "pd.DataFrame":
    """Return one row for each mechanism: the published test, and the strongest attack."""
    frame = run.table("attack")
    keys = ["setting", "budget_law", "budget", "mechanism"]
    values = {
        "regret_mean": ("regret_mean", "mean"),
        "regret_share": ("regret_share", "mean"),
        "gain_share": ("gain_share", "mean"),
        "ir_violation": ("ir_violation_mean", "mean"),
        "error_bound": ("error_bound_mean", _finite_mean),
    }
    weak = frame[frame["method"] == "published"].groupby(keys, sort=False)["regret_mean"].mean()
    attacks = frame[frame["method"] != "published"]
    strength = attacks["restarts"] * attacks["steps"]
    most = strength.groupby([attacks[key] for key in keys]).transform("max")
    table = attacks[strength == most].groupby(keys, sort=False).agg(**values)
    table.insert(0, "published_test", weak.reindex(table.index))
    table.attrs["what"] = (
        "means over seeds: regret by the published test and under the strongest attack"
    )
    return table.reset_index().dropna(axis="columns", how="all")


def _versions(run: "Run") -> "pd.DataFrame":
    """Return who gains what in each market, by swept value and rule of pricing."""
    frame = run.table("version_markets")
    keys = ["market", "x_name", "x", "pricing"]
    values = {
        "sold": ("versions_sold", "mean"),
        "pool": ("pool", "mean"),
        "revenue": ("revenue", "mean"),
        "broker": ("broker_profit", "mean"),
        "owners": ("owner_utility", "mean"),
        "buyers": ("buyer_surplus", "mean"),
        "saved": ("arbitrage_saved", "mean"),
        "accuracy": ("accuracy", "mean"),
    }
    table = frame.groupby(keys, sort=False, dropna=False).agg(**values).reset_index()
    empty = [] if table["x_name"].any() else ["x_name", "x"]
    empty += [] if table["saved"].any() else ["saved"]
    table = table.drop(columns=empty)
    table.attrs["what"] = "versions sold and money a round, means over seeds"
    return table.dropna(axis="columns", how="all")


def _sharing(run: "Run") -> "pd.DataFrame":
    """Return utility and accuracy after the last round, by market, method and rule."""
    frame = run.table("sharing_participants")
    keys = ["market", "method", "rule"]
    last = frame.groupby([*keys, "seed"], sort=False)["round"].transform("max")
    return _by(
        frame[(frame["round"] == last) & (frame["kind"] != "attacker")],
        keys,
        "means over participants and seeds after the last round",
        economic_utility=("economic_utility", "mean"),
        accuracy=("accuracy", "mean"),
        imports=("imports", "mean"),
    )


def _incentives(run: "Run") -> "pd.DataFrame":
    """Return what lies bring under each rule."""
    return _by(
        run.table("incentives"),
        ["market", "rule", "deviation"],
        "lies on random markets, means over seeds",
        lies=("lies", "sum"),
        lie_share=("lie_share", "mean"),
        gain_share=("gain_share", "mean"),
        regret_max=("regret_max", "max"),
        ir_violations=("edge_violations", "sum"),
        deficit=("deficit_mean", "mean"),
    )


def _mean_fields(run: "Run") -> "pd.DataFrame":
    """Return the evidence of every solve."""
    frame = run.table("mean_field")
    frame = frame[frame["seed"] == frame["seed"].iloc[0]]
    keys = ["game", "method", "cells", "nodes"]
    kept = [
        "relative_exploitability",
        "clearing_error",
        "mass_error",
        "steps",
        "converged",
    ]
    table: pd.DataFrame = frame[[*keys, *kept]].reset_index(drop=True)
    table.attrs["what"] = "solves of the first seed"
    return table


def _bids(run: "Run") -> "pd.DataFrame":
    """Return purchases at the truth and in equilibrium, by rule."""
    return _by(
        run.table("bidding"),
        ["setting", "owners", "budget_law", "budget", "mechanism"],
        "purchases by what is possible, at the truth and in equilibrium",
        ratio_truthful=("ratio_truthful", "mean"),
        ratio=("ratio", "mean"),
        losing=("losing", "mean"),
        regret=("regret", "mean"),
        converged=("converged", "min"),
    )


def _by(
    frame: "pd.DataFrame", keys: list[str], what: str = "", **values: tuple[str, Any]
) -> "pd.DataFrame":
    """Return a row for each combination of keys, in the table's order; `what` is its headline."""
    table: pd.DataFrame = frame.groupby(keys, sort=False).agg(**values).reset_index()
    if what:
        table.attrs["what"] = what
    return table


def _finite_mean(values: "pd.Series[float]") -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("inf")
