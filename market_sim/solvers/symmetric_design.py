"""The platform's best share when identical users of two levels play a symmetric equilibrium."""

from functools import cached_property

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.shapes import Array
from market_sim.solvers.bernstein import (
    added,
    derivative,
    divide_by_rest,
    evaluate,
    extremum,
    product,
    roots,
)
from market_sim.solvers.equilibrium import Equilibrium
from market_sim.solvers.optimum import PlatformOptimum, Thresholds, optimum
from market_sim.solvers.regret import symmetric_regret


class BinaryPlay:
    r"""Symmetric play of two levels as polynomials in s, the chance that a user shares.

    gamma(s) is what sharing pays more than the private option, U(s) the expected utility, both in
    Bernstein form. In an equilibrium with 0 < s < 1 alpha = c / gamma(s), which leaves the
    platform (1 - c / gamma(s)) U(s): without a value of the private option U(s) - c N s.

    Parameters
    ----------
    game
        Identical users with two levels.

    Raises
    ------
    InvalidInput
        If the users are not identical or there are more levels.

    Notes
    -----
    Source: Fair Value of Data [S] eqs. (21)-(24), Theorem 3; [D] any N and any private option.
    """

    def __init__(self, game: AcquisitionGame) -> None:
        if game.levels != 2:
            raise InvalidInput(
                f'play="symmetric" has two levels, got {game.levels}: find the equilibria of three '
                "or more at one alpha with symmetric_equilibria"
            )
        self.game = game
        self.users = game.users
        play = game.symmetric
        self.cost = float(game.costs[0, 1])
        self.plain = play.binary
        if play.binary:
            self.gamma: Array = play.coefficients
            self.utility: Array = play.values
            return
        counts, _, payments = play.states
        order = np.argsort(counts[:, 1])
        self.gamma = payments[order, 1] - payments[order, 0]
        sharing = np.arange(game.users + 1.0)
        self.utility = np.asarray(
            game.utility.value_of_counts([0, 0], game.level_values, [sharing[::-1], sharing])
        )

    @cached_property
    def private(self) -> float:
        """U when nobody shares more than the private option gives."""
        return float(self.utility[0])

    @cached_property
    def thresholds(self) -> Thresholds:
        """Costs at which the regime changes."""
        return Thresholds(
            c_th=self._c_th(),
            switch_off=self._switch_off(),
            gamma_min=extremum(self.gamma, greatest=False)[1],
            gamma_max=extremum(self.gamma, greatest=True)[1],
        )

    def kept(self, sharing: float) -> float:
        """Return what the platform keeps at the equilibrium with this chance of sharing."""
        utility = evaluate(self.utility, sharing)
        if self.cost == 0:
            return utility
        paid = evaluate(self.gamma, sharing)
        if sharing == 0 or paid < self.cost * (1.0 - 1e-14):
            return -np.inf if sharing > 0 else utility
        return (1.0 - min(self.cost / paid, 1.0)) * utility

    def alpha(self, sharing: float) -> float:
        """Return the share at which users share with this chance."""
        if self.cost == 0 or sharing == 0:
            return 0.0
        return min(self.cost / evaluate(self.gamma, sharing), 1.0)

    def critical(self) -> tuple[list[float], bool, int]:
        """Return where the platform's value has its extrema, if everywhere, and the splits."""
        gains = np.diff(self.utility)
        if self.plain or self.cost == 0:
            # d/ds (U(s) - c N s) = N (E[U(K+1) - U(K)] - c), K ~ Bin(N - 1, s)
            result = roots(gains - self.cost, float(np.abs(self.utility).max()))
        else:
            result = roots(self._slope())
        points = [0.0, 1.0, *(root.at for root in result.found)]
        return points, result.everywhere, result.splits

    def _slope(self) -> Array:
        """Return gamma^2 times d/ds (1 - c / gamma) U, (gamma^2 - c gamma) U' + c gamma' U."""
        rise, bend = derivative(self.utility), derivative(self.gamma)
        square = product(product(self.gamma, self.gamma), rise)
        cost = added(product(bend, self.utility), -product(self.gamma, rise))
        return added(square, self.cost * cost)

    def _c_th(self) -> float:
        if self.plain:
            left = np.arange(self.users, 0, -1)
            slopes = (self.utility[-1] - self.utility[:-1]) / left
            return max(extremum(slopes, greatest=False)[1], 0.0)
        top, paid = self.utility[-1], self.gamma[-1]
        if paid <= 0:
            return 0.0
        above = divide_by_rest(product(top - self.utility, self.gamma))
        below = divide_by_rest(added(self.gamma * (top / paid), -self.utility))
        slope = added(product(derivative(above), below), -product(above, derivative(below)))
        points = [0.0, 1.0, *(root.at for root in roots(slope).found)]
        pairs = [(evaluate(above, s), evaluate(below, s)) for s in points]
        return max(min((a / b for a, b in pairs if b > 0), default=np.inf), 0.0)

    def _switch_off(self) -> float:
        base = self.private
        if self.plain or base == 0:
            return extremum(self.gamma, greatest=True)[1]
        rise, bend = derivative(self.utility), derivative(self.gamma)
        gain = product(product(bend, self.utility), self.utility - base)
        slope = added(gain, base * product(self.gamma, rise))
        points = [0.0, 1.0, *(root.at for root in roots(slope).found)]
        pairs = [(evaluate(self.gamma, s), evaluate(self.utility, s)) for s in points]
        return max(paid * (1.0 - base / worth) for paid, worth in pairs if worth > 0)


