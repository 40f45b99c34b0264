"""Who is at which level: one assignment of groups to levels, and how many there are."""

from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput

Indices = NDArray[np.int64]
_MAX_STEPS = 2_000_000


def assignment(accepted: NDArray[np.bool_], sizes: Indices, counts: Indices) -> Indices:
    """Return how many users of each group are at each level, shape `(groups, levels)`.

    Users are placed group by group; where a level is full, others are moved along an augmenting
    path (Ford and Fulkerson).

    Parameters
    ----------
    accepted
        Whether a group accepts a level, shape `(groups, levels)`.
    sizes
        Users of each group.
    counts
        Users at each level.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    placed = np.zeros(accepted.shape, dtype=np.int64)
    room = counts.copy()
    for group in np.argsort(accepted.sum(axis=1), kind="stable"):
        left = int(sizes[group])
        while left:
            path = _path(accepted, placed, room, int(group))
            if path is None:
                raise InvalidInput(f"no assignment puts {counts.tolist()} users at the levels")
            moved = min(
                [left, int(room[path[-1][1]])] + [int(placed[g, v]) for g, _, v in _back(path)]
            )
            for g, new in path:
                placed[g, new] += moved
            for g, _, old in _back(path):
                placed[g, old] -= moved
            room[path[-1][1]] -= moved
            left -= moved
    return placed


def ways(accepted: NDArray[np.bool_], sizes: Indices, counts: Indices) -> int:
    """Return how many ways there are to place the users one by one, each where she accepts.

    The coefficient of prod x_l^counts_l in prod_j (sum of the accepted x_l)^sizes_j.
    """
    used = np.flatnonzero(counts)
    accepted, counts = accepted[:, used], counts[used]
    if not accepted.any(axis=1).all():
        return 0
    fixed = accepted.sum(axis=1) == 1
    counts = counts - (accepted[fixed] * sizes[fixed, None]).sum(axis=0)
    accepted, sizes = accepted[~fixed], sizes[~fixed]
    if (counts < 0).any() or int(sizes.sum()) != int(counts.sum()):
        return 0
    if accepted.all():
        rest = [int(counts[i:].sum()) for i in range(counts.size)]
        return prod(comb(n, int(k)) for n, k in zip(rest, counts, strict=True))
    return _expand(accepted, sizes, counts)


def _expand(accepted: NDArray[np.bool_], sizes: Indices, counts: Indices) -> int:
    """Multiply the polynomial out, user by user, with whole numbers of any size."""
    shape = tuple(int(k) + 1 for k in counts[1:])  # the first level takes the rest
    if prod(shape) * int(sizes.sum()) > _MAX_STEPS:
        raise InvalidInput(
            f"{int(sizes.sum())} users with a choice are too many to count assignments: "
            "ask for equilibria without count=True"
        )
    poly = np.zeros(shape, dtype=object)
    poly[(0,) * len(shape)] = 1
    for group, size in zip(accepted, sizes, strict=True):
        for _ in range(int(size)):
            grown = poly * int(group[0])
            for axis in np.flatnonzero(group[1:]):
                ahead = [slice(None)] * len(shape)
                behind = [slice(None)] * len(shape)
                ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
                grown[tuple(ahead)] = grown[tuple(ahead)] + poly[tuple(behind)]
            poly = grown
    return int(poly[tuple(int(k) for k in counts[1:])])


def _path(
    accepted: NDArray[np.bool_], placed: Indices, room: Indices, group: int
) -> list[tuple[int, int]] | None:
    """Return (group, new level) moves that end at a level with room; None if there are none."""
    before: dict[int, tuple[int, int | None]] = {
        int(level): (group, None) for level in np.flatnonzero(accepted[group])
    }
    queue = list(before)
    for level in queue:
        if room[level] > 0:
            return _trace(before, level)
        for other in np.flatnonzero(placed[:, level]):
            for new in np.flatnonzero(accepted[other]):
                if int(new) not in before:
                    before[int(new)] = (int(other), level)
                    queue.append(int(new))
    return None


def _trace(before: dict[int, tuple[int, int | None]], level: int) -> list[tuple[int, int]]:
    path: list[tuple[int, int]] = []
    here: int | None = level
    while here is not None:
        group, previous = before[here]
        path.insert(0, (group, here))
        here = previous
    return path


def _back(path: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return (group, new level, level it leaves) of all moves but the first."""
    return [(path[i][0], path[i][1], path[i - 1][1]) for i in range(1, len(path))]
