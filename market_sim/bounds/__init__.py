"""Bounds: what is possible at all, so that every mechanism can be quoted as a ratio to it."""

from market_sim.bounds.binding import never_binds, warn_if_never_binds
from market_sim.bounds.full_information import FullInformationBound, full_information_bound
from market_sim.bounds.purchase import purchase_bound
from market_sim.bounds.purchase_limit import PurchaseLimit, purchase_limit

__all__ = [
    "FullInformationBound",
    "PurchaseLimit",
    "full_information_bound",
    "never_binds",
    "purchase_bound",
    "purchase_limit",
    "warn_if_never_binds",
]
