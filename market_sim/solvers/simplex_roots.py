"""Common zeros of polynomials on a simplex, all of them, by subdivision with proof."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array

MAX_COEFFICIENTS = 1_500
_MAX_PIECES = 200_000
_SMALL = 2.0**-24
_ROUNDING = 16.0 * float(np.finfo(np.float64).eps)

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Zeros:
    """Zeros in the simplex.

    Attributes
    ----------
    points
        Barycentric coordinates, shape `(zeros, corners)`.
    simple
        Whether each is proven to be the only one in its piece; if not, the Jacobian is singular
        there within rounding.
    pieces
        How many simplices were looked at.
    """

    points: Array
    simple: Flags
    pieces: int


class Net:
    """Control nets of degree n on simplices: multi-indices, and what cutting does to them.

    Parameters
    ----------
    indices
        Multi-indices that add up to n, shape `(coefficients, corners)`.

    Raises
    ------
    InvalidInput
        If there are more than `MAX_COEFFICIENTS`.
    """

    def __init__(self, indices: Indices) -> None:
        if len(indices) > MAX_COEFFICIENTS:
            raise InvalidInput(
                f"mixed play of {int(indices[0].sum()) + 1} users over {indices.shape[1]} levels "
                f"has {len(indices)} counts, above {MAX_COEFFICIENTS} for the complete search: use "
                "replicator for single equilibria"
            )
        self.indices = indices
        self.degree = int(indices[0].sum())
        self.corners = indices.shape[1]
        self._place = {tuple(row): i for i, row in enumerate(indices.tolist())}
        self.corner = np.array(
            [self._place[tuple(row)] for row in (self.degree * np.eye(self.corners)).tolist()]
        )
        self._cuts: dict[tuple[int, int], Array] = {}

    def cut(self, kept: int, replaced: int) -> Array:
        """Return the matrix that moves corner `replaced` to the middle of its edge to `kept`."""
        key = (kept, replaced)
        if key not in self._cuts:
            self._cuts[key] = self._cut(kept, replaced)
        return self._cuts[key]

    @cached_property
    def steps(self) -> Indices:
        """Places of k + e_j for every k of degree n - 1, shape `(coefficients', corners)`."""
        lower = self.indices[self.indices[:, 0] > 0] - np.eye(self.corners, dtype=np.int64)[0]
        places = [
            [self._place[tuple(row)] for row in (lower + unit).tolist()]
            for unit in np.eye(self.corners, dtype=np.int64)
        ]
        return np.array(places).T

    def basis(self, at: Array) -> Array:
        """Return the Bernstein basis at one barycentric point, shape `(coefficients,)`."""
        with np.errstate(divide="ignore"):
            logs = np.where(self.indices > 0, self.indices * np.log(np.maximum(at, 0.0)), 0.0)
        return np.asarray(np.exp(self._log_ways + logs.sum(axis=1)))

    @cached_property
    def _log_ways(self) -> Array:
        logs = np.append(0.0, np.cumsum(np.log(np.arange(1, self.degree + 1))))
        return np.asarray(logs[self.degree] - logs[self.indices].sum(axis=1))

    def _cut(self, kept: int, replaced: int) -> Array:
        matrix = np.zeros((len(self.indices),) * 2)
        for row, index in enumerate(self.indices.tolist()):
            times = index[replaced]
            for j in range(times + 1):
                moved = list(index)
                moved[replaced] -= j
                moved[kept] += j
                matrix[row, self._place[tuple(moved)]] += comb(times, j) / 2.0**times
        return matrix


def zeros(net: Net, coefficients: Array, scale: float) -> Zeros:
    """Return all common zeros of d polynomials on the simplex of d + 1 corners.

    A polynomial lies between its smallest and largest Bernstein coefficient, so a piece is free of
    zeros if one of the polynomials, or of their combinations by the inverse Jacobian, has
    coefficients of one sign. If all derivatives of those combinations are near the identity, the
    map is one to one and the piece holds at most one zero, which Newton's method finds. Other
    pieces are cut at their longest edge.

    Parameters
    ----------
    net
        The multi-indices.
    coefficients
        Shape `(d, coefficients)`.
    scale
        Size of the numbers that the coefficients are differences of.

    Raises
    ------
    InvalidInput
        If the zeros are not isolated points.
    """
    noise = _ROUNDING * max(scale, float(np.abs(coefficients).max()))
    pieces, corners = coefficients[None], np.eye(net.corners)[None]
    points: list[Array] = []
    simple: list[bool] = []
    looked = 0
    while len(pieces):
        looked += len(pieces)
        if looked > _MAX_PIECES:
            raise InvalidInput(
                "the symmetric equilibria with all these levels in use are a continuum or nearly "
                "so: change alpha or a cost a little, so that levels are not interchangeable"
            )
        kept = ~_one_signed(pieces, noise)
        pieces, corners = pieces[kept], corners[kept]
        pulled, sound = _preconditioned(net, pieces)
        free = sound & _one_signed(pulled, 0.0)
        single = sound & ~free & _injective(net, pulled)
        small = ~free & ~single & (_edges(corners).max(axis=1) < _SMALL)
        for row in np.flatnonzero(single | small):
            center = corners[row].mean(axis=0)
            at = _newton(net, coefficients, center)
            missed = float(np.abs(coefficients @ net.basis(at)).max())
            near = bool(np.abs(at - center).max() <= 64.0 * _SMALL)
            if missed <= 64.0 * noise and (_inside(corners[row], at) if single[row] else near):
                points.append(at)
                simple.append(bool(single[row]))
        rest = ~(free | single | small)
        pieces, corners = _halved(net, pieces[rest], corners[rest])
    return _distinct(points, simple, looked, net.corners)


def _one_signed(pieces: Array, noise: float) -> Flags:
    """Return whether some polynomial keeps its sign on each piece."""
    signed = np.logical_or((pieces > noise).all(axis=2), (pieces < -noise).all(axis=2))
    return np.asarray(np.any(signed, axis=1))


def _preconditioned(net: Net, pieces: Array) -> tuple[Array, Flags]:
    """Return the combinations by the inverse Jacobian of each piece, and where it exists."""
    at_corners = pieces[:, :, net.corner]
    jacobian = at_corners[:, :, 1:] - at_corners[:, :, :1]
    size = np.abs(jacobian).max(axis=(1, 2), initial=0.0)
    safe = np.where(size > 0, size, 1.0)
    scaled = jacobian / safe[:, None, None]
    sound = np.abs(np.linalg.det(scaled)) > 1e-10
    scaled[~sound] = np.eye(scaled.shape[1])
    pulled = np.linalg.solve(scaled, pieces) / safe[:, None, None]
    return np.asarray(pulled), sound


def _injective(net: Net, pulled: Array) -> Flags:
    """Return whether all derivatives are closer to the identity than 1, row by row."""
    around = pulled[:, :, net.steps]
    slopes = net.degree * (around[..., 1:] - around[..., :1])
    away = np.abs(slopes - np.eye(slopes.shape[1])[None, :, None, :]).sum(axis=3)
    return np.asarray((away < 0.9).all(axis=(1, 2)))


def _edges(corners: Array) -> Array:
    """Return the lengths of all edges, shape `(pieces, edges)`, in the order of pairs."""
    pairs = list(combinations(range(corners.shape[1]), 2))
    return np.stack([np.abs(corners[:, a] - corners[:, b]).max(axis=1) for a, b in pairs], axis=1)


def _halved(net: Net, pieces: Array, corners: Array) -> tuple[Array, Array]:
    """Cut every piece at its longest edge."""
    if not len(pieces):
        return pieces, corners
    longest = _edges(corners).argmax(axis=1)
    parts: list[tuple[Array, Array]] = []
    for edge, (a, b) in enumerate(combinations(range(net.corners), 2)):
        rows = np.flatnonzero(longest == edge)
        if rows.size:
            for kept, replaced in ((a, b), (b, a)):
                moved = corners[rows].copy()
                moved[:, replaced] = (moved[:, a] + moved[:, b]) / 2.0
                parts.append((pieces[rows] @ net.cut(kept, replaced).T, moved))
    return np.concatenate([p for p, _ in parts]), np.concatenate([c for _, c in parts])


def _newton(net: Net, coefficients: Array, at: Array) -> Array:
    """Return the zero that Newton's method finds from a point, in barycentric coordinates."""
    slopes = _slopes(net, coefficients)
    lower = Net(net.indices[net.indices[:, 0] > 0] - np.eye(net.corners, dtype=np.int64)[0])
    for _ in range(50):
        value = coefficients @ net.basis(at)
        jacobian = slopes @ lower.basis(at)
        step = np.linalg.lstsq(jacobian, -value, rcond=1e-12)[0]
        moved = at + np.append(-step.sum(), step)
        if (moved <= 0).any():  # stay inside: the basis is written with logarithms
            moved = np.maximum(moved, at / 4.0)
            moved = moved / moved.sum()
        change = float(np.abs(moved - at).max())
        at = moved
        if change < 1e-16:
            break
    return at


