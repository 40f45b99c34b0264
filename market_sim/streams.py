"""Random streams keyed by purpose, owner and round: common random numbers without global state."""

import zlib
from dataclasses import dataclass

import numpy as np

from market_sim.shapes import whole_number


@dataclass(frozen=True)
class Streams:
    """Independent random streams of one run, each reached by what it is for.

    Two markets with the same seed draw the same numbers for the same purpose, owner and round,
    whatever else either of them draws: this is what makes paired comparisons of mechanisms
    possible (common random numbers). One `numpy.random.SeedSequence` a run is spawned by purpose;
    owner and round sit in the counter of a Philox generator (Salmon et al. 2011, SC'11), so a
    stream of its own for each of a million owners costs microseconds and no memory.

    Parameters
    ----------
    root
        Seed of the run, a non-negative integer.

    Raises
    ------
    InvalidInput
        If the seed is negative.
    """

    root: int

    def __post_init__(self) -> None:
        whole_number("seed", self.root, 0)

    def _sequence(self, purpose: str, keys: tuple[int, ...]) -> np.random.SeedSequence:
        return np.random.SeedSequence(
            self.root, spawn_key=(zlib.crc32(purpose.encode()), *(int(key) for key in keys))
        )

    def generator(self, purpose: str, *keys: int) -> np.random.Generator:
        """Return the stream of a purpose and further integer keys."""
        return np.random.Generator(np.random.Philox(self._sequence(purpose, keys)))

    def for_owner(self, purpose: str, owner: int, round_: int = 0) -> np.random.Generator:
        """Return the stream of one owner in one round; it does not depend on who else draws."""
        key = self._sequence(purpose, ()).generate_state(2, np.uint64)
        # The 1 keeps owner 0 in round 0 apart from `generator(purpose)`, whose counter starts at 0.
        return np.random.Generator(
            np.random.Philox(key=key, counter=np.array([0, 1, round_, owner], dtype=np.uint64))
        )

    def seed(self, purpose: str, *keys: int) -> int:
        """Return a 63-bit seed, for generators of other libraries."""
        return int(self._sequence(purpose, keys).generate_state(1, np.uint64)[0] >> np.uint64(1))
