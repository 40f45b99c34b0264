"""Perturbations that make a gradient differentially private, and the composition of their losses.

Neighbours differ by the replacement of one owner's data: a mean gradient clipped to norm `clip`
then moves by at most 2 clip, in L1 (Laplace) or L2 (Gaussian). epsilon = 0 means that nothing is
released (infinite noise, no loss), epsilon = inf that no noise is added.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from market_sim._gaussian_table import crowd_epsilon, crowd_mu
from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats

if TYPE_CHECKING:
    import dp_accounting


def laplace_scale(epsilon: ArrayLike, clip: float) -> Array:
    """Scale 2 clip / epsilon of Laplace noise on a gradient clipped in L1 to `clip`.

    Parameters
    ----------
    epsilon
        Privacy loss, >= 0, any shape; 0 gives infinity, infinity gives 0.
    clip
        L1 bound of the gradient, > 0; the replacement sensitivity is 2 clip.

    Returns
    -------
    Array
        The noise scale, same shape as `epsilon`, in units of the gradient.

    Raises
    ------
    InvalidInput
        If `epsilon` is negative or NaN, or `clip` is not a positive finite number.

    Notes
    -----
    Source: FL-Market [S], the round's "Laplace(2L / eps_i)".
    """
    loss = as_floats("epsilon", epsilon, minimum=0.0, finite=False)
    bound = _as_clip(clip)
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * bound / loss)


def gaussian_noise_multiplier(
    epsilon: ArrayLike, delta: float, method: Literal["analytic", "classic"] = "analytic"
) -> Array:
    """Smallest noise multiplier (deviation over L2 sensitivity) that gives (epsilon, delta)-DP.

    Parameters
    ----------
    epsilon
        Privacy loss, >= 0, any shape; 0 gives infinity (nothing is released), infinity gives 0.
    delta
        Failure probability, strictly between 0 and 1.
    method
        "analytic" solves delta(epsilon; 1 / multiplier) = delta exactly, at every epsilon.
        "classic" is sqrt(2 ln(1.25 / delta)) / epsilon, whose proof holds for epsilon < 1 only.

    Returns
    -------
    Array
        The multiplier, same shape as `epsilon`, without unit.

    Raises
    ------
    InvalidInput
        If an argument is out of range, the method is unknown, or "classic" is asked for an
        epsilon of 1 or more.

    Notes
    -----
    Source: Balle and Wang 2018, Algorithm 1; classic: Dwork and Roth 2014, Theorem A.1.
    """
    loss = as_floats("epsilon", epsilon, minimum=0.0, finite=False)
    failure = check_delta(delta)
    with np.errstate(divide="ignore"):
        if method == "analytic":
            return np.asarray(1.0 / crowd_mu(loss, failure))
        if method == "classic":
            _refuse_classic(loss)
            return np.asarray(np.sqrt(2.0 * np.log(1.25 / failure)) / loss)
    raise InvalidInput(f"method must be 'analytic' or 'classic', got {method!r}")


def gaussian_epsilon(mu: ArrayLike, delta: float) -> Array:
    """Smallest epsilon at which a Gaussian release of strength `mu` is (epsilon, delta)-DP.

    Parameters
    ----------
    mu
        Sensitivity over noise deviation (1 / multiplier), >= 0, any shape; releases of strengths
        mu_1, ..., mu_k compose to sqrt(sum mu_j^2) exactly.
    delta
        Failure probability, strictly between 0 and 1.

    Raises
    ------
    InvalidInput
        If `mu` is negative or NaN or `delta` is out of range.

    Notes
    -----
    Source: Dong, Roth and Su 2022, Corollaries 2.13 and 3.3.
    """
    strength = as_floats("mu", mu, minimum=0.0, finite=False)
    return np.asarray(crowd_epsilon(strength, check_delta(delta)))


@dataclass(frozen=True)
class Perturbation(ABC):
    """Noise that is added to a clipped gradient, with its exact composition.

    `loss` maps one sale to an additive amount, `composed` maps a sum of amounts back to epsilon:
    an account of privacy is therefore one running sum an owner.

    Parameters
    ----------
    clip
        Bound of the gradient in the norm `norm`, > 0.
    """

    clip: float = 1.0
    name: ClassVar[str]
    norm: ClassVar[Literal[1, 2]]

    def __post_init__(self) -> None:
        _as_clip(self.clip)

    @property
    @abstractmethod
    def failure_probability(self) -> float:
        """The delta at which `composed` states epsilon."""

    @abstractmethod
    def scale(self, epsilon: ArrayLike) -> Array:
        """Return the noise scale that epsilon buys, in units of the gradient; same shape."""

    @abstractmethod
    def loss(self, epsilon: ArrayLike) -> Array:
        """Return the additive privacy loss of one sale of epsilon; same shape."""

    @abstractmethod
    def composed(self, loss: ArrayLike) -> Array:
        """Return epsilon of everything sold so far, from the sum of the losses; same shape."""

    @abstractmethod
    def remaining(self, lifetime_cap: ArrayLike, loss: ArrayLike) -> Array:
        """Return the largest epsilon >= 0 that keeps the composition within the lifetime cap."""

    @abstractmethod
    def laplace_epsilon(self, epsilon: ArrayLike) -> Array:
        """Return the epsilon of Laplace noise whose variance equals that of a sale; same shape.

        The error bound and the aggregators are written for Laplace noise, variance 8 L^2 / eps^2.
        With this number in place of epsilon they are exact for any noise.
        """

    @abstractmethod
    def event(self, epsilon: float) -> "dp_accounting.DpEvent":
        """Return one sale of epsilon as an event that dp-accounting's accountants read."""

    @abstractmethod
    def unit_noise(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Array:
        """Draw independent noise of scale 1."""


@dataclass(frozen=True)
class LaplacePerturbation(Perturbation):
    """Laplace noise of scale 2 clip / epsilon on an L1-clipped gradient: pure epsilon-DP.

    Losses add up (basic composition, tight for pure DP at delta = 0).
    """

    name: ClassVar[str] = "laplace"
    norm: ClassVar[Literal[1, 2]] = 1
    delta: ClassVar[float] = 0.0

    @property
    def failure_probability(self) -> float:
        """Zero: the guarantee is pure."""
        return self.delta

    def scale(self, epsilon: ArrayLike) -> Array:
        """Return 2 clip / epsilon."""
        return laplace_scale(epsilon, self.clip)

    def loss(self, epsilon: ArrayLike) -> Array:
        """Return epsilon itself."""
        return as_floats("epsilon", epsilon, minimum=0.0, finite=False)

    def composed(self, loss: ArrayLike) -> Array:
        """Return the sum itself."""
        return as_floats("loss", loss, minimum=0.0, finite=False)

    def remaining(self, lifetime_cap: ArrayLike, loss: ArrayLike) -> Array:
        """Return max(lifetime_cap - loss, 0)."""
        cap, used = _as_accounts(lifetime_cap, loss)
        return _difference(cap, used)

    def laplace_epsilon(self, epsilon: ArrayLike) -> Array:
        """Return epsilon itself."""
        return as_floats("epsilon", epsilon, minimum=0.0, finite=False)

    def event(self, epsilon: float) -> "dp_accounting.DpEvent":
        """Return a LaplaceDpEvent of noise multiplier 1 / epsilon."""
        from dp_accounting import LaplaceDpEvent

        return _event(epsilon, lambda loss: LaplaceDpEvent(1.0 / loss))

    def unit_noise(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Array:
        """Draw Laplace(1): a standard exponential with a random sign, cheaper than the inverse."""
        size = np.empty(shape)
        rng.standard_exponential(out=size)
        bits = np.frombuffer(rng.bytes((size.size + 7) // 8), dtype=np.uint8)
        positive = np.unpackbits(bits, count=size.size).reshape(size.shape)
        return np.asarray(np.copysign(size, positive - 0.5, out=size))


@dataclass(frozen=True)
class GaussianPerturbation(Perturbation):
    """Gaussian noise on an L2-clipped gradient, calibrated analytically to (epsilon, delta)-DP.

    The loss of a sale is mu^2, mu = 1 / multiplier; squares of mu add up exactly (Gaussian DP).

    Parameters
    ----------
    clip
        L2 bound of the gradient, > 0.
    delta
        Failure probability of each sale and of the composition, strictly between 0 and 1.
    """

    delta: float = 1e-5
    name: ClassVar[str] = "gaussian"
    norm: ClassVar[Literal[1, 2]] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_delta(self.delta)

    @property
    def failure_probability(self) -> float:
        """The delta given at construction."""
        return self.delta

    def scale(self, epsilon: ArrayLike) -> Array:
        """Return 2 clip times the analytic noise multiplier."""
        return np.asarray(2.0 * self.clip * gaussian_noise_multiplier(epsilon, self.delta))

    def loss(self, epsilon: ArrayLike) -> Array:
        """Return mu^2 of the sale."""
        sold = as_floats("epsilon", epsilon, minimum=0.0, finite=False)
        return np.asarray(crowd_mu(sold, self.delta) ** 2)

    def composed(self, loss: ArrayLike) -> Array:
        """Return epsilon at `delta` of mu = sqrt(loss)."""
        total = as_floats("loss", loss, minimum=0.0, finite=False)
        return np.asarray(crowd_epsilon(np.asarray(np.sqrt(total)), self.delta))

    def remaining(self, lifetime_cap: ArrayLike, loss: ArrayLike) -> Array:
        """Return epsilon of mu = sqrt(mu(lifetime_cap)^2 - loss); 0 where that is spent."""
        cap, used = _as_accounts(lifetime_cap, loss)
        left = np.sqrt(_difference(crowd_mu(cap, self.delta) ** 2, used))
        return np.asarray(np.where(used == 0, cap, crowd_epsilon(left, self.delta)))

    def laplace_epsilon(self, epsilon: ArrayLike) -> Array:
        """Return sqrt(2) mu: a deviation 2 L / mu has the variance 8 L^2 / (sqrt(2) mu)^2."""
        return np.asarray(np.sqrt(2.0 * self.loss(epsilon)))

    def event(self, epsilon: float) -> "dp_accounting.DpEvent":
        """Return a GaussianDpEvent of the analytic noise multiplier."""
        from dp_accounting import GaussianDpEvent

        return _event(
            epsilon,
            lambda loss: GaussianDpEvent(float(gaussian_noise_multiplier(loss, self.delta))),
        )

    def unit_noise(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> Array:
        """Draw standard normal noise."""
        return rng.standard_normal(shape)


@dataclass(frozen=True)
class PrivacySpent:
    """What one owner's sales add up to, and which accountant says so."""

    epsilon: float
    delta: float
    accountant: str


def compose(
    perturbation: Perturbation, epsilons: Sequence[float] | Array, delta: float | None = None
) -> PrivacySpent:
    """Exact composition of one owner's sales.

    Parameters
    ----------
    perturbation
        The noise under which the sales were made.
    epsilons
        One epsilon a sale, >= 0; an empty sequence has spent nothing.
    delta
        Failure probability at which epsilon is stated; the perturbation's own if not given. With
        delta = 0 (Laplace only) the sum is exact; above it the privacy-loss distributions are
        convolved by dp-accounting's PLD accountant.

    Raises
    ------
    InvalidInput
        If an epsilon is negative or NaN, the array has more than one axis, `delta` is out of
        range, or pure DP is asked of Gaussian noise.

    Notes
    -----
    Source: Koskela et al. 2020 and Doroshenko et al. 2022 (privacy-loss distributions).
    """
    sold = as_floats("epsilons", epsilons, minimum=0.0, finite=False)
    if sold.ndim != 1:
        raise InvalidInput(f"epsilons must be one sequence of sales, got shape {sold.shape}")
    failure = perturbation.failure_probability if delta is None else float(delta)
    if failure == 0 and isinstance(perturbation, LaplacePerturbation):
        return PrivacySpent(float(sold.sum()), 0.0, "basic composition")
    check_delta(failure)
    return PrivacySpent(_pld_epsilon(perturbation, sold, failure), failure, "PLD accountant")


def _pld_epsilon(perturbation: Perturbation, epsilons: Array, delta: float) -> float:
    """Epsilon of the composed events; equal sales are convolved by squaring."""
    from dp_accounting.pld import PLDAccountant

    accountant = PLDAccountant()
    for epsilon, count in zip(*np.unique(epsilons, return_counts=True), strict=True):
        accountant.compose(perturbation.event(float(epsilon)), int(count))
    return float(accountant.get_epsilon(delta))


def _event(
    epsilon: float, noisy: Callable[[float], "dp_accounting.DpEvent"]
) -> "dp_accounting.DpEvent":
    """Return the event of one sale, with the two limits that are no noise mechanisms."""
    from dp_accounting import NonPrivateDpEvent, NoOpDpEvent

    loss = float(as_floats("epsilon", epsilon, minimum=0.0, finite=False))
    if loss == 0:
        return NoOpDpEvent()
    return NonPrivateDpEvent() if np.isinf(loss) else noisy(loss)


def _difference(cap: Array, used: Array) -> Array:
    """max(cap - used, 0); an infinite cap is never used up."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isposinf(cap), np.inf, np.maximum(cap - used, 0.0)))


def _as_accounts(lifetime_cap: ArrayLike, loss: ArrayLike) -> tuple[Array, Array]:
    cap = as_floats("lifetime_cap", lifetime_cap, minimum=0.0, finite=False)
    used = as_floats("loss", loss, minimum=0.0, finite=False)
    try:
        return tuple(np.broadcast_arrays(cap, used))  # type: ignore[return-value]
    except ValueError as error:
        raise InvalidInput(
            f"lifetime_cap {cap.shape} and loss {used.shape} differ: give one of each an owner"
        ) from error


def _as_clip(clip: float) -> float:
    bound = as_floats("clip", clip, positive=True)
    if bound.ndim:
        raise InvalidInput(f"clip must be one number for all owners, got shape {bound.shape}")
    return float(bound)


def check_delta(delta: float) -> float:
    """Return a failure probability, refused outside (0, 1)."""
    value = as_floats("delta", delta)
    if value.ndim or not 0.0 < value < 1.0:
        raise InvalidInput(f"delta must be one number strictly between 0 and 1, got {delta!r}")
    return float(value)


def _refuse_classic(epsilon: Array) -> None:
    if np.any(epsilon >= 1.0):
        raise InvalidInput(
            f"the classic Gaussian formula holds for epsilon < 1 only, got {epsilon.max():g}: "
            "use method='analytic'"
        )
