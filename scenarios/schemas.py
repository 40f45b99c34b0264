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
}
"""Columns of every table; text is UTF-8, int 64 bits signed, float 64 bits."""

_EXPERIMENT_TABLES: dict[str, tuple[str, ...]] = {
    "auctions": ("auctions",),
    "market": ("rounds", "owners", "ledger"),
    "audit": ("audit",),
}


def tables_of(experiment: str, *, record_owners: bool = True) -> tuple[str, ...]:
    """Return the tables that a kind of experiment writes."""
    names = _EXPERIMENT_TABLES[experiment]
    return names if record_owners else tuple(name for name in names if name != "owners")
