"""Fair-payment games by their definition, profile by profile, in fractions: the exact oracle.

Payments come from marginal contributions over all coalitions, equilibria from looking at every
deviation, the platform's best share from every profile's interval of alpha.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations, pairwise, product
from math import factorial

import numpy as np

from market_sim.games import AcquisitionGame, FunctionUtility

Profile = tuple[int, ...]
Interval = tuple[Fraction, Fraction]


@dataclass(frozen=True, eq=False)
class SmallGame:
    """Users of some kinds, the worth of every profile (by counts of each kind), and costs."""

    kinds: tuple[int, ...]
    levels: int
    worth: dict[tuple[Profile, ...], Fraction]
    costs: tuple[tuple[Fraction, ...], ...]

    @property
    def users(self) -> int:
        return len(self.kinds)

    @cached_property
    def profiles(self) -> list[Profile]:
        return list(product(range(self.levels), repeat=self.users))

    def partition(self, profile: Sequence[int]) -> tuple[Profile, ...]:
        """Users of each kind at each level."""
        seen = Counter(zip(self.kinds, profile, strict=True))
        return tuple(
            tuple(seen[kind, level] for level in range(self.levels))
            for kind in range(max(self.kinds) + 1)
        )

    def utility(self, profile: Sequence[int]) -> Fraction:
        return self.worth[self.partition(profile)]

    @cached_property
    def _pay(self):
        @cache
        def pay(user: int, profile: Profile) -> Fraction:
            """Mean over coalitions S of the others: (U(S + i) - U(S)) / (n C(n - 1, |S|))."""
            others = [i for i in range(self.users) if i != user]
            total = Fraction(0)
            for size in range(self.users):
                weight = Fraction(
                    factorial(size) * factorial(self.users - 1 - size), factorial(self.users)
                )
                for chosen in combinations(others, size):
                    without = [profile[i] if i in chosen else 0 for i in range(self.users)]
                    joined = list(without)
                    joined[user] = profile[user]
                    total += weight * (self.utility(joined) - self.utility(without))
            return total

        return pay

    def payment(self, user: int, profile: Profile) -> Fraction:
        return self._pay(user, profile)

    def deviations(self, profile: Profile) -> Iterator[tuple[Fraction, Fraction]]:
        """Change of payment and of cost, of every user to every other level."""
        for user, level in enumerate(profile):
            for new in range(self.levels):
                if new != level:
                    moved = (*profile[:user], new, *profile[user + 1 :])
                    change = self.payment(user, moved) - self.payment(user, profile)
                    yield change, self.costs[user][new] - self.costs[user][level]

    @cached_property
    def intervals(self) -> dict[Profile, Interval]:
        """Of the profiles that are equilibria for some alpha in [0, 1]."""
        result = {}
        for profile in self.profiles:
            low, high = Fraction(0), Fraction(1)
            for change, extra in self.deviations(profile):
                if change > 0:
                    high = min(high, extra / change)
                elif change < 0:
                    low = max(low, extra / change)
                elif extra < 0:
                    high = Fraction(-1)
            if low <= high:
                result[profile] = (low, high)
        return result

    def equilibria(self, alpha: Fraction) -> list[Profile]:
        return [p for p, (low, high) in self.intervals.items() if low <= alpha <= high]

    @cached_property
    def breakpoints(self) -> list[Fraction]:
        ends = {end for pair in self.intervals.values() for end in pair}
        return sorted(ends | {Fraction(0), Fraction(1)})

    def optimistic(self) -> Fraction:
        """The most that the platform can keep at any equilibrium of any alpha."""
        return max(
            (1 - end) * self.utility(p) for p, pair in self.intervals.items() for end in pair
        )

    def pessimistic(self) -> Fraction:
        """The supremum over alpha of the least that it keeps at an equilibrium."""
        best = max(self._worst(alpha) * (1 - alpha) for alpha in self.breakpoints)
        ends = self.breakpoints
        for low, high in pairwise(ends):
            worst = self._worst((low + high) / 2)
            best = max(best, worst * (1 - low), worst * (1 - high))
        return best

    def _worst(self, alpha: Fraction) -> Fraction:
        return min(self.utility(p) for p in self.equilibria(alpha))

    def game(self) -> AcquisitionGame:
        """The same as a game of the library."""

        def value(levels: np.ndarray) -> np.ndarray:
            return np.array([float(self.utility(row)) for row in levels.astype(int).tolist()])

        costs = [[float(c) for c in row] for row in self.costs]
        return AcquisitionGame(FunctionUtility(value, self.users, self.kinds), costs)


def random_game(
    rng: np.random.Generator, users: int, levels: int = 3, *, kinds: int = 1, coarse: bool = True
) -> SmallGame:
    """Draw a game; coarse numbers make ties and equilibria at single alphas common."""
    kind = tuple(sorted(int(k) for k in rng.integers(0, kinds, users)))
    kind = tuple(sorted(set(kind)).index(k) for k in kind)
    steps = 12 if coarse else 10**6
    shape = SmallGame(kind, levels, {}, ())
    worth = {}
    for profile in product(range(levels), repeat=users):
        key = shape.partition(profile)
        if key not in worth:
            drawn = Fraction(int(rng.integers(0, steps + 1)), steps) * users
            trend = Fraction(sum(profile), 1)  # more data is worth more, on the whole
            worth[key] = (drawn + trend) if sum(profile) else Fraction(0)
    ties = [int(x) for x in rng.integers(0, steps + 1, users * (levels - 1))]
    cost = [Fraction(t, 2 * steps) for t in ties]
    costs = tuple(
        (Fraction(0), *sorted(cost[i * (levels - 1) : (i + 1) * (levels - 1)]))
        for i in range(users)
    )
    return SmallGame(kind, levels, worth, costs)
