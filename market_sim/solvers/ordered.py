"""Users who are alike in their data and either give or do not: the cheapest ones give."""

from functools import cached_property
from math import comb

import numpy as np
from numpy.typing import NDArray

from market_sim.games import AcquisitionGame
from market_sim.shapes import Array
from market_sim.solvers.intervals import Intervals

Indices = NDArray[np.int64]
Profile = NDArray[np.intp]
_BUCKETS = 8_192


def alike(game: AcquisitionGame) -> bool:
    """Tell whether users differ in costs only and either give or do not."""
    return game.levels == 2 and game.level_values[0] == 0 and int(game.kinds.max()) == 0


class OrderedPartitions:
    r"""Partitions by the number k of users who give, each of whom is paid U(k) / k.

    The k cheapest give (an exchange of two users helps both). They stay when
    alpha U(k)/k >= c_(k), nobody joins when alpha U(k+1)/(k+1) <= c_(k+1): an interval of alpha
    whose left end leaves the platform U(k) - k c_(k).

    Notes
    -----
    Source: Fair Value of Data [D], different costs with identical data.
    """

    def __init__(self, game: AcquisitionGame) -> None:
        self.game = game
        self.cost: Array = np.ascontiguousarray(game.costs[:, 1])
        self.steps = game.users + 1
        counts = np.arange(game.users + 1.0)
        self.utility: Array = np.asarray(
            game.utility.value_of_counts([0], game.level_values[1:], [counts])
        )
        self.paid = self.utility[1:] / counts[1:]
        self._known: dict[int, float] = {}
        self.scale = max(float(np.abs(self.utility).max()), float(self.cost.max()), 1e-300)

    @cached_property
    def ordered(self) -> Array:
        """Costs in ascending order."""
        return np.sort(self.cost)

    def intervals(self) -> Intervals:
        """Return the interval of every number of givers that has one."""
        noise = 8.0 * float(np.finfo(np.float64).eps) * self.scale
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.ordered / self.paid
        ratio[(self.paid <= noise) & (self.ordered > noise)] = np.inf
        ratio[(np.abs(self.paid) <= noise) & (self.ordered <= noise)] = 0.0
        ratio[(self.paid < -noise) & (self.ordered <= noise)] = 0.0
        left = np.append(0.0, ratio)
        right = np.minimum(np.append(ratio, 1.0), 1.0)
        # a group that costs nothing and is paid nothing is content at every alpha
        free = np.flatnonzero((np.abs(self.paid) <= noise) & (self.ordered <= noise))
        right[free] = 1.0
        below = np.flatnonzero(self.paid < -noise)
        right[below] = 1.0  # nobody joins to be paid less than nothing
        right[below + 1] = np.minimum(right[below + 1], 0.0)  # who is there stays for alpha = 0
        rows = np.flatnonzero(left <= right * (1.0 + 1e-14))
        right = np.maximum(left[rows], right[rows])
        return Intervals(rows, left[rows], right, self.utility[rows])

    def best(self) -> Intervals:
        """Return intervals that hold the platform's best.

        Where payments U(k)/k fall as more give, every k whose cost is covered is an equilibrium
        and leaves U(k) - k c_(k). Costs are counted in buckets first: only buckets that may hold
        the best are sorted.
        """
        if float(self.paid.min()) <= 0 or bool((self.paid[1:] > self.paid[:-1]).any()):
            return self.intervals()
        number, cost = self._bucket_best()
        if self.utility[number] - number * cost <= 0:
            return Intervals(np.zeros(1, dtype=np.int64), np.zeros(1), np.ones(1), np.zeros(1))
        left = cost / self.paid[number - 1]
        self._known[number] = cost
        return Intervals(
            np.array([number]), np.array([left]), np.array([left]), self.utility[[number]]
        )

    def _bucket_best(self) -> tuple[int, float]:
        """Return the k at which U(k) - k c_(k) is greatest, and c_(k); 0 if none is positive."""
        # nobody with a cost above U(1) ever gives
        width = max(min(float(self.paid[0]), float(self.cost.max())), 1e-300) / (_BUCKETS - 1)
        share = self.cost * (1.0 / width)
        place = np.minimum(share, _BUCKETS, out=share).astype(np.intp)
        ends = np.cumsum(np.bincount(place, minlength=_BUCKETS + 1))[:_BUCKETS]
        starts = np.append(0, ends[:-1])
        edge = np.arange(_BUCKETS) * width
        reachable = np.maximum.accumulate(self.utility)[ends] - (starts + 1) * edge * (1.0 - 1e-12)
        sure = self.utility[ends] - ends * (edge + width) * (1.0 + 1e-12)
        open_ = (ends > starts) & (reachable >= max(float(sure.max()), 0.0))
        flags = np.append(open_, False)
        cost = np.sort(self.cost[flags[place]])
        inside = (ends - starts)[open_]
        before = starts[open_] - (np.cumsum(inside) - inside)  # users in buckets left out
        number = np.arange(1, cost.size + 1) + np.repeat(before, inside)
        value = self.utility[number] - number * cost
        best = int(value.argmax()) if value.size else -1
        return (int(number[best]), float(cost[best])) if best >= 0 else (0, 0.0)

    def equilibria(self, alpha: float, tolerance: float) -> Indices:
        """Return the numbers of givers that are equilibria at alpha."""
        stay = np.append(True, self.ordered <= alpha * self.paid + tolerance)
        out = np.append(alpha * self.paid - tolerance <= self.ordered, True)
        return np.flatnonzero(stay & out)

    def profile(self, partition: int, alpha: float, tolerance: float) -> Profile:
        """Return the profile in which the cheapest give, the first ones among equals."""
        result = np.zeros(self.game.users, dtype=np.intp)
        if partition == 0:
            return result
        last = self._known.get(partition)
        last = float(self.ordered[partition - 1]) if last is None else last
        gives = self.cost < last
        missing = partition - int(gives.sum())
        result[gives] = 1
        result[np.flatnonzero(self.cost == last)[:missing]] = 1
        return result

    def ways(self, partition: int, alpha: float, tolerance: float) -> int:
        """Return how many profiles with this many givers are equilibria at alpha."""
        users = self.game.users
        stay = alpha * self.paid[partition - 1] + tolerance if partition else -np.inf
        join = alpha * self.paid[partition] - tolerance if partition < users else np.inf
        sure = int((self.cost < join).sum()) if partition < users else users
        willing = int((self.cost <= stay).sum()) if partition else 0
        return comb(max(willing - sure, 0), partition - sure) if sure <= partition <= willing else 0
