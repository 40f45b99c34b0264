"""Symmetric mixed play: every user draws her level from the same mixture."""

from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.binomial import binomial_weights, log_factorials
from market_sim.games.mixed import mixed_payments
from market_sim.games.potential import PotentialTable, simplex, simplex_size
from market_sim.games.utility import Utility, check_values
from market_sim.shapes import Array, as_floats

_TABLE_STATES = 400_000
_SUM_TOLERANCE = 1e-9


class SymmetricPlay:
    r"""Payments against a mixture x that all other users play, for identical users.

    gamma_l(x) = E[phi(l, levels of the others drawn from x)]. With two levels, of which the first
    gives nothing, gamma_1 = sum_k Bin(N-1, k; x_1) U(k+1) / (k+1), a Bernstein polynomial.

    Parameters
    ----------
    utility
        All its users are of one kind.
    costs
        c(level) of each user, shape `(levels,)`.
    level_values
        What a user gives at each level, shape `(levels,)`.

    Raises
    ------
    InvalidInput
        If the users are not of one kind.

    Notes
    -----
    Source: Fair Value of Data [S] eq. (23) and Theorem 3; [D] for any N and any levels.
    """

    def __init__(self, utility: Utility, costs: Array, level_values: Array) -> None:
        if utility.kinds.max() > 0:
            raise InvalidInput(
                f"symmetric play needs users of one kind, got {utility.kinds.max() + 1} kinds"
            )
        self.utility = utility
        self.costs = costs
        self.level_values = level_values
        self._cells = np.flatnonzero(level_values != 0)

    @property
    def users(self) -> int:
        """Number of users."""
        return self.utility.users

    @property
    def levels(self) -> int:
        """Number of levels."""
        return int(self.level_values.size)

    @property
    def binary(self) -> bool:
        """Whether there are two levels, of which the first gives nothing."""
        return self.levels == 2 and self._cells.size == 1

    @property
    def tabulated(self) -> bool:
        """Whether payments are known for every count of the others (else: Owen's integral)."""
        return self.binary or simplex_size(self.users, self._cells.size) <= _TABLE_STATES

    @cached_property
    def values(self) -> Array:
        """U(0), ..., U(N) by the number of users who give, shape `(users + 1,)`; binary only."""
        self._require_binary()
        counts = np.arange(self.users + 1, dtype=np.float64)
        return check_values(self.utility.value_of_counts([0], self.level_values[1:], [counts]))

    @cached_property
    def coefficients(self) -> Array:
        """Payment of a user who gives when k others do, U(k+1) / (k+1), k = 0..N-1; binary only.

        These are the Bernstein coefficients of gamma_1 on [0, 1].
        """
        return np.asarray(self.values[1:] / np.arange(1, self.users + 1))

    @cached_property
    def states(self) -> tuple[NDArray[np.int64], Array, Array]:
        """Counts of the others by cell, their multinomial log coefficients, and all payments.

        Shapes `(states, levels)`, `(states,)` and `(states, levels)`.
        """
        table = PotentialTable(self.utility, self.level_values)
        others = self.users - 1
        cells = simplex(others, self._cells.size)
        start = 0
        if self._cells.size == self.levels:  # nobody is without a level: counts add up to N - 1
            start = simplex_size(others - 1, self._cells.size) if others else 0
        counts = np.zeros((len(cells) - start, self.levels), dtype=np.int64)
        counts[:, self._cells] = cells[start:]
        if self._cells.size < self.levels:
            counts[:, 0] = others - counts.sum(axis=1)
        logs = log_factorials(max(others, 1))
        coefficient = (logs[others] - logs[counts].sum(axis=1)).astype(np.float64)
        here = np.arange(start, len(cells))
        payments = np.zeros(counts.shape)
        for level in self._cells:
            joined = table.neighbor(0, None, int(level))[here]
            payments[:, level] = table.potential[joined] - table.potential[here]
        return counts, coefficient, payments

    def payments(self, mixture: ArrayLike) -> Float[NDArray[np.float64], "*profiles levels"]:
        """Return gamma, what each level is paid when all others play `mixture`.

        Parameters
        ----------
        mixture
            Probability of each level, shape `(*profiles, levels)`.

        Raises
        ------
        InvalidInput
            If a mixture is not on the simplex.
        """
        shares = self.check_mixture(mixture)
        rows = [self._payments(row) for row in shares.reshape(-1, self.levels)]
        return np.array(rows).reshape(shares.shape)

    def payoffs(
        self, mixture: ArrayLike, alpha: float = 1.0
    ) -> Float[NDArray[np.float64], "*profiles levels"]:
        """Return alpha gamma - c, what each level is worth when all others play `mixture`."""
        return np.asarray(alpha * self.payments(mixture) - self.costs)

    def value(self, mixture: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
        """Return E[U] when every user plays `mixture`; payments add up to it in expectation."""
        shares = self.check_mixture(mixture)
        return np.asarray(self.users * (shares * self.payments(shares)).sum(axis=-1))

    def regret(
        self, mixture: ArrayLike, alpha: float = 1.0
    ) -> Float[NDArray[np.float64], "*profiles"]:
        """Return the best level's payoff less that of the mixture; 0 exactly at an equilibrium."""
        shares = self.check_mixture(mixture)
        payoffs = self.payoffs(shares, alpha)
        return np.asarray(payoffs.max(axis=-1) - (shares * payoffs).sum(axis=-1))

    def check_mixture(self, mixture: ArrayLike) -> Array:
        """Return probabilities of shape `(*profiles, levels)`, refused off the simplex."""
        shares = as_floats("mixture", mixture, minimum=0.0)
        if shares.ndim == 0 or shares.shape[-1] != self.levels:
            raise InvalidInput(
                f"mixture needs a last axis of {self.levels} levels, got shape {shares.shape}"
            )
        total = shares.sum(axis=-1)
        if (np.abs(total - 1.0) > _SUM_TOLERANCE).any():
            worst = total.reshape(-1)[np.abs(total - 1.0).argmax()]
            raise InvalidInput(f"the probabilities of a mixture must add up to 1, got {worst:g}")
        return shares

    def _payments(self, shares: Array) -> Array:
        if self.binary:
            first, weights = binomial_weights(self.users - 1, float(shares[1]))
            return np.array([0.0, weights @ self.coefficients[first : first + weights.size]])
        if not self.tabulated:
            result = np.zeros(self.levels)
            result[self._cells] = mixed_payments(
                self.utility, self.level_values[self._cells], shares[self._cells]
            )
            return result
        counts, coefficient, payments = self.states
        logs = np.log(np.where(shares > 0, shares, 1.0))
        terms = np.where((counts > 0) & (shares == 0), -np.inf, counts * logs)
        weights = np.exp(coefficient + terms.sum(axis=1))
        return np.asarray(weights @ payments / weights.sum())

    def _require_binary(self) -> None:
        if not self.binary:
            raise InvalidInput(
                f"this needs two levels of which the first gives nothing, got {self.levels} "
                f"levels with values {self.level_values.tolist()}"
            )
