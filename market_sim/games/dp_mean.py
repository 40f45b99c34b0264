"""Mean estimation under local differential privacy: the value of Laplace-noised data."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.games.utility import Utility, as_levels
from market_sim.shapes import Array, as_floats, whole_number

PerUser = Float[NDArray[np.float64], "*profiles users"]
PerProfile = Float[NDArray[np.float64], "*profiles"]
_NO_PRIVACY = 1e100  # above this a level is as good as infinite, and its square may overflow


class DPMeanEstimation(Utility):
    r"""Best linear estimate of a mean from users with privacy levels epsilon.

    U = (N+2)/N * M / (2k + M), M = sum_i min(eps_i, k), with k the saturation level, the root of
    sum_i eps_i (k - eps_i)_+ = 12: who asks for less privacy than k is given k. Scaled so that
    U = 0 without data and U = 1 when every epsilon is infinite.

    Parameters
    ----------
    users
        N, the number of users.

    Raises
    ------
    InvalidInput
        If `users` is not a whole number of at least 1.

    Notes
    -----
    Source: Fair Value of Data [S] Section 4 and eq. (37); [D] the closed form for any N.
    """

    smooth = True

    def __init__(self, users: int) -> None:
        self._users = whole_number("users", users, 1)
        self.kinds = np.zeros(self._users, dtype=np.intp)

    @property
    def users(self) -> int:
        """Number of users."""
        return self._users

    def value(self, epsilon: ArrayLike) -> PerProfile:
        """Return U.

        Parameters
        ----------
        epsilon
            Privacy loss each user allows, >= 0, 0 and infinity included, shape
            `(*profiles, users)`.

        Raises
        ------
        InvalidInput
            If an epsilon is negative or NaN or the number of users differs.
        """
        return self._scaled(self._ratios(epsilon)[0].sum(axis=-1))

    def saturation(self, epsilon: ArrayLike) -> PerProfile:
        """Return k, infinite where nobody has a finite positive epsilon."""
        return self._ratios(epsilon)[1]

    def weights(self, epsilon: ArrayLike) -> PerUser:
        """Return w_i = min(eps_i, k) / (2k + M), the weight of each user's report."""
        ratio = self._ratios(epsilon)[0]
        return np.asarray(ratio / (2.0 + ratio.sum(axis=-1, keepdims=True)))

    def noise_scale(self, epsilon: ArrayLike) -> PerProfile:
        """Return b = 1 / (2k + M), the scale of the Laplace noise on the weighted sum."""
        ratio, level = self._ratios(epsilon)
        return np.asarray(1.0 / (level * (2.0 + ratio.sum(axis=-1))))

    def risk(self, epsilon: ArrayLike) -> PerProfile:
        """Return the mean square error of the estimate, (1/12) 2k / (2k + M)."""
        return np.asarray(1.0 / (6.0 * (2.0 + self._ratios(epsilon)[0].sum(axis=-1))))

    def value_of_counts(self, kind: ArrayLike, level: ArrayLike, counts: Sequence[Array]) -> Array:
        """Return U when `counts[t]` users have epsilon `level[t]`; fractions interpolate."""
        epsilon = np.atleast_1d(as_floats("level", level, minimum=0.0, finite=False))
        order = [int(t) for t in np.argsort(epsilon) if 0 < epsilon[t] <= _NO_PRIVACY]
        total = square = np.zeros(())
        saturated = np.array(np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            for t in order:
                total = total + counts[t] * epsilon[t]
                square = square + counts[t] * epsilon[t] ** 2
                saturated = np.fmin(saturated, (12.0 + square) / total)
        ratio = sum(
            (counts[t] for t in np.flatnonzero(epsilon > _NO_PRIVACY).tolist()), np.zeros(())
        )
        for t in order:
            ratio = ratio + counts[t] * np.minimum(epsilon[t] / saturated, 1.0)
        shape = np.broadcast_shapes(*(count.shape for count in counts))
        return np.broadcast_to(self._scaled(np.asarray(ratio)), shape)

    def _ratios(self, epsilon: ArrayLike) -> tuple[PerUser, PerProfile]:
        """Return min(eps_i / k, 1) of each user, and k.

        k is the least of (12 + sum_{i<=m} eps_i^2) / sum_{i<=m} eps_i over m, in ascending order:
        each of these equations leaves out some terms (k - eps_i)_+ or counts negative ones, so its
        root is above k, and one of them is the right one.
        """
        given = as_levels(epsilon, self.users)
        free = given > _NO_PRIVACY
        finite = np.where(free, 0.0, given)
        ascending = np.sort(finite, axis=-1)
        total = np.cumsum(ascending, axis=-1)
        square = np.cumsum(ascending**2, axis=-1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            roots = 12.0 / total + square / total
            level = np.asarray(np.fmin.reduce(roots, axis=-1, initial=np.inf))
            ratio = np.where(free, 1.0, np.minimum(finite / level[..., None], 1.0))
        return ratio, level

    def _scaled(self, ratio: Array) -> Array:
        """Return U from M / k."""
        return np.asarray((self.users + 2.0) / self.users * ratio / (2.0 + ratio))
