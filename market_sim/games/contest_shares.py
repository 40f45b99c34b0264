r"""The equilibrium shares of a contest: one increasing equation in one unknown.

Owner i with contribution y_i of a total Y has the share z_i = y_i / Y. With a = p / q and
kappa_i = c_i / s_i^a, the first-order condition (1 - z) R / Y = a kappa_i (z Y)^(a - 1) reads

    phi(z_i) = P - log(kappa_i / kappa_min),    phi(z) = (a - 1) log z - log(1 - z),

where P = log(R / (a kappa_min)) - a log Y is common to all. phi increases, so every share, and
every clipped share, increases in P: sum z_i = 1 has one root. Nothing here subtracts nearly equal
numbers, so a million small shares are as accurate as two large ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import MarketSimError
from market_sim.shapes import Array

Mask = NDArray[np.bool_]

MAX_STEPS = 300
BLOCK = 1 << 15  # owners at a time, so that intermediate arrays stay in cache
_STEP = 1e-8  # Newton's error is squared: after a step this small nothing is left


@dataclass(frozen=True)
class Terms:
    """The game in logarithms, arrays of shape `(owners,)`.

    Attributes
    ----------
    ratio
        a = p / q, at least 1.
    log_cost
        log(kappa_i / kappa_min), at least 0.
    log_scale
        log(R / (a kappa_min)).
    low, high
        Bounds of the contributions y_i; 0 and infinity where there is none.
    """

    ratio: float
    log_cost: Array
    log_scale: float
    low: Array
    high: Array

    def total(self, level: float) -> float:
        """Return Y, the sum of contributions, at the common level P."""
        return float(np.exp((self.log_scale - level) / self.ratio))


@dataclass(frozen=True)
class Balance:
    """The root: shares that sum to 1 up to `residual`, and how it was reached."""

    share: Array
    total: float
    residual: float
    steps: int
    at_low: Mask
    at_high: Mask


class Shares:
    """Shares of all owners at a common level P; remembers the last ones as a start."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._logit = np.full_like(terms.log_cost, np.nan)
        self._bounded = bool(terms.low.any()) or bool(np.isfinite(terms.high).any())

    def at(self, level: float) -> tuple[Array, float]:
        """Return the shares within their bounds, and the slope of their sum in P."""
        share, slope = np.empty_like(self.terms.log_cost), 0.0
        for start in range(0, len(share), BLOCK):
            part = slice(start, start + BLOCK)
            share[part], rise = self._part(level, part)
            slope += float(rise.sum())
        return share, slope

    def _part(self, level: float, part: slice) -> tuple[Array, Array]:
        """Return shares and slopes of some owners."""
        free, slope = self._free(level - self.terms.log_cost[part], part)
        if not self._bounded:
            return free, slope
        total = self.terms.total(level)
        with np.errstate(over="ignore", divide="ignore"):
            share = np.clip(free, self.terms.low[part] / total, self.terms.high[part] / total)
        return share, np.where(share == free, slope, share / self.terms.ratio)

    def _free(self, target: Array, part: slice) -> tuple[Array, Array]:
        """Return the shares without bounds, and their slopes z (1 - z) / ((a-1) (1-z) + z)."""
        ratio = self.terms.ratio
        if ratio == 1.0:
            decay = np.exp(-np.maximum(target, 0.0))
            return -np.expm1(-np.maximum(target, 0.0)), decay * (target > 0)
        logit = target if ratio == 2.0 else _solve_logit(target, ratio, self._logit[part])
        self._logit[part] = logit
        share = _logistic(logit)
        return share, share * (1.0 - share) / ((ratio - 1.0) * (1.0 - share) + share)


