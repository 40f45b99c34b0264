"""The mean-field limit of symmetric play: the number of others who give is its own mean."""

from dataclasses import dataclass

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.games.acquisition import check_alpha
from market_sim.shapes import Array


@dataclass(frozen=True)
class MeanField:
    """One equilibrium of the mean-field limit.

    Attributes
    ----------
    alpha
        Share of the value that is paid out.
    chance
        Share of the users who give.
    utility
        U at that share, what all payments add up to at alpha = 1.
    stable
        Whether a few more who give make giving pay less than it costs, and a few less more: play
        returns. At the ends, whether the better choice is strictly better.
    """

    alpha: float
    chance: float
    utility: float
    stable: bool

    @property
    def value(self) -> float:
        """What the platform keeps."""
        return (1.0 - self.alpha) * self.utility


def mean_field(game: AcquisitionGame, alpha: float) -> tuple[MeanField, ...]:
    r"""Return all symmetric equilibria x of alpha g((N-1) x) = c, g(k) = U(k+1) / (k+1).

    Against N - 1 others who give with chance x a user is paid E[g(K)], K ~ Bin(N-1, x). The limit
    puts the mean (N-1) x in place of K. What it misses is (N-1) x (1-x) g'' / 2, of order 1/N
    where U has a limit as a function of k/N; between whole numbers g is a straight line.

    Parameters
    ----------
    game
        Of identical users with two levels, of which the first gives nothing.
    alpha
        Share of the value that is paid out, from 0 to 1.

    Returns
    -------
    tuple of MeanField
        By ascending chance; at least one.

    Raises
    ------
    InvalidInput
        If users differ, there are more levels, or alpha is outside [0, 1].

    Notes
    -----
    Source: Fair Value of Data [S] eq. (23), its limit [D].
    """
    share = check_alpha(alpha)
    if not game.symmetric.binary:
        raise InvalidInput(
            f"the mean-field limit needs two levels of which the first gives nothing, got "
            f"{game.levels} levels with values {game.level_values.tolist()}"
        )
    paid = game.symmetric.coefficients
    gain = share * paid - game.costs[0, 1]
    found = [(0.0, bool(gain[0] < 0))] if gain[0] <= 0 else []
    found += [(others / (game.users - 1.0), stable) for others, stable in _crossings(gain)]
    found += [(1.0, bool(gain[-1] > 0))] if gain[-1] >= 0 else []
    return tuple(_at(game, paid, share, chance, stable) for chance, stable in found)


def _crossings(gain: Array) -> list[tuple[float, bool]]:
    """Return where the broken line through `gain` is zero inside, and whether it falls there."""
    found = []
    for left in range(gain.size - 1):
        a, b = float(gain[left]), float(gain[left + 1])
        if a * b < 0:
            found.append((left + a / (a - b), a > 0))
        elif b == 0 and left + 2 < gain.size:
            found.append((left + 1.0, a > 0 > float(gain[left + 2])))
    return found


def _at(game: AcquisitionGame, paid: Array, alpha: float, chance: float, stable: bool) -> MeanField:
    at = float(np.interp(chance * (game.users - 1.0), np.arange(paid.size), paid))
    return MeanField(alpha, chance, game.users * chance * at, stable)
