"""A platform that knows the law of costs but not the costs: a threshold rule."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games import Utility
from market_sim.shapes import Array, as_floats
from market_sim.solvers.bernstein import evaluate
from market_sim.solvers.bernstein_values import bernstein_values
from market_sim.solvers.optimum import EVERYONE, NOBODY, SOME

_FIRST_PIECES = 256
_MOST_PIECES = 20_000
_HALVINGS = 40


@dataclass(frozen=True)
class ThresholdRule:
    """The best share when each user's cost is drawn from a law that alone is known.

    Attributes
    ----------
    alpha
        Share of the value that is paid out.
    value
        What the platform expects to keep.
    threshold
        tau: users whose cost is at most this share.
    sharing
        F(tau), the chance that a user shares.
    utility
        Expected U.
    regret
        What a user whose cost is tau gains by doing the other thing; all others lose by it.
    gap
        No threshold can bring more than value + gap.
    regime
        As in `PlatformOptimum`.
    """

    alpha: float
    value: float
    threshold: float
    sharing: float
    utility: float
    regret: float
    gap: float
    regime: str


def optimal_alpha_unknown_costs(
    utility: Utility, law: Any, users: int | None = None, *, level: float = np.inf
) -> ThresholdRule:
    r"""Return the share that is best on average when costs c_i ~ F are the users' secret.

    In equilibrium users with c <= tau share, alpha gamma(F(tau)) = tau, which leaves the platform
    E[U(K)] - N F(tau) tau, K ~ Bin(N, F(tau)). E[U] and tau rise with F, so every piece of
    [0, 1] has a bound: pieces that cannot hold the best are dropped, the others halved.

    Parameters
    ----------
    utility
        Of identical users.
    law
        Law of the cost of sharing: anything with `ppf(q)` (a frozen distribution of scipy.stats),
        or an array of costs, each equally likely.
    users
        Number of users, to be checked against the utility's.
    level
        What a user gives who shares.

    Raises
    ------
    InvalidInput
        If users are not alike, their number differs, or the law has negative costs.

    Notes
    -----
    Source: Fair Value of Data [D], beyond the paper, 2.
    """
    if users is not None and users != utility.users:
        raise InvalidInput(f"the utility is one of {utility.users} users, got users={users}")
    if int(utility.kinds.max()) > 0:
        raise InvalidInput("a threshold rule for unknown costs needs users with identical data")
    counts = np.arange(utility.users + 1.0)
    worth = np.asarray(utility.value_of_counts([0], [level], [counts]))
    if not hasattr(law, "ppf"):
        return _of_sample(worth, as_floats("law", law, minimum=0.0).reshape(-1))
    lowest = float(law.ppf(0.0))
    if not lowest >= 0:
        raise InvalidInput(f"costs cannot be negative, but the law begins at {lowest:g}")
    return _of_law(worth, law)


def _of_sample(worth: Array, costs: Array) -> ThresholdRule:
    """Look at every cost that may be the threshold."""
    if costs.size == 0:
        raise InvalidInput("law is empty: give at least one cost")
    cost, number = np.unique(costs, return_counts=True)
    sharing = np.append(0.0, np.cumsum(number) / costs.size)
    cost = np.append(0.0, cost)
    kept = bernstein_values(worth, sharing) - (worth.size - 1) * sharing * cost
    best = int(kept.argmax())
    return _rule(worth, float(sharing[best]), float(cost[best]), 0.0)


def _of_law(worth: Array, law: Any) -> ThresholdRule:
    users = worth.size - 1
    rising = np.maximum.accumulate(worth)

    def kept(sharing: Array) -> Array:
        tau = np.where(sharing > 0, law.ppf(sharing), 0.0)
        cost = np.where(np.isfinite(tau), users * sharing * tau, np.inf)
        return np.asarray(bernstein_values(worth, sharing) - cost)

    low = np.arange(_FIRST_PIECES) / _FIRST_PIECES
    high = low + 1.0 / _FIRST_PIECES
    best_at, best = 0.0, 0.0
    bound = np.zeros(0)
    for _ in range(_HALVINGS):
        points = np.append(low, high[-1])
        values = kept(points)
        if values.max() > best:
            best_at, best = float(points[values.argmax()]), float(values.max())
        tau = np.where(low > 0, law.ppf(low), 0.0)
        bound = bernstein_values(rising, high) - users * low * tau
        able = bound > best
        if not able.any() or 2 * able.sum() > _MOST_PIECES:
            break
        middle = (low[able] + high[able]) / 2.0
        low = np.stack([low[able], middle], axis=1).reshape(-1)
        high = np.stack([middle, high[able]], axis=1).reshape(-1)
    best_at, best = _polished(kept, best_at, best)
    gap = max(float(bound.max(initial=best)) - best, 0.0)
    return _rule(worth, best_at, float(law.ppf(best_at)) if best_at > 0 else 0.0, gap)


def _polished(kept: Any, at: float, value: float) -> tuple[float, float]:
    """Return the top of the hill on which the best point so far lies."""
    from scipy.optimize import minimize_scalar

    reach = 1.0 / _FIRST_PIECES
    for width in (reach, reach / 64.0):
        found = minimize_scalar(
            lambda x: -float(kept(np.array([x]))[0]),
            bounds=(max(at - width, 0.0), min(at + width, 1.0)),
            method="bounded",
            options={"xatol": 1e-13},
        )
        if -float(found.fun) > value:
            at, value = float(found.x), -float(found.fun)
    return at, value


def _rule(worth: Array, sharing: float, tau: float, gap: float) -> ThresholdRule:
    users = worth.size - 1
    utility = evaluate(worth, sharing)
    gamma = evaluate(worth[1:] / np.arange(1.0, users + 1.0), sharing)
    alpha = tau / gamma if sharing > 0 and tau > 0 else 0.0
    regime = NOBODY if alpha == 0 else EVERYONE if sharing >= 1 else SOME
    return ThresholdRule(
        alpha=alpha,
        value=(1.0 - alpha) * utility,
        threshold=tau,
        sharing=sharing,
        utility=utility,
        regret=abs(alpha * gamma - tau),
        gap=gap,
        regime=regime,
    )