def balance(terms: Terms) -> Balance:
    """Return the shares that sum to 1: Newton on log sum z, kept inside a shrinking bracket.

    Raises
    ------
    MarketSimError
        If the bracket does not close (it halves at every step that Newton does not make).
    """
    shares, level = Shares(terms), _start(terms)
    low, high, width, last = -np.inf, np.inf, 1.0, np.inf
    for step in range(1, MAX_STEPS + 1):
        share, slope = shares.at(level)
        total = float(share.sum())
        low, high = (level, high) if total < 1.0 else (low, level)
        gap = np.log(total) if total > 0.0 else -np.inf
        slow, last = abs(gap) > 0.5 * last, abs(gap)
        proposal = level - gap * total / slope if np.isfinite(gap) and slope > 0.0 else np.nan
        if abs(total - 1.0) <= 1e-15 or proposal == level or high - low <= 1e-16 * abs(level):
            return _ended(terms, level, share, step)
        if not low < proposal < high or (slow and np.isfinite(high - low)):
            proposal = _between(low, high, width)
            width *= 2.0
        if proposal in (low, high):
            return _ended(terms, level, share, step)
        level = proposal
    raise MarketSimError(  # pragma: no cover - the bracket halves
        f"the shares did not balance in {MAX_STEPS} steps: report costs, sizes, bounds and pool"
    )


def _between(low: float, high: float, width: float) -> float:
    """Return the middle of a bracket, or a point beyond its only end."""
    if np.isfinite(low) and np.isfinite(high):
        return float(0.5 * (low + high))
    return float(low + width) if np.isfinite(low) else float(high - width)


def _ended(terms: Terms, level: float, share: Array, steps: int) -> Balance:
    """Return the root, with the masks of those who stand at a bound."""
    total = terms.total(level)
    at_low = (terms.low > 0) & (share <= terms.low / total)
    at_high = np.isfinite(terms.high) & (share >= terms.high / total) & ~at_low
    return Balance(share, total, abs(float(share.sum()) - 1.0), steps, at_low, at_high)


def _start(terms: Terms) -> float:
    """Return P from the smaller of two upper bounds of the cheapest owner's share."""
    most = min(_linear_share(terms.log_cost), 0.75)
    if terms.ratio == 1.0:
        return float(-np.log1p(-most))
    small = 1.0 / float(np.exp(-terms.log_cost / (terms.ratio - 1.0)).sum())  # as if 1 - z = 1
    share = min(most, small)
    return float((terms.ratio - 1.0) * np.log(share) - np.log1p(-share))


def _linear_share(log_cost: Array) -> float:
    """Return the cheapest owner's share at a = 1: drop whoever has none until nobody has."""
    extra = np.expm1(np.minimum(log_cost, 500.0))
    while True:
        others, spread = len(extra) - 1, float(extra.sum())
        kept = extra[extra * others < 1.0 + spread]
        if len(kept) == len(extra):
            return (1.0 + spread) / (1.0 + others + spread)
        extra = kept


def _logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow and without loss of digits on either side."""
    decay = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, decay) / (1.0 + decay))


def _solve_logit(target: Array, ratio: float, start: Array) -> Array:
    """Solve (a - 1) x + (2 - a) log(1 + e^x) = target, x the logit of a share.

    The left side is convex (a < 2) or concave (a > 2) with slopes between 1 and a - 1, so that
    Newton's method descends to the root from its good side, which it reaches in one step.
    """
    x = np.where(target < 0, target / (ratio - 1.0), target) if np.isnan(start[0]) else start
    for _ in range(MAX_STEPS):
        decay = np.exp(-np.abs(x))
        soft = np.maximum(x, 0.0) + np.log1p(decay)
        share = np.where(x >= 0, 1.0, decay) / (1.0 + decay)
        gap = (ratio - 1.0) * x + (2.0 - ratio) * soft - target
        step = gap / ((ratio - 1.0) * (1.0 - share) + share)
        x = x - step
        if (np.abs(step) <= _STEP + 1e-15 * np.abs(x)).all():
            return np.asarray(x)
    raise MarketSimError(  # pragma: no cover - convex or concave, slopes bounded away from 0
        f"the shares did not settle in {MAX_STEPS} steps: report costs, sizes and exponents"
    )
