"""Bounds: what is possible at all, so that every mechanism can be quoted as a ratio to it."""

from market_sim.bounds.full_information import FullInformationBound, full_information_bound

__all__ = ["FullInformationBound", "full_information_bound"]
