"""Aggregator: how much each bought gradient counts in the model update."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.shapes import Array, as_floats, broadcast_owners, require_owners, whole_number


class Aggregator(ABC):
    """Weights lambda on the simplex, zero for who sold nothing.

    Where nobody sold there is no aggregate: the weights of that profile are all zero, and
    `error_bound` of them is infinite.

    Attributes
    ----------
    weighs_noise
        Whether epsilon stands for the noise that comes with a gradient. A market then hands over
        the epsilon of Laplace noise of the same variance, see `Perturbation.laplace_epsilon`;
        otherwise the epsilon that was sold.
    """

    weighs_noise: ClassVar[bool] = True

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name for tables and figures."""

    def weights(
        self, epsilon: ArrayLike, data_size: ArrayLike | None = None
    ) -> Float[NDArray[np.float64], "*profiles owners"]:
        """Return the weight of each owner's gradient.

        Parameters
        ----------
        epsilon
            Privacy loss sold, >= 0 and finite, shape `(*profiles, owners)`; 0 for who sold nothing.
        data_size
            Samples of every owner, winner or not, > 0; equal sizes if omitted.

        Returns
        -------
        Array of the broadcast shape: each profile sums to 1, or is all zero where nobody sold.

        Raises
        ------
        InvalidInput
            If a number is negative or not finite, a size zero, or the shapes do not fit.
        """
        sold, share = sales_and_shares(epsilon, data_size)
        owners = sold.shape[-1]
        rows = self._weights(sold.reshape(-1, owners), share.reshape(-1, owners))
        return rows.reshape(sold.shape)

    @abstractmethod
    def _weights(self, epsilon: Array, share: Array) -> Array:
        """Return weights of rows `(rows, owners)`; `share` is each owner's part of all samples."""


def sales_and_shares(epsilon: ArrayLike, data_size: ArrayLike | None) -> tuple[Array, Array]:
    """Return checked epsilon and the shares w_i = n_i / sum over all owners of n, broadcast."""
    sold = as_floats("epsilon", epsilon, minimum=0.0)
    require_owners("epsilon", sold)
    size = np.ones(sold.shape[-1]) if data_size is None else data_size
    sold, sizes = broadcast_owners(
        epsilon=sold, data_size=as_floats("data_size", size, positive=True)
    )
    return sold, sizes / sizes.sum(axis=-1, keepdims=True)


def normalized(raw: Array) -> Array:
    """Divide rows by their sums; rows of zeros stay zeros."""
    total = raw.sum(axis=-1, keepdims=True)
    return np.asarray(raw / np.where(total > 0, total, 1.0))


def error_bound(
    weights: ArrayLike,
    epsilon: ArrayLike,
    data_size: ArrayLike | None = None,
    clip: float = 1.0,
    dim: int = 1,
) -> Float[NDArray[np.float64], "*profiles"]:
    r"""Bound the mean square error of the delivered gradient.

    ERR(lambda) = d sum_i 8 L^2 lambda_i^2 / eps_i^2 + L^2 (sum_i |lambda_i - w_i|)^2, the variance
    of the Laplace noise plus the squared bias of weights other than the data shares w.

    Parameters
    ----------
    weights
        lambda, >= 0, shape `(*profiles, owners)`.
    epsilon
        Privacy loss sold, >= 0, same shape.
    data_size
        Samples of every owner, > 0; equal sizes if omitted.
    clip
        L, the L1 bound of each owner's gradient.
    dim
        d, the number of model parameters; 1 gives the published figures, which leave it out.

    Returns
    -------
    Shape `profiles`. Infinite where nobody sold, or where an owner who sold nothing has weight.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the shapes do not fit.

    Notes
    -----
    Source: FL-Market [S], error bound; [D] with the dimension d.
    """
    sold, share = sales_and_shares(epsilon, data_size)
    weight, sold = broadcast_owners(
        weights=as_floats("weights", weights, minimum=0.0), epsilon=sold
    )
    bound = float(as_floats("clip", clip, positive=True))
    dimension = whole_number("dim", dim, 1)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.divide(weight, sold, out=np.zeros(weight.shape), where=weight > 0)
        variance = 8.0 * bound**2 * dimension * np.square(ratio).sum(axis=-1)
    bias = bound * np.abs(weight - share).sum(axis=-1)
    return np.where((weight > 0).any(axis=-1), variance + np.square(bias), np.inf)
