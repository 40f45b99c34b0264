"""The tables of mean field games and of bidding games."""

from scenarios.columns import Kind

_GAME: dict[str, Kind] = {
    "seed": "int",
    "game": "text",
    "title": "text",
    "method": "text",
    "cells": "int",
    "nodes": "int",
}
_BIDDING: dict[str, Kind] = {
    "seed": "int",
    "setting": "text",
    "owners": "int",
    "budget_law": "text",
    "budget": "float",
    "mechanism": "text",
}

PRIVACY_TABLES: dict[str, dict[str, Kind]] = {
    "mean_field": _GAME
    | {
        "exploitability": "float",
        "relative_exploitability": "float",
        "mean_value": "float",
        "clearing_error": "float",
        "mass_error": "float",
        "steps": "int",
        "converged": "int",
        "status": "text",
    },
    "mean_field_rounds": _GAME
    | {
        "round": "int",
        "price": "float",
        "supply": "float",
        "money": "float",
        "privacy_left": "float",
        "selling": "float",
    },
    "mean_field_states": _GAME
    | {
        "round": "int",
        "value": "float",
        "privacy_left": "float",
        "mass": "float",
        "amount": "float",
    },
    "mean_field_history": _GAME | {"step": "int", "residual": "float"},
    "mean_field_players": _GAME
    | {
        "owners": "int",
        "markets": "int",
        "gain": "float",
        "relative_gain": "float",
        "price_error": "float",
        "idle": "float",
    },
    "bidding": _BIDDING
    | {
        "regret": "float",
        "regret_error": "float",
        "worst_regret": "float",
        "residual": "float",
        "converged": "int",
        "status": "text",
        "steps": "int",
        "purchased": "float",
        "purchased_error": "float",
        "purchased_truthful": "float",
        "bound": "float",
        "ratio": "float",
        "ratio_error": "float",
        "ratio_truthful": "float",
        "payment": "float",
        "payment_truthful": "float",
        "surplus": "float",
        "surplus_truthful": "float",
        "price_of_anarchy": "float",
        "losing": "float",
    },
    "bidding_strategies": _BIDDING | {"value": "float", "bid": "float", "offered": "float"},
    "bidding_collusion": _BIDDING
    | {
        "size": "int",
        "profiles": "int",
        "coalitions": "int",
        "joint_lies": "int",
        "gain_mean": "float",
        "gain_max": "float",
        "share": "float",
        "paired_gain_mean": "float",
        "paired_gain_max": "float",
        "paired_share": "float",
        "status": "text",
    },
    "bidding_crowds": _BIDDING
    | {
        "play": "text",
        "crowd": "int",
        "regret": "float",
        "regret_error": "float",
        "slope": "float",
        "slope_low": "float",
        "slope_high": "float",
        "status": "text",
    },
}
"""Their columns and types, in order."""
