"""The grid of the mean field game: reflected diffusion on cells of value, units of privacy sold."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array

_HALVINGS = 10
_MIXED = 1e4  # rate of the slowest decay, after whose 1,024 steps less than 1e-1000 is left
_WHOLE = 1e-9


def reflected_kernel(
    edges: Float[NDArray[np.float64], "edges"], reversion: float, mean: float, volatility: float
) -> Float[NDArray[np.float64], "cells cells"]:
    """Return P(cell after a round | cell before it) of dv = theta (m - v) dt + sigma dW, reflected.

    Finite volumes: flows between neighboring cells are fitted exponentially (upwind where
    sigma = 0), which leaves every rate non-negative; nothing flows through the two ends. A round is
    1,024 implicit Euler steps, each the inverse of an M-matrix, so that rows are probabilities
    whatever the step. Where diffusion leaves nothing of the start within a round, the rows are the
    law at rest.

    Parameters
    ----------
    edges
        Equally spaced borders of the cells.
    reversion, mean, volatility
        theta, m and sigma, per round.

    Raises
    ------
    InvalidInput
        If the drift is too fast for double precision.

    Notes
    -----
    Source: exponential fitting of Scharfetter and Gummel (1969); Il'in (1969).
    """
    cells = edges.size - 1
    width = float(edges[1] - edges[0])
    spread = volatility / width
    if 0.5 * spread * spread * (np.pi / cells) ** 2 > _MIXED:
        return np.tile(_resting(reversion * (mean - edges[1:-1]) / width, spread), (cells, 1))
    up, down = _rates(edges[1:-1], width, reversion, mean, volatility)
    rates = np.diag(up, 1) + np.diag(down, -1)
    rates -= np.diag(rates.sum(axis=1))
    try:
        step = np.linalg.inv(np.eye(cells) - rates / 2**_HALVINGS)
    except np.linalg.LinAlgError as error:
        raise InvalidInput(
            f"the values move too fast for double precision with reversion {reversion:g} and "
            f"volatility {volatility:g} on cells of width {width:g}: give smaller ones"
        ) from error
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


def _resting(drift: Array, spread: float) -> Array:
    """Return the law at rest on the cells: its logarithm grows by drift over diffusion.

    Both in widths of a cell, `spread` being sigma. Reversion only speeds up how fast values mix.
    """
    height = np.append(0.0, np.cumsum(2.0 * drift / spread / spread))
    law = np.exp(height - height.max())
    return np.asarray(law / law.sum())


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
