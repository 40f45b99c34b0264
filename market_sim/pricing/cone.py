"""The cone of prices that admit no arbitrage: prices rise, price per unit of precision falls."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import as_floats

PerVersion = Float[NDArray[np.float64], "versions"]
PerStep = Float[NDArray[np.float64], "steps"]


def check_labels(labels: ArrayLike) -> PerVersion:
    """Return the versions' privacy labels epsilon, shape `(versions,)`.

    Raises
    ------
    InvalidInput
        If they are not positive, not strictly increasing, or not one list of at least one.
    """
    array = as_floats("labels", labels, positive=True)
    if array.ndim != 1 or array.size == 0:
        raise InvalidInput(
            f"labels must be one list with a privacy label for each version, got shape "
            f"{array.shape}"
        )
    bad = np.flatnonzero(np.diff(array) <= 0)
    if bad.size:
        j = int(bad[0])
        raise InvalidInput(
            f"labels must increase from version to version, got {array[j + 1]:g} after "
            f"{array[j]:g} at index {j + 1}: sort the versions and merge equal ones"
        )
    return array


def check_exponent(exponent: object) -> int:
    """Return the exponent m of the labels.

    Raises
    ------
    InvalidInput
        If it is neither 1 (budgets add) nor 2 (precisions add).
    """
    if isinstance(exponent, bool) or exponent not in (1, 2):
        raise InvalidInput(
            f"exponent must be 2 (buyers average noises, precisions add) or 1 (budgets add), "
            f"got {exponent!r}"
        )
    return int(exponent)


def check_prices(name: str, prices: ArrayLike, versions: int) -> PerVersion:
    """Return one positive number a version, shape `(versions,)`.

    Raises
    ------
    InvalidInput
        If one is zero, negative or not finite, or there are not as many as versions.
    """
    array = as_floats(name, prices, positive=True)
    if array.shape != (versions,):
        raise InvalidInput(
            f"{name} must be one number for each of the {versions} versions, got shape "
            f"{array.shape}"
        )
    return array


def growth(labels: PerVersion, exponent: int) -> PerStep:
    """Return h_j = (eps_{j+1} / eps_j)^m - 1: by how much a price may grow at each step.

    Computed from differences of labels, which are exact where labels are nearly equal.

    Raises
    ------
    InvalidInput
        If neighboring labels are so far apart that h overflows.
    """
    with np.errstate(over="ignore"):
        step = np.diff(labels) / labels[:-1]
        grown = step if exponent == 1 else step * (2.0 + step)
    if not np.isfinite(grown).all():
        j = int(np.flatnonzero(~np.isfinite(grown))[0])
        raise InvalidInput(
            f"labels {labels[j]:g} and {labels[j + 1]:g} are too far apart for floating point: "
            "give labels in a common unit"
        )
    return np.asarray(grown)


def precision(labels: PerVersion, exponent: int) -> PerVersion:
    """Return (eps / largest eps)^m: what a version contributes when versions are combined."""
    return np.asarray((labels / labels[-1]) ** exponent)


def in_cone(labels: PerVersion, prices: PerVersion, exponent: int, tolerance: float = 0.0) -> bool:
    """Tell whether v_j <= v_{j+1} <= v_j (1 + h_j) at each step, up to a relative tolerance.

    By the lemma this suffices against arbitrage; it is not necessary.
    """
    ceiling = prices[:-1] * (1.0 + growth(labels, exponent))
    rising = prices[1:] >= prices[:-1] * (1.0 - tolerance)
    return bool((rising & (prices[1:] <= ceiling * (1.0 + tolerance))).all())
