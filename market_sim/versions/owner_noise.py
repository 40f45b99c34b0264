"""The noise that owners add to their uploads, from the epsilon that each of them chose."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.privacy import check_delta, gaussian_epsilon, gaussian_noise_multiplier
from market_sim.shapes import Array, as_floats, as_number, broadcast_owners, whole_number
from market_sim.versions.labels import VersionLabels, global_noise

Method = Literal["zcdp", "analytic", "classic"]
PerOwner = Float[NDArray[np.float64], "*profiles owners"]


@dataclass(frozen=True)
class OwnerNoise:
    r"""Owner i uploads T times a mean of n_i clipped vectors with Gaussian noise sigma_i.

    Replacing one of her samples moves the mean by at most Delta_i = 2 clip / n_i. sigma_i makes
    the T uploads together (epsilon_i, delta)-private:

    - "zcdp": rho_i = (sqrt(epsilon_i + L) - sqrt(L))^2, L = ln(1 / delta),
      sigma_i = Delta_i sqrt(T / (2 rho_i)).
    - "analytic": sigma_i = Delta_i sqrt(T) m(epsilon_i), m the exact Gaussian multiplier (T equal
      uploads are one upload sqrt(T) times as strong): the least noise of the three.
    - "classic": sigma_i = Delta_i sqrt(T) sqrt(2 ln(1.25 / delta)) / epsilon_i, below 1 only.

    Parameters
    ----------
    clip
        Bound of the uploaded mean in L2, > 0, in units of the parameters.
    delta
        Failure probability, strictly between 0 and 1.
    rounds
        T, a whole number of at least 1.
    method
        One of the three above.

    Raises
    ------
    InvalidInput
        If a number is out of its range or the method is unknown.

    Notes
    -----
    Source: version marketplace [D], noise of the owners; zCDP: Bun and Steinke 2016,
    Proposition 1.3; composition of Gaussians: Dong, Roth and Su 2022, Corollary 3.3.
    """

    clip: float = 1.0
    delta: float = 1e-5
    rounds: int = 1
    method: Method = "zcdp"

    def __post_init__(self) -> None:
        as_number("clip", self.clip, positive=True)
        check_delta(self.delta)
        whole_number("rounds", self.rounds, 1)
        if self.method not in get_args(Method):
            raise InvalidInput(
                f"method must be one of {', '.join(map(repr, get_args(Method)))}, "
                f"got {self.method!r}"
            )

    def sensitivity(self, data_size: ArrayLike) -> Array:
        """Return Delta_i = 2 clip / n_i, same shape as `data_size`."""
        return np.asarray(2.0 * self.clip / as_floats("data_size", data_size, positive=True))

    def multiplier(self, epsilon: ArrayLike) -> Array:
        """Return sigma_i / Delta_i, same shape as `epsilon`: infinite at 0, 0 at infinity.

        Raises
        ------
        InvalidInput
            If an epsilon is negative or NaN, or 1 or more under "classic".
        """
        loss = as_floats("epsilon", epsilon, minimum=0.0, finite=False)
        growth = np.sqrt(self.rounds)
        if self.method != "zcdp":
            return np.asarray(growth * gaussian_noise_multiplier(loss, self.delta, self.method))
        with np.errstate(divide="ignore"):
            return np.asarray(growth / np.sqrt(2.0 * zcdp_budget(loss, self.delta)))

    def scale(self, epsilon: ArrayLike, data_size: ArrayLike) -> PerOwner:
        """Return sigma_i of one upload, shape `(*profiles, owners)`; infinite where epsilon is 0.

        Raises
        ------
        InvalidInput
            As for `multiplier`; if a size is not positive or the shapes do not fit.
        """
        multiplier, reach = broadcast_owners(
            epsilon=self.multiplier(epsilon), data_size=self.sensitivity(data_size)
        )
        return np.asarray(multiplier * reach)

    def spent(self, scale: ArrayLike, data_size: ArrayLike) -> PerOwner:
        """Return the exact epsilon at delta of T uploads with noise `scale`."""
        sigma = as_floats("scale", scale, minimum=0.0, finite=False)
        reach = self.sensitivity(data_size)
        sigma, reach = broadcast_owners(scale=sigma, data_size=reach)
        with np.errstate(divide="ignore"):
            return gaussian_epsilon(np.sqrt(self.rounds) * reach / sigma, self.delta)

    def labels(self, samples: float) -> VersionLabels:
        """Return the labels of a model of so many samples, under the same clip and delta."""
        return VersionLabels(samples, self.clip, self.delta)

    def global_label(
        self, epsilon: ArrayLike, data_size: ArrayLike, samples: float | None = None
    ) -> Float[NDArray[np.float64], "*profiles"]:
        """Return the label eps_g of the aggregate, shape `(*profiles,)`; 0 if nobody takes part.

        Under "classic" with one round and everybody taking part it is
        (sum epsilon_i^-2)^(-1/2), whatever the sizes.

        Parameters
        ----------
        epsilon
            What the owners chose, shape `(*profiles, owners)`; 0 for whoever stays out.
        data_size
            n_i > 0, shape `(owners,)` or `(*profiles, owners)`.
        samples
            n of the labels; all owners' samples, those who stay out included, if omitted.
        """
        sigma = global_noise(self.scale(epsilon, data_size), data_size)
        every = as_floats("data_size", data_size).sum(axis=-1)
        number = every if samples is None else as_number("samples", samples, positive=True)
        unit = VersionLabels(1.0, self.clip, self.delta).unit_noise
        with np.errstate(divide="ignore"):
            return np.asarray(unit / (number * sigma))


def zcdp_budget(epsilon: ArrayLike, delta: float) -> Array:
    """Return rho = (sqrt(epsilon + L) - sqrt(L))^2, L = ln(1 / delta).

    A release with this zero-concentrated budget is (epsilon, delta)-private.

    Parameters
    ----------
    epsilon
        Privacy loss, >= 0, any shape.
    delta
        Failure probability, strictly between 0 and 1.

    Notes
    -----
    Source: Bun and Steinke 2016, Proposition 1.3, solved for rho.
    """
    loss = as_floats("epsilon", epsilon, minimum=0.0, finite=False)
    logarithm = -np.log(check_delta(delta))
    with np.errstate(invalid="ignore"):  # a quotient: no difference of two nearly equal roots
        root = loss / (np.sqrt(loss + logarithm) + np.sqrt(logarithm))
    return np.asarray(np.where(np.isinf(loss), np.inf, root**2))
