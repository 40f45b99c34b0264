"""Laws as the mean field reads them: probabilities of cells, and weights of nodes."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.laws import Mixture, ScalarLaw
from market_sim.shapes import Array

_PANELS = 16
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(8)


class Law(Protocol):
    """What the mean field asks of a law; the laws of `market_sim.laws` have more."""

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Draw independent numbers of a shape."""

    def cdf(self, x: ArrayLike) -> Array:
        """Return P(X <= x), same shape as `x`."""

    @property
    def mean(self) -> float:
        """E X."""

    @property
    def support(self) -> tuple[float, float]:
        """Least and greatest value."""


class FrozenLaw:
    """A frozen distribution of scipy.stats; it may have atoms.

    Parameters
    ----------
    law
        The distribution: anything with `cdf`, `rvs`, `mean` and `support`.
    """

    def __init__(self, law: Any) -> None:
        self.law = law

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Draw independent numbers of a shape."""
        return np.asarray(self.law.rvs(size=shape, random_state=rng), dtype=np.float64)

    def cdf(self, x: ArrayLike) -> Array:
        """Return P(X <= x)."""
        return np.asarray(self.law.cdf(np.asarray(x, dtype=np.float64)), dtype=np.float64)

    @property
    def mean(self) -> float:
        """E X."""
        return float(self.law.mean())

    @property
    def support(self) -> tuple[float, float]:
        """Least and greatest value."""
        low, high = self.law.support()
        return float(low), float(high)


def is_law(value: object) -> bool:
    """Tell whether something has a distribution function."""
    return callable(getattr(value, "cdf", None))


def as_law(name: str, law: Any) -> Law:
    """Return a law of `market_sim.laws`, wrapping a frozen distribution of scipy.stats.

    Raises
    ------
    InvalidInput
        If it has no distribution function, can be negative, or its mean is not positive and finite.
    """
    if not is_law(law):
        raise InvalidInput(
            f"{name} must be a law of market_sim.laws or a frozen distribution of scipy.stats, "
            f"got {law!r:.60}"
        )
    result: Law
    if isinstance(law, ScalarLaw):
        result = law
    elif all(callable(getattr(law, part, None)) for part in ("rvs", "mean", "support")):
        result = FrozenLaw(law)
    else:
        raise InvalidInput(
            f"the law of {name} needs cdf, rvs, mean and support as a frozen distribution of "
            f"scipy.stats has them, got {type(law).__name__}"
        )
    low = result.support[0]
    if low < 0:
        raise InvalidInput(f"the law of {name} must give no negative number, got some from {low:g}")
    if not 0 < result.mean < np.inf:
        raise InvalidInput(f"the law of {name} needs a positive finite mean, got {result.mean:g}")
    return result


def cell_shares(law: Law, edges: Array) -> Array:
    """Return the probability of each cell between `edges`, given that X is in one of them.

    Raises
    ------
    InvalidInput
        If the cells have probability 0.
    """
    at_edges = law.cdf(edges)
    # An atom on the lowest edge belongs to the first cell.
    at_edges[0] = float(law.cdf(np.nextafter(edges[0], -np.inf)))
    shares = np.diff(at_edges)
    total = shares.sum()
    if not total > 0:
        raise InvalidInput(
            f"the law of value gives the range {edges[0]:g} to {edges[-1]:g} no probability: "
            "choose value_range within its support"
        )
    return np.asarray(shares / total)


def node_shares(law: Law, nodes: Array) -> Array:
    """Return E[hat_j(X)], the law carried to equally spaced nodes 0 = e_0 < ... with its mean kept.

    hat_j is 1 at its node and falls linearly to 0 at the neighbors, so that a number between two
    nodes is split between them.
    """
    if isinstance(law, Mixture):
        pairs = zip(law.shares, law.laws, strict=True)
        return np.asarray(sum(share * node_shares(part, nodes) for share, part in pairs))
    below = _mean_cdf(law, nodes)
    return np.asarray(np.append(below, 1.0) - np.append(0.0, below))


def _mean_cdf(law: Law, nodes: Array) -> Array:
    """Return the mean of the distribution function between neighbors, exact at kinks of support."""
    low, high = law.support
    left, right = nodes[:-1], nodes[1:]
    start, stop = np.clip(low, left, right), np.clip(min(high, nodes[-1]), left, right)
    # Composite Gauss-Legendre on the part of each cell that lies in the support; 1 above it.
    panel = (stop - start)[:, None] / _PANELS
    corner = start[:, None] + panel * np.arange(_PANELS)
    points = corner[..., None] + 0.5 * panel[..., None] * (1.0 + _POINTS)
    inside = 0.5 * panel * (law.cdf(points) @ _WEIGHTS)
    return np.asarray((inside.sum(axis=1) + (right - stop)) / (right - left))
