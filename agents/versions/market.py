"""VersionMarket: six steps a round, from the survey of buyers to the settlement with owners."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.ledger import ENDOWMENT, ESCROW, Ledger
from agents.records import Columns, Table, ledger_table
from agents.rounds import RoundModel
from agents.versions.accounts import BUYERS, OWNERS, SEASONS, VERSIONS, records_of
from agents.versions.buyers import Purchases, VersionBuyer, buy
from agents.versions.owners import Choice, PrivacyChoice, VersionOwner, privacy_choice
from agents.versions.season import Season
from agents.versions.terms import OwnerTerms, TradeTerms
from market_sim import InvalidInput, MarketSimError
from market_sim.games.contest import RewardContest
from market_sim.games.contest_result import ContestEquilibrium
from market_sim.learning import VersionTask
from market_sim.pricing import BuyerLaw, Menu, Survey
from market_sim.privacy import GaussianPerturbation
from market_sim.shapes import Array, whole_number
from market_sim.versions import (
    ModelVersions,
    OwnerNoise,
    Quotes,
    SalePlan,
    best_sale,
    contest_play,
    no_sale,
    plan_sale,
)

_REACHED = 1e-9  # a label counts as reached up to this part of it
BROKER = 0  # her number among the ledger's buyers; then the buyers of versions


class _NoContest(MarketSimError):
    """Owners have no equilibrium."""


@dataclass(frozen=True)
class _OwnerLosses(GaussianPerturbation):
    """Losses of owners from the noise that they add, whatever formula it was made by."""

    noise: OwnerNoise = field(default_factory=OwnerNoise)

    def loss(self, epsilon: ArrayLike) -> Array:
        """Return mu^2 = T Delta^2 / sigma^2 of T uploads."""
        return np.asarray(self.noise.rounds / self.noise.multiplier(epsilon) ** 2)


class VersionMarket(RoundModel):
    """A broker who sells versions of one model to buyers and shares the revenue with data owners.

    A round: survey buyers; price the versions; publish the prices and the reward pool; owners
    choose their privacy and train; cut and sell the versions; settle. Every round meets new buyers
    and trains anew.

    Parameters
    ----------
    owners
        Costs and data sizes.
    buyers
        The law of buyers, which fixes the versions' labels.
    terms
        The rules of trade.
    task
        What is learned; without one, versions have labels and noise but no accuracy.
    choice
        How owners choose: "equilibrium", "in-turn" or a `PrivacyChoice`.
    seed, rng
        As in `RoundModel`.

    Raises
    ------
    InvalidInput
        If the task has other owners or data sizes, or another clip or number of rounds than the
        noise is made for, or a part is of the wrong type.
    """

    def __init__(
        self,
        owners: OwnerTerms,
        buyers: BuyerLaw,
        terms: TradeTerms,
        *,
        task: VersionTask | None = None,
        choice: str | PrivacyChoice = "equilibrium",
        seed: int = 0,
        rng: int | None = None,
    ) -> None:
        super().__init__(seed, rng)
        for name, number in (("surveyed", terms.surveyed), ("buyers", terms.sale.buyers)):
            if whole_number(name, number, 1) < buyers.labels.size:
                raise InvalidInput(
                    f"{name} must be at least the {buyers.labels.size} versions, got {number}: "
                    "ask more buyers or offer fewer versions"
                )
        if task is not None:
            _check_task(task, owners, terms)
        self.owner_terms, self.law, self.terms, self.task = owners, buyers, terms, task
        self.choice = privacy_choice(choice)
        self.contest = self.contest_of(owners.cost)
        self.reported = self.contest_of(owners.reported)
        names = ("broker", *(f"buyer {i}" for i in range(terms.sale.buyers)))
        losses = _OwnerLosses(terms.noise.clip, terms.noise.delta, terms.noise)
        self.ledger = Ledger(names, owners.owners, losses)
        self._owners: dict[int, VersionOwner] = {}
        self._tables = {
            "versions_seasons": Columns(SEASONS),
            "versions": Columns(VERSIONS),
            "version_owners": Columns(OWNERS),
            "version_buyers": Columns(BUYERS),
        }
        self._last: Season | None = None

    @property
    def last(self) -> Season:
        """The last round.

        Raises
        ------
        InvalidInput
            If no round was run.
        """
        if self._last is None:
            raise InvalidInput("there is no last round before the first: call step first")
        return self._last

    def owner(self, row: int) -> VersionOwner:
        """Return an owner as a Mesa agent, made on first use."""
        place = whole_number("row", row, 0)
        if place >= self.owner_terms.owners:
            raise InvalidInput(f"there are {self.owner_terms.owners} owners, got number {place}")
        if place not in self._owners:
            self._owners[place] = VersionOwner(self, place)
        return self._owners[place]

    def buyer(self, row: int) -> VersionBuyer:
        """Return a buyer of the last round as a Mesa agent."""
        place = whole_number("row", row, 0)
        if place >= self.last.buyers.buyers:
            raise InvalidInput(f"there are {self.last.buyers.buyers} buyers, got number {place}")
        return VersionBuyer(self, place)

    def step(self) -> None:
        """Run one round: survey, price, publish, choose and train, cut and sell, settle, record."""
        season = self._publish(self.law.sample(self._stream("survey"), self.terms.surveyed))
        if season.plan.offer.trade:
            self._choose(season)
        self._sell(season)
        self._settle(season)
        self.ledger.check()
        self._last = season
        for name, block in records_of(self, season).items():
            self._tables[name].append(block)
        self.round += 1

    def tables(self) -> dict[str, Table]:
        """Return the rounds, versions, owners, buyers and the ledger as columns."""
        tables = {name: columns.table() for name, columns in self._tables.items()}
        return tables | {"ledger": ledger_table(self.ledger)}

    def strategic(self, buyers: int) -> NDArray[np.bool_]:
        """Return which of this round's buyers are arbitrageurs."""
        return self._stream("kinds").random(buyers) < self.terms.arbitrageurs

    def contest_of(self, cost: Array) -> RewardContest:
        """Return the owners' contest if their costs were these."""
        owners, rule = self.owner_terms, self.terms.privacy
        return rule.contest(cost, owners.data_size, owners.q, owners.p)

    def plan(self, quotes: Quotes, survey: Survey, reported: RewardContest) -> SalePlan:
        """Return the broker's plan if owners report these costs: prices, pool and versions.

        There is no trade if no owner but one is left to share the pool.
        """
        play = contest_play(reported, self.owner_terms.data_size, self.terms.noise)

        def answer(pool: float) -> tuple[ContestEquilibrium, float]:
            try:
                return play(pool)
            except InvalidInput as problem:
                raise _NoContest(f"no trade: {problem}") from problem

        sale = self.terms.sale
        try:
            if self.terms.best_pool:
                return best_sale(survey, reported, answer, sale, quotes)
            return plan_sale(survey, answer, sale, quotes)
        except _NoContest as problem:
            return no_sale(str(problem))

    def answer(self, pool: float, reported: RewardContest) -> Choice:
        """Return what owners choose at a pool, or are assigned from these reported costs."""
        if self.terms.assignment == "reported":
            return Choice(reported.equilibrium(pool).epsilon, 0)
        try:
            return self.choice.choose(self.contest, pool, self._stream("choice"))
        except InvalidInput:  # one owner alone has no best choice, so that nobody takes part
            return Choice(np.zeros(self.owner_terms.owners), 0)

    def label_of(self, epsilon: Array) -> float:
        """Return the label of the model that owners with these epsilons train."""
        return float(self.terms.noise.global_label(epsilon, self.owner_terms.data_size))

    def versions(
        self, plan: SalePlan, label: float, parameters: Array | None = None
    ) -> tuple[Menu, ModelVersions] | None:
        """Return the planned versions that a model of this label reaches; None if there are none.

        Without a model the versions have labels and noise only.
        """
        offer, planned = plan.offer, plan.revenue
        number = int((offer.labels <= label * (1.0 + _REACHED)).sum())
        if planned is None or not number:
            return None
        rule, status = planned.menu.rule, planned.menu.status
        labels = offer.labels[:number]
        menu = Menu(labels, offer.prices[:number], planned.menu.exponent, rule, status)
        cut = ModelVersions(
            np.zeros(1) if parameters is None else parameters,
            labels,
            scale=self.terms.noise.labels(float(self.owner_terms.data_size.sum())),
            global_label=max(label, float(labels[-1])),
            streams=self.streams,
            sale=self.round,
            draws=self.terms.draws,
        )
        return menu, cut

    def purchases(
        self, buyers: Survey, plan: SalePlan, menu: Menu, cut: ModelVersions
    ) -> Purchases:
        """Return what this round's buyers buy."""
        kept = plan.kept[: menu.versions]
        return buy(buyers, self.strategic(buyers.buyers), menu, kept, cut)

    def payments(self, plan: SalePlan, epsilon: Array, revenue: float) -> Array:
        """Return what owners get for their epsilons under the rule of settlement."""
        shared = self.terms.settlement == "shared"
        money = (1.0 - self.terms.sale.cut) * revenue if shared else plan.offer.pool
        return np.asarray(money * self.contest.payment(epsilon, 1.0))

    def _stream(self, purpose: str) -> np.random.Generator:
        return self.streams.generator(f"version market: {purpose}", self.round)

    def _publish(self, survey: Survey) -> Season:
        """Price the survey, announce prices and pool (steps 1 to 3); set a fixed pool aside."""
        quotes = Quotes(survey, self.terms.sale)
        plan = self.plan(quotes, survey, self.reported)
        buyers = self.law.sample(self._stream("buyers"), self.terms.sale.buyers)
        if plan.offer.trade and self.terms.settlement == "fixed":
            broker = self.ledger.buyer_account(BROKER)
            self.ledger.transfer(self.round, "money", broker, ESCROW, plan.offer.pool)
        none = np.zeros(self.owner_terms.owners)
        nobody = Choice(none, 0)
        return Season(survey, quotes, buyers, plan, nobody, none + np.inf, 0.0, none)

    def _choose(self, season: Season) -> None:
        """Let owners choose their privacy, or assign it, and train (step 4)."""
        season.choice = self.answer(season.pool, self.reported)
        epsilon = season.epsilon
        season.noise = self.terms.noise.scale(epsilon, self.owner_terms.data_size)
        season.label = self.label_of(epsilon)
        inside = np.flatnonzero(epsilon > 0).astype(np.intp)
        self.ledger.sell_privacy(self.round, BROKER, inside, epsilon[inside])
        if self.task is not None and inside.size:
            season.parameters = self.task.train(season.noise, self.round)

    def _sell(self, season: Season) -> None:
        """Cut the versions that the model reaches, and sell them (step 5)."""
        made = self.versions(season.plan, season.label, season.parameters)
        if made is None:
            return
        season.menu, season.cut = made
        season.purchases = self.purchases(season.buyers, season.plan, *made)
        paid = season.purchases.paid
        accounts = self.ledger.buyer_account(BROKER) + 1 + np.arange(paid.size)
        self.ledger.transfer(self.round, "money", ENDOWMENT, accounts, paid)
        broker = self.ledger.buyer_account(BROKER)
        self.ledger.transfer(self.round, "money", accounts, broker, paid)

    def _settle(self, season: Season) -> None:
        """Pay the owners (step 6); what nobody earned of a fixed pool goes back to the broker."""
        if not season.plan.offer.trade:
            return
        season.payment = self.payments(season.plan, season.epsilon, season.revenue)
        rows = np.arange(self.owner_terms.owners, dtype=np.intp)
        accounts, broker = self.ledger.owner_accounts(rows), self.ledger.buyer_account(BROKER)
        fixed = self.terms.settlement == "fixed"
        self.ledger.transfer(
            self.round, "money", ESCROW if fixed else broker, accounts, season.payment
        )
        if fixed and not season.payment.any():
            self.ledger.transfer(self.round, "money", ESCROW, broker, season.pool)


def _check_task(task: VersionTask, owners: OwnerTerms, terms: TradeTerms) -> None:
    if not np.array_equal(task.data_size, owners.data_size):
        raise InvalidInput(
            f"the task's {task.owners} owners hold other numbers of samples than the "
            f"{owners.owners} owners say: give OwnerTerms the task's data_size"
        )
    if (task.clip, task.rounds) != (terms.noise.clip, terms.noise.rounds):
        raise InvalidInput(
            f"the task clips at {task.clip:g} over {task.rounds} rounds but the noise is made for "
            f"{terms.noise.clip:g} over {terms.noise.rounds}: give both the same"
        )
