"""What the platform does best: the share it pays out, what it keeps, and in which regime."""

from dataclasses import dataclass

import numpy as np

from market_sim.shapes import Array
from market_sim.solvers.equilibrium import Equilibrium, Strategy

EVERYONE, SOME, NOBODY = "everyone shares", "some share", "nobody is paid"
REGIMES = (NOBODY, SOME, EVERYONE)
"""Regimes by code 0, 1, 2."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Thresholds:
    r"""Costs at which symmetric play of two levels changes, for N identical users.

    Attributes
    ----------
    c_th
        Up to this cost the platform pays so that everyone shares,
        min over p of (U(0) - U(p)) / (U(0)/gamma(0) - U(p)/gamma(p)), p the chance of the private
        option; U(N) - U(N-1) for concave U.
    switch_off
        From this cost on it pays nothing: max over p of gamma(p) (1 - U(1) / U(p)).
    gamma_min, gamma_max
        Least and greatest payment gamma(p) for sharing: below c / gamma_max nobody shares in
        equilibrium, above c / gamma_min everyone does.

    Notes
    -----
    Source: Fair Value of Data [S] Theorem 3; [D] any N, and the switch-off, which is gamma_max only
    where the private option is worth nothing.
    """

    c_th: float
    switch_off: float
    gamma_min: float
    gamma_max: float


@dataclass(frozen=True, eq=False)
class PlatformOptimum:
    """The platform's best share, and the play that it expects.

    Attributes
    ----------
    alpha
        Share of the value that is paid out.
    value
        What the platform keeps, (1 - alpha) U.
    profile
        Play at alpha. Pure: the level number of each user, shape `(users,)`. Symmetric: the chance
        of each level, shape `(levels,)`. Mixed: the chances of each user, `(users, levels)`.
    regime
        "everyone shares", "some share" or "nobody is paid".
    utility
        U of the play.
    attained
        Whether the value is reached at alpha itself; if not, it is the limit as alpha approaches
        from the right (from the left where U is negative), and play at alpha may be worse.
    equilibrium
        The play with its regret.
    selection, play
        As asked for.
    status
        How it was found, a sentence.
    thresholds
        Costs at which the regime changes, for symmetric play.
    """

    alpha: float
    value: float
    profile: Strategy
    regime: str
    utility: float
    attained: bool
    equilibrium: Equilibrium
    selection: str
    play: str
    status: str
    thresholds: Thresholds | None = None

    def __str__(self) -> str:
        return f"alpha {self.alpha:.6g}, value {self.value:.6g}, {self.regime}: {self.status}"


def regime_of(profile: Strategy, alpha: float, play: str) -> str:
    """Return the regime of a play: who gives more than the private option, for money."""
    if play == "pure":
        private = np.asarray(profile == 0, dtype=np.float64)
    else:
        private = np.atleast_2d(profile)[:, 0]
    return regime_of_private(private, alpha)


def regime_of_private(private: Array, alpha: float) -> str:
    """Return the regime by each user's chance of the private option."""
    if alpha <= 0 or (private >= 1.0 - _ROUNDING).all():
        return NOBODY
    return EVERYONE if (private <= _ROUNDING).all() else SOME


def optimum(
    equilibrium: Equilibrium,
    value: float,
    status: str,
    *,
    selection: str,
    play: str,
    attained: bool = True,
    thresholds: Thresholds | None = None,
) -> PlatformOptimum:
    """Put an optimum together from the equilibrium that it rests on."""
    return PlatformOptimum(
        alpha=equilibrium.alpha,
        value=value,
        profile=equilibrium.strategy,
        regime=regime_of(equilibrium.strategy, equilibrium.alpha, play),
        utility=equilibrium.utility,
        attained=attained,
        equilibrium=equilibrium,
        selection=selection,
        play=play,
        status=status,
        thresholds=thresholds,
    )
