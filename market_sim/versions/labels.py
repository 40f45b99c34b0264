"""Labels of model versions: names of noise levels, with what they guarantee and what adds up."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.privacy import check_delta, gaussian_epsilon
from market_sim.shapes import Array, as_floats, as_number, broadcast_owners, whole_number


@dataclass(frozen=True)
class VersionLabels:
    r"""Label epsilon names the noise sd = kappa D / (n epsilon) on a model's parameters.

    kappa = sqrt(2 ln(1.25 / delta)), D = 2 clip: replacing one of n samples moves the average of
    clipped uploads by at most D / n.

    Parameters
    ----------
    samples
        n > 0, samples of all owners together.
    clip
        Bound of an owner's mean upload in L2, > 0.
    delta
        Failure probability, strictly between 0 and 1.

    Raises
    ------
    InvalidInput
        If a number is out of its range.

    Notes
    -----
    Source: version marketplace [D], label and sale noise.
    """

    samples: float
    clip: float = 1.0
    delta: float = 1e-5

    def __post_init__(self) -> None:
        for name in ("samples", "clip"):
            as_number(name, getattr(self, name), positive=True)
        check_delta(self.delta)

    @property
    def unit_noise(self) -> float:
        """Noise of label 1: kappa D / n, in units of the parameters."""
        return classic_factor(self.delta) * 2.0 * self.clip / self.samples

    def noise(self, label: ArrayLike) -> Array:
        """Return the standard deviation that a label names, same shape; label 0 is infinite."""
        value = as_floats("label", label, minimum=0.0, finite=False)
        with np.errstate(divide="ignore"):
            return np.asarray(self.unit_noise / value)

    def label(self, noise: ArrayLike) -> Array:
        """Return the label of a standard deviation, same shape; infinite noise has label 0."""
        value = as_floats("noise", noise, minimum=0.0, finite=False)
        with np.errstate(divide="ignore"):
            return np.asarray(self.unit_noise / value)

    def guarantee(
        self,
        label: ArrayLike,
        *,
        global_label: float = 0.0,
        rounds: int = 1,
        samples: float | None = None,
    ) -> Array:
        """Return the epsilon at delta of a model with the noise of a label, same shape.

        It hides one sample of any owner from whoever sees the model. In one round with everybody
        taking part the label itself is an upper bound of it below 1; above 1 it is a name only. Of
        T rounds the first T - 1 have the noise of the global label, so that
        mu^2 = (n / n_S)^2 ((T - 1) global_label^2 + label^2) / kappa^2 (the last round's noise and
        the version's own add up; all other rounds are given away as they are).

        Parameters
        ----------
        label
            Labels of versions.
        global_label
            eps_g of each round's aggregate; matters from two rounds on.
        rounds
            T, a whole number of at least 1.
        samples
            n_S > 0, samples of the owners who take part; n if omitted.

        Notes
        -----
        [D] of the version marketplace; composition of Gaussians: Dong, Roth and Su 2022.
        """
        value = as_floats("label", label, minimum=0.0, finite=False)
        reached = float(as_floats("global_label", global_label, minimum=0.0, finite=False))
        earlier = whole_number("rounds", rounds, 1) - 1
        share = (
            1.0 if samples is None else as_number("samples", samples, positive=True) / self.samples
        )
        squared = value**2 + (earlier * reached**2 if earlier else 0.0)
        mu = np.sqrt(squared) / (share * classic_factor(self.delta))
        return gaussian_epsilon(mu, self.delta)


def global_noise(
    owner_noise: ArrayLike, data_size: ArrayLike
) -> Float[NDArray[np.float64], "*profiles"]:
    r"""Noise of the aggregate: sigma_g^2 = sum (n_i / n_S)^2 sigma_i^2 over who takes part.

    Parameters
    ----------
    owner_noise
        sigma_i of each owner, shape `(*profiles, owners)`; infinite for whoever stays out.
    data_size
        n_i > 0, shape `(*profiles, owners)`; n_S is the sum over who takes part.

    Returns
    -------
    Array
        sigma_g, shape `(*profiles,)`, in units of the parameters; infinite if nobody takes part.

    Raises
    ------
    InvalidInput
        If a noise is negative, a size is not positive, or the shapes do not fit.

    Notes
    -----
    Source: version marketplace [D], averaging with weights n_i / n.
    """
    noise = as_floats("owner_noise", owner_noise, minimum=0.0, finite=False)
    sizes = as_floats("data_size", data_size, positive=True)
    noise, sizes = broadcast_owners(owner_noise=noise, data_size=sizes)
    inside = np.isfinite(noise)
    kept = np.where(inside, sizes, 0.0)
    samples = kept.sum(axis=-1)
    spread = np.sqrt(((kept * np.where(inside, noise, 0.0)) ** 2).sum(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(samples > 0, spread / samples, np.inf))


def classic_factor(delta: float) -> float:
    """Return kappa = sqrt(2 ln(1.25 / delta))."""
    return float(np.sqrt(2.0 * np.log(1.25 / check_delta(delta))))