def symmetric_thresholds(game: AcquisitionGame) -> Thresholds:
    """Return the costs at which the regime of symmetric play changes, for the game's utility.

    Raises
    ------
    InvalidInput
        If the users are not identical or there are more than two levels.
    """
    return BinaryPlay(game).thresholds


def symmetric_optimum(game: AcquisitionGame, selection: str) -> PlatformOptimum:
    """Return the best share when all users play one mixture.

    Raises
    ------
    InvalidInput
        If the selection is not "optimistic" where several mixtures may be equilibria.
    """
    play = BinaryPlay(game)
    falling = bool((np.diff(play.gamma) < 0).all())
    if selection != "optimistic" and not falling:
        raise InvalidInput(
            f"selection={selection!r} in symmetric play needs payments that fall as more users "
            'share, so that there is one equilibrium: use selection="optimistic" or play="pure"'
        )
    points, everywhere, splits = play.critical()
    values = [play.kept(sharing) for sharing in points]
    # of equally good points the one where fewer are paid for nothing
    best = int(np.argmax(values))
    sharing, value = points[best], values[best]
    alpha = play.alpha(sharing)
    if value < 0:  # all utilities are negative: who pays everything out keeps nothing
        return _all_paid(game, play, selection)
    mixture = np.array([1.0 - sharing, sharing])
    miss = float(game.symmetric.regret(mixture, alpha))
    found = Equilibrium(
        strategy=mixture,
        regret=symmetric_regret(game, mixture, alpha),
        residual=miss,
        status="users are indifferent or prefer what they do",
        steps=splits,
        solver="symmetric",
        alpha=alpha,
        utility=evaluate(play.utility, sharing),
    )
    status = f"the best of {len(points)} critical points of the platform's value"
    if everywhere:
        status += "; every chance of sharing is as good"
    if falling:
        status += "; the symmetric equilibrium is the only one at each alpha"
    return optimum(
        found,
        value,
        status,
        selection=selection,
        play="symmetric",
        thresholds=play.thresholds,
    )


def _all_paid(game: AcquisitionGame, play: BinaryPlay, selection: str) -> PlatformOptimum:
    from market_sim.solvers.symmetric import symmetric_equilibria

    found = symmetric_equilibria(game, 1.0)[0]
    return optimum(
        found,
        0.0,
        "the utility is negative in every equilibrium: paying it out entirely keeps nothing",
        selection=selection,
        play="symmetric",
        thresholds=play.thresholds,
    )
