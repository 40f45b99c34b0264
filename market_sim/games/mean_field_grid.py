"""The grid of the mean field game: reflected diffusion on cells of value, units of privacy sold."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.shapes import Array

_HALVINGS = 10
_WHOLE = 1e-9


def reflected_kernel(
    edges: Float[NDArray[np.float64], "edges"], reversion: float, mean: float, volatility: float
) -> Float[NDArray[np.float64], "cells cells"]:
    """Return P(cell after a round | cell before it) of dv = theta (m - v) dt + sigma dW, reflected.

    Finite volumes: flows between neighboring cells are fitted exponentially (upwind where
    sigma = 0), which leaves every rate non-negative; nothing flows through the two ends. A round is
    1,024 implicit Euler steps, each the inverse of an M-matrix, so that rows are probabilities
    whatever the step.

    Parameters
    ----------
    edges
        Equally spaced borders of the cells.
    reversion, mean, volatility
        theta, m and sigma, per round.

    Notes
    -----
    Source: exponential fitting of Scharfetter and Gummel (1969); Il'in (1969).
    """
    cells = edges.size - 1
    width = float(edges[1] - edges[0])
    up, down = _rates(edges[1:-1], width, reversion, mean, volatility)
    rates = np.diag(up, 1) + np.diag(down, -1)
    rates -= np.diag(rates.sum(axis=1))
    step = np.linalg.inv(np.eye(cells) - rates / 2**_HALVINGS)
    kernel = _stochastic(np.maximum(step, 0.0))
    for _ in range(_HALVINGS):
        kernel = _stochastic(kernel @ kernel)
    return kernel


def _rates(
    border: Array, width: float, reversion: float, mean: float, volatility: float
) -> tuple[Array, Array]:
    """Return the rates of crossing each inner border upwards and downwards."""
    drift = reversion * (mean - border)
    diffusion = 0.5 * volatility**2
    if diffusion == 0:
        return np.maximum(drift, 0.0) / width, np.maximum(-drift, 0.0) / width
    ratio = drift * width / diffusion
    scale = diffusion / width**2
    return scale * _bernoulli(-ratio), scale * _bernoulli(ratio)


def _bernoulli(x: Array) -> Array:
    """Return x / (exp(x) - 1), which is positive; 1 at 0."""
    small = np.abs(x) < 1e-8
    safe = np.clip(np.where(small, 1.0, x), -700.0, 700.0)
    return np.where(small, 1.0 - 0.5 * x, safe / np.expm1(safe))


def _stochastic(kernel: Array) -> Array:
    """Return rows scaled to add up to 1, which removes rounding before it can grow."""
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def units_of(cap: float, step: float, nodes: int) -> Array:
    """Return the sizes of the units in which up to `cap` is sold: whole steps, then what is left.

    Shape `(units,)`; never more than all `nodes - 1` steps.
    """
    whole = int(np.floor(cap / step + _WHOLE))
    if whole >= nodes - 1:
        return np.full(nodes - 1, step)
    rest = cap - whole * step
    sizes = np.full(whole, step)
    return np.append(sizes, rest) if rest > _WHOLE * step else sizes
