"""Owners of data: how they choose their privacy for a share of the reward pool."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agents.rows import RowAgent
from market_sim.errors import InvalidInput
from market_sim.games.contest import RewardContest
from market_sim.shapes import Array, as_floats, whole_number

if TYPE_CHECKING:
    from agents.versions.market import VersionMarket

_ROUNDING = 1e-12  # of the pool


@dataclass(frozen=True)
class Choice:
    """What owners chose.

    Attributes
    ----------
    epsilon
        Shape `(owners,)`; 0 for whoever stays out.
    sweeps
        How often everybody was asked; 0 where the equilibrium was played at once.
    """

    epsilon: Array
    sweeps: int


class PrivacyChoice(ABC):
    """How owners who know the pool and each other's choices come to their own."""

    @abstractmethod
    def choose(self, contest: RewardContest, pool: float, rng: np.random.Generator) -> Choice:
        """Return everybody's epsilon."""


@dataclass(frozen=True)
class PlayEquilibrium(PrivacyChoice):
    """Everybody plays her part of the Nash equilibrium."""

    def choose(self, contest: RewardContest, pool: float, rng: np.random.Generator) -> Choice:
        """See `PrivacyChoice.choose`."""
        return Choice(contest.equilibrium(pool).epsilon, 0)


@dataclass(frozen=True)
class RespondInTurn(PrivacyChoice):
    """Owners start at random and answer each other, one after the other in a new random order.

    When nobody moves any more, whoever loses most by her floor leaves for good, and the others
    answer each other again.

    Parameters
    ----------
    sweeps
        Sweeps over all owners, at most.
    tolerance
        They rest when nobody moved by more than this part of her epsilon.

    Raises
    ------
    InvalidInput
        If a number is out of its range.
    """

    sweeps: int = 200
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        whole_number("sweeps", self.sweeps, 1)
        as_floats("tolerance", self.tolerance, positive=True)

    def choose(self, contest: RewardContest, pool: float, rng: np.random.Generator) -> Choice:
        """See `PrivacyChoice.choose`."""
        rules = contest.rules
        unit = (pool / rules.cost.mean()) ** (1.0 / rules.p) / contest.owners
        play = np.clip(rng.uniform(0.5, 1.5, contest.owners) * unit, rules.low, rules.high)
        inside = np.arange(contest.owners)
        for sweep in range(1, self.sweeps + 1):
            before = play.copy()
            for owner in rng.permutation(inside):
                play[owner] = contest.best_response(play, pool)[owner]
            if np.all(np.abs(play - before) <= self.tolerance * np.maximum(play, before)):
                utility = contest.utility(play, pool)
                worst = int(utility.argmin())
                if utility[worst] >= -_ROUNDING * pool:
                    return Choice(play, sweep)
                play[worst], inside = 0.0, inside[inside != worst]
        return Choice(play, self.sweeps)


CHOICES: dict[str, type[PrivacyChoice]] = {
    "equilibrium": PlayEquilibrium,
    "in-turn": RespondInTurn,
}


def privacy_choice(name: str | PrivacyChoice) -> PrivacyChoice:
    """Return a way to choose, by name or as given.

    Raises
    ------
    InvalidInput
        If the name is unknown.
    """
    if isinstance(name, PrivacyChoice):
        return name
    if name not in CHOICES:
        raise InvalidInput(f"choice must be one of {', '.join(map(repr, CHOICES))}, got {name!r}")
    return CHOICES[name]()


class VersionOwner(RowAgent):
    """One owner: row `row` of the market's columns."""

    market: "VersionMarket"

    @property
    def cost(self) -> float:
        """c_i, in money per epsilon^p."""
        return float(self.market.contest.rules.cost[self.row])

    @property
    def epsilon(self) -> float:
        """What she chose in the last round; 0 if she stayed out."""
        return float(self.market.last.epsilon[self.row])

    @property
    def money(self) -> float:
        """Sum of all payments to her."""
        return float(self.market.ledger.owner_money[self.row])

    @property
    def privacy_spent(self) -> float:
        """Composed epsilon that she has lost so far."""
        return float(self.market.ledger.owner_privacy[self.row])
