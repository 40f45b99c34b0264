"""One vocabulary of array axes and the checks that stand at the door of every public function.

Axes, in this order: `*profiles` (any number of leading axes, each entry one independent market),
then `owners`. Functions accept anything NumPy converts to float64 and return float64.
"""

from numbers import Integral

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput

Array = NDArray[np.float64]
PerOwner = Float[NDArray[np.float64], "*profiles owners"]
PerProfile = Float[NDArray[np.float64], "*profiles"]
OwnerMask = Bool[NDArray[np.bool_], "*profiles owners"]


def as_floats(
    name: str,
    value: ArrayLike,
    *,
    minimum: float | None = None,
    positive: bool = False,
    finite: bool = True,
) -> Array:
    """Return `value` as a float64 array, every entry checked.

    Parameters
    ----------
    name
        What the value is called in the error message.
    value
        A number or an array of any shape.
    minimum
        Smallest value allowed, if there is one.
    positive
        Refuse zero and below.
    finite
        Refuse infinities; NaN is always refused.

    Raises
    ------
    InvalidInput
        Naming the first offending entry and its index.
    """
    array = _numbers(name, value)
    _refuse(name, array, np.isnan(array), "must not be NaN")
    if finite:
        _refuse(name, array, np.isinf(array), "must be finite")
    if positive:
        _refuse(name, array, array <= 0, "must be greater than 0")
    if minimum is not None:
        _refuse(name, array, array < minimum, f"must be at least {minimum:g}")
    return array


def as_number(
    name: str,
    value: ArrayLike,
    *,
    minimum: float | None = None,
    positive: bool = False,
    finite: bool = True,
) -> float:
    """Return one checked number; the rules are those of `as_floats`.

    Raises
    ------
    InvalidInput
        If it is no number, more than one, or breaks a rule.
    """
    array = as_floats(name, value, minimum=minimum, positive=positive, finite=finite)
    if array.ndim:
        raise InvalidInput(f"{name} must be one number, got shape {array.shape}")
    return float(array)


def as_flag(name: str, value: object) -> bool:
    """Return `value` as a bool.

    Raises
    ------
    InvalidInput
        If it is neither True nor False.
    """
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{name} must be True or False, got {value!r}")
    return bool(value)


def _numbers(name: str, value: ArrayLike) -> Array:
    """Return float64, refusing text, complex numbers and lists of unequal length."""
    try:
        raw = np.asarray(value)
        if raw.dtype.kind in "biufO":
            return np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    given = " ".join(repr(value).split())
    raise InvalidInput(f"{name} must be real numbers of one shape, got {given:.80}")


def _refuse(name: str, array: Array, bad: NDArray[np.bool_], rule: str) -> None:
    """Raise with the first entry where `bad` is true."""
    if not bad.any():
        return
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    where = f" at index {index if len(index) > 1 else index[0]}" if index else ""
    raise InvalidInput(f"{name} {rule}, got {array[index]:g}{where}")


def whole_number(name: str, value: object, minimum: int) -> int:
    """Return `value` as an int.

    Raises
    ------
    InvalidInput
        If it is not a whole number of at least `minimum`.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < minimum:
        raise InvalidInput(f"{name} must be a whole number of at least {minimum}, got {value!r}")
    return int(value)


def require_owners(name: str, array: Array) -> None:
    """Refuse an array without an `owners` axis or with no owner on it.

    Raises
    ------
    InvalidInput
        If the last axis is missing or empty.
    """
    if array.ndim == 0:
        raise InvalidInput(f"{name} needs a last axis of owners, got the single number {array:g}")
    if array.shape[-1] == 0:
        raise InvalidInput(f"{name} is empty: a population needs at least one owner")


def broadcast_owners(**arrays: Array) -> tuple[Array, ...]:
    """Broadcast arrays over their leading axes; the `owners` axis must agree exactly.

    Raises
    ------
    InvalidInput
        Naming all the shapes, if they do not fit together.
    """
    for name, array in arrays.items():
        require_owners(name, array)
    shapes = {name: array.shape for name, array in arrays.items()}
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    if len({shape[-1] for shape in shapes.values()}) > 1:
        raise InvalidInput(f"the number of owners (last axis) differs: {listed}")
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError as error:
        raise InvalidInput(f"the leading axes do not broadcast: {listed}") from error


def require_fit(name: str, array: Array, shape: tuple[int, ...]) -> None:
    """Refuse an array that does not broadcast with `shape`, `(*profiles, owners)`.

    Raises
    ------
    InvalidInput
        Naming both shapes.
    """
    try:
        np.broadcast_shapes(array.shape, shape)
    except ValueError as error:
        raise InvalidInput(
            f"{name} has shape {array.shape}, which does not fit the owners' shape {shape}"
        ) from error


def as_budget(budget: ArrayLike, profiles: tuple[int, ...]) -> Array:
    """Return the buyer's money as one number a profile, shape `profiles`.

    Raises
    ------
    InvalidInput
        If the budget is zero, negative, not finite or does not broadcast to `profiles`.
    """
    array = as_floats("budget", budget, positive=True)
    try:
        return np.array(np.broadcast_to(array, profiles))
    except ValueError as error:
        raise InvalidInput(
            f"budget has shape {array.shape} but the reports have profiles {profiles}: "
            "give one number, or one a profile"
        ) from error


def frozen(array: Array) -> Array:
    """Return a read-only view, so that nobody downstream can change an input in place."""
    view = array.view()
    view.flags.writeable = False
    return view
