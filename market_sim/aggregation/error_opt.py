"""ErrorOpt: the weights with the least error bound, exact and batched, without a QP solver."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_sim.aggregation.base import Aggregator, normalized
from market_sim.shapes import Array, as_floats, whole_number

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
        whole_number("dim", self.dim, 1)

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
    """Both sums at every breakpoint, `(rows, owners)` in ascending order of breakpoints.

    Each sum is built up from non-negative steps: no digit is lost, however far apart the sales.
    """

    breakpoints: Array  # t_k = w_i c_i; the largest one again for those without a part in it
    rise: Array  # sum of 1 / c over the owners up to k: slope of the first sum after t_k
    excess: Array  # sum (t_k / c - w)_+
    fall: Array  # sum of 1 / c over the owners from k on: minus the slope of the second before t_k
    shortfall: Array  # sum (w - t_k / c)_+ over all owners
    lost: Array  # (rows,): the share of the losers

    def at(self, table: Array, index: NDArray[np.intp]) -> Array:
        """Return one entry a row."""
        return np.asarray(table[np.arange(len(index)), index])

    def line_below(self, index: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Return breakpoint, value and slope of the second sum on the piece ending at `index`."""
        inside = index < self.breakpoints.shape[1]
        place = np.where(inside, index, 0)
        values = np.where(inside, self.at(self.shortfall, place), self.lost)
        slopes = np.where(inside, self.at(self.fall, place), 0.0)
        return self.at(self.breakpoints, place), values, slopes


def _least_error(epsilon: Array, share: Array, dim: int) -> Array:
    """Return optimal weights of rows that have a winner."""
    # In units of 8 d / (largest eps)^2, so that nothing over- or underflows.
    top = epsilon.max(axis=1, keepdims=True)
    precision = np.square(epsilon / top)
    coupling = np.square(np.minimum(top[:, 0], 1e100)) / (8.0 * dim)  # 1 / unit, for the bias term
    pieces = _pieces(precision, share)
    low = _search_low(pieces, coupling) - 1
    high = _search_high(pieces, coupling, low)
    lower, upper = _levels(pieces, coupling, low, high)
    weights = np.clip(share, lower[:, None] * precision, upper[:, None] * precision)
    return normalized(np.where(precision > 0, weights, 0.0))


def _pieces(precision: Array, share: Array) -> _Pieces:
    """Sort the breakpoints and accumulate both sums over them."""
    with np.errstate(divide="ignore", over="ignore"):
        breakpoint_ = share / precision
    bought = np.isfinite(breakpoint_)
    lost = np.where(bought, 0.0, share).sum(axis=1)
    last = np.where(bought, breakpoint_, 0.0).max(axis=1, keepdims=True)
    breakpoint_ = np.where(bought, breakpoint_, last)
    order = np.argsort(breakpoint_, axis=1)
    ordered = np.take_along_axis(breakpoint_, order, axis=1)
    weight = np.take_along_axis(np.where(bought, precision, 0.0), order, axis=1)
    rise, fall = np.cumsum(weight, axis=1), _cumsum_back(weight)
    steps = np.diff(ordered, axis=1)
    excess, shortfall = np.zeros(ordered.shape), np.empty(ordered.shape)
    np.cumsum(rise[:, :-1] * steps, axis=1, out=excess[:, 1:])
    shortfall[:, -1] = 0.0
    shortfall[:, :-1] = _cumsum_back(fall[:, 1:] * steps)
    return _Pieces(ordered, rise, excess, fall, shortfall + lost[:, None], lost)


def _cumsum_back(array: Array) -> Array:
    """Return the sums of each row from every entry to the end."""
    return np.asarray(np.cumsum(array[:, ::-1], axis=1)[:, ::-1])


def _search_low(pieces: _Pieces, coupling: Array) -> NDArray[np.intp]:
    """Return how many breakpoints lie at or below p; the first one always does."""

    def below(index: NDArray[np.intp]) -> NDArray[np.bool_]:
        excess = pieces.at(pieces.excess, index)
        upper = pieces.at(pieces.breakpoints, index) + 4.0 * coupling * excess
        end, value, slope = pieces.line_below((pieces.breakpoints <= upper[:, None]).sum(axis=1))
        return np.asarray(excess <= value + slope * (end - upper))

    return _bisect(below, *pieces.breakpoints.shape)


def _search_high(pieces: _Pieces, coupling: Array, low: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return how many breakpoints lie at or below q, given the last one below p."""
    start, rise = pieces.at(pieces.breakpoints, low), pieces.at(pieces.rise, low)
    excess = pieces.at(pieces.excess, low)

    def below(index: NDArray[np.intp]) -> NDArray[np.bool_]:
        distance = pieces.at(pieces.breakpoints, index) - start - 4.0 * coupling * excess
        reached = excess + rise * (distance / (1.0 + 4.0 * coupling * rise))
        return np.asarray(reached <= pieces.at(pieces.shortfall, index))

    return _bisect(below, *pieces.breakpoints.shape)


def _levels(
    pieces: _Pieces, coupling: Array, low: NDArray[np.intp], high: NDArray[np.intp]
) -> tuple[Array, Array]:
    """Return p and q, the root of two linear equations on the pieces found.

    b / 2 = X + s (p - t) = Y + f (t' - q) and q = p + 2 b, solved for b / 2: every term is >= 0.
    """
    start, rise = pieces.at(pieces.breakpoints, low), pieces.at(pieces.rise, low)
    excess = pieces.at(pieces.excess, low)
    end, value, fall = pieces.line_below(high)
    half = (value + fall * (end - start) + fall / rise * excess) / (
        1.0 + fall / rise + 4.0 * coupling * fall
    )
    lower = start + (half - excess) / rise
    return lower, lower + 4.0 * coupling * half


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
