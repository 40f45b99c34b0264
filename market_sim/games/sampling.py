"""Fair payments by sampling, for many users who all differ: with a standard error."""

from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.fair_value import FairValues
from market_sim.games.semivalue import Semivalue
from market_sim.games.utility import (
    Utility,
    as_levels,
    as_utility,
    check_empty,
    check_values,
    gather,
)
from market_sim.shapes import Array, as_floats, whole_number
from market_sim.streams import Streams

Design = Literal["antithetic", "stratified"]
_TOLERANCE = 1e-9


def sampled_fair_values(
    utility: Any,
    levels: ArrayLike,
    platform: bool = False,
    *,
    permutations: int = 200,
    design: Design = "antithetic",
    streams: Streams | int = 0,
) -> FairValues:
    r"""Estimate fair payments from random orders in which users arrive.

    phi_i is the mean over orders of U(before i, and i) - U(before i). With a platform the gain at
    place p of n counts (p + 1) / (n + 1), the probability that the platform came before, and
    phi_p is the mean of U over all n + 1 places. Every order alone sums to U, which is checked.
    Interchangeable users share their estimate.

    Parameters
    ----------
    utility
        A `Utility`, or a function from levels `(rows, users)` to U `(rows,)`, with U(0) = 0.
    levels
        What each user gives, 0 for nothing, shape `(users,)`.
    platform
        Theorem 1 instead of Theorem 2.
    permutations
        How many orders at least; rounded up to full blocks, of which two are needed.
    design
        "antithetic": blocks of an order and its reverse. "stratified": blocks of all rotations of
        an order, in which each user joins coalitions of every size once.
    streams
        Random streams, or a seed.

    Returns
    -------
    FairValues
        With `standard_error`, the standard deviation over blocks by the root of their number.

    Raises
    ------
    InvalidInput
        If U(0) is not 0, U is not finite or a number is outside its domain.

    Notes
    -----
    Source: Castro, Gomez and Tejada (2009); Mitchell et al. (2022) for antithetic orders.
    """
    given = as_floats("levels", levels, minimum=0.0, finite=False)
    if given.ndim != 1 or given.size == 0:
        raise InvalidInput(f"levels must be one number a user, got shape {given.shape}")
    if design not in get_args(Design):
        raise InvalidInput(f"design must be one of {get_args(Design)}, got {design!r}")
    worth = as_utility(utility, given.size)
    check_empty(worth)
    rule = Semivalue("shapley", bool(platform))
    active = np.flatnonzero(as_levels(given, worth.users))
    size = 2 if design == "antithetic" else max(active.size, 1)
    blocks = max(-(-whole_number("permutations", permutations, 1) // size), 2)
    source = streams if isinstance(streams, Streams) else Streams(streams)
    member = gather(worth, given).member
    users, platforms, values = [], [], []
    for block in range(blocks):
        rng = source.generator("fair values", block)
        paid, share, total = _block(worth, given, list(_orders(active, rng, design)), rule)
        users.append(_shared(paid, member))
        platforms.append(share)
        values.append(total)
    mean, platform_mean = np.mean(users, axis=0), float(np.mean(platforms))
    scale = max(float(np.abs(values).max()), np.finfo(np.float64).tiny)
    gap = abs(float(mean.sum()) + platform_mean - values[0]) / scale if any(values) else 0.0
    rule.check(gap, _TOLERANCE, "sampled")
    return FairValues(
        users=mean,
        platform=np.array(platform_mean),
        utility=np.array(values[0]),
        method="sampled",
        discrepancy=gap,
        standard_error=np.std(users, axis=0, ddof=1) / np.sqrt(blocks),
    )


def _orders(
    active: NDArray[np.intp], rng: np.random.Generator, design: Design
) -> Iterator[NDArray[np.intp]]:
    """Yield the orders of one block."""
    order = rng.permutation(active)
    if design == "antithetic":
        yield order
        yield order[::-1]
        return
    for turn in range(max(order.size, 1)):
        yield np.roll(order, turn)


def _block(
    utility: Utility, levels: Array, orders: list[NDArray[np.intp]], rule: Semivalue
) -> tuple[Array, float, float]:
    """Return mean payments, the platform's mean share and U over the orders of one block."""
    n = orders[0].size
    paid, share = np.zeros(levels.size), 0.0
    for order in orders:
        profiles = np.zeros((n + 1, levels.size))
        for place, user in enumerate(order):
            profiles[place + 1 :, user] = levels[user]
        values = check_values(utility.value(profiles))
        weight = np.arange(1, n + 1) / (n + 1.0) if rule.platform else np.ones(n)
        paid[order] += weight * np.diff(values)
        share += values.mean() if rule.platform else 0.0
    return paid / len(orders), share / len(orders), float(values[-1])


def _shared(paid: Array, member: NDArray[np.intp]) -> Array:
    """Give interchangeable users the mean of what they got."""
    code = member + 1
    sums = np.bincount(code, paid) / np.maximum(np.bincount(code), 1)
    return np.where(member >= 0, sums[code], 0.0)
