"""Fair payments as exact sums over coalitions, types or count vectors."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from market_sim.games.binomial import log_factorials
from market_sim.games.potential import PotentialTable
from market_sim.games.semivalue import Semivalue
from market_sim.games.utility import Groups, Indices, Utility, check_values
from market_sim.shapes import Array

_PROFILES_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class Computed:
    """Payments of one profile (or of several: leading axis) before they are checked."""

    users: Array
    platform: Array
    utility: Array
    discrepancy: float
    method: str


def by_subsets(utility: Utility, levels: Array, rule: Semivalue) -> Computed:
    """Sum over all 2^n coalitions of the n users of one profile who give something."""
    active = np.flatnonzero(levels)
    n = active.size
    values, sizes = _all_subsets(utility, levels, active)
    with np.errstate(divide="ignore"):
        logs = np.log(rule.user_weights(n)) - _log_binomials(n - 1) if n else np.zeros(0)
    weight = np.append(np.exp(logs), 0.0)[sizes]  # of the coalition that a user joins
    paid = np.zeros(levels.size)
    for place, user in enumerate(active):
        pairs = values.reshape(-1, 2, 1 << place)
        joined = weight.reshape(-1, 2, 1 << place)[:, 0]
        paid[user] = (joined * (pairs[:, 1] - pairs[:, 0])).sum()
    means = _by_size(sizes, values, n) / np.bincount(sizes, minlength=n + 1)
    return _finished(rule, paid, means, values, "subsets")


def by_types(utility: Utility, groups: Groups, rule: Semivalue) -> Computed:
    """Sum over how many members of each type are in the coalition, prod (m_t + 1) states."""
    n, types = groups.active, groups.size.size
    counts = _open_grid(groups.size)
    values = utility.value_of_counts(groups.kind, groups.level, [c.astype(float) for c in counts])
    values = check_values(np.asarray(values)).reshape([int(m) + 1 for m in groups.size])
    sizes = np.asarray(reduce(np.add, counts, np.zeros((1,) * types, dtype=np.int64)))
    logs = [
        _log_binomials(int(m)).reshape(c.shape) for m, c in zip(groups.size, counts, strict=True)
    ]
    ways = np.asarray(reduce(np.add, logs, np.zeros((1,) * types)))
    # a coalition of k has C(n, |k|) w / (n - |k|) of the weight of the members who may join it
    with np.errstate(divide="ignore"):
        share = np.log(rule.user_weights(n) / np.arange(n, 0, -1)) + np.log(n) if n else np.zeros(0)
    weight = np.exp(ways + np.append(share - _log_binomials(n)[:-1], -np.inf)[sizes])
    paid = np.array([_joining(values, weight, axis) for axis in range(types)])
    means: Array | None = None
    if rule.platform or not rule.plain:
        chance = np.exp(ways - _log_binomials(n)[sizes])
        means = _by_size(sizes, chance * values, n)
    users = np.append(paid, 0.0)[groups.member]
    return _finished(rule, users, means, values.reshape(-1), "types")


def by_potential(utility: Utility, rows: Array, rule: Semivalue) -> Computed:
    """Take differences of the potential of all profiles; `rows` is `(profiles, users)`."""
    given, place = np.unique(rows, return_inverse=True)
    table = PotentialTable(utility, given)
    place = place.reshape(rows.shape)
    code = utility.kinds * given.size + place
    cells = table.kinds * given.size
    counts = np.stack([np.bincount(row, minlength=cells) for row in code])
    counts = counts.reshape(-1, table.kinds, given.size)
    state = table.index(counts)
    paid = np.zeros((len(rows), cells))
    for cell in range(cells):
        kind, level = divmod(cell, given.size)
        if given[level] == 0:
            continue
        left = counts.copy()
        left[:, kind, level] -= 1
        there = left[:, kind, level] >= 0
        before = table.potential[table.index(np.maximum(left, 0))]
        paid[:, cell] = np.where(there, table.potential[state] - before, 0.0)
    users = np.take_along_axis(paid, code, axis=1)
    worth = table.utility[state]
    scale = float(np.abs(table.utility).max())
    gaps = [rule.discrepancy(t, 0.0, u, scale) for t, u in zip(users.sum(1), worth, strict=True)]
    return Computed(users, np.zeros(len(rows)), worth, max(gaps), "potential")


def _finished(
    rule: Semivalue, users: Array, means: Array | None, values: Array, method: str
) -> Computed:
    """Add the platform's share and the self-check; the last value is that of all users."""
    worth, platform = float(values[-1]), 0.0
    target = worth
    if means is not None:
        n = means.size - 1
        platform = float(rule.platform_weights(n) @ means) if rule.platform else 0.0
        target = float(rule.target_weights(n) @ means)
    scale = float(np.abs(values).max())
    gap = rule.discrepancy(float(users.sum()), platform, target, scale)
    return Computed(users, np.array(platform), np.array(worth), gap, method)


def _joining(values: Array, weight: Array, axis: int) -> float:
    """Sum weight times the gain from one more member of a type, over all she may join."""
    size = values.shape[axis] - 1
    left = int(np.prod(values.shape[:axis]))
    cubes = values.reshape(left, size + 1, -1)
    gain = cubes[:, 1:] - cubes[:, :-1]
    gain *= weight.reshape(left, size + 1, -1)[:, :-1]
    return float(gain.sum(axis=(0, 2)) @ (np.arange(size, 0, -1) / size))


def _all_subsets(utility: Utility, levels: Array, active: Indices) -> tuple[Array, Indices]:
    """Return U of all subsets of the active users, bit by bit, and the sizes of the subsets."""
    masks = np.arange(1 << active.size)
    sizes = np.zeros(masks.size, dtype=np.int64)
    values = np.empty(masks.size)
    for first in range(0, masks.size, _PROFILES_AT_ONCE):
        part = slice(first, first + _PROFILES_AT_ONCE)
        bits = masks[part, None] >> np.arange(active.size) & 1
        profiles = np.zeros((len(bits), levels.size))
        profiles[:, active] = np.where(bits, levels[active], 0.0)
        values[part] = utility.value(profiles)
        sizes[part] = bits.sum(axis=1)
    return check_values(values), sizes


def _by_size(sizes: Indices, values: Array, largest: int) -> Array:
    """Sum values by the size of their coalition."""
    sums = np.bincount(sizes.reshape(-1), values.reshape(-1), largest + 1)
    return np.asarray(sums, dtype=np.float64)


def _open_grid(sizes: Indices) -> list[Indices]:
    """Return 0..m_t for each type, each along an axis of its own."""
    shape = [1] * len(sizes)
    result = []
    for axis, size in enumerate(sizes):
        shape[axis] = int(size) + 1
        result.append(np.arange(int(size) + 1).reshape(shape))
        shape[axis] = 1
    return result


def _log_binomials(trials: int) -> Array:
    """Return log C(trials, k), k = 0..trials."""
    logs = log_factorials(max(trials, 0))
    return np.asarray((logs[-1] - logs - logs[::-1]).astype(np.float64))
