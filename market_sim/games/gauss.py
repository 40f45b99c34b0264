"""Gauss rules for binomial counts, and panels for the probability of being included."""

import numpy as np

from market_sim.shapes import Array

_REACH = 9.5  # standard deviations: what lies beyond weighs less than 1e-16
_MARGIN = 45


def graded_panels(users: float, end: float, nodes: int) -> tuple[Array, Array]:
    """Return Gauss-Legendre nodes and weights on [0, end], breaks at 2^j / users.

    The expected gain from one more user varies with the logarithm of the number of users who are
    in, so each doubling needs the same number of nodes.
    """
    breaks = [0.0]
    step = 1.0 / max(users, 1.0)
    while step < 0.75 * end:
        breaks.append(step)
        step *= 2.0
    edges = np.array([*breaks, end])
    x, w = np.polynomial.legendre.leggauss(nodes)
    half = 0.5 * np.diff(edges)[:, None]
    return (edges[:-1, None] + half * (1.0 + x)).reshape(-1), (half * w).reshape(-1)


def is_spread(trials: Array, chance: Array, atoms: int) -> Array:
    """Tell where so few successes as `atoms` practically never happen."""
    mean = trials * chance
    return np.asarray(mean - _REACH * np.sqrt(mean * (1.0 - chance)) > atoms + 1)


def binomial_rule(
    trials: Array, chance: Array, *, atoms: int, near: int, tolerance: float
) -> tuple[Array, Array]:
    """Return points and weights for expectations over Bin(trials, chance), `(batch, nodes)`.

    Parameters
    ----------
    trials
        Shape `(batch,)`; real numbers are allowed where they are many.
    chance
        Shape `(batch,)`, below 1.
    atoms
        Counts below this are points of their own, where they can happen.
    near
        Gauss nodes for counts near zero.
    tolerance
        Of the Gauss rule for counts far from zero, for functions such as 1 / k.
    """
    if trials.min() > near + atoms and is_spread(trials, chance, atoms).all():
        nodes = int(_enough_nodes(trials, chance, tolerance, near).max())
        return _krawtchouk(trials, chance, nodes)
    return _counted(trials, chance, atoms, near)


def _enough_nodes(trials: Array, chance: Array, tolerance: float, most: int) -> Array:
    """Return how many nodes leave d! (variance / mean^2)^d below the tolerance."""
    ratio = (1.0 - chance) / (trials * chance)
    left = np.ones(chance.shape)
    nodes = np.full(chance.shape, most)
    for d in range(1, most):
        left = left * d * ratio
        nodes = np.where((left < tolerance) & (nodes == most), d, nodes)
    return nodes


def _krawtchouk(trials: Array, chance: Array, nodes: int) -> tuple[Array, Array]:
    """Return the Gauss rule of all counts; `trials` must exceed `nodes - 1`."""
    n = np.arange(nodes)
    m, q = trials[:, None], chance[:, None]
    return _golub_welsch(
        q * m + n * (1.0 - 2.0 * q), np.sqrt(n[1:] * (m - n[1:] + 1.0) * q * (1.0 - q))
    )


def _counted(trials: Array, chance: Array, atoms: int, nodes: int) -> tuple[Array, Array]:
    """Return each count below `atoms`, and Gauss nodes of all others or, if few, all of them."""
    mean = float((trials * chance).max())
    if mean == 0:
        return np.zeros((len(chance), 1)), np.ones((len(chance), 1))
    last = min(int(trials.max()), int(mean + _REACH * np.sqrt(mean) + _MARGIN))
    weights = _probabilities(trials, chance, last)
    points = np.arange(last + 1.0)
    if last < atoms + nodes:
        return np.broadcast_to(points, weights.shape), weights
    x, w = _stieltjes(points[atoms:], weights[:, atoms:], nodes)
    low = np.broadcast_to(points[:atoms], (len(chance), atoms))
    return np.concatenate([low, x], axis=1), np.concatenate([weights[:, :atoms], w], axis=1)


def _probabilities(trials: Array, chance: Array, last: int) -> Array:
    """Return P(Bin(trials, chance) = k), k = 0..last, shape `(batch, last + 1)`."""
    k = np.arange(last)
    odds = (chance / (1.0 - chance))[:, None]
    ratio = np.maximum(trials[:, None] - k, 0.0) / (k + 1.0) * odds
    start = np.exp(trials * np.log1p(-chance))[:, None]
    return np.asarray(np.cumprod(np.concatenate([start, ratio], axis=1), axis=1))


def _stieltjes(points: Array, weights: Array, nodes: int) -> tuple[Array, Array]:
    """Return Gauss rules of discrete measures on `points`, one a row of `weights`."""
    mass = np.maximum(weights.sum(axis=1), np.finfo(np.float64).tiny)
    diagonal, offdiagonal = np.empty((len(mass), nodes)), np.empty((len(mass), nodes - 1))
    root = np.sqrt(weights / mass[:, None])  # orthonormal vectors: Lanczos on the points
    before, beta = np.zeros_like(root), np.zeros((len(mass), 1))
    basis = []
    for d in range(nodes):
        basis.append(root)
        diagonal[:, d] = (points * root * root).sum(axis=1)
        if d == nodes - 1:
            break
        after = (points - diagonal[:, d : d + 1]) * root - beta * before
        for _ in range(2):  # what rounding leaves of earlier vectors is taken out
            for old in basis:
                after = after - (after * old).sum(axis=1, keepdims=True) * old
        beta = np.sqrt((after * after).sum(axis=1, keepdims=True))
        offdiagonal[:, d] = beta[:, 0]
        before, root = root, after / np.where(beta > 0, beta, 1.0)
    x, w = _golub_welsch(diagonal, offdiagonal)
    return x, w * mass[:, None]


def _golub_welsch(diagonal: Array, offdiagonal: Array) -> tuple[Array, Array]:
    """Return nodes and weights from recurrence coefficients (Golub and Welsch 1969)."""
    nodes = diagonal.shape[-1]
    matrix = np.zeros((*diagonal.shape, nodes))
    n = np.arange(nodes)
    matrix[..., n, n] = diagonal
    matrix[..., n[1:], n[:-1]] = offdiagonal
    points, vectors = np.linalg.eigh(matrix)
    return points, np.square(vectors[..., 0, :])
