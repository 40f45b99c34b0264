"""The baselines without a choice of graph: Local, FedAvg, FedProx and Ditto."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from market_sim.learning.personal import PersonalTask
from market_sim.learning.personal_distance import Graph, Models, participants_mask, usable
from market_sim.learning.personal_sgd import as_strength
from market_sim.learning.sharing_methods import LocalPlan, SharingMethod, Trained
from market_sim.shapes import Array


@dataclass(frozen=True)
class Local(SharingMethod):
    """Everyone trains alone."""

    name: ClassVar[str] = "local"

    def imports(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Graph:
        """Return the graph without edges."""
        return np.zeros((task.participants, task.participants), dtype=bool)

    def exchange(
        self,
        task: PersonalTask,
        trained: Trained,
        imports: Graph,
        active: ArrayLike | None = None,
    ) -> LocalPlan:
        """Return a plan that goes on from what was trained."""
        return LocalPlan(trained.own)


@dataclass(frozen=True)
class FedAvg(SharingMethod):
    """Everyone starts each round from the mean of all models, weighted by data size.

    Parameters
    ----------
    fine_tuned
        What participants use: the mean itself (False), or what their own training made of the
        last one (True).

    Notes
    -----
    Source: McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks", Algorithm 1.
    """

    fine_tuned: bool = False
    name: ClassVar[str] = "fedavg"

    def imports(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Graph:
        """Return the complete graph among those who take part with a usable model."""
        return complete_graph(trained.sent, participants_mask(active, task.participants))

    def exchange(
        self,
        task: PersonalTask,
        trained: Trained,
        imports: Graph,
        active: ArrayLike | None = None,
    ) -> LocalPlan:
        """Return a plan that starts from the mean; who does not take part keeps her model."""
        inside = participants_mask(active, task.participants)
        mean = mean_model(trained.sent, task.data_size, inside)
        if mean is None:
            return LocalPlan(trained.own)
        return LocalPlan(np.where(inside[:, None], mean, trained.own))

    def models(self, trained: Trained, plan: LocalPlan) -> Models:
        """Return the mean, or what participants trained from the last one."""
        return trained.own if self.fine_tuned else plan.start


@dataclass(frozen=True)
class FedProx(FedAvg):
    """FedAvg whose local loss has mu / 2 ||theta - mean||^2 in addition.

    Parameters
    ----------
    fine_tuned
        As for `FedAvg`.
    mu
        Strength of the pull, from 0 to 1e30.

    Raises
    ------
    InvalidInput
        If mu is out of range.

    Notes
    -----
    Source: Li et al. 2020, "Federated Optimization in Heterogeneous Networks", Algorithm 2.
    """

    mu: float = 0.1
    name: ClassVar[str] = "fedprox"

    def __post_init__(self) -> None:
        as_strength("mu", self.mu)

    def begin(self, task: PersonalTask) -> LocalPlan:
        """Return a plan that starts from theta0 and is pulled towards it."""
        start = task.begin()
        return LocalPlan(start, start, self.mu)

    def exchange(
        self,
        task: PersonalTask,
        trained: Trained,
        imports: Graph,
        active: ArrayLike | None = None,
    ) -> LocalPlan:
        """Return a plan that starts from the mean and is pulled towards it."""
        start = super().exchange(task, trained, imports, active).start
        return LocalPlan(start, start, self.mu)


@dataclass(frozen=True)
class Ditto(SharingMethod):
    """A common model by FedAvg, and personal ones with strength / 2 ||theta - common||^2.

    Parameters
    ----------
    strength
        Strength of the pull, from 0 to 1e30.

    Raises
    ------
    InvalidInput
        If the strength is out of range.

    Notes
    -----
    Source: Li et al. 2021, "Ditto: Fair and Robust Federated Learning", Algorithm 1.
    """

    strength: float = 1.0
    name: ClassVar[str] = "ditto"
    _everyone: FedAvg = field(default=FedAvg(), init=False, repr=False)

    def __post_init__(self) -> None:
        as_strength("strength", self.strength)

    def begin(self, task: PersonalTask) -> LocalPlan:
        """Return a plan with theta0 as the common model."""
        return self._plan(task.begin(), task.initial)

    def train(
        self, task: PersonalTask, plan: LocalPlan, round_: int, active: ArrayLike | None = None
    ) -> Trained:
        """Return the personal models, and the common one as each participant trained it."""
        assert plan.shared is not None
        common = np.tile(plan.shared, (task.participants, 1))
        theirs = task.train(common, round_, active=active, phase=1)
        own = task.train(
            plan.start, round_, target=plan.target, strength=plan.strength, active=active
        )
        return Trained(own, task.send(theirs, round_))

    def imports(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Graph:
        """Return the complete graph among those who take part with a usable model."""
        return self._everyone.imports(task, trained, active)

    def exchange(
        self,
        task: PersonalTask,
        trained: Trained,
        imports: Graph,
        active: ArrayLike | None = None,
    ) -> LocalPlan:
        """Return a plan whose common model is the mean of what was shown."""
        inside = participants_mask(active, task.participants)
        mean = mean_model(trained.sent, task.data_size, inside)
        return self._plan(trained.own, task.initial if mean is None else mean)

    def _plan(self, start: Models, common: Array) -> LocalPlan:
        return LocalPlan(start, np.tile(common, (len(start), 1)), self.strength, common)


def mean_model(sent: Models, data_size: ArrayLike, active: ArrayLike) -> Array | None:
    """Return the mean of the usable models of those who take part, weighted by data size.

    Parameters
    ----------
    sent
        Models, shape `(participants, dimension)`.
    data_size
        Weights, shape `(participants,)`.
    active
        Who takes part, shape `(participants,)`.

    Returns
    -------
    ndarray or None
        Shape `(dimension,)`; nothing if there is no such model.
    """
    inside = np.asarray(active, dtype=bool) & usable(sent)
    if not inside.any():
        return None
    return np.asarray(np.average(sent[inside], axis=0, weights=np.asarray(data_size)[inside]))


def complete_graph(sent: Models, active: ArrayLike) -> Graph:
    """Return the graph in which all who take part import all of them whose model is usable.

    Parameters
    ----------
    sent
        Models, shape `(participants, dimension)`.
    active
        Who takes part, shape `(participants,)`.
    """
    buyers = np.asarray(active, dtype=bool)
    graph = buyers[:, None] & (buyers & usable(sent))[None, :]
    np.fill_diagonal(graph, False)
    return graph
