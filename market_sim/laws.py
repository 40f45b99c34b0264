"""Laws of one number: what an owner's value or cap is drawn from."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats

_SHARES_TOLERANCE = 1e-9


class ScalarLaw(ABC):
    """A law of one non-negative number, with a density."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Draw independent numbers of a shape."""

    @abstractmethod
    def cdf(self, x: ArrayLike) -> Array:
        """Return P(X <= x), same shape as `x`."""

    @abstractmethod
    def density(self, x: ArrayLike) -> Array:
        """Return the density at x, same shape as `x`; 0 outside the support."""

    @abstractmethod
    def quantile(self, share: ArrayLike) -> Array:
        """Return the least x with P(X <= x) >= share, for shares in [0, 1]."""

    @abstractmethod
    def scaled(self, factor: float) -> "ScalarLaw":
        """Return the law of factor X, for a factor > 0."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """E X."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """Least and greatest value; the greatest may be infinite."""


@dataclass(frozen=True)
class Uniform(ScalarLaw):
    """X ~ U[low, high].

    Raises
    ------
    InvalidInput
        If a bound is negative or not finite, or `high` does not exceed `low`.
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        low, high = as_floats("bounds of a uniform law", [self.low, self.high], minimum=0.0)
        if high <= low:
            raise InvalidInput(
                f"a uniform law needs low < high for a density, got {low:g} and {high:g}"
            )

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Draw; see `ScalarLaw.sample`."""
        return np.asarray(rng.uniform(self.low, self.high, shape))

    def cdf(self, x: ArrayLike) -> Array:
        """Return (x - low) / (high - low), within [0, 1]."""
        place = (np.asarray(x, dtype=np.float64) - self.low) / (self.high - self.low)
        return np.asarray(np.clip(place, 0.0, 1.0))

    def density(self, x: ArrayLike) -> Array:
        """Return 1 / (high - low) on the support."""
        x = np.asarray(x, dtype=np.float64)
        return np.where((x >= self.low) & (x <= self.high), 1.0 / (self.high - self.low), 0.0)

    def quantile(self, share: ArrayLike) -> Array:
        """Return low + share (high - low)."""
        return np.asarray(self.low + _as_share(share) * (self.high - self.low))

    def scaled(self, factor: float) -> "Uniform":
        """Return U[factor low, factor high]."""
        return Uniform(factor * self.low, factor * self.high)

    @property
    def mean(self) -> float:
        """(low + high) / 2."""
        return 0.5 * (self.low + self.high)

    @property
    def support(self) -> tuple[float, float]:
        """(low, high)."""
        return float(self.low), float(self.high)


@dataclass(frozen=True)
class LogNormal(ScalarLaw):
    """ln X ~ N(log_mean, log_scale^2).

    Raises
    ------
    InvalidInput
        If `log_mean` is not finite or `log_scale` not positive and finite.
    """

    log_mean: float = 0.0
    log_scale: float = 0.5

    def __post_init__(self) -> None:
        as_floats("log_mean", self.log_mean)
        as_floats("log_scale", self.log_scale, positive=True)

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Draw; see `ScalarLaw.sample`."""
        return np.asarray(rng.lognormal(self.log_mean, self.log_scale, shape))

    def cdf(self, x: ArrayLike) -> Array:
        """Return Phi((ln x - log_mean) / log_scale)."""
        from scipy.special import ndtr

        return np.asarray(ndtr(self._standard(x)))

    def density(self, x: ArrayLike) -> Array:
        """Return phi(z) / (log_scale x) with z the standardized logarithm."""
        x = np.asarray(x, dtype=np.float64)
        inside = np.where(x > 0, x, 1.0)
        shape = np.exp(-0.5 * self._standard(inside) ** 2) / (self.log_scale * sqrt(2.0 * pi))
        return np.where(x > 0, shape / inside, 0.0)

    def quantile(self, share: ArrayLike) -> Array:
        """Return exp(log_mean + log_scale Phi^-1(share))."""
        from scipy.special import ndtri

        return np.asarray(np.exp(self.log_mean + self.log_scale * ndtri(_as_share(share))))

    def scaled(self, factor: float) -> "LogNormal":
        """Return the law with ln factor added to the mean of the logarithm."""
        shift = float(np.log(as_floats("factor", factor, positive=True)))
        return LogNormal(self.log_mean + shift, self.log_scale)

    @property
    def mean(self) -> float:
        """exp(log_mean + log_scale^2 / 2)."""
        return exp(self.log_mean + 0.5 * self.log_scale**2)

    @property
    def support(self) -> tuple[float, float]:
        """(0, infinity)."""
        return 0.0, float("inf")

    def _standard(self, x: ArrayLike) -> Array:
        with np.errstate(divide="ignore"):
            logarithm = np.log(np.maximum(np.asarray(x, dtype=np.float64), 0.0))
        return np.asarray((logarithm - self.log_mean) / self.log_scale)


