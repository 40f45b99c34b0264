"""ModelMarket: participants train models, choose whom to learn from, pay and mix, in rounds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.ledger import Ledger
from agents.records import Columns, Table, ledger_table
from agents.rounds import RoundModel
from agents.rows import RowAgent
from agents.sharing.records import (
    EDGES,
    PARTICIPANTS,
    ROUNDS,
    People,
    SharingRound,
    edge_rows,
    participant_rows,
    round_row,
)
from agents.sharing.roles import Role, Terms
from agents.sharing.terms import TradeRule
from market_sim import InvalidInput
from market_sim.learning import LocalPlan, PersonalTask, SharingMethod, Trained
from market_sim.learning.personal_distance import cosine_distances
from market_sim.privacy import LaplacePerturbation
from market_sim.shapes import Array, whole_number
from market_sim.sharing import SharingMarket, SharingOutcome

Mask = NDArray[np.bool_]
_PLATFORM = 0  # its number among the ledger's buyers


class Participant(RowAgent):
    """One participant: row `row` of the market's columns."""

    market: "ModelMarket"

    @property
    def role(self) -> Role:
        """How she behaves."""
        return self.market.roles[self.row]

    @property
    def parameters(self) -> Array:
        """The model that she uses since the last round, shape `(dimension,)`."""
        return np.array(self.market.models[self.row])

    @property
    def money(self) -> float:
        """What she has earned less what she has spent."""
        return float(self.market.ledger.owner_money[self.row])

    @property
    def utility(self) -> float:
        """Sum of her utilities over the rounds, in money."""
        return float(self.market.economic_utility[self.row])


