"""Random markets of models, for audits, tests and scenarios."""

from dataclasses import dataclass
from math import log

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.shapes import as_floats, whole_number
from market_sim.sharing.market import SharingMarket


@dataclass(frozen=True)
class SharingLaw:
    """A law of markets: independent sizes, gains, costs and distances.

    Parameters
    ----------
    participants
        Number of participants, at least 1.
    data_size
        Lowest and highest N_i, uniform.
    gain
        Lowest and highest K_i, uniform in the logarithm; equal ends for a fixed K.
    cost
        Lowest and highest c_i in money, uniform.
    distance
        Lowest and highest d_ij, uniform and symmetric.
    penalty
        lam.

    Raises
    ------
    InvalidInput
        If a range is empty, not finite or outside its domain.
    """

    participants: int = 9
    data_size: tuple[float, float] = (100.0, 2000.0)
    gain: tuple[float, float] = (5e5, 5e5)
    cost: tuple[float, float] = (0.0, 5.0)
    distance: tuple[float, float] = (0.0, 1.0)
    penalty: float = 2.0

    def __post_init__(self) -> None:
        whole_number("participants", self.participants, 1)
        for name, positive in (
            ("data_size", True),
            ("gain", True),
            ("cost", False),
            ("distance", False),
        ):
            ends = as_floats(name, getattr(self, name), positive=positive, minimum=0.0)
            if ends.shape != (2,) or ends[0] > ends[1]:
                raise InvalidInput(
                    f"{name} must be a lowest and a highest number, got {getattr(self, name)}"
                )
        as_floats("penalty", self.penalty, minimum=0.0)

    def sample(self, rng: np.random.Generator) -> SharingMarket:
        """Return one market."""
        number = self.participants
        half = np.triu(rng.uniform(*self.distance, size=(number, number)), 1)
        return SharingMarket(
            rng.uniform(*self.data_size, size=number),
            np.exp(rng.uniform(log(self.gain[0]), log(self.gain[1]), size=number)),
            rng.uniform(*self.cost, size=number),
            half + half.T,
            self.penalty,
        )