@dataclass(frozen=True)
class Mixture(ScalarLaw):
    """With probability shares[k], X is drawn from laws[k].

    Parameters
    ----------
    laws
        At least one law.
    shares
        Their probabilities, > 0, adding up to 1; equal ones if omitted.

    Raises
    ------
    InvalidInput
        If there is no law, or the shares do not fit the laws or add up to 1.
    """

    laws: tuple[ScalarLaw, ...]
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.laws:
            raise InvalidInput("a mixture needs at least one law, got none")
        if not self.shares:
            object.__setattr__(self, "shares", (1.0 / len(self.laws),) * len(self.laws))
        shares = as_floats("shares of a mixture", self.shares, positive=True)
        if shares.shape != (len(self.laws),) or abs(shares.sum() - 1.0) > _SHARES_TOLERANCE:
            raise InvalidInput(
                f"a mixture of {len(self.laws)} laws needs as many shares that add up to 1, "
                f"got {self.shares}"
            )

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...] = ()) -> Array:
        """Draw; see `ScalarLaw.sample`."""
        chosen = rng.choice(len(self.laws), size=shape, p=self.shares)
        drawn = np.zeros(shape)
        for place, law in enumerate(self.laws):
            drawn = np.where(chosen == place, law.sample(rng, shape), drawn)
        return drawn

    def cdf(self, x: ArrayLike) -> Array:
        """Return the weighted sum of the laws' probabilities."""
        parts = (share * law.cdf(x) for share, law in zip(self.shares, self.laws, strict=True))
        return np.asarray(sum(parts))

    def density(self, x: ArrayLike) -> Array:
        """Return the weighted sum of the laws' densities."""
        parts = (share * law.density(x) for share, law in zip(self.shares, self.laws, strict=True))
        return np.asarray(sum(parts))

    def quantile(self, share: ArrayLike) -> Array:
        """Return the least x with P(X <= x) >= share, by bisection between the laws' quantiles."""
        wanted = _as_share(share)
        ends = np.stack([law.quantile(wanted) for law in self.laws])
        low, high = ends.min(axis=0), ends.max(axis=0)
        # The probability of a mixture may be flat between its laws: the bracket shrinks from above.
        for _ in range(200):
            middle = np.where(np.isfinite(high), 0.5 * (low + high), high)
            enough = self.cdf(middle) >= wanted
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.asarray(high)

    def scaled(self, factor: float) -> "Mixture":
        """Return the mixture of the scaled laws."""
        return Mixture(tuple(law.scaled(factor) for law in self.laws), self.shares)

    @property
    def mean(self) -> float:
        """The weighted sum of the means."""
        pairs = zip(self.shares, self.laws, strict=True)
        return float(sum(share * law.mean for share, law in pairs))

    @property
    def support(self) -> tuple[float, float]:
        """From the least to the greatest value of any law."""
        ends = [law.support for law in self.laws]
        return min(low for low, _ in ends), max(high for _, high in ends)


def _as_share(share: ArrayLike) -> Array:
    """Return probabilities, each within [0, 1]."""
    array = as_floats("share", share, minimum=0.0)
    if (array > 1.0).any():
        raise InvalidInput(f"share must be at most 1, got {array.max():g}")
    return array
