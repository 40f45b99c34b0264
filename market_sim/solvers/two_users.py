"""Two users of two levels: all mixed equilibria, and the share that the platform likes best."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.games.acquisition import check_alpha
from market_sim.shapes import Array
from market_sim.solvers.equilibrium import Equilibrium
from market_sim.solvers.optimum import PlatformOptimum, optimum
from market_sim.solvers.pure import TOLERANCE
from market_sim.solvers.regret import mixed_regret


@dataclass(frozen=True, eq=False)
class Duel:
    r"""What sharing pays each of two users, by what the other does.

    Sharing pays user i `alone[i]` more than the private option if the other is private and
    `together[i]` more if she shares; linear in the other's chance of the private option.

    Attributes
    ----------
    alone, together
        Shape `(2,)`.
    cost
        c_i(1), shape `(2,)`.
    utility
        U by the levels of both, shape `(2, 2)`.
    """

    alone: Array
    together: Array
    cost: Array
    utility: Array

    def gain(self, user: int, alpha: float, private: float) -> float:
        """Return what sharing brings a user when the other is private with this chance."""
        paid = private * self.alone[user] + (1.0 - private) * self.together[user]
        return float(alpha * paid - self.cost[user])

    def indifferent(self, user: int, alpha: float) -> float | None:
        """Return the chance that the other is private at which a user is indifferent."""
        slope = alpha * (self.alone[user] - self.together[user])
        if abs(slope) <= 1e-15 * max(abs(float(self.utility.max())), 1e-300):
            return None
        return float((self.cost[user] - alpha * self.together[user]) / slope)

    def expected(self, first: float, second: float) -> float:
        """Return E[U] when the users are private with these chances."""
        return float(np.array([first, 1 - first]) @ self.utility @ np.array([second, 1 - second]))


def duel(game: AcquisitionGame) -> Duel:
    """Return the payments of a game of two users with two levels.

    Raises
    ------
    InvalidInput
        If there are more users or levels.
    """
    if game.users != 2 or game.levels != 2:
        raise InvalidInput(
            f"all mixed equilibria are found for two users with two levels, got {game.users} users "
            f"with {game.levels}: use pure_equilibria, or symmetric_equilibria for identical users"
        )
    profiles = np.array([[[0, 0], [0, 1]], [[1, 0], [1, 1]]])
    paid = game.payments(profiles)
    return Duel(
        alone=np.array([paid[1, 0, 0] - paid[0, 0, 0], paid[0, 1, 1] - paid[0, 0, 1]]),
        together=np.array([paid[1, 1, 0] - paid[0, 1, 0], paid[1, 1, 1] - paid[1, 0, 1]]),
        cost=np.asarray(game.costs[:, 1]),
        utility=game.value(profiles),
    )


def mixed_equilibria(
    game: AcquisitionGame, alpha: float, *, tolerance: float = TOLERANCE
) -> list[Equilibrium]:
    r"""Return all equilibria of two users with two levels, mixed ones included.

    A user mixes only where the other's chance p of the private option makes her indifferent,
    alpha (p alone + (1 - p) together) = c; so each chance is 0, 1 or the other's point of
    indifference, and all nine combinations are tested. Where a user is indifferent to what she
    does in pure play, equilibria form segments; their ends are returned.

    Parameters
    ----------
    game
        Of two users with two levels.
    alpha
        Share of the value that is paid out.
    tolerance
        What counts as indifferent, relative to the largest utility or cost.

    Returns
    -------
    list of Equilibrium
        `strategy` holds the chance of each level, one row a user; the platform's favorite first.

    Raises
    ------
    InvalidInput
        If there are more users or levels, or alpha is outside [0, 1].

    Notes
    -----
    Source: Fair Value of Data [S] App. E; [D] the mixed point is (gamma^-1(c_2 / alpha),
    gamma^-1(c_1 / alpha)).
    """
    share = check_alpha(alpha)
    rules = duel(game)
    scale = max(float(np.abs(rules.utility).max()), float(rules.cost.max()), 1e-300)
    chances = [_chances(rules, user, share) for user in (1, 0)]  # user 0 makes user 1 indifferent
    found = [
        _equilibrium(game, rules, share, pair)
        for pair in product(*chances)
        if all(_content(rules, user, share, pair, tolerance * scale) for user in (0, 1))
    ]
    return sorted(found, key=lambda equilibrium: -equilibrium.utility)


def mixed_optimum(game: AcquisitionGame) -> PlatformOptimum:
    r"""Return the best share over all equilibria of two users, the platform choosing among them.

    The objective (1 - alpha) p_1' U p_2 is linear in each user's chance, so the best equilibrium
    is pure or one in which a user is at the other's point of indifference. Along the curve on
    which both are, U is quadratic in 1 / alpha and its best point a root of a cubic; those, and
    the alphas at which an indifference begins or ends, are all candidates.

    Notes
    -----
    Source: Fair Value of Data [S] Fig. 9, eq. (26) as corrected in [D].
    """
    rules = duel(game)
    alphas = sorted(_candidates(rules))
    found = [mixed_equilibria(game, alpha)[0] for alpha in alphas]
    best = max(found, key=lambda equilibrium: equilibrium.value)
    status = f"the best equilibrium at {len(alphas)} candidates for alpha"
    return optimum(best, best.value, status, selection="optimistic", play="mixed")


def _candidates(rules: Duel) -> set[float]:
    limits = {0.0, 1.0}
    for user in (0, 1):
        for paid in (rules.alone[user], rules.together[user]):
            if paid > 0:
                limits.add(float(rules.cost[user] / paid))
    limits |= {1.0 / z for z in _curve(rules)}
    return {alpha for alpha in limits if 0.0 <= alpha <= 1.0}


def _curve(rules: Duel) -> list[float]:
    """Return 1 / alpha at which the platform's value along the mixed curve is extreme."""
    drop = rules.alone - rules.together
    if (np.abs(drop) <= 1e-15 * max(float(np.abs(rules.utility).max()), 1e-300)).any():
        return []
    # chance that a user is private, affine in z = 1 / alpha: the other's point of indifference
    slope, base = (rules.cost / drop)[::-1], (-rules.together / drop)[::-1]
    first, second = np.poly1d([slope[0], base[0]]), np.poly1d([slope[1], base[1]])
    u = rules.utility
    worth = first * second * u[0, 0] + first * (1 - second) * u[0, 1]
    worth = worth + (1 - first) * second * u[1, 0] + (1 - first) * (1 - second) * u[1, 1]
    a, b, c = np.pad(worth.coeffs, (3 - worth.coeffs.size, 0))
    # d/dz (1 - 1/z) (a z^2 + b z + c) = 0
    found = np.roots([2.0 * a, b - a, 0.0, c])
    return [float(z.real) for z in found if abs(z.imag) <= 1e-9 * abs(z) and z.real >= 1.0]


