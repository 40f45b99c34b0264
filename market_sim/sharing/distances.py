"""How far participants' models are from each other, as seen from the model they began with."""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array

DistanceKind = Literal["cosine", "squared"]


def model_distances(
    parameters: ArrayLike, initial: ArrayLike | None = None, *, kind: DistanceKind = "cosine"
) -> Float[NDArray[np.float64], "participants participants"]:
    """Return d_ij = 1 - cos(theta_i - theta0, theta_j - theta0), or ||theta_i - theta_j||^2.

    Parameters
    ----------
    parameters
        theta_i as rows, shape `(participants, dimension)`. A row that is not finite gets distances
        NaN to all others: a market refuses these edges and goes on.
    initial
        theta0, shape `(dimension,)`; zeros if None.
    kind
        "cosine", from 0 to 2, or "squared", which does not depend on theta0. A model that is still
        theta0 has no direction; its cosine with any other counts as 0, its distance as 1.

    Returns
    -------
    ndarray
        Shape `(participants, participants)`, symmetric, 0 on the diagonal.

    Raises
    ------
    InvalidInput
        If the shapes do not fit, theta0 is not finite, or the kind is unknown.

    Notes
    -----
    Source: iPFL [S], distance; squared l2 as the published option.
    """
    models, start = _rows(parameters, initial)
    if kind not in get_args(DistanceKind):
        raise InvalidInput(f"kind must be 'cosine' or 'squared', got {kind!r}")
    usable = np.isfinite(models).all(axis=1)
    kept = models[usable]
    found = np.full((len(models), len(models)), np.nan)
    found[np.ix_(usable, usable)] = _cosine(kept, start) if kind == "cosine" else _squared(kept)
    np.fill_diagonal(found, 0.0)
    return found


def _rows(parameters: ArrayLike, initial: ArrayLike | None) -> tuple[Array, Array]:
    """Return models and start as float64 of fitting shapes; models may hold what is not finite."""
    try:
        models = np.asarray(parameters, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "parameters must be one row of numbers a participant, all of one length: "
            "participants can only share models of the same shape"
        ) from error
    if models.ndim != 2 or not models.size:
        raise InvalidInput(
            f"parameters must have the shape (participants, dimension), got {models.shape}"
        )
    start = np.zeros(models.shape[1]) if initial is None else np.asarray(initial, dtype=np.float64)
    if start.shape != models.shape[1:] or not np.isfinite(start).all():
        raise InvalidInput(
            f"initial must be {models.shape[1]} finite numbers, one a parameter, got the shape "
            f"{start.shape}" + ("" if np.isfinite(start).all() else " with values not finite")
        )
    return models, start


def _cosine(models: Array, start: Array) -> Array:
    """Return 1 - cosine of the updates; each is scaled first, so that no square overflows."""
    update = models / 2.0 - start / 2.0
    largest = np.abs(update).max(axis=1, keepdims=True, initial=0.0)
    update = update / np.where(largest > 0, largest, 1.0)
    norm = np.linalg.norm(update, axis=1, keepdims=True)
    unit = update / np.where(norm > 0, norm, 1.0)
    return np.asarray(np.clip(1.0 - unit @ unit.T, 0.0, 2.0))


def _squared(models: Array) -> Array:
    """Return squared Euclidean distances, row by row: no cancellation between large norms."""
    with np.errstate(over="ignore"):
        return np.stack([((models - row) ** 2).sum(axis=1) for row in models])
