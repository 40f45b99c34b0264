"""The market: owners, buyers and a broker meet in scheduled auction rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.broker import Broker, Delivery
from agents.buyer import BuyerTerms, ModelBuyer
from agents.checks import check_rules, check_terms
from agents.directory import Exceptions, Mode, OwnerDirectory
from agents.drift import Drift
from agents.ledger import Ledger
from agents.owner import DataOwner
from agents.recorder import Recorder, Trade, scatter
from agents.records import Table
from agents.rounds import RoundModel
from agents.strategies import Auction, MarketView, Rows, Strategy, Truthful, put_reports
from market_sim import Aggregator, InvalidInput, Mechanism, Outcome, Population, Reports
from market_sim.privacy import LaplacePerturbation, Perturbation
from market_sim.shapes import Array, whole_number

_LEAST_OFFER = 1e-3  # of her cap: an owner with less privacy left than this is done
Statuses = NDArray[np.object_]


class Market(RoundModel):
    """A repeated market for private gradients.

    In each round buyers are served one after another, in an order drawn from the seed, and each
    goes through seven steps: announce, report, clear, train, aggregate, settle, record. An owner
    sells to at most one buyer a round. Who has spent her lifetime cap leaves for good, and the
    market goes on without her, if need be with nobody. All randomness is keyed by purpose, owner
    and round, so two markets that differ only in their mechanism meet the same owners and the same
    noise.

    Parameters
    ----------
    population
        The truth about the owners, shape `(owners,)`. Its data sizes, if it has any, determine
        costs and weights; without them costs do not depend on sizes and the weights of a buyer
        with a task follow the task's sizes.
    buyers
        What each buyer brings; names must differ.
    mechanism, aggregator
        The broker's rules.
    perturbation
        Noise of the gradients, which also determines how privacy losses compose; Laplace with
        clip 1 by default.
    strategy
        How owners report.
    exceptions
        Pairs of another strategy and the rows of the owners who follow it.
    owner_types
        Subclasses of `DataOwner` by row, for owners with a `report` of their own.
    owners
        "arrays": one vectorised call a strategy, owner objects exist for whoever asks.
        "objects": every owner is a Mesa agent and is asked one by one. Same results, bit for bit.
    seed
        Seed of all random streams. `rng` is the same, in Mesa's words.
    drift
        How true valuations move between rounds; they stay if it is omitted.
    rounds
        `running` turns false after so many rounds; never if omitted.
    dim
        d in the recorded error bounds.
    record_owners
        Keep a row an owner, buyer and round; turn off for millions of owners.

    Raises
    ------
    InvalidInput
        If the population has leading axes, there is no buyer, names repeat, rows are unknown, a
        number is out of range, or a task was made for another number of owners or perturbation.
    """

    def __init__(  # noqa: PLR0913 - a market is its people and its rules; all but two have defaults
        self,
        population: Population,
        buyers: Sequence[BuyerTerms],
        *,
        mechanism: Mechanism,
        aggregator: Aggregator,
        perturbation: Perturbation | None = None,
        strategy: Strategy | None = None,
        exceptions: Exceptions = (),
        owner_types: Mapping[int, type[DataOwner]] | None = None,
        owners: Mode = "arrays",
        seed: int = 0,
        rng: int | None = None,
        drift: Drift | None = None,
        rounds: int | None = None,
        dim: int = 1,
        record_owners: bool = True,
    ) -> None:
        perturbation = LaplacePerturbation() if perturbation is None else perturbation
        check_terms(population, buyers, perturbation, owners)
        check_rules(mechanism, aggregator)
        super().__init__(seed, rng)
        self.population = population
        self.drift = drift
        self.rounds = None if rounds is None else whole_number("rounds", rounds, 1)
        self.ledger = Ledger(tuple(b.name for b in buyers), population.owners, perturbation)
        self.broker = Broker(
            self, mechanism, aggregator, perturbation.clip, whole_number("dim", dim, 1)
        )
        self.buyers = [ModelBuyer(self, terms, index) for index, terms in enumerate(buyers)]
        self.directory = OwnerDirectory(
            self, strategy or Truthful(), exceptions, owner_types or {}, owners
        )
        self.recorder = Recorder(self, record_owners)
        self.datacollector: mesa.DataCollector | None = None
        self._standing = population.reports()
        self._sold = np.zeros(population.owners, dtype=bool)
        self._departed = np.zeros(population.owners, dtype=bool)

    @property
    def departed(self) -> NDArray[np.bool_]:
        """Who has left for good, her lifetime privacy spent, shape `(owners,)`; a copy."""
        return self._departed.copy()

    def owner(self, row: int) -> DataOwner:
        """Return the owner of a row as a Mesa agent, made on first use."""
        return self.directory.owner(row)

    def privacy_left(self, rows: Rows) -> Array:
        """Return the epsilon that owners can still sell under their lifetime caps."""
        left = np.array(self.population.lifetime_cap[rows])
        limited = np.flatnonzero(np.isfinite(left))
        if limited.size:
            loss = self.ledger.privacy_loss[rows[limited]]
            left[limited] = self.ledger.perturbation.remaining(left[limited], loss)
        return left

    def tables(self) -> dict[str, Table]:
        """Return "rounds", "ledger" and, if recorded, "owners" as columns."""
        return self.recorder.tables()

    def step(self) -> None:
        """Run one round for all buyers, check the ledger, collect data."""
        self._sold[:] = False
        order = self.streams.generator("buyer order", self.round).permutation(len(self.buyers))
        for index in order.tolist():
            self._serve(self.buyers[index])
        self.ledger.check()
        self.round += 1
        self._drift()
        if self.rounds is not None and self.round >= self.rounds:
            self.running = False
        if self.datacollector is not None:
            self.datacollector.collect(self)

    def _serve(self, buyer: ModelBuyer) -> None:
        """Take one buyer through announce, report, clear, train, aggregate, settle, record."""
        status = np.full(self.population.owners, "lost", dtype=object)
        status[self._sold] = "sold elsewhere"
        status[self._departed] = "left"
        budget = buyer.announce()
        if budget <= 0:
            self.recorder.record(buyer, budget, status, "no money")
            return
        offers = self._offers(buyer, budget, status)
        if offers is None:
            self.recorder.record(buyer, budget, status, "no participant")
            return
        rows, truth, reports, view = offers
        self.broker.collect(buyer, budget)
        outcome = self.broker.clear(buyer, reports, budget)
        delivery = self._train_and_aggregate(buyer, rows, outcome)
        self.broker.settle(buyer, rows, outcome)
        seen = replace(view, mechanism=self.broker.tossed(buyer))
        self.directory.learn(rows, Auction(seen, truth, reports, outcome))
        winners = rows[outcome.winners]
        status[winners] = "won"
        self._sold[winners] = True
        event = "traded" if winners.size else "no winner"
        trade = Trade(rows, truth, reports, outcome, delivery)
        self.recorder.record(buyer, budget, status, event, trade)

    def _offers(
        self, buyer: ModelBuyer, budget: float, status: Statuses
    ) -> tuple[Rows, Population, Reports, MarketView] | None:
        """Ask who is there; return the admitted, their truth and reports, and what they saw."""
        rows, left = self._present(status)
        if rows.size == 0:
            return None
        truth, view = self._truth(rows, left), self._view(buyer, budget, rows, left)
        away = self.directory.abstainers(rows, truth, view)
        if away.any():
            status[rows[away]] = "abstained"
            rows, left = rows[~away], left[~away]
            if rows.size == 0:
                return None
            truth, view = self._truth(rows, left), self._view(buyer, budget, rows, left)
        reports = self.directory.ask(rows, truth, view)
        self._standing = put_reports(self._standing, reports, rows)
        admitted = self.broker.admits(reports, left)
        if admitted.all():
            return rows, truth, reports, view
        status[rows[~admitted]] = "refused"
        kept = np.flatnonzero(admitted)
        if kept.size == 0:
            return None
        rows, left = rows[kept], left[kept]
        view = self._view(buyer, budget, rows, left)
        return rows, truth.select(kept), reports.select(kept), view

    def _present(self, status: Statuses) -> tuple[Rows, Array]:
        """Return who has neither left nor sold this round, and the privacy each has left."""
        free = np.flatnonzero(~(self._sold | self._departed))
        left = self.privacy_left(free)
        spent = left < _LEAST_OFFER * self.population.cap[free]
        self._departed[free[spent]] = True
        status[free[spent]] = "left"
        return free[~spent], left[~spent]

    def _truth(self, rows: Rows, left: Array) -> Population:
        """Return the truth about owners, the cap being what each can offer this round."""
        some = self.population.select(rows)
        offer = np.minimum(some.cap, left)
        return Population(some.valuations, offer, some.data_size, some.lifetime_cap)

    def _view(self, buyer: ModelBuyer, budget: float, rows: Rows, left: Array) -> MarketView:
        """Return what the owners at `rows` see of a buyer's auction."""
        standing = self._standing if rows.size == self._sold.size else self._standing.select(rows)
        return MarketView(
            self.round,
            buyer.name,
            budget,
            self.broker.mechanism,
            np.arange(rows.size),
            standing,
            rows,
            left,
        )

    def _drift(self) -> None:
        """Move the true valuations of all owners to the next round."""
        if self.drift is None:
            return
        before = self.population
        rng = self.streams.generator("drift", self.round)
        valuations = self.drift.moved(before.valuations, rng)
        if not np.array_equal(valuations.kind, before.valuations.kind):
            raise InvalidInput(
                f"{type(self.drift).__name__} must return one valuation an owner, of her family"
            )
        self.population = Population(valuations, before.cap, before.data_size, before.lifetime_cap)

    def _train_and_aggregate(self, buyer: ModelBuyer, rows: Rows, outcome: Outcome) -> Delivery:
        """Weigh what was bought and, if the buyer has a task, update her model with it."""
        epsilon = scatter(self.population.owners, rows, outcome.epsilon)
        task, size = buyer.terms.task, self.population.data_size
        if size is None and task is not None:
            size = np.asarray(task.data_size, dtype=np.float64)
        delivery = self.broker.aggregate(epsilon, size)
        if task is not None and (epsilon > 0).any():
            if not self.broker.mechanism.perturbs:
                epsilon = np.where(epsilon > 0, np.inf, 0.0)
            task.update(task.deliver(epsilon, delivery.weights, self.round))
            self.recorder.model_changed(buyer)
        return delivery