def _chances(rules: Duel, user: int, alpha: float) -> list[float]:
    """Return the chances at which the other may be private: 0, 1 and what makes `user` waver."""
    point = rules.indifferent(user, alpha)
    if point is None:
        return [0.0, 1.0]
    near = [end for end in (0.0, 1.0) if abs(point - end) <= 1e-12]
    return [0.0, 1.0] if near or not 0.0 < point < 1.0 else [0.0, point, 1.0]


def _content(rules: Duel, user: int, alpha: float, pair: tuple[float, ...], slack: float) -> bool:
    gain = rules.gain(user, alpha, pair[1 - user])
    private = pair[user]
    return (private == 1.0 or gain >= -slack) and (private == 0.0 or gain <= slack)


def _equilibrium(
    game: AcquisitionGame, rules: Duel, alpha: float, pair: tuple[float, ...]
) -> Equilibrium:
    play = np.array([[private, 1.0 - private] for private in pair])
    mixes = [user for user in (0, 1) if 0.0 < pair[user] < 1.0]
    gains = [abs(rules.gain(user, alpha, pair[1 - user])) for user in mixes]
    words = {0: "both users play pure", 1: "one user mixes", 2: "both users mix"}
    return Equilibrium(
        strategy=play,
        regret=mixed_regret(game, play, alpha),
        residual=max(gains, default=0.0),
        status=words[len(mixes)],
        steps=9,
        solver="indifference",
        alpha=alpha,
        utility=rules.expected(pair[0], pair[1]),
    )
