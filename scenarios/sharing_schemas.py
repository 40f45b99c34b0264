"""The tables of markets for models, and of the incentives of their rules."""

from scenarios.columns import Kind

_SHARING: dict[str, Kind] = {
    "seed": "int",
    "market": "text",
    "title": "text",
    "method": "text",
    "rule": "text",
}
_INCENTIVES: dict[str, Kind] = {
    "seed": "int",
    "market": "text",
    "title": "text",
    "rule": "text",
    "graph": "text",
}

SHARING_TABLES: dict[str, dict[str, Kind]] = {
    "sharing_rounds": _SHARING
    | {
        "round": "int",
        "status": "text",
        "present": "int",
        "imports": "int",
        "refused": "int",
        "money": "float",
        "deficit": "float",
        "welfare": "float",
        "net_welfare": "float",
        "optimal_share": "float",
        "utility": "float",
        "accuracy": "float",
        "loss": "float",
        "inside_share": "float",
        "attacker_share": "float",
    },
    "sharing_participants": _SHARING
    | {
        "round": "int",
        "participant": "int",
        "kind": "text",
        "cluster": "int",
        "present": "int",
        "data_size": "float",
        "gain": "float",
        "cost": "float",
        "said_data_size": "float",
        "said_gain": "float",
        "said_cost": "float",
        "imports": "int",
        "exports": "int",
        "gained": "float",
        "spent": "float",
        "earned": "float",
        "utility": "float",
        "honest_utility": "float",
        "economic_utility": "float",
        "accuracy": "float",
        "loss": "float",
    },
    "sharing_edges": _SHARING
    | {
        "round": "int",
        "seller": "int",
        "buyer": "int",
        "seller_kind": "text",
        "buyer_kind": "text",
        "same_cluster": "int",
        "status": "text",
        "price": "float",
        "received": "float",
        "gained": "float",
        "penalty": "float",
        "cost": "float",
        "distance": "float",
    },
    "sharing_ledger": _SHARING
    | {
        "round": "int",
        "currency": "text",
        "debit": "text",
        "credit": "text",
        "amount": "float",
    },
    "incentives": _INCENTIVES
    | {
        "deviation": "text",
        "markets": "int",
        "lies": "int",
        "test": "text",
        "regret_mean": "float",
        "regret_max": "float",
        "gain_share": "float",
        "lie_share": "float",
        "edges": "int",
        "buyers": "int",
        "edge_violations": "int",
        "edge_loss_max": "float",
        "buyer_violations": "int",
        "buyer_loss_max": "float",
        "imbalance_max": "float",
        "deficit_mean": "float",
        "deficit_max": "float",
        "optimal_share_mean": "float",
        "optimal_share_min": "float",
    },
    "incentive_markets": _INCENTIVES
    | {
        "draw": "int",
        "imports": "int",
        "money": "float",
        "deficit": "float",
        "welfare": "float",
        "net_welfare": "float",
        "optimal_share": "float",
    },
    "incentive_edges": _INCENTIVES
    | {
        "draw": "int",
        "seller": "int",
        "buyer": "int",
        "price": "float",
        "received": "float",
        "gained": "float",
        "penalty": "float",
        "cost": "float",
        "buyer_gain": "float",
        "buyer_spent": "float",
    },
}
"""Their columns and types, in order."""