def _slopes(net: Net, coefficients: Array) -> Array:
    """Return coefficients of derivatives along x_j - x_0, `(d, corners - 1, lower)`."""
    around = coefficients[:, net.steps]
    return np.asarray(np.moveaxis(net.degree * (around[..., 1:] - around[..., :1]), 1, 2))


def _inside(corners: Array, at: Array) -> bool:
    """Tell whether a point lies in a piece, up to rounding."""
    size = float(np.abs(corners - corners.mean(axis=0)).max())
    local = np.linalg.lstsq(corners.T, at, rcond=None)[0]
    return bool(local.min() >= -max(1e-9, 1e-12 / size))


def _distinct(points: list[Array], simple: list[bool], pieces: int, corners: int) -> Zeros:
    """Drop zeros that neighbors share."""
    kept: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: not simple[i]):
        gap = 1e-9 if simple[i] else 1e-5
        if all(np.abs(points[i] - points[j]).max() > gap for j in kept):
            kept.append(i)
    found = np.array([points[i] for i in kept]).reshape(-1, corners)
    return Zeros(found, np.array([simple[i] for i in kept], dtype=bool), pieces)


def faces(corners: int) -> Iterator[tuple[int, ...]]:
    """Return all non-empty sets of corners, small ones first."""
    for size in range(1, corners + 1):
        yield from combinations(range(corners), size)
