"""The tables of a run: their columns and types, in order."""

from typing import Literal

Kind = Literal["int", "float", "text"]

_MARKET: dict[str, Kind] = {
    "seed": "int",
    "setting": "text",
    "budget_law": "text",
    "budget_level": "float",
    "mechanism": "text",
    "aggregator": "text",
}

_STUDY: dict[str, Kind] = {"seed": "int", "study": "text", "title": "text"}

TABLES: dict[str, dict[str, Kind]] = {
    "auctions": {
        "seed": "int",
        "setting": "text",
        "owners": "int",
        "budget_law": "text",
        "budget": "float",
        "mechanism": "text",
        "aggregator": "text",
        "profiles": "int",
        "profiles_with_winner": "int",
        "error_bound_mean": "float",
        "error_bound_se": "float",
        "error_bound_median": "float",
        "spent_share_mean": "float",
        "winners_mean": "float",
        "epsilon_mean": "float",
        "owner_utility_mean": "float",
    },
    "rounds": _MARKET
    | {
        "round": "int",
        "buyer": "text",
        "status": "text",
        "participants": "int",
        "winners": "int",
        "budget": "float",
        "spent": "float",
        "returned": "float",
        "epsilon_sold": "float",
        "error_bound": "float",
        "owner_utility": "float",
        "accuracy": "float",
        "balanced_accuracy": "float",
        "auc": "float",
        "loss": "float",
    },
    "owners": _MARKET
    | {
        "round": "int",
        "buyer": "text",
        "owner": "int",
        "kind": "text",
        "reported_value": "float",
        "reported_cap": "float",
        "cap": "float",
        "epsilon": "float",
        "payment": "float",
        "cost": "float",
        "utility": "float",
        "weight": "float",
        "privacy_spent": "float",
        "status": "text",
    },
    "ledger": _MARKET
    | {
        "round": "int",
        "currency": "text",
        "debit": "text",
        "credit": "text",
        "amount": "float",
    },
    "audit": {
        "seed": "int",
        "setting": "text",
        "mechanism": "text",
        "population": "text",
        "deviation": "text",
        "profiles": "int",
        "owners": "int",
        "regret_mean": "float",
        "regret_p95": "float",
        "regret_max": "float",
        "gain_share": "float",
        "ir_violation_max": "float",
        "budget_excess_max": "float",
        "budget_excess_relative": "float",
        "method": "text",
        "lies": "int",
        "witness": "text",
    },
    "payments": {
        "case": "text",
        "title": "text",
        "user": "int",
        "data_size": "float",
        "importance": "float",
        "level": "float",
        "payment": "float",
        "platform_payment": "float",
        "utility": "float",
        "presence": "float",
        "method": "text",
        "discrepancy": "float",
    },
    "optima": _STUDY
    | {
        "x_name": "text",
        "x": "float",
        "y_name": "text",
        "y": "float",
        "play": "text",
        "selection": "text",
        "alpha": "float",
        "value": "float",
        "value_se": "float",
        "utility": "float",
        "regime": "text",
        "private": "float",
        "profile": "text",
        "attained": "int",
        "regret": "float",
        "status": "text",
    },
    "thresholds": _STUDY
    | {
        "axis": "text",
        "at": "float",
        "c_th": "float",
        "switch_off": "float",
        "gamma_min": "float",
        "gamma_max": "float",
    },
    "partitions": _STUDY
    | {
        "counts": "text",
        "left": "float",
        "right": "float",
        "utility": "float",
        "followed": "int",
    },
    "ends": _STUDY
    | {
        "alpha": "float",
        "starts": "int",
        "end": "int",
        "counts": "text",
        "share": "float",
        "utility": "float",
        "value": "float",
        "promised": "float",
    },
}
"""Columns of every table; text is UTF-8, int 64 bits signed, float 64 bits."""

_EXPERIMENT_TABLES: dict[str, tuple[str, ...]] = {
    "auctions": ("auctions",),
    "market": ("rounds", "owners", "ledger"),
    "audit": ("audit",),
    "fair-value": ("payments",),
    "platform": ("optima", "thresholds", "partitions", "ends"),
}


def tables_of(experiment: str, *, record_owners: bool = True) -> tuple[str, ...]:
    """Return the tables that a kind of experiment writes."""
    names = _EXPERIMENT_TABLES[experiment]
    return names if record_owners else tuple(name for name in names if name != "owners")
