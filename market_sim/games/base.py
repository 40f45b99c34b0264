"""Game: what each user gets as a function of what all of them do."""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray


class Game(ABC):
    """A finite game of `users`, each of whom picks one of `levels` (0 is the most private).

    A profile holds the level of every user, shape `(*profiles, users)`. Games whose rules have
    parameters (such as the share alpha that a platform pays out) take them as further arguments
    with defaults.
    """

    @property
    @abstractmethod
    def users(self) -> int:
        """Number of users."""

    @property
    @abstractmethod
    def levels(self) -> int:
        """Number of levels that each user can pick from."""

    @abstractmethod
    def payoff(self, profile: ArrayLike) -> Float[NDArray[np.float64], "*profiles users"]:
        """Return what each user gets."""

    @abstractmethod
    def deviation_gains(
        self, profile: ArrayLike
    ) -> Float[NDArray[np.float64], "*profiles users levels"]:
        """Return what each user would gain by moving alone to each level (0 at her own)."""

    def regret(self, profile: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
        """Return the most that any user gains by moving alone; 0 exactly at a Nash equilibrium."""
        return np.asarray(self.deviation_gains(profile).max(axis=(-2, -1)))
