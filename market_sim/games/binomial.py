"""Binomial weights and Gauss rules that stay accurate for a million users."""

import numpy as np
from numpy.typing import NDArray

from market_sim.shapes import Array

_REACH = 9.5  # standard deviations: what lies beyond weighs less than 1e-16
_MARGIN = 45


def log_factorials(largest: int) -> NDArray[np.longdouble]:
    """Return log n! for n = 0..largest, in extended precision where the machine has it."""
    steps = np.arange(largest + 1, dtype=np.longdouble)
    steps[0] = 1
    return np.cumsum(np.log(steps))


def window(trials: int, chance: float) -> tuple[int, int]:
    """Return the first and last number of successes that matter."""
    mean = trials * chance
    reach = _REACH * np.sqrt(mean * (1.0 - chance)) + _MARGIN
    return max(int(mean - reach), 0), min(int(mean + reach) + 1, trials)


def binomial_weights(trials: int, chance: float) -> tuple[int, Array]:
    """Return the first number of successes that matters and the probabilities from there on.

    Ratios of neighbors are multiplied up from the mode, so that nothing cancels or overflows; the
    probabilities sum to 1.
    """
    if trials == 0 or chance <= 0.0:
        return 0, np.ones(1)
    if chance >= 1.0:
        return trials, np.ones(1)
    first, last = window(trials, chance)
    mode = min(max(int((trials + 1) * chance), first), last)
    k = np.arange(first, last)
    ratio = (trials - k) / (k + 1.0) * (chance / (1.0 - chance))  # weight of k + 1 by that of k
    up = np.cumprod(ratio[mode - first :])
    down = np.cumprod(1.0 / ratio[: mode - first][::-1])[::-1]
    weights = np.concatenate([down, [1.0], up])
    return first, weights / weights.sum()