class ModelMarket(RoundModel):
    """A repeated market in which participants learn from each other's models.

    A round: train locally, show the models, report, choose the graph and the payments, settle, mix,
    record. Whoever is away neither trains nor trades; whoever comes starts from the common initial
    model.

    Parameters
    ----------
    roles
        One for each participant of the task.
    task
        What is learned. Its attackers must be the roles that attack.
    method
        How models are trained and mixed; under a rule that pays, the market chooses whom each
        learns from, otherwise the method does.
    trade
        Rule of payment and graph; the published one if None.
    clusters
        The group of each participant, for the records; one group if None.
    seed, rng
        As in `RoundModel`.

    Raises
    ------
    InvalidInput
        If the numbers of roles and participants differ, or attackers and attacks do not fit.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        task: PersonalTask,
        *,
        method: SharingMethod,
        trade: TradeRule | None = None,
        clusters: ArrayLike | None = None,
        seed: int = 0,
        rng: int | None = None,
    ) -> None:
        _check(roles, task)
        super().__init__(seed, rng)
        self.roles, self.task, self.method = tuple(roles), task, method
        self.trade = TradeRule() if trade is None else trade
        groups = np.zeros(len(roles)) if clusters is None else np.asarray(clusters)
        if groups.shape != (len(roles),):
            raise InvalidInput(
                f"clusters must be one number for each of the {len(roles)} participants, got the "
                f"shape {groups.shape}"
            )
        kinds = np.array([role.kind for role in roles], dtype=object)
        self.people = People(kinds, groups.astype(np.int64))
        self.ledger = Ledger(("platform",), len(roles), LaplacePerturbation(), member="participant")
        self.economic_utility = np.zeros(len(roles))
        self.models = np.array(task.begin())
        self._plan: LocalPlan = method.begin(task)
        self._were_there = np.zeros(len(roles), dtype=np.bool_)
        self._last: SharingRound | None = None
        self._agents: dict[int, Participant] = {}
        self._tables = {
            "sharing_rounds": Columns(ROUNDS),
            "sharing_participants": Columns(PARTICIPANTS),
            "sharing_edges": Columns(EDGES),
        }

    @property
    def participants(self) -> int:
        """How many there are, present or not."""
        return len(self.roles)

    @property
    def last(self) -> SharingRound:
        """The last round.

        Raises
        ------
        InvalidInput
            If no round was run.
        """
        if self._last is None:
            raise InvalidInput("there is no last round before the first: call step first")
        return self._last

    @property
    def graph(self) -> Any:
        """The last round's imports as a `networkx.DiGraph`, with kinds, clusters and utilities."""
        graph = self.last.outcome.graph.copy()
        for row in range(self.participants):
            graph.nodes[row]["kind"] = str(self.people.kinds[row])
            graph.nodes[row]["cluster"] = int(self.people.clusters[row])
            graph.nodes[row]["true_utility"] = float(self.last.utility[row])
        graph.graph["round"] = self.last.round
        return graph

    def participant(self, row: int) -> Participant:
        """Return a participant as a Mesa agent, made on first use."""
        place = whole_number("row", row, 0)
        if place >= self.participants:
            raise InvalidInput(f"there are {self.participants} participants, got number {place}")
        if place not in self._agents:
            self._agents[place] = Participant(self, place)
        return self._agents[place]

    def step(self) -> None:
        """Run one round: train, show, report, trade, settle, mix, record."""
        present = np.array([role.present(self.round) for role in self.roles], dtype=np.bool_)
        trained = self._train(present)
        truth = self._truth(trained, present)
        said = self._said(truth)
        outcome = self._clear(said, trained, present)
        self._plan = self.method.exchange(self.task, trained, outcome.imports, present)
        self.models = np.array(self.method.models(trained, self._plan))
        self._settle(outcome)
        utility = np.where(present, outcome.true_utility(truth), 0.0)
        self.economic_utility += utility
        honest = self._honest(truth, said, utility, present)
        quality = self.task.evaluate(self.models)
        self._last = SharingRound(self.round, present, truth, outcome, utility, honest, quality)
        self._record()
        self.ledger.check()
        self._were_there |= present
        self.round += 1

    def tables(self) -> dict[str, Table]:
        """Return rounds, participants, edges and the ledger as columns."""
        tables = {name: columns.table() for name, columns in self._tables.items()}
        return tables | {"ledger": ledger_table(self.ledger)}

    def _train(self, present: Mask) -> Trained:
        """Train whoever is there; whoever comes for the first time starts from theta0."""
        newcomers = present & ~self._were_there
        if self.round > 0 and newcomers.any():
            self._plan = self._plan.joined(newcomers, self.task.initial)
        return self.method.train(self.task, self._plan, self.round, present)

    def _truth(self, trained: Trained, present: Mask) -> SharingMarket:
        """Return the market as it is, edges of absent participants left out."""
        terms = [
            role.truth(float(size))
            for role, size in zip(self.roles, self.task.data_size, strict=True)
        ]
        distance = cosine_distances(trained.own, trained.sent, self.task.initial)
        return SharingMarket(
            [each.data_size for each in terms],
            [each.gain for each in terms],
            [each.cost for each in terms],
            distance,
            self.trade.penalty,
            allowed=present[:, None] & present[None, :],
        )

    def _said(self, truth: SharingMarket) -> SharingMarket:
        """Return the market as participants report it."""
        pairs = zip(truth.data_size, truth.gain, truth.cost, strict=True)
        terms = [
            role.says(Terms(float(size), float(gain), float(cost)), self.round)
            for role, (size, gain, cost) in zip(self.roles, pairs, strict=True)
        ]
        return truth.with_reports(
            data_size=[each.data_size for each in terms],
            gain=[each.gain for each in terms],
            cost=[each.cost for each in terms],
        )

    def _clear(self, said: SharingMarket, trained: Trained, present: Mask) -> SharingOutcome:
        """Choose graph and payments from what is said, or take the method's graph, unpaid."""
        if self.trade.pays:
            return said.clear(self.trade.rule, self.trade.graph)
        return said.settle(self.method.imports(self.task, trained, present), "free")

    def _settle(self, outcome: SharingOutcome) -> None:
        """Move the money; the platform takes or adds where the two sides differ."""
        rows = np.arange(self.participants, dtype=np.intp)
        accounts = self.ledger.owner_accounts(rows)
        buyer, seller = np.nonzero(outcome.imports)
        paid, got = outcome.payment[buyer, seller], outcome.received[buyer, seller]
        platform = self.ledger.buyer_account(_PLATFORM)
        flows = (
            (accounts[buyer], accounts[seller], np.minimum(paid, got)),
            (platform, accounts[seller], np.maximum(got - paid, 0.0)),
            (accounts[buyer], platform, np.maximum(paid - got, 0.0)),
        )
        for debit, credit, amount in flows:
            self.ledger.transfer(self.round, "money", debit, credit, amount)

    def _honest(
        self, truth: SharingMarket, said: SharingMarket, utility: Array, present: Mask
    ) -> Array:
        """Return what each would have had this round by telling the truth, the others as they are.

        NaN where nobody pays, since a report changes nothing then.
        """
        if not self.trade.pays:
            return np.full(self.participants, np.nan)
        honest = utility.copy()
        names = ("data_size", "gain", "cost")
        pairs = [(getattr(truth, name), getattr(said, name)) for name in names]
        lies = np.any([true != told for true, told in pairs], axis=0)
        for row in np.flatnonzero(lies & present):
            fields = {
                name: np.where(np.arange(self.participants) == row, true, told)
                for name, (true, told) in zip(names, pairs, strict=True)
            }
            other = truth.with_reports(**fields).clear(self.trade.rule, self.trade.graph)
            honest[row] = other.true_utility(truth)[row]
        return honest

    def _record(self) -> None:
        self._tables["sharing_rounds"].append(round_row(self.last, self.people))
        rows = participant_rows(self.last, self.people, self.economic_utility.copy())
        self._tables["sharing_participants"].append(rows)
        edges = edge_rows(self.last, self.people)
        if edges is not None:
            self._tables["sharing_edges"].append(edges)


def _check(roles: Sequence[Role], task: PersonalTask) -> None:
    if len(roles) != task.participants:
        raise InvalidInput(
            f"a role for each of the {task.participants} participants of the task is needed, "
            f"got {len(roles)}"
        )
    attacking = [row for row, role in enumerate(roles) if role.attack is not None]
    if sorted(task.attacks) != attacking:
        raise InvalidInput(
            f"the task's attackers are {sorted(task.attacks)}, but the roles that attack are "
            f"{attacking}: give the task the attacks of the roles"
        )
