"""How far apart personal models are, and where a participant's graph pulls her model."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats, as_number

Models = Float[NDArray[np.float64], "participants dimension"]
Graph = Bool[NDArray[np.bool_], "participants participants"]


LONGEST = 1e9
"""Length of a model up to which outputs of four linear layers stay finite in float32."""


def usable(sent: ArrayLike) -> Bool[NDArray[np.bool_], "participants"]:
    """Tell which models can be trained and learnt from: finite ones of length 1e9 at most.

    Parameters
    ----------
    sent
        Models, shape `(participants, dimension)`.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.linalg.norm(np.asarray(sent, dtype=np.float64), axis=-1)
        return np.asarray(length <= LONGEST)  # false for NaN


def cosine_distances(
    own: ArrayLike, sent: ArrayLike, initial: ArrayLike
) -> Float[NDArray[np.float64], "participants participants"]:
    """d_ij = 1 - cos(theta_i - theta0, sent_j - theta0).

    Parameters
    ----------
    own
        What participants hold, shape `(participants, dimension)`.
    sent
        What they show to each other, of the same shape.
    initial
        theta0, the common initial model, shape `(dimension,)`.

    Returns
    -------
    ndarray
        Shape `(participants, participants)`, entry `[buyer, seller]` in [0, 2]: 0 on the diagonal,
        1 where a model has not moved, infinity where one of the two is not `usable`.

    Raises
    ------
    InvalidInput
        If the shapes do not fit together.

    Notes
    -----
    Source: iPFL [S], distance of models.
    """
    mine, theirs = _moves(own, initial), _moves(sent, initial)
    if mine.shape != theirs.shape:
        raise InvalidInput(f"own and sent must have one shape, got {mine.shape}, {theirs.shape}")
    distance = np.clip(1.0 - mine.directions @ theirs.directions.T, 0.0, 2.0)
    np.fill_diagonal(distance, 0.0)
    broken = ~mine.known[:, None] | ~theirs.known[None, :]
    distance[broken & ~np.eye(len(distance), dtype=bool)] = np.inf
    return distance


def proximal_targets(
    own: ArrayLike,
    sent: ArrayLike,
    initial: ArrayLike,
    imports: ArrayLike,
    data_size: ArrayLike,
    *,
    step: float = 5.0,
) -> Models:
    """prox_i = theta_i + step sum_{j in S_i} (N_j / N_i) grad cos(theta_i - theta0, s_j - theta0).

    Parameters
    ----------
    own
        theta, what participants hold, shape `(participants, dimension)`.
    sent
        s, what sellers show, of the same shape; one that is not `usable` is never mixed in.
    initial
        theta0, shape `(dimension,)`.
    imports
        Whether i imports j, shape `(participants, participants)`, `[buyer, seller]`.
    data_size
        N, samples a participant, > 0, shape `(participants,)`.
    step
        eta, > 0.

    Raises
    ------
    InvalidInput
        If the shapes do not fit together, or a size or the step is not positive.

    Notes
    -----
    Source: iPFL [S], model step.
    """
    eta = as_number("step", step, positive=True)
    return np.asarray(own, dtype=np.float64) - eta * sharing_gradient(
        own, sent, initial, imports, data_size
    )


def sharing_gradient(
    own: ArrayLike, sent: ArrayLike, initial: ArrayLike, imports: ArrayLike, data_size: ArrayLike
) -> Models:
    """Gradient of sum_{j in S_i} (N_j / N_i) d_ij in theta_i, the models of the others held fixed.

    With u = theta_i - theta0 and v = sent_j - theta0, grad d = (cos u / |u| - v / |v|) / |u|: it
    turns u towards v and does not change its length to first order.

    Parameters
    ----------
    own, sent, initial, imports, data_size
        As for `proximal_targets`.

    Returns
    -------
    ndarray
        Shape `(participants, dimension)`; 0 for whoever imports nothing usable.

    Raises
    ------
    InvalidInput
        If the shapes do not fit together, or a size is not positive.
    """
    mine, theirs = _moves(own, initial), _moves(sent, initial)
    sizes = as_floats("data_size", data_size, positive=True)
    chosen = np.asarray(imports, dtype=bool)
    if chosen.shape != 2 * mine.shape[:1] or mine.shape != theirs.shape:
        raise InvalidInput(
            f"imports {chosen.shape} must be participants x participants for models "
            f"{mine.shape} and {theirs.shape}"
        )
    if sizes.shape != mine.shape[:1]:
        raise InvalidInput(
            f"data_size must be one number for each of {len(chosen)} participants, got shape "
            f"{sizes.shape}"
        )
    weights = chosen * (sizes[None, :] / sizes[:, None])
    np.fill_diagonal(weights, 0.0)
    # A model that is not usable has no direction, so it neither pulls nor is pulled.
    cosines = mine.directions @ theirs.directions.T
    towards = weights @ theirs.directions
    along = (weights * cosines).sum(axis=1, keepdims=True) * mine.directions
    length = np.where(mine.length > 0, mine.length, np.inf)[:, None]
    return np.asarray((along - towards) / length)


def participants_mask(
    active: ArrayLike | None, participants: int
) -> Bool[NDArray[np.bool_], "participants"]:
    """Return who takes part, an array of its own; everyone for None.

    Raises
    ------
    InvalidInput
        If it is not true or false for each participant.
    """
    if active is None:
        return np.ones(participants, dtype=bool)
    mask = np.array(active)
    if mask.dtype != np.bool_ or mask.shape != (participants,):
        raise InvalidInput(
            f"active must be true or false for each of the {participants} participants, got "
            f"shape {mask.shape} of {mask.dtype}"
        )
    return mask


@dataclass(frozen=True, eq=False)
class _Moves:
    """Unit vectors of what models have moved; zero for one that has not, or is not usable."""

    directions: Models
    length: Array
    known: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.directions.shape


def _moves(models: ArrayLike, initial: ArrayLike) -> _Moves:
    values, origin = np.asarray(models, dtype=np.float64), as_floats("initial", initial)
    if values.ndim != 2 or origin.shape != values.shape[1:]:
        raise InvalidInput(
            f"models must be (participants, dimension) with as long an initial model, got "
            f"{values.shape} and {origin.shape}"
        )
    known = usable(values)
    delta = np.where(known[:, None], values - origin, 0.0)
    length = np.linalg.norm(delta, axis=1)
    return _Moves(delta / np.where(length > 0, length, 1.0)[:, None], length, known)
