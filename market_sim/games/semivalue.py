"""The rules by which value is attributed, as weights of coalition sizes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput, MarketSimError
from market_sim.games.binomial import binomial_weights
from market_sim.shapes import Array, as_floats

Index = Literal["shapley", "banzhaf"]


class PaymentsUnbalanced(MarketSimError):
    """Payments do not sum to what they must: the computation has failed, nothing is returned."""


@dataclass(frozen=True)
class Semivalue:
    """Payments phi_i = delta int (q or 1) E_{q delta}[U(S + i) - U(S)] dq.

    Parameters
    ----------
    index
        "shapley": q uniform on [0, 1]. "banzhaf": q = 1/2.
    platform
        Whether the platform is a player: then the integrand has the factor q.
    presence
        delta, in (0, 1].
    """

    index: Index = "shapley"
    platform: bool = False
    presence: float = 1.0

    def __post_init__(self) -> None:
        if self.index not in get_args(Index):
            raise InvalidInput(f"index must be one of {get_args(Index)}, got {self.index!r}")
        presence = as_floats("presence", self.presence)
        if presence.ndim or not 0.0 < float(presence) <= 1.0:
            raise InvalidInput(
                f"presence must be one number above 0 and at most 1, got {self.presence}"
            )

    @cached_property
    def plain(self) -> bool:
        """Whether this is Theorem 2: Shapley values of users who are all present."""
        return self.index == "shapley" and not self.platform and self.presence == 1.0

    @property
    def balanced(self) -> bool:
        """Whether payments sum to the expected utility (Shapley) or not (Banzhaf)."""
        return self.index == "shapley"

    def user_weights(self, users: int) -> Array:
        """Return w(s): phi_i = sum_s w(s) * mean over coalitions S of s others of D_i U(S).

        Shape `(users,)`, s = 0..users-1.
        """
        n, delta, s = users, self.presence, np.arange(users)
        if self.index == "banzhaf":
            return _dense(n - 1, 0.5 * delta) * delta * (0.5 if self.platform else 1.0)
        if not self.platform:
            return _at_least(s + 1, n, delta) / n
        return np.asarray((s + 1.0) * _at_least(s + 2, n + 1, delta) / (n * (n + 1.0) * delta))

    def platform_weights(self, users: int) -> Array:
        """Return v(s): phi_p = sum_s v(s) * mean of U over coalitions of s users, s = 0..users."""
        n, delta = users, self.presence
        if self.index == "banzhaf":
            return _dense(n, 0.5 * delta)
        return _at_least(np.arange(1, n + 2), n + 1, delta) / ((n + 1.0) * delta)

    def target_weights(self, users: int) -> Array:
        """Return t(s): what all payments must sum to is sum_s t(s) * mean of U at size s.

        Shapley: E_delta[U], of users and platform. Banzhaf, of the users alone: the derivative of
        E_{q delta}[U], a sum of U over coalitions with weights (s - n x) / (x (1 - x)).
        """
        n, x = users, 0.5 * self.presence
        if self.balanced:
            return _dense(n, self.presence)
        score = (np.arange(n + 1) - n * x) / (x * (1.0 - x))
        factor = self.presence * (0.5 if self.platform else 1.0)
        return np.asarray(_dense(n, x) * score * factor)

    def discrepancy(self, total: float, platform: float, target: float, scale: float) -> float:
        """Return how far payments are from their target, relative to the largest utility."""
        paid = total + (platform if self.balanced else 0.0)
        return abs(paid - target) / scale if scale > 0 else abs(paid - target)

    def check(self, discrepancy: float, tolerance: float, method: str) -> None:
        """Refuse payments that do not sum to their target.

        Raises
        ------
        PaymentsUnbalanced
            If the discrepancy is above the tolerance.
        """
        if not discrepancy <= tolerance:
            what = "the utility" if self.balanced else "the derivative of the expected utility"
            raise PaymentsUnbalanced(
                f"the payments of method {method!r} miss {what} by {discrepancy:.2g} relative to "
                f"the largest utility, above {tolerance:.2g}: choose another method, or a larger "
                "tolerance if that is accurate enough"
            )


def _dense(trials: int, chance: float) -> Array:
    """Return all binomial probabilities 0..trials."""
    result = np.zeros(trials + 1)
    first, weights = binomial_weights(trials, chance)
    result[first : first + weights.size] = weights
    return result


def _at_least(successes: NDArray[np.intp], trials: int, chance: float) -> Array:
    """Return P(Bin(trials, chance) >= successes), successes from 1 to trials."""
    if chance == 1.0:
        return np.ones(len(successes))
    from scipy.special import betainc

    return np.asarray(betainc(successes, trials - successes + 1.0, chance))
