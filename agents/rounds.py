"""What all markets in rounds have in common: one seed, keyed streams, a counter, a run."""

from collections.abc import Callable

import mesa

from market_sim import Streams
from market_sim.shapes import whole_number


class RoundModel(mesa.Model):
    """A Mesa model whose `step` is one round and whose randomness is keyed, not shared.

    Parameters
    ----------
    seed
        Seed of all random streams. `rng` is the same, in Mesa's words, and goes before it.

    Raises
    ------
    InvalidInput
        If the seed is not a whole number of at least 0.
    """

    def __init__(self, seed: int = 0, rng: int | None = None) -> None:
        root = whole_number("seed", seed if rng is None else rng, 0)
        super().__init__(rng=root)
        self.streams = Streams(root)
        self.round = 0

    def run(self, rounds: int, progress: Callable[[int], None] | None = None) -> None:
        """Run so many rounds, calling `progress` with the number of rounds done after each.

        Raises
        ------
        InvalidInput
            If `rounds` is not a whole number of at least 1.
        """
        for done in range(1, whole_number("rounds", rounds, 1) + 1):
            self.step()
            if progress is not None:
                progress(done)
