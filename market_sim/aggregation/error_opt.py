"""ErrorOpt: the weights with the least error bound, exact and batched, without a QP solver."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_sim.aggregation.base import Aggregator, check_dimension, normalized
from market_sim.shapes import Array, as_floats

Below = Callable[[NDArray[np.intp]], NDArray[np.bool_]]


@dataclass(frozen=True)
class ErrorOpt(Aggregator):
    r"""argmin over the simplex of d sum 8 L^2 lambda_i^2 / eps_i^2 + L^2 (sum |lambda_i - w_i|)^2.

    Parameters
    ----------
    clip
        L, the L1 bound of each owner's gradient. It scales the error but cancels from the weights.
    dim
        d, the number of model parameters.

    Raises
    ------
    InvalidInput
        If `clip` is not positive and finite or `dim` is not a whole number of at least 1.

    Notes
    -----
    With c_i = 8 d / eps_i^2 the optimum is lambda_i = clip(w_i, p / c_i, q / c_i) for two levels
    p <= q with q - p = 2 b and b = sum |lambda_i - w_i|. As the weights sum to 1, half of b lies
    above the shares and half below:

        b / 2 = sum_i (p / c_i - w_i)_+ = sum_i (w_i - q / c_i)_+ ,

    the second sum over all owners, losers included. The first sum rises with p, the second falls
    with q = p + 2 b(p): one root. Both are piecewise linear with breakpoints w_i c_i, so the pieces
    are found by binary search and the levels in closed form.

    Source: FL-Market [S], `OptAggr`; [D] exact solution.
    """

    clip: float = 1.0
    dim: int = 1

    def __post_init__(self) -> None:
        as_floats("clip", self.clip, positive=True)
        check_dimension(self.dim)

    @property
    def name(self) -> str:
        """`error-opt`."""
        return "error-opt"

    def _weights(self, epsilon: Array, share: Array) -> Array:
        result = np.zeros_like(epsilon)
        rows = (epsilon > 0).any(axis=1)
        if rows.any():
            result[rows] = _least_error(epsilon[rows], share[rows], self.dim)
        return result


@dataclass(frozen=True)
class _Pieces:
    """Sorted breakpoints t and prefix sums, `(rows, owners + 1)` with the empty prefix first."""

    breakpoints: Array  # (rows, owners): w_i c_i, ascending; infinite for losers
    precision: Array  # sum of 1 / c_i over the first k owners
    share: Array  # sum of w_i over the first k owners

    def at(self, table: Array, index: NDArray[np.intp]) -> Array:
        return np.asarray(np.take_along_axis(table, index[:, None], axis=1)[:, 0])


def _least_error(epsilon: Array, share: Array, dim: int) -> Array:
    """Return optimal weights of rows that have a winner."""
    # In units of 8 d / (largest eps)^2, so that nothing over- or underflows.
    top = epsilon.max(axis=1, keepdims=True)
    precision = np.square(epsilon / top)
    coupling = np.square(top[:, 0]) / (8.0 * dim)  # 1 / unit: scales the bias term
    with np.errstate(divide="ignore"):
        breakpoint_ = np.where(precision > 0, share / precision, np.inf)
    pieces = _pieces(breakpoint_, precision, share)
    low = _search_low(pieces, coupling)
    high = _search_high(pieces, coupling, low)
    lower, upper = _levels(pieces, coupling, low, high)
    weights = np.clip(share, lower[:, None] * precision, upper[:, None] * precision)
    return normalized(np.where(precision > 0, weights, 0.0))


def _pieces(breakpoint_: Array, precision: Array, share: Array) -> _Pieces:
    order = np.argsort(breakpoint_, axis=1)
    zero = np.zeros((len(order), 1))
    prefix = [
        np.concatenate([zero, np.cumsum(np.take_along_axis(a, order, axis=1), axis=1)], axis=1)
        for a in (precision, share)
    ]
    return _Pieces(np.take_along_axis(breakpoint_, order, axis=1), prefix[0], prefix[1])


def _excess_above(pieces: _Pieces, level: Array, index: NDArray[np.intp]) -> Array:
    """Return sum (p / c_i - w_i)_+ when p lies on piece `index`."""
    return level * pieces.at(pieces.precision, index) - pieces.at(pieces.share, index)


def _shortfall_below(pieces: _Pieces, level: Array, index: NDArray[np.intp]) -> Array:
    """Return sum (w_i - q / c_i)_+ over all owners when q lies on piece `index`."""
    missing_share = pieces.share[:, -1] - pieces.at(pieces.share, index)
    precision = pieces.precision[:, -1] - pieces.at(pieces.precision, index)
    return missing_share - level * precision


def _search_low(pieces: _Pieces, coupling: Array) -> NDArray[np.intp]:
    """Return the piece of p: how many breakpoints lie below it."""

    def below(index: NDArray[np.intp]) -> NDArray[np.bool_]:
        level = pieces.at(pieces.breakpoints, index)
        finite = np.isfinite(level)
        level = np.where(finite, level, 0.0)
        excess = _excess_above(pieces, level, index)
        upper = level + 4.0 * coupling * excess
        place = (pieces.breakpoints <= upper[:, None]).sum(axis=1)
        return finite & (excess <= _shortfall_below(pieces, upper, place))

    return _bisect(below, len(coupling), pieces.breakpoints.shape[1])


def _search_high(
    pieces: _Pieces, coupling: Array, low: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the piece of q, given the piece of p."""
    slope = pieces.at(pieces.precision, low)
    offset = pieces.at(pieces.share, low)

    def below(index: NDArray[np.intp]) -> NDArray[np.bool_]:
        upper = pieces.at(pieces.breakpoints, index)
        finite = np.isfinite(upper)
        upper = np.where(finite, upper, 0.0)
        lower = (upper + 4.0 * coupling * offset) / (1.0 + 4.0 * coupling * slope)
        return finite & (lower * slope - offset <= _shortfall_below(pieces, upper, index))

    return _bisect(below, len(coupling), pieces.breakpoints.shape[1])


def _levels(
    pieces: _Pieces, coupling: Array, low: NDArray[np.intp], high: NDArray[np.intp]
) -> tuple[Array, Array]:
    """Solve the two linear equations on the pieces found."""
    slope, offset = pieces.at(pieces.precision, low), pieces.at(pieces.share, low)
    share = pieces.share[:, -1] - pieces.at(pieces.share, high)
    precision = pieces.precision[:, -1] - pieces.at(pieces.precision, high)
    stiffness = 1.0 + 4.0 * coupling * slope
    lower = (offset + share + 4.0 * coupling * offset * precision) / (slope + stiffness * precision)
    return lower, lower * stiffness - 4.0 * coupling * offset


def _bisect(below: Below, rows: int, owners: int) -> NDArray[np.intp]:
    """Return per row the number of leading indices in `range(owners)` where `below` holds."""
    start = np.zeros(rows, dtype=np.intp)
    stop = np.full(rows, owners, dtype=np.intp)
    while (start < stop).any():
        middle = np.minimum((start + stop) // 2, owners - 1)
        holds = below(middle) & (start < stop)
        stop = np.where(holds, stop, np.minimum(middle, stop))
        start = np.where(holds, middle + 1, start)
    return start
