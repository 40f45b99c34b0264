"""Fair payments of huge numbers of users: Owen's integral by Gauss rules."""

from dataclasses import dataclass, replace

import numpy as np

from market_sim.games.counting import Computed
from market_sim.games.gauss import binomial_rule, graded_panels
from market_sim.games.semivalue import Semivalue
from market_sim.games.utility import Groups, Utility, check_values
from market_sim.shapes import Array

Rule = tuple[Array, Array]  # points and weights, each (batch, nodes)
_MOST_NODES = 80


@dataclass(frozen=True)
class Precision:
    """How fine the rules are.

    Attributes
    ----------
    panel
        Gauss-Legendre nodes for each doubling of the inclusion probability.
    near, atoms
        Of counts near zero: Gauss nodes, and how many counts are points of their own.
    spread
        Error of the Gauss rule of counts far from zero.
    room
        Points of a grid that are worth having: with few types, more nodes a type.
    """

    panel: int
    near: int
    atoms: int
    spread: float
    room: int

    def for_types(self, types: int) -> "Precision":
        """Return the same with as many nodes a type as there is room for."""
        nodes = int(self.room ** (1.0 / max(types, 1)))
        return replace(self, near=max(self.near, min(nodes, _MOST_NODES)))


LADDER = (
    (1e-8, Precision(7, 10, 3, 1e-10, 400)),
    (1e-10, Precision(8, 12, 3, 1e-11, 800)),
    (1e-12, Precision(9, 16, 4, 1e-13, 2000)),
    (0.0, Precision(12, 24, 4, 1e-14, 6400)),
)
"""Finest tolerance that each precision usually meets."""
_CAUTION = 20.0  # the smallest payments are off by up to this many times what the sum is off
_PROGRESS = 10.0  # the next precision is worth its time if the last one helped this much


def by_owen(utility: Utility, groups: Groups, rule: Semivalue, tolerance: float) -> Computed:
    """Integrate expected gains over the probability of inclusion, finer until they add up.

    The expectation over each type's binomial count is a sum over the first counts, where U may
    jump, and a Gauss rule from there on. Where finer rules no longer help, as with a utility that
    has kinks, the result that adds up best is returned for the caller to judge.
    """
    rungs = [p for expected, p in LADDER if expected <= tolerance] or [LADDER[-1][1]]
    best = None
    for precision in rungs:
        work = _Integral(utility, groups, rule, precision.for_types(groups.size.size))
        result = work.compute()
        before = np.inf if best is None else best.discrepancy
        if best is None or result.discrepancy < before:
            best = result
        if result.discrepancy <= tolerance / _CAUTION:
            break
        if before <= tolerance and result.discrepancy > before / _PROGRESS:
            break
    assert best is not None, "the ladder is never empty"
    return best


