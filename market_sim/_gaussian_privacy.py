"""The trade-off curve delta(epsilon; mu) of the Gaussian mechanism and its two inverses.

Everything is vectorised and works on logarithms, so that epsilon from 1e-3 to 1e3 and delta from
1e-12 to 0.1 lose no digits. scipy is imported inside the functions: importing this module is free.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import MarketSimError
from market_sim.shapes import Array

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(12)
_MAX_STEPS = 200
_TOLERANCE = 1e-14


def _mills_ratio(x: Array) -> Array:
    """(1 - Phi(x)) / phi(x), without overflow for x >= -37."""
    from scipy.special import erfcx

    return np.asarray(np.sqrt(np.pi / 2.0) * erfcx(x / np.sqrt(2.0)))


def _mills_drop(start: Array, width: Array) -> Array:
    """mills(start) - mills(start + width) as the integral of 1 - x mills(x).

    The integrand is smooth and positive: quadrature keeps the digits that a difference of two
    nearly equal numbers would lose when the width is small.
    """
    half = 0.5 * width
    points = start[..., None] + half[..., None] * (1.0 + _NODES)
    far = points > 20.0
    near = 1.0 - points * _mills_ratio(np.where(far, 0.0, points))
    inverse = 1.0 / np.where(far, points, 1.0) ** 2
    series = inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse * (1.0 - 7.0 * inverse)))
    return np.asarray(half * (np.where(far, series, near) @ _NODE_WEIGHTS))


def _log_normal_density(x: Array) -> Array:
    return np.asarray(-0.5 * x * x - 0.5 * np.log(2.0 * np.pi))


def log_delta(epsilon: ArrayLike, mu: ArrayLike) -> Array:
    """Compute log delta, delta = Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu).

    Parameters
    ----------
    epsilon
        Privacy loss, >= 0, any shape.
    mu
        Sensitivity over noise standard deviation, > 0, broadcast against `epsilon`.

    Returns
    -------
    Array
        log(delta), at most 0.

    Notes
    -----
    Source: Balle and Wang 2018, "Improving the Gaussian Mechanism for Differential Privacy",
    Theorem 8; the same curve is mu-GDP in Dong, Roth and Su 2022, Corollary 2.13.
    """
    from scipy.special import log_ndtr, ndtr

    eps, strength = np.broadcast_arrays(
        np.asarray(epsilon, dtype=np.float64), np.asarray(mu, dtype=np.float64)
    )
    low = np.asarray(eps / strength - 0.5 * strength)
    narrow = strength < 0.5
    # e^eps phi(high) = phi(low): both tails share one density and e^eps is never formed.
    drop = np.where(
        narrow,
        _mills_drop(np.maximum(low, -30.0), np.where(narrow, strength, 0.0)),
        _mills_ratio(np.maximum(low, -30.0)) - _mills_ratio(low + strength),
    )
    with np.errstate(divide="ignore"):
        tail = _log_normal_density(low) + np.log(np.maximum(drop, 0.0))
    missing = np.exp(_log_normal_density(low)) * _mills_ratio(low + strength)
    body = np.log1p(-np.minimum(ndtr(low) + missing, 1.0 - 1e-16))
    return np.asarray(np.minimum(np.where(low < -5.0, body, tail), log_ndtr(-low)))


def _solve(gap: Callable[[Array], Array], slope: Callable[[Array], Array], start: Array) -> Array:
    """Root of an increasing function by Newton's method kept inside a shrinking bracket."""
    x, low, high = start.copy(), np.full_like(start, -np.inf), np.full_like(start, np.inf)
    for _ in range(_MAX_STEPS):
        value = gap(x)
        low, high = np.where(value <= 0, x, low), np.where(value >= 0, x, high)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            proposal = x - np.clip(value / slope(x), -2.0, 2.0)
            middle = np.where(np.isfinite(low + high), 0.5 * (low + high), proposal)
        inside = (proposal >= low) & (proposal <= high)
        proposal = np.where(inside, proposal, middle)
        done = np.abs(proposal - x) <= _TOLERANCE * np.maximum(1.0, np.abs(x))
        x = np.where(value == 0, x, proposal)
        if np.all(done | (value == 0)):
            return x
    raise MarketSimError(  # pragma: no cover - the bracket shrinks at every step
        f"Gaussian calibration did not settle in {_MAX_STEPS} steps: report the epsilon and delta"
    )


def mu_for_epsilon(epsilon: Array, delta: float) -> Array:
    """Largest mu whose delta(epsilon; mu) is `delta`; 0 at epsilon 0, infinite at infinity.

    At epsilon 0 nothing is released, by the convention of `market_sim.privacy`.
    """
    from scipy.special import ndtri

    inner = (epsilon > 0) & np.isfinite(epsilon)
    eps = np.where(inner, epsilon, 1.0)
    quantile = -float(ndtri(delta))
    # Phi(-low) >= delta(epsilon; mu): the mu at which Phi(-low) = delta is a lower bound.
    root = np.hypot(quantile, np.sqrt(2.0 * eps))
    start = np.log(2.0 * eps / (quantile + root) if quantile > 0 else root - quantile)
    target = float(np.log(delta))

    def gap(log_mu: Array) -> Array:
        return log_delta(eps, np.exp(log_mu)) - target

    def slope(log_mu: Array) -> Array:
        mu = np.exp(log_mu)  # d delta / d mu = phi(low)
        density = _log_normal_density(eps / mu - 0.5 * mu)
        return np.asarray(mu * np.exp(density - log_delta(eps, mu)))

    mu = np.exp(_solve(gap, slope, start))
    return np.where(inner, mu, np.where(epsilon > 0, np.inf, 0.0))


def calibration_slope(epsilon: Array, mu: Array) -> Array:
    """D log mu / d log epsilon along a curve of constant delta(epsilon; mu).

    d delta / d epsilon = -e^epsilon Phi(-mu/2 - epsilon/mu) and d delta / d mu = phi(low), so
    d mu / d epsilon = mills(low + mu).
    """
    low = np.asarray(epsilon / mu - 0.5 * mu)
    return np.asarray(epsilon / mu * _mills_ratio(low + mu))


def epsilon_for_mu(mu: Array, delta: float) -> Array:
    """Smallest epsilon >= 0 with delta(epsilon; mu) <= `delta`; infinite at infinite mu."""
    from scipy.special import ndtri

    inner = (mu > 0) & np.isfinite(mu)
    strength = np.where(inner, mu, 1.0)
    target = float(np.log(delta))
    inner &= log_delta(np.zeros_like(strength), strength) > target
    strength = np.where(inner, strength, np.maximum(1.0, -4.0 * float(ndtri(delta / 2))))
    # Phi(-low) >= delta(epsilon; mu): the epsilon at which Phi(-low) = delta is an upper bound.
    scale = strength * np.maximum(0.5 * strength - float(ndtri(delta)), 1e-3 * strength)

    def gap(scaled: Array) -> Array:
        eps = np.maximum(scaled, 0.0) * scale
        return target - log_delta(eps, strength)

    def slope(scaled: Array) -> Array:
        eps = np.maximum(scaled, 0.0) * scale
        low = np.asarray(eps / strength - 0.5 * strength)
        shared = _log_normal_density(low) + np.log(_mills_ratio(low + strength))
        return np.asarray(scale * np.exp(shared - log_delta(eps, strength)))

    eps = np.maximum(_solve(gap, slope, np.ones_like(strength)), 0.0) * scale
    return np.where(inner, eps, np.where(np.isposinf(mu), np.inf, 0.0))
