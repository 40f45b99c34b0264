"""Random numbers of a market that a lie does not change: common random numbers without a state."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.reports import Reports
from market_sim.shapes import Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
Words = NDArray[np.uint64]


def market_uniforms(
    reports: Reports, budget: Array, seed: int
) -> Float[NDArray[np.float64], "*profiles owners"]:
    """Return a number in [0, 1) for each owner, a function of the seed and of the market.

    The market is known by its budget and by the owners' families and sizes. Rates and caps, what
    owners lie about, do not enter: a lie meets the same luck as the truth. Neither does the place
    of a profile in its batch: a market cleared alone comes out the same.

    Parameters
    ----------
    reports
        Shape `(*profiles, owners)`.
    budget
        Shape `profiles`.
    seed
        At least 0.

    Notes
    -----
    A counter-based generator: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) of the hashed market.
    """
    place = _mixed(np.arange(1, reports.owners + 1, dtype=np.uint64) * _GOLDEN)
    rows = (-1, reports.owners)
    own = _mixed(reports.valuations.kind.reshape(rows).astype(np.uint64) + place)
    if reports.data_size is not None:
        own = _mixed(own ^ _bits(reports.data_size).reshape(rows))
    start = _mixed(np.array([seed], dtype=np.uint64))
    money = _mixed(_bits(budget).reshape(-1) ^ start)
    market = _mixed(own.sum(axis=-1, dtype=np.uint64) ^ money)
    words = _mixed(market[:, None] + place)
    return ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(reports.shape)


def _bits(array: Array) -> Words:
    """Return the bits of each number."""
    return np.ascontiguousarray(array, dtype=np.float64).view(np.uint64)


def _mixed(words: Words) -> Words:
    """Return words whose bits all depend on all bits of the given ones."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))
