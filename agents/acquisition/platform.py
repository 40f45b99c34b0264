"""Platforms: they announce the share of the value that is paid out, and may learn it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.acquisition.confidence import CostBounds
from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.games.acquisition import check_alpha
from market_sim.shapes import Array, as_floats, whole_number
from market_sim.solvers import equilibrium_partitions

if TYPE_CHECKING:
    from agents.acquisition.market import AcquisitionMarket

Levels = NDArray[np.intp]
_MARGIN = 1e-9  # of the largest payment: what rounding may hide in a choice


class Platform(mesa.Agent):
    """A platform that always pays out the same share.

    Attributes
    ----------
    alpha
        Share of the value that it pays out.
    kept
        What it kept in each round so far.
    """

    def __init__(self, model: Any, alpha: float) -> None:
        super().__init__(model)
        self.alpha = check_alpha(alpha)
        self.kept: list[float] = []

    @property
    def market(self) -> "AcquisitionMarket":
        """The market this platform runs."""
        market: AcquisitionMarket = self.model
        return market

    def announce(self) -> float:
        """Return the share for this round."""
        return self.alpha

    def observe(self, rows: Levels, chosen: Levels, payments: Array) -> None:
        """See what users chose and what every level would have paid them (at alpha = 1)."""

    def settle(self, kept: float) -> None:
        """Keep what is left of the round's value."""
        self.kept.append(kept)


@dataclass(frozen=True)
class BreakpointLearner:
    """Settings of a platform that does not know costs and learns the best share.

    It knows U, tries a share for some rounds, and cuts its confidence set on costs by every
    choice. Its arms are the breakpoints of alpha (left and right ends of the intervals on which
    partitions are equilibria) of the game with costs in the middle of the set; an arm not tried
    is worth what that game promises, one that was tried what it brought. When the best arm is a
    known one, the least costs of the set are asked whether something better is still possible; if
    so, a share between the two is tried.

    Parameters
    ----------
    patience
        Rounds for which a share is kept, so that play can settle; the last half is judged.
    resolution
        Shares are multiples of this, strictly above breakpoints, where users are no longer
        indifferent; in (0, 0.5].
    tolerance
        Hopes that exceed the best known arm by less than this part of it are not followed.
    margin
        By how much money a user's choice may miss her best one; 0 for best response. With logit
        noise of temperature T a miss above T log(choices) is unlikely.
    by_standing
        Remember what an arm brought by the profile from which play went there. Where play goes
        depends on where it comes from: a good equilibrium, once reached, may be kept at a lower
        share. For users who answer with noise or come and go, say False.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.

    Notes
    -----
    Source: Fair Value of Data [D], learning of costs from choices and a bandit on alpha.
    """

    patience: int = 10
    resolution: float = 0.002
    tolerance: float = 0.002
    margin: float = 0.0
    by_standing: bool = True

    def __post_init__(self) -> None:
        whole_number("patience", self.patience, 1)
        as_floats("tolerance", self.tolerance, minimum=0.0)
        as_floats("margin", self.margin, minimum=0.0)
        if not 0.0 < float(as_floats("resolution", self.resolution)) <= 0.5:
            raise InvalidInput(
                f"resolution must be a number above 0 and at most 0.5, got {self.resolution}"
            )


@dataclass
class _Arm:
    """What a share brought."""

    pulls: int = 0
    mean: float = 0.0

    def add(self, value: float) -> None:
        self.pulls += 1
        self.mean += (value - self.mean) / self.pulls


