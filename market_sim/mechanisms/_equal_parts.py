"""Rules in which k owners sell the same epsilon, 1 / (N - k): how large k may be."""

import numpy as np

from market_sim.mechanisms._greedy import Mask
from market_sim.mechanisms._sorted import Index, Sorted, entry
from market_sim.mechanisms.base import Guarantees, flat
from market_sim.reports import Reports
from market_sim.shapes import Array


def sellers(order: Sorted, cap: Array, price_setter: int) -> tuple[Index, Mask, Array]:
    """Return k, who is among the k sellers, and the unit value of the first who could sell more.

    k is the largest number in 1 .. N - 1 with k v_(k + price_setter) <= B (N - k), v_(j) the j-th
    lowest unit value among the owners whose cap is at least 1 / (N - k); 0 if there is none. As k
    grows these owners become fewer, so that both sides only get worse: k is found by bisection.

    Parameters
    ----------
    order
        Rows in ascending unit value.
    cap
        Caps in that order, `(rows, owners)`; infinite where they are not looked at.
    price_setter
        0 if the last seller must fit, 1 if the first loser must.
    """
    rows, owners = cap.shape
    low = np.zeros(rows, dtype=np.intp)
    high = np.full(rows, owners - 1)
    while (low < high).any():
        middle = (low + high + 1) // 2
        place = _place(cap, middle, middle + price_setter)[0]
        unit = entry(order.unit, place)
        within = np.maximum(middle, 1) * unit <= order.ranked.budget * (owners - middle)
        fits = within | (middle == low)  # where they are equal the search is over
        low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
    after, eligible = _place(cap, low, low + 1)
    won = eligible & (np.arange(owners) < after[:, None]) & (low > 0)[:, None]
    return low, won, entry(order.unit, after)


def _place(cap: Array, count: Index, rank: Index) -> tuple[Index, Mask]:
    """Return where the owner of a rank stands among those whose cap is large enough, and these.

    The place is the number of owners where there are not so many.
    """
    owners = cap.shape[1]
    eligible = cap >= (1.0 / (owners - count))[:, None]
    reached = np.cumsum(eligible, axis=1) >= rank[:, None]
    return np.where(reached[:, -1], reached.argmax(axis=1), owners), eligible


def critical_asks(reports: Reports, money: Array, owner: int) -> Array:
    """Return the others' unit values and B (N - k) / k, times the owner's cap."""
    value, _, cap, _ = flat(reports, money)
    owners, own = reports.owners, cap[:, owner, None]
    unit = np.delete(value / cap, owner, axis=1)
    count = np.arange(1, owners)
    fits = money.reshape(-1, 1) * (owners - count) / count
    units = np.concatenate([unit, fits, np.zeros_like(own)], axis=1)
    return (units * own).reshape(*reports.profiles, -1)


def equal_parts_guarantees(respect_caps: bool) -> Guarantees:
    """Return what a rule that sells 1 / (N - k) promises."""
    return Guarantees(
        truthful_in=("value", "cap") if respect_caps else (),
        truthful_for="linear" if respect_caps else "none",
        individually_rational=respect_caps,
        budget_feasible=True,
        anonymous=True,
        within_caps=respect_caps,
    )
