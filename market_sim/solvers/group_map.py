"""Pure play of two groups for many pairs of costs at once."""

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games import PotentialTable, Utility
from market_sim.shapes import Array

Planes = tuple[Array, Array, Array]
MAX_STATES = 4_000


def best_pure(
    utility: Utility, costs: tuple[Array, Array], sizes: tuple[int, int] | None, level: float
) -> Planes:
    """Return alpha, value and share of givers of the platform's favorite pure equilibrium.

    With k users of one group giving, each bound on alpha is her group's cost over a change of
    payment that does not depend on costs: one pass over the partitions serves all points.
    """
    kinds = int(utility.kinds.max()) + 1
    if kinds == 1:
        return _identical(utility, costs, sizes, level)
    if kinds != 2:
        raise InvalidInput(f"a map of two groups needs users of one or two kinds, got {kinds}")
    if sizes is not None:
        raise InvalidInput("sizes are for identical data: here the utility's two kinds are groups")
    return _two_kinds(utility, costs, level)


def _identical(
    utility: Utility, costs: tuple[Array, Array], sizes: tuple[int, int] | None, level: float
) -> Planes:
    """Let the k cheapest give: alpha = k c_(k) / U(k) where the next one stays out."""
    users = utility.users
    groups = (users - users // 2, users // 2) if sizes is None else sizes
    if sum(groups) != users or min(groups) < 1:
        raise InvalidInput(f"sizes must be two groups of {users} users in all, got {groups}")
    worth = np.asarray(utility.value_of_counts([0], [level], [np.arange(users + 1.0)]))
    swapped = costs[0] > costs[1]
    cheap = np.where(swapped, costs[1], costs[0])
    dear = np.where(swapped, costs[0], costs[1])
    first = np.where(swapped, groups[1], groups[0])
    scale = max(float(np.abs(worth).max()), 1e-300)
    best = [np.zeros(cheap.shape), np.zeros(cheap.shape), np.zeros(cheap.shape)]
    for k in range(1, users + 1):
        cost = np.where(k <= first, cheap, dear)
        paid = worth[k] / k
        value = worth[k] - k * cost
        able = (paid > 0) & (cost <= paid)
        if k < users:
            following = np.where(k < first, cheap, dear)
            # the next one stays out: alpha U(k+1)/(k+1) <= her cost
            able &= cost * worth[k + 1] / (k + 1) <= following * paid + 1e-14 * scale * paid
        able &= value > best[1]
        alpha = cost / paid if paid > 0 else cost
        share = np.full(cost.shape, k / users)
        for plane, new in zip(best, (alpha, value, share), strict=True):
            np.copyto(plane, new, where=able)
    return best[0], best[1], best[2]


def _two_kinds(utility: Utility, costs: tuple[Array, Array], level: float) -> Planes:
    table = PotentialTable(utility, [0.0, level])
    if table.states > MAX_STATES:
        raise InvalidInput(
            f"a map over {table.states} partitions is above {MAX_STATES}: use optimal_alpha for "
            "single points"
        )
    potential, scale = table.potential, max(float(np.abs(table.potential).max()), 1e-300)
    noise = 1e-14 * scale
    leave = [table.neighbor(kind, 1, 0) for kind in (0, 1)]
    join = [table.neighbor(kind, 0, 1) for kind in (0, 1)]
    best = [np.zeros(costs[0].shape), np.full(costs[0].shape, -np.inf), np.zeros(costs[0].shape)]
    for state in range(table.states):
        least, most = np.zeros(costs[0].shape), np.ones(costs[0].shape)
        for kind, cost in enumerate(costs if utility.kinds[0] == 0 else costs[::-1]):
            if leave[kind][state] >= 0:
                paid = float(potential[state] - potential[leave[kind][state]])
                least = (
                    np.maximum(least, cost / paid) if paid > noise else _free(least, cost, noise)
                )
                most = np.minimum(most, 0.0) if paid < -noise else most
            if join[kind][state] >= 0:
                paid = float(potential[join[kind][state]] - potential[state])
                most = np.minimum(most, (cost + noise) / paid) if paid > noise else most
        worth = float(table.utility[state])
        alpha = np.where(worth >= 0, least, most)
        value = np.where(least <= most, (1.0 - alpha) * worth, -np.inf)
        share = np.full(least.shape, table.counts[state, :, 1].sum() / utility.users)
        better = value > best[1]
        for plane, new in zip(best, (alpha, value, share), strict=True):
            np.copyto(plane, new, where=better)
    return best[0], best[1], best[2]


def _free(least: Array, cost: Array, noise: float) -> Array:
    """Who is paid nothing gives only what costs nothing."""
    return np.where(cost <= noise, least, np.inf)
