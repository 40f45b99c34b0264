"""Pure equilibria, all of them, and for which share of the value a profile is one."""

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.games.acquisition import check_alpha
from market_sim.solvers.equilibrium import Equilibrium
from market_sim.solvers.intervals import Intervals
from market_sim.solvers.partitions import Partitions, Profile, partitions
from market_sim.solvers.regret import pure_regret

TOLERANCE = 1e-12
"""Of payoffs, relative to the largest utility or cost: gains below it count as none."""


def pure_equilibria(
    game: AcquisitionGame, alpha: float, *, tolerance: float = TOLERANCE, count: bool = True
) -> list[Equilibrium]:
    r"""Return every pure equilibrium at one alpha, one profile for each partition of the users.

    rho is an equilibrium when alpha phi_i(rho) - c_i(rho_i) >= alpha phi_i(l, rho_-i) - c_i(l) for
    all i and l. A partition (how many users of each kind at each level) holds one when its users
    can be assigned to levels they are content with: Hall's condition over all sets of levels, so
    that nothing is searched and nothing is missed.

    Parameters
    ----------
    game
        The data acquisition game, small enough for a table of all profiles, or with users who
        differ in costs only and have two levels (then of any size).
    alpha
        Share of the value that is paid out, from 0 to 1.
    tolerance
        Gains up to this, relative to the largest utility or cost, count as none, so that the
        equilibria at a breakpoint are there on both sides of rounding.
    count
        Also count how many profiles each one represents.

    Returns
    -------
    list of Equilibrium
        The platform's favorite first. There is always one: the game has a potential.

    Raises
    ------
    InvalidInput
        If alpha is outside [0, 1] or the game is too large.

    Notes
    -----
    Source: Fair Value of Data [D], algorithm D.
    """
    share = check_alpha(alpha)
    parts = partitions(game)
    slack = _slack(tolerance) * parts.scale
    found = [
        _equilibrium(game, parts, int(partition), share, slack, count)
        for partition in parts.equilibria(share, slack)
    ]
    return sorted(found, key=lambda equilibrium: -equilibrium.utility)


def equilibrium_interval(game: AcquisitionGame, profile: ArrayLike) -> tuple[float, float] | None:
    """Return the least and greatest alpha at which a profile is an equilibrium, None if at none.

    Every deviation of user i to level l bounds alpha: alpha (phi_i(l) - phi_i) <= c_i(l) - c_i.

    Parameters
    ----------
    game
        The data acquisition game.
    profile
        Level number of each user, shape `(users,)`.

    Raises
    ------
    InvalidInput
        If the profile does not fit.

    Notes
    -----
    Source: Fair Value of Data [D], algorithm E.
    """
    levels = game.check_profile(profile)
    if levels.ndim != 1:
        raise InvalidInput(f"one profile at a time, got shape {levels.shape}")
    extra = game.costs - game.costs[np.arange(game.users), levels][:, None]
    change = game.payment_gains(levels)
    noise = 1e-14 * max(abs(float(game.value(levels))), float(np.abs(change).max()), 1e-300)
    extra = np.where(np.abs(extra) <= noise, 0.0, extra)
    change = np.where(np.abs(change) <= noise, 0.0, change)
    if (extra[change == 0] < 0).any():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = extra / change
    left = float(limit[change < 0].max(initial=0.0))
    right = float(limit[change > 0].min(initial=1.0))
    if left > right + 1e-13:
        return None
    return left, max(left, right)


def equilibrium_partitions(game: AcquisitionGame) -> Intervals:
    """Return every partition that is an equilibrium for some alpha, with its intervals of alpha.

    Raises
    ------
    InvalidInput
        If the game is too large.

    Notes
    -----
    Source: Fair Value of Data [D], algorithms D and E.
    """
    return partitions(game).intervals()


def _slack(tolerance: float) -> float:
    if not 0.0 <= tolerance < 1.0:
        raise InvalidInput(f"tolerance must be a small number from 0 to 1, got {tolerance}")
    return float(tolerance)


def _equilibrium(
    game: AcquisitionGame,
    parts: Partitions,
    partition: int,
    alpha: float,
    slack: float,
    count: bool,
) -> Equilibrium:
    profile = parts.profile(partition, alpha, slack)
    number = parts.ways(partition, alpha, slack) if count else 1
    return certified(game, profile, alpha, slack, "partitions", parts.steps, number)


def certified(
    game: AcquisitionGame,
    profile: Profile,
    alpha: float,
    slack: float,
    solver: str,
    steps: int,
    number: int = 1,
    utility: float | None = None,
) -> Equilibrium:
    """Return a pure profile with its regret, computed by other code than found it."""
    regret = pure_regret(game, profile, alpha)
    status = "nobody gains by moving alone"
    if regret > 0:
        status = f"nobody gains more than {regret:.2g} by moving alone, which is within rounding"
    if regret > max(2.0 * slack, 1e-10 * slack / TOLERANCE):
        status = f"not an equilibrium: a user gains {regret:.3g} by moving alone"
    return Equilibrium(
        strategy=profile,
        regret=regret,
        residual=0.0,
        status=status,
        steps=steps,
        solver=solver,
        alpha=alpha,
        utility=float(game.value(profile)) if utility is None else utility,
        represents=number,
    )
