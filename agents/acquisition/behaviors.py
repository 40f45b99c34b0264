"""Behaviors: how users pick a privacy level, one vectorised call for all who share one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats

Levels = NDArray[np.intp]
Flags = NDArray[np.bool_]
Feedback = Literal["full", "bandit"]
_ROUNDING = 1e-12  # of the stake: a smaller gain moves nobody
_LEAST_CHANCE = 1e-12  # rounding of cumulated chances may pick a level of chance 0


@dataclass
class Memory:
    """What the users of one behavior remember, one row a user (of all users, for simplicity).

    Attributes
    ----------
    loss
        Sum of the (estimated) losses of each level, shape `(users, levels)`.
    rounds
        Rounds each user learned from, shape `(users,)`.
    chances
        The mixture each learning user last drew from, shape `(users, levels)`; NaN if none.
    """

    loss: Array
    rounds: Levels
    chances: Array

    @classmethod
    def empty(cls, users: int, levels: int) -> "Memory":
        """Return the memory of users who have seen nothing."""
        unknown = np.full((users, levels), np.nan)
        return cls(np.zeros((users, levels)), np.zeros(users, dtype=np.intp), unknown)


@dataclass(frozen=True, eq=False)
class ChoiceView:
    """What the users asked know when they choose.

    Attributes
    ----------
    rows
        The users asked, shape `(rows,)`.
    levels
        Where each of them stands.
    payoffs
        alpha phi_i(l) - c_i(l) of each level as long as the others present stay where they are,
        shape `(rows, levels)`.
    stake
        Difference of the largest and the smallest payoff possible at this alpha.
    restless, draws
        Two uniform numbers a user of this round, for whether and what to choose.
    """

    rows: Levels
    levels: Levels
    payoffs: Array
    stake: float
    restless: Array
    draws: Array


@dataclass(frozen=True, eq=False)
class Receipt:
    """What users see after a round.

    Attributes
    ----------
    rows
        The users, all present.
    levels
        What they chose.
    payoffs
        What each level would have brought them against the choices that were made, shape
        `(rows, levels)`; who learns by bandit feedback looks only at the level she chose.
    best, stake
        The largest payoff possible at this alpha, and how far the smallest possible is below it.
    groups
        Group of every user, present or not, shape `(users,)`; members are identical.
    """

    rows: Levels
    levels: Levels
    payoffs: Array
    best: float
    stake: float
    groups: Levels


class Behavior(ABC):
    """How users choose levels; a frozen record of settings, what users remember is in `Memory`."""

    @abstractmethod
    def choose(self, view: ChoiceView, memory: Memory) -> tuple[Levels, Flags]:
        """Return the new levels, and who thought about it (others stay without having looked)."""

    def learn(self, receipt: Receipt, memory: Memory) -> None:  # noqa: B027 - most learn nothing
        """Remember what a round brought."""


@dataclass(frozen=True)
class BestResponse(Behavior):
    """Each user moves to the level that pays her best as long as the others stay.

    With inertia, each stays where she is with that chance and does not look. When all move at
    once some inertia is needed: otherwise they may chase each other in circles forever.

    Parameters
    ----------
    inertia
        Chance of staying without a look, in [0, 1).

    Raises
    ------
    InvalidInput
        If the inertia is outside [0, 1).

    Notes
    -----
    Source: Young (2004), better-reply dynamics with inertia in potential games.
    """

    inertia: float = 0.5

    def __post_init__(self) -> None:
        _check_inertia(self.inertia)

    def choose(self, view: ChoiceView, memory: Memory) -> tuple[Levels, Flags]:
        """Return the best levels of who looks; see `Behavior.choose`."""
        awake = view.restless >= self.inertia
        best = view.payoffs.argmax(axis=1)
        row = np.arange(view.rows.size)
        gain = view.payoffs[row, best] - view.payoffs[row, view.levels]
        moves = awake & (gain > _ROUNDING * view.stake)
        return np.where(moves, best, view.levels), awake


@dataclass(frozen=True)
class LogitResponse(Behavior):
    """Each user picks level l with chance ~ exp(payoff of l / temperature).

    Parameters
    ----------
    temperature
        > 0, in the unit of payoffs. Low: nearly best response. High: nearly any level.
    inertia
        Chance of staying without a look, in [0, 1).

    Raises
    ------
    InvalidInput
        If a number is outside its domain.

    Notes
    -----
    Source: Blume (1993). One user at a time, the long run is the Gibbs law of the potential.
    """

    temperature: float
    inertia: float = 0.0

    def __post_init__(self) -> None:
        _one("temperature", self.temperature)
        _check_inertia(self.inertia)

    def choose(self, view: ChoiceView, memory: Memory) -> tuple[Levels, Flags]:
        """Return noisy answers of who looks; see `Behavior.choose`."""
        awake = view.restless >= self.inertia
        drawn = drawn_levels(softmax(view.payoffs / self.temperature), view.draws)
        return np.where(awake, drawn, view.levels), awake


@dataclass(frozen=True)
class NoRegret(Behavior):
    r"""Each user draws from exponential weights on the losses that payments have shown her.

    x_l ~ exp(-eta_t L_l), L the sum of losses (the largest payoff possible less the payoff, over
    the range of payoffs), eta_t = rate sqrt(log(levels) / t), with t times the number of levels
    under bandit feedback. Each user's regret against her best fixed level grows like sqrt(t).

    Parameters
    ----------
    feedback
        "full": after each round she sees what every level would have paid. "bandit": only what
        hers did; its loss is divided by the chance of having chosen it, which makes the estimate
        of every level unbiased.
    rate
        Scales the learning rate, > 0.
    pooled
        Identical users share one memory and draw from one mixture, each for herself. Alone, users
        drift apart into givers and others (the mixed equilibrium is a saddle of the potential);
        pooled, they can stay near the symmetric equilibrium.

    Raises
    ------
    InvalidInput
        If the feedback is unknown or the rate not positive.

    Notes
    -----
    Source: Freund and Schapire (1997), full feedback; Auer et al. (2002), Exp3, in losses.
    """

    feedback: Feedback = "full"
    rate: float = field(default=1.0, kw_only=True)
    pooled: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.feedback not in get_args(Feedback):
            raise InvalidInput(
                f"feedback must be one of {get_args(Feedback)}, got {self.feedback!r}"
            )
        _one("rate", self.rate)

    def choose(self, view: ChoiceView, memory: Memory) -> tuple[Levels, Flags]:
        """Return levels drawn from the weights; see `Behavior.choose`."""
        loss = memory.loss[view.rows]
        levels = loss.shape[1]
        time = np.maximum(memory.rounds[view.rows], 1) * (levels if self._bandit else 1)
        eta = self.rate * np.sqrt(np.log(levels) / time)
        chances = softmax(-eta[:, None] * loss)
        memory.chances[view.rows] = chances
        return drawn_levels(chances, view.draws), np.ones(view.rows.size, dtype=bool)

    def learn(self, receipt: Receipt, memory: Memory) -> None:
        """Add the losses of the round; pooled users add the mean over their group."""
        loss = (receipt.best - receipt.payoffs) / receipt.stake
        if self._bandit:
            chosen = np.eye(loss.shape[1], dtype=bool)[receipt.levels]
            chance = np.maximum(memory.chances[receipt.rows], _LEAST_CHANCE)
            loss = np.where(chosen, loss / chance, 0.0)
        if not self.pooled:
            memory.loss[receipt.rows] += loss
            memory.rounds[receipt.rows] += 1
            return
        seen = np.bincount(receipt.groups[receipt.rows], minlength=receipt.groups.max() + 1)
        total = np.zeros((seen.size, loss.shape[1]))
        np.add.at(total, receipt.groups[receipt.rows], loss)
        memory.loss += (total / np.maximum(seen, 1)[:, None])[receipt.groups]
        memory.rounds += (seen > 0)[receipt.groups]

    @property
    def _bandit(self) -> bool:
        return self.feedback == "bandit"


def softmax(scores: Array) -> Array:
    """Return exp(scores), normalized over the last axis."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def drawn_levels(chances: Array, draws: Array) -> Levels:
    """Return the level at which each row's cumulated chance passes its uniform draw."""
    steps = np.cumsum(chances, axis=1)[:, :-1]
    return np.asarray((draws[:, None] >= steps).sum(axis=1), dtype=np.intp)


def _check_inertia(inertia: float) -> None:
    number = as_floats("inertia", inertia, minimum=0.0)
    if number.ndim or float(number) >= 1.0:
        raise InvalidInput(f"inertia must be one number from 0 to below 1, got {inertia}")


def _one(name: str, value: float) -> None:
    if as_floats(name, value, positive=True).ndim:
        raise InvalidInput(f"{name} must be one number above 0, got {value}")
