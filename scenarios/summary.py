"""The short table of a run: what matters of its results, means over seeds."""

from pathlib import Path
from typing import TYPE_CHECKING

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
    }
    return frames[run.experiment](run)


def _auctions(run: "Run") -> "pd.DataFrame":
    frame = run.table("auctions")
    keys = ["setting", "owners", "budget_law", "budget", "mechanism", "aggregator"]
    values = {
        "error_bound": ("error_bound_mean", _finite_mean),
        "spent_share": ("spent_share_mean", "mean"),
        "winners": ("winners_mean", "mean"),
        "ratio_to_possible": ("ratio_to_possible", "mean"),
    }
    table = frame.groupby(keys, sort=False).agg(**values)
    return table.dropna(axis="columns", how="all").reset_index()


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
    frame = run.table("audit")
    keys = ["setting", "mechanism", "population", "deviation"]
    values = {
        "regret_mean": ("regret_mean", "mean"),
        "regret_max": ("regret_max", "max"),
        "gain_share": ("gain_share", "mean"),
    }
    return frame.groupby(keys, sort=False).agg(**values).reset_index()


def _payments(run: "Run") -> "pd.DataFrame":
    """Return one row for each type of user: equal data, importance and level."""
    frame = run.table("payments")
    keys = ["case", "data_size", "importance", "level"]
    values = {"users": ("user", "count"), "payment": ("payment", "mean")}
    table = frame.groupby(keys, sort=False).agg(**values).reset_index()
    table.attrs["what"] = "fair payments by type of user"
    return table


def _optima(run: "Run") -> "pd.DataFrame":
    """Return the range of each study's answers; they need no mean, being exact."""
    frame = run.table("optima")
    values = {
        "points": ("alpha", "size"),
        "alpha_least": ("alpha", "min"),
        "alpha_most": ("alpha", "max"),
        "value_least": ("value", "min"),
        "value_most": ("value", "max"),
        "regret_max": ("regret", "max"),
    }
    keys = ["study", "play", "selection"]
    table = frame.groupby(keys, sort=False).agg(**values).reset_index()
    table.attrs["what"] = "range of the best share and of what the platform keeps"
    return table


def _trained(run: "Run") -> "pd.DataFrame":
    """Return the first and the last logged value of every measure of each network."""
    frame = run.table("training")
    keys = ["recipe", "setting", "seed", "measure"]
    values = {
        "logged_until": ("iteration", "max"),
        "first": ("value", "first"),
        "last": ("value", "last"),
    }
    table = frame.groupby(keys, sort=False).agg(**values).reset_index()
    table.attrs["what"] = "first and last logged values"
    return table


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


def _finite_mean(values: "pd.Series[float]") -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("inf")
