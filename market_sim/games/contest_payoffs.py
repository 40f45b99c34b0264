"""Payoffs of a reward contest, and what each owner could gain by another choice.

This code certifies equilibria, so it knows nothing of how they are found: it takes any play, holds
the others' contributions fixed and finds each owner's best choice from her own condition.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import MarketSimError
from market_sim.shapes import Array

_MAX_STEPS = 300
_BLOCK = 1 << 15  # owners at a time, so that intermediate arrays stay in cache


@dataclass(frozen=True)
class ContestRules:
    """Who owns what and what she may choose; arrays of shape `(owners,)`.

    Attributes
    ----------
    cost
        c_i > 0: privacy loss epsilon costs c_i epsilon^p, in money.
    size
        s_i > 0: it contributes y_i = s_i epsilon^q.
    q, p
        The exponents, p >= q > 0.
    low, high
        Bounds of epsilon.
    participation
        Whether an owner may also stay out, with epsilon 0.
    """

    cost: Array
    size: Array
    q: float
    p: float
    low: Array
    high: Array
    participation: bool

    @property
    def ratio(self) -> float:
        """Exponent of costs in contributions, a = p / q."""
        return self.p / self.q

    def part(self, owners: slice) -> "ContestRules":
        """Return the same rules for some owners."""
        arrays = (x[owners] for x in (self.cost, self.size, self.low, self.high))
        cost, size, low, high = arrays
        return replace(self, cost=cost, size=size, low=low, high=high)

    def contribution(self, epsilon: Array) -> Array:
        """Return y_i = s_i epsilon_i^q."""
        return np.asarray(self.size * epsilon**self.q)

    def privacy_cost(self, epsilon: Array, owners: NDArray[np.intp] | None = None) -> Array:
        """Return c_i epsilon_i^p, of all owners or of some."""
        cost = self.cost if owners is None else self.cost[owners]
        return np.asarray(cost * epsilon**self.p)

    def payment(self, epsilon: Array, pool: float) -> Array:
        """Return R y_i / Y; nobody is paid where nobody contributes."""
        contribution = self.contribution(epsilon)
        total = float(contribution.sum())
        return np.asarray(contribution * (pool / total)) if total > 0 else np.zeros_like(epsilon)


def others_of(contribution: Array) -> Array:
    """Return what all the others contribute; without a difference for whoever has most of it."""
    others = np.asarray(contribution.sum() - contribution)
    leader = int(contribution.argmax())
    others[leader] = contribution[:leader].sum() + contribution[leader + 1 :].sum()
    return others


def best_response(rules: ContestRules, epsilon: Array, pool: float) -> Array:
    """Return each owner's best epsilon within her bounds, the others' contributions fixed.

    Where nobody else contributes there is no best one, as any positive epsilon takes the whole
    pool: then her floor is returned. Staying out is not considered.
    """
    others = others_of(rules.contribution(epsilon))
    alone = others <= 0
    odds = _best_log_odds(rules, np.where(alone, 1.0, others), pool)
    best = (np.exp(odds) * others / rules.size) ** (1.0 / rules.q)
    return np.asarray(np.where(alone, rules.low, np.clip(best, rules.low, rules.high)))


def deviation_gains(rules: ContestRules, epsilon: Array, pool: float) -> Array:
    """Return the most that each owner could gain by choosing another epsilon, in money.

    The gain is R (z' - z) - c (epsilon'^p - epsilon^p), with both differences formed from
    log(y' / y): near an equilibrium it is then exact to the square of rounding.
    """
    contribution = rules.contribution(epsilon)
    others = others_of(contribution)
    gains = np.empty_like(epsilon)
    for start in range(0, len(epsilon), _BLOCK):
        part = slice(start, start + _BLOCK)
        some = rules.part(part)
        gains[part] = _gains(some, epsilon[part], contribution[part], others[part], pool)
    return gains


def _gains(
    rules: ContestRules, epsilon: Array, contribution: Array, others: Array, pool: float
) -> Array:
    """Return the gains of some owners, each against her own others."""
    alone, out = others <= 0, contribution <= 0
    fixed = np.where(alone, 1.0, others)
    best = _within(rules, _best_log_odds(rules, fixed, pool), fixed)
    own = np.log(np.where(out, 1.0, contribution)) - np.log(fixed)
    rise = np.where(out, 0.0, best - own)
    there = rules.privacy_cost(_epsilon(rules, best, fixed))
    here = rules.privacy_cost(epsilon)
    with np.errstate(over="ignore", invalid="ignore"):
        near = here * np.expm1(rules.ratio * rise)
    moved = pool * _more(own, best, rise) - np.where(np.abs(rise) < 1.0, near, there - here)
    gains = np.where(out, pool * _share(best) - there, moved)
    utility = np.where(out, 0.0, pool * (contribution / np.where(out, 1.0, contribution + others)))
    utility = utility - here
    sole = pool - rules.privacy_cost(rules.low)  # the limit as she contributes less and less
    gains = np.where(alone, np.where(rules.high > 0, sole - utility, 0.0), gains)
    return np.asarray(np.maximum(gains, -utility) if rules.participation else gains)


def _best_log_odds(rules: ContestRules, others: Array, pool: float) -> Array:
    """Return v = log(y / others) at which the marginal pay is the marginal cost, unbounded.

    R others / (y + others)^2 = a kappa y^(a-1) reads 2 log(1 + e^v) + (a - 1) v = level: convex
    and increasing in v, so that Newton's method descends from any upper bound.
    """
    a = rules.ratio
    kappa = np.log(rules.cost) - a * np.log(rules.size)
    level = np.log(pool / a) - kappa - a * np.log(others)
    if a == 1.0:
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(np.log(np.expm1(np.maximum(0.5 * level, 0.0))))
    v = np.where(level < 0, level / (a - 1.0), level / (a + 1.0))
    for _ in range(_MAX_STEPS):
        soft = np.maximum(v, 0.0) + np.log1p(np.exp(-np.abs(v)))
        above = 2.0 * soft + (a - 1.0) * v - level
        step = above / (2.0 * _share(v) + a - 1.0)
        v = v - step
        if (np.abs(step) <= 1e-8 + 1e-15 * np.abs(v)).all():
            return np.asarray(v)
    raise MarketSimError(  # pragma: no cover - convex, from above
        f"best responses did not settle in {_MAX_STEPS} steps: report costs, sizes and exponents"
    )


def _more(own: Array, best: Array, rise: Array) -> Array:
    """Return z' - z of two log odds that are `rise` apart, without a difference."""
    size = -np.expm1(-np.abs(rise)) * _share(np.maximum(own, best)) * _share(-np.minimum(own, best))
    return np.asarray(np.copysign(size, rise))


def _within(rules: ContestRules, odds: Array, others: Array) -> Array:
    """Return the log odds clipped to the owner's bounds, to the last bit those of a play there."""
    with np.errstate(divide="ignore"):
        low = np.log(rules.contribution(rules.low)) - np.log(others)
        high = np.log(rules.contribution(rules.high)) - np.log(others)
    return np.clip(odds, low, high)


def _epsilon(rules: ContestRules, odds: Array, others: Array) -> Array:
    """Return the epsilon whose contribution has these log odds against the others'."""
    return np.asarray((np.exp(odds) * others / rules.size) ** (1.0 / rules.q))


def _share(odds: Array) -> Array:
    """1 / (1 + exp(-odds))."""
    decay = np.exp(-np.abs(odds))
    return np.asarray(np.where(odds >= 0, 1.0, decay) / (1.0 + decay))
