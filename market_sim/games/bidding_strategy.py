"""Bidding strategies: what an owner of each type reports."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats, frozen

Knots = Float[NDArray[np.float64], " knots"]
Table = Float[NDArray[np.float64], "values caps"]


class Bidding(Protocol):
    """Anything that maps true (value, cap) to reported (bid, cap), array by array."""

    def __call__(self, value: Array, cap: Array, /) -> tuple[Array, Array]:
        """Return bid >= 0 and offered cap in (0, cap], shaped as the arguments."""
        ...


def truthful(value: Array, cap: Array) -> tuple[Array, Array]:
    """Return the truth."""
    return value, cap


@dataclass(frozen=True, eq=False, init=False)
class BidStrategy:
    """b(v, c) = v + markup(v, c) and c'(v, c) = share(v, c) c, linear between knots.

    Beyond the knots the markup and the share of the nearest knot are taken; bids are at least 0.

    Parameters
    ----------
    values, caps
        Ascending knots, shapes `(values,)` and `(caps,)`; with one cap the cap does not matter.
    markup, share
        Money per unit of epsilon, and part of the cap in (0, 1], shape `(values, caps)`.

    Raises
    ------
    InvalidInput
        If the knots do not ascend, shapes do not fit or a share is outside (0, 1].
    """

    values: Knots
    caps: Knots
    markup: Table
    share: Table

    def __init__(
        self, values: ArrayLike, caps: ArrayLike, markup: ArrayLike, share: ArrayLike = 1.0
    ) -> None:
        axes = {"values": as_floats("values", values), "caps": as_floats("caps", caps)}
        for name, knots in axes.items():
            if knots.ndim != 1 or not knots.size or (np.diff(knots) <= 0).any():
                raise InvalidInput(f"{name} must be one list of ascending knots, got {knots}")
            object.__setattr__(self, name, frozen(knots))
        shape = (axes["values"].size, axes["caps"].size)
        for name, given in (("markup", markup), ("share", share)):
            table = as_floats(name, given)
            if table.ndim and table.shape != shape:
                raise InvalidInput(f"{name} must have shape {shape}, got {table.shape}")
            object.__setattr__(self, name, frozen(np.array(np.broadcast_to(table, shape))))
        if (self.share <= 0).any() or (self.share > 1).any():
            raise InvalidInput(f"share must lie in (0, 1], got {self.share.min():g} at the least")

    def __call__(self, value: ArrayLike, cap: ArrayLike) -> tuple[Array, Array]:
        """Return (bid, offered cap) of types whose arrays broadcast."""
        value, cap = np.broadcast_arrays(as_floats("value", value), as_floats("cap", cap))
        row, right = _between(self.values, value)
        column, up = _between(self.caps, cap)
        tables = (_bilinear(table, row, right, column, up) for table in (self.markup, self.share))
        markup, share = tables
        return np.maximum(value + markup, 0.0), np.clip(share, 0.0, 1.0) * cap


def _between(knots: Array, at: Array) -> tuple[NDArray[np.intp], Array]:
    """Return the knot to the left and how far on the way to the next one, in [0, 1]."""
    if knots.size == 1:
        return np.zeros(at.shape, dtype=np.intp), np.zeros(at.shape)
    left = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, knots.size - 2)
    way = (at - knots[left]) / (knots[left + 1] - knots[left])
    return left, np.clip(way, 0.0, 1.0)


def _bilinear(
    table: Array,
    row: NDArray[np.intp],
    right: Array,
    column: NDArray[np.intp],
    up: Array,
) -> Array:
    """Return the table between its entries."""
    below = np.minimum(row + 1, table.shape[0] - 1)
    beside = np.minimum(column + 1, table.shape[1] - 1)
    first = (1 - right) * table[row, column] + right * table[below, column]
    second = (1 - right) * table[row, beside] + right * table[below, beside]
    return np.asarray((1 - up) * first + up * second)