@dataclass(frozen=True, eq=False)
class _Integral:
    """One computation at one precision."""

    utility: Utility
    groups: Groups
    rule: Semivalue
    precision: Precision

    def compute(self) -> Computed:
        """Return the payments and the self-check."""
        sizes = self.groups.size.astype(np.float64)
        paid, platform, scale = np.zeros(sizes.size), 0.0, 0.0
        for chance, user_weight, platform_weight in self._panels():
            rules = self._rules(chance)
            values = self._values(rules)
            mean, slopes = _moments(values, rules, sizes, chance)
            paid += user_weight @ (slopes / sizes)
            platform += float(platform_weight @ mean)
            scale = max(scale, float(values.max()), -float(values.min()))
        platform = platform if self.rule.platform else 0.0
        worth = self._of_all()
        total = float(sizes @ paid)
        gap = self.rule.discrepancy(total, platform, self._target(worth), max(scale, abs(worth)))
        users = np.append(paid, 0.0)[self.groups.member]
        return Computed(users, np.array(platform), np.array(worth), gap, "owen")

    def _panels(self) -> list[tuple[Array, Array, Array]]:
        """Return inclusion probabilities, and their weights for users and for the platform."""
        delta = self.rule.presence
        if self.rule.index == "banzhaf":
            weight = np.array([delta * (0.5 if self.rule.platform else 1.0)])
            return [(np.array([0.5 * delta]), weight, np.ones(1))]
        nodes = self.precision.panel
        x, w = graded_panels(self.groups.active, delta, nodes)
        user = w * x / delta if self.rule.platform else w
        parts = range(0, x.size, nodes)
        return [(x[p : p + nodes], user[p : p + nodes], w[p : p + nodes] / delta) for p in parts]

    def _rules(self, chance: Array) -> list[Rule]:
        """Return the rule of each type's count; types of one size share it."""
        made = {
            size: binomial_rule(
                np.full(chance.shape, float(size)),
                chance,
                atoms=max(self.utility.atoms, self.precision.atoms),
                near=self.precision.near,
                tolerance=self.precision.spread,
            )
            for size in {int(m) for m in self.groups.size}
        }
        return [made[int(m)] for m in self.groups.size]

    def _values(self, rules: list[Rule]) -> Array:
        """Return U on the grid of all nodes, shape `(batch, nodes of type 0, ...)`."""
        counts = [_along(points, t, len(rules)) for t, (points, _) in enumerate(rules)]
        values = self.utility.value_of_counts(self.groups.kind, self.groups.level, counts)
        return check_values(np.asarray(values))

    def _of_all(self) -> float:
        counts = [np.array(float(m)) for m in self.groups.size]
        values = self.utility.value_of_counts(self.groups.kind, self.groups.level, counts)
        return float(check_values(np.asarray(values)))

    def _target(self, worth: float) -> float:
        """Return what the payments must sum to, see `Semivalue.target_weights`."""
        delta, n = self.rule.presence, self.groups.active
        if self.rule.balanced and delta == 1.0:
            return worth
        chance = np.array([delta if self.rule.balanced else 0.5 * delta])
        rules = self._rules(chance)
        values = self._values(rules)
        weighted = values * _grid_weights(rules)
        if self.rule.balanced:
            return float(weighted.sum())
        x = chance[0]
        counts = [_along(points, t, len(rules)) for t, (points, _) in enumerate(rules)]
        score = (np.asarray(sum(counts, np.zeros(()))) - n * x) / (x * (1.0 - x))
        return float((weighted * score).sum() * delta * (0.5 if self.rule.platform else 1.0))


def _moments(values: Array, rules: list[Rule], sizes: Array, chance: Array) -> tuple[Array, Array]:
    """Return E[U] and, of each type, m E[U(K + 1) - U(K)], shapes `(batch,)`, `(batch, types)`.

    The second is dE[U]/dq = E[U (K - m q)] / (q (1 - q)): one evaluation of U serves all types,
    and differences are taken over a standard deviation of K, not over one user in a million.
    """
    center = values.reshape(len(values), -1).mean(axis=1)
    plain = values - center.reshape(-1, *[1] * len(rules))
    scored: list[Array] = []
    for t in reversed(range(len(rules))):
        points, weights = rules[t]
        score = (points - sizes[t] * chance[:, None]) / (chance * (1.0 - chance))[:, None]
        scored = [_contract(array, weights) for array in scored]
        scored.append(_contract(plain, weights * score))
        plain = _contract(plain, weights)
    return plain + center, np.stack(scored[::-1], axis=1)


def _contract(values: Array, weights: Array) -> Array:
    """Sum over the last axis with the weights of each batch entry."""
    batch, nodes = weights.shape
    return np.asarray(np.matmul(values.reshape(batch, -1, nodes), weights[:, :, None])).reshape(
        values.shape[:-1]
    )


def _grid_weights(rules: list[Rule]) -> Array:
    """Return the product of all rules' weights on their grid."""
    result = np.ones(())
    for t, (_, weights) in enumerate(rules):
        result = result * _along(weights, t, len(rules))
    return np.asarray(result)


def _along(points: Array, axis: int, axes: int) -> Array:
    """Return points `(batch, nodes)` with the nodes on one of `axes` axes."""
    shape = [1] * axes
    shape[axis] = -1
    return points.reshape(len(points), *shape)
