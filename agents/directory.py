"""The owners of a market: who follows which strategy, who exists as an object, who says what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from agents.owner import DataOwner
from agents.strategies import Auction, MarketView, Rows, Strategy, put_reports
from market_sim import InvalidInput, Population, Reports, Valuations

if TYPE_CHECKING:
    from agents.market import Market

Mode = Literal["arrays", "objects"]
Exceptions = Iterable[tuple[Strategy, Sequence[int]]]


class OwnerDirectory:
    """All owners of a market, as columns of strategies and as objects where somebody needs them.

    Parameters
    ----------
    market
        The market they live in.
    strategy
        How owners report.
    exceptions
        Pairs of another strategy and the rows of the owners who follow it.
    owner_types
        Subclasses of `DataOwner` by row.
    mode
        "arrays" or "objects", see `Market`.
    """

    def __init__(
        self,
        market: "Market",
        strategy: Strategy,
        exceptions: Exceptions,
        owner_types: Mapping[int, type[DataOwner]],
        mode: Mode,
    ) -> None:
        self._market = market
        self._owners = market.population.owners
        self._strategies: list[Strategy] = [strategy.start(self._owners, market.streams)]
        self._strategy_index = np.zeros(self._owners, dtype=np.intp)
        for other, rows in exceptions:
            self._strategy_index[self._known_rows(rows)] = len(self._strategies)
            self._strategies.append(other.start(self._owners, market.streams))
        self._known_rows(list(owner_types))
        _check_types(owner_types)
        rows = sorted(owner_types) if mode == "arrays" else range(self._owners)
        self._objects = {row: owner_types.get(row, DataOwner)(market, row) for row in rows}
        self._own_minded = np.zeros(self._owners, dtype=bool)
        self._own_minded[list(owner_types)] = True
        self._one_by_one = np.zeros(self._owners, dtype=bool)
        self._one_by_one[list(self._objects)] = True

    def _known_rows(self, rows: Sequence[int]) -> Rows:
        array = np.atleast_1d(np.asarray(rows))
        known = array.size == 0 or (
            array.dtype.kind in "iu" and array.min() >= 0 and array.max() < self._owners
        )
        if not known:
            raise InvalidInput(f"owners are numbered 0 to {self._owners - 1}, got {rows!r:.80}")
        return array.astype(np.intp)

    def owner(self, row: int) -> DataOwner:
        """Return the owner of a row as a Mesa agent, made on first use."""
        if row not in self._objects:
            self._known_rows([row])
            self._objects[row] = DataOwner(self._market, row)
        return self._objects[row]

    def strategy_of(self, row: int) -> Strategy:
        """Return the strategy of an owner."""
        return self._strategies[int(self._strategy_index[row])]

    def abstainers(self, rows: Rows, offer: Population, view: MarketView) -> NDArray[np.bool_]:
        """Return which of the owners at `rows` stay away; arguments as for `ask`."""
        away = np.zeros(rows.size, dtype=bool)
        for index, strategy in enumerate(self._strategies):
            if type(strategy).abstains is Strategy.abstains:
                continue
            places = np.flatnonzero((self._strategy_index[rows] == index) & ~self._own_minded[rows])
            if places.size:
                away[places] = strategy.abstains(offer.select(places), view.of(places))
        return away

    def learn(self, rows: Rows, auction: Auction) -> None:
        """Tell strategies that learn what came of an auction among the owners at `rows`."""
        for index, strategy in enumerate(self._strategies):
            if type(strategy).learn is Strategy.learn:
                continue
            places = np.flatnonzero(self._strategy_index[rows] == index)
            if places.size:
                strategy.learn(replace(auction, view=auction.view.of(places)))

    def ask(self, rows: Rows, offer: Population, view: MarketView) -> Reports:
        """Return what the owners at `rows` say: a strategy at once, or one by one.

        Parameters
        ----------
        rows
            The participants.
        offer
            The truth about them, with what each can still sell as cap.
        view
            What they see.
        """
        said = offer.reports()
        alone = self._one_by_one[rows]
        for index, strategy in enumerate(self._strategies):
            places = np.flatnonzero((self._strategy_index[rows] == index) & ~alone)
            if places.size == rows.size:
                return _checked(strategy, strategy.reports(offer, view), offer)
            if places.size:
                some = offer.select(places)
                part = _checked(strategy, strategy.reports(some, view.of(places)), some)
                said = put_reports(said, part, places)
        places = np.flatnonzero(alone)
        if places.size == 0:
            return said
        answers = [self._answer(rows, offer, view, place) for place in places[:, None]]
        return put_reports(said, _joined(answers), places)

    def _answer(self, rows: Rows, offer: Population, view: MarketView, place: Rows) -> Reports:
        """Return the report of a single owner, checked to be one."""
        owner = self.owner(int(rows[place[0]]))
        truth = offer.select(place)
        return _checked(owner, owner.report(truth, view.of(place)), truth)


def _checked(speaker: Strategy | DataOwner, answer: object, truth: Population) -> Reports:
    """Return the answer, refused if it is not one report for each owner asked."""
    asked = f"{type(speaker).__name__} must return ms.Reports of shape {truth.shape}"
    if isinstance(speaker, DataOwner):
        asked = f"owner {speaker.row}, a {asked}"
    if not isinstance(answer, Reports):
        raise InvalidInput(f"{asked}, got {type(answer).__name__}")
    if answer.shape != truth.shape:
        raise InvalidInput(f"{asked}, got shape {answer.shape}")
    if (answer.data_size is None) != (truth.data_size is None):
        has = "no data sizes" if truth.data_size is None else "data sizes"
        raise InvalidInput(f"{asked} with {has}, as the population has; see Reports.data_size")
    return answer


def _check_types(owner_types: Mapping[int, type[DataOwner]]) -> None:
    given: Mapping[int, object] = owner_types
    for row, kind in given.items():
        if not (isinstance(kind, type) and issubclass(kind, DataOwner)):
            raise InvalidInput(f"owner {row} must be of a subclass of DataOwner, got {kind!r}")


def _joined(answers: Sequence[Reports]) -> Reports:
    """Return single owners' reports as one."""
    kind = np.concatenate([answer.valuations.kind for answer in answers])
    rate = np.concatenate([answer.valuations.rate for answer in answers])
    cap = np.concatenate([answer.cap for answer in answers])
    sizes = [answer.data_size for answer in answers if answer.data_size is not None]
    return Reports(Valuations(kind, rate), cap, np.concatenate(sizes) if sizes else None)