class LearningPlatform(Platform):
    """A platform that learns alpha from observed choices; see `BreakpointLearner`.

    Attributes
    ----------
    bounds
        The confidence set on costs.
    epochs
        Rows (epoch, first round, alpha, reason, kept, width of the confidence set).
    """

    def __init__(self, model: Any, settings: BreakpointLearner) -> None:
        super().__init__(model, 0.0)
        game = self.market.game
        equilibrium_partitions(game)  # refuses games that are too large, at the door
        most = self.market.offers.range[1]
        self.settings = settings
        self.bounds = CostBounds(
            game.users, game.levels, max(settings.margin, _MARGIN * max(most, 1e-300))
        )
        self.epochs: list[tuple[int, int, float, str, float, float]] = []
        self._arms: dict[tuple[bytes, int], _Arm] = {}
        self._cap = self.market.offers.most[game.kinds]
        self._key = (b"", 0)
        self._why = ""

    @property
    def width(self) -> float:
        """Mean width of the intervals of costs, each no wider than what could ever be paid."""
        return float((self._capped() - self.bounds.low)[:, 1:].mean())

    def announce(self) -> float:
        """Return the share; every `patience` rounds a new one is picked."""
        if len(self.kept) % self.settings.patience == 0:
            self._judge()
            self._pick()
        return self.alpha

    def observe(self, rows: Levels, chosen: Levels, payments: Array) -> None:
        """Cut the confidence set; see `Platform.observe`."""
        if rows.size:
            self.bounds.observe(rows, chosen, payments, self.alpha)

    def _judge(self) -> None:
        """Remember what the last epoch brought."""
        if not self.kept:
            return
        patience = self.settings.patience
        late = float(np.mean(self.kept[-((patience + 1) // 2) :]))
        self._arms.setdefault(self._key, _Arm()).add(late)
        number, first = len(self.epochs), len(self.kept) - patience
        self.epochs.append((number, first, self.alpha, self._why, late, self.width))

    def _pick(self) -> None:
        """Choose the arm of the next epoch."""
        standing = self._standing()
        known = {arm: a.mean for (place, arm), a in self._arms.items() if place == standing}
        low, high = self.bounds.low, self._capped()
        promised = self._promises((low + high) / 2.0, widen=False)
        promised = {arm: value for arm, value in promised.items() if arm not in known}
        best = max(known.values(), default=-np.inf)
        hope = max(promised, key=lambda arm: (promised[arm], -arm), default=0)
        if promised and promised[hope] > best + self.settings.tolerance * abs(best):
            self._take(standing, hope, "breakpoint")
            return
        between = self._between(known, best, low) if known else hope
        if between is not None:
            self._take(standing, between, "hope")
            return
        self._take(standing, max(known, key=lambda arm: (known[arm], -arm)), "best known")

    def _between(self, known: dict[int, float], best: float, low: Array) -> int | None:
        """Return an untried share at which the least possible costs allow more than the best."""
        least = best + self.settings.tolerance * abs(best)
        promised = self._promises(low, widen=True)
        for arm in sorted(promised, key=lambda arm: -promised[arm]):
            value = promised[arm]
            if value <= least:
                return None
            worth = value / (1.0 - self._share(arm))
            last = int((1.0 - least / worth) / self.settings.resolution)
            untried = [between for between in range(arm, last + 1) if between not in known]
            if untried:
                return min(untried, key=lambda between: abs(2 * between - arm - last))
        return None

    def _promises(self, costs: Array, *, widen: bool) -> dict[int, float]:
        """Return the most that each arm brings in equilibrium if costs are these.

        With `widen` a partition also counts above its interval: a bound when costs may be higher.
        """
        game = self.market.game
        model = AcquisitionGame(
            game.utility, costs, game.level_values, private_gives=bool(game.level_values[0] > 0)
        )
        found = equilibrium_partitions(model)
        step = self.settings.resolution
        ends = np.concatenate([found.left, np.zeros(0) if widen else found.right])
        arms = np.unique(np.floor(ends / step + 1e-9).astype(np.intp) + 1)
        arms = arms[arms * step <= 1.0]
        promised: dict[int, float] = {0: float(found.utility[found.left <= 0.0].max())}
        for arm in arms.tolist():
            share = self._share(arm)
            there = found.left <= share
            if not widen:
                there &= found.right >= share
            if there.any():
                promised[arm] = (1.0 - share) * float(found.utility[there].max())
        return promised

    def _take(self, standing: bytes, arm: int, why: str) -> None:
        self._key, self._why = (standing, arm), why
        self.alpha = self._share(arm)

    def _share(self, arm: int) -> float:
        return min(arm * self.settings.resolution, 1.0)

    def _standing(self) -> bytes:
        market = self.market
        return market.game.counts(market.levels).tobytes() if self.settings.by_standing else b""

    def _capped(self) -> Array:
        """Return the greatest costs; one above every payment acts like the largest payment."""
        return np.maximum(np.minimum(self.bounds.high, self._cap), self.bounds.low)


@dataclass(frozen=True)
class PlatformRegret:
    """What a platform kept, against the optimum of one who knows the costs.

    Attributes
    ----------
    rounds
        Rounds played.
    kept
        Mean of what it kept a round; `late` is the mean over the last quarter.
    optimistic, pessimistic
        The optimum when users play the equilibrium that the platform likes best, and worst.
    """

    rounds: int
    kept: float
    late: float
    alpha: float
    optimistic: float
    pessimistic: float

    @property
    def regret_optimistic(self) -> float:
        """Sum over rounds of the optimistic optimum less what was kept."""
        return self.rounds * (self.optimistic - self.kept)

    @property
    def regret_pessimistic(self) -> float:
        """Sum over rounds of the pessimistic optimum less what was kept; may be negative."""
        return self.rounds * (self.pessimistic - self.kept)

    def __str__(self) -> str:
        return (
            f"kept {self.kept:.6g} a round over {self.rounds} rounds, {self.late:.6g} in the last "
            f"quarter, now at alpha {self.alpha:.6g}; regret {self.regret_optimistic:.6g} against "
            f"the optimistic optimum {self.optimistic:.6g}, {self.regret_pessimistic:.6g} against "
            f"the pessimistic {self.pessimistic:.6g}"
        )
