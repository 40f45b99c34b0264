"""Strategies: what owners say, given what is true of them and what they see of the market."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from market_sim import InvalidInput, Mechanism, Outcome, Population, Reports, Streams, Valuations
from market_sim.auditing.deviations import best_deviations
from market_sim.shapes import Array, as_floats

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class MarketView:
    """What an owner knows when a buyer has announced an auction.

    Attributes
    ----------
    round
        Number of the round, from 0.
    buyer
        Name of the buyer.
    budget
        The money announced.
    mechanism
        The rule of the auction.
    rows
        Which of the participants (their places in `standing`) are asked.
    standing
        For every participant, in order, what she said last (the truth if she never said anything).
    participants
        For every participant, in order, her number in the market; her place if it is missing.
    privacy_left
        For every participant, in order, the epsilon that her lifetime cap leaves; infinite if it
        is missing.
    """

    round: int
    buyer: str
    budget: float
    mechanism: Mechanism
    rows: Rows
    standing: Reports
    participants: Rows | None = None
    privacy_left: Array | None = None

    @property
    def owners(self) -> Rows:
        """The numbers in the market of the owners asked."""
        return self.rows if self.participants is None else self.participants[self.rows]

    @property
    def left(self) -> Array:
        """The epsilon that the lifetime caps of the owners asked leave."""
        if self.privacy_left is None:
            return np.full(self.rows.size, np.inf)
        return self.privacy_left[self.rows]

    def of(self, rows: Rows) -> Self:
        """Return the view of some of the owners asked, given as places in `rows`."""
        return replace(self, rows=self.rows[rows])


@dataclass(frozen=True)
class Auction:
    """What came of an auction, for strategies that learn from it.

    Attributes
    ----------
    view
        What was announced; `view.rows` are the places of the owners who learn.
    truth
        What is true of all participants, the cap being what each could sell.
    reports, outcome
        What all participants said and got.
    """

    view: MarketView
    truth: Population
    reports: Reports
    outcome: Outcome


class Strategy(ABC):
    """How owners report; one object serves all owners who share it, in one vectorised call.

    `reports` is all that a strategy needs. One with a memory keeps it out of itself: `start`
    returns a fresh player for each market, whose `learn` is told what came of every auction.
    """

    def start(self, owners: int, streams: Streams) -> "Strategy":
        """Return who plays in a market of so many owners: itself, unless there is a memory."""
        return self

    def abstains(self, population: Population, view: MarketView) -> NDArray[np.bool_]:
        """Return which of the owners stay away from this auction; nobody unless overridden."""
        return np.zeros(population.owners, dtype=bool)

    def learn(self, auction: Auction) -> None:  # noqa: B027 - most strategies learn nothing
        """Take in what came of an auction; nothing is learned unless overridden."""

    @abstractmethod
    def reports(self, population: Population, view: MarketView) -> Reports:
        """Return what the owners say.

        Parameters
        ----------
        population
            The truth about the owners asked, shape `(owners,)`; its cap is what each can still
            sell this round.
        view
            What they see; `view.rows` are the same owners' places among all participants.
        """


@dataclass(frozen=True)
class Truthful(Strategy):
    """Owners say what is true."""

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Return the truth; see `Strategy.reports`."""
        return population.reports()


@dataclass(frozen=True)
class Scaled(Strategy):
    """Owners report `value` times their valuation and `cap` times their cap.

    Raises
    ------
    InvalidInput
        If `value` is negative, `cap` is not positive, or either is not one finite number.
    """

    value: float = 1.0
    cap: float = 1.0

    def __post_init__(self) -> None:
        value = as_floats("value", self.value, minimum=0.0)
        cap = as_floats("cap", self.cap, positive=True)
        if value.ndim or cap.ndim:
            raise InvalidInput(
                "value and cap of Scaled must be one number each: give owners with other factors a "
                "strategy of their own by `exceptions`"
            )

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Return the scaled truth; see `Strategy.reports`."""
        return population.reports().scaled(self.value, self.cap)


@dataclass(frozen=True)
class BestResponding(Strategy):
    """Owners say what would have paid best against what the others said last.

    Each owner tries every pair of factors on her true valuation and cap, the others' last reports
    held fixed; ties go to the truth. All who share the strategy move at once.

    Parameters
    ----------
    value_factors, cap_factors
        Factors to try; the truth, (1, 1), is always among them.

    Raises
    ------
    InvalidInput
        If a factor is negative, a cap factor zero, or the lists are empty.
    """

    value_factors: tuple[float, ...] = tuple(np.geomspace(0.25, 4.0, 17).tolist())
    cap_factors: tuple[float, ...] = (0.125, 0.25, 0.5, 0.75, 1.0)

    def __post_init__(self) -> None:
        value = as_floats("value_factors", self.value_factors, minimum=0.0)
        cap = as_floats("cap_factors", self.cap_factors, positive=True)
        if not (value.size and cap.size):
            raise InvalidInput(
                "value_factors and cap_factors need at least one factor each, (1.0,) to leave a "
                f"part of the report true; got {self.value_factors!r} and {self.cap_factors!r}"
            )

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Return the best of the tried reports; see `Strategy.reports`."""
        value, cap, _ = best_deviations(
            view.mechanism,
            view.standing,
            view.budget,
            put_reports(view.standing, population.reports(), view.rows),
            view.rows,
            np.array(self.value_factors),
            np.array(self.cap_factors),
        )
        return population.reports().scaled(value, cap)


def put_reports(into: Reports, reports: Reports, rows: Rows) -> Reports:
    """Return `into` with the owners at `rows` saying what `reports` say, shape `(owners,)`."""
    kind, rate, cap = (np.array(a) for a in (into.valuations.kind, into.valuations.rate, into.cap))
    kind[rows], rate[rows] = reports.valuations.kind, reports.valuations.rate
    cap[rows] = reports.cap
    size = into.data_size
    if size is not None and reports.data_size is not None:
        size = np.array(size)
        size[rows] = reports.data_size
    return Reports(Valuations(kind, rate), cap, size)
