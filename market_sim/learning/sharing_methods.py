"""What participants do with each other's models in a round: one interface."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.learning.personal import PersonalTask
from market_sim.learning.personal_distance import Graph, Models, participants_mask
from market_sim.shapes import Array, as_floats


@dataclass(frozen=True, eq=False)
class LocalPlan:
    """What the local training of the next round does.

    Attributes
    ----------
    start
        Where each participant's training starts, shape `(participants, dimension)`.
    target
        What each model is pulled towards, of the same shape; None for no pull.
    strength
        The loss has strength / 2 ||theta - target||^2 in addition.
    shared
        A common model that is trained beside the personal ones, shape `(dimension,)`, or None.
    """

    start: Models
    target: Models | None = None
    strength: float = 0.0
    shared: Array | None = None

    def joined(self, newcomers: ArrayLike, model: ArrayLike) -> "LocalPlan":
        """Return the plan with newcomers who start from `model` and are pulled nowhere else.

        Parameters
        ----------
        newcomers
            Who joins, true or false, shape `(participants,)`.
        model
            Their first model, such as theta0 or the mean of the others, shape `(dimension,)`.

        Raises
        ------
        InvalidInput
            If a shape is wrong.
        """
        who = participants_mask(newcomers, len(self.start))
        first = as_floats("model", model)
        if first.shape != self.start.shape[1:]:
            raise InvalidInput(
                f"model must have {self.start.shape[1]} parameters, got shape {first.shape}"
            )
        start = np.where(who[:, None], first, self.start)
        if self.target is None:
            return replace(self, start=start)
        return replace(self, start=start, target=np.where(who[:, None], first, self.target))


@dataclass(frozen=True, eq=False)
class Trained:
    """Models after the local training of a round.

    Attributes
    ----------
    own
        What participants hold, shape `(participants, dimension)`.
    sent
        What they show to each other, of the same shape.
    """

    own: Models
    sent: Models


@dataclass(frozen=True, eq=False)
class SharingRound:
    """One round of a method.

    Attributes
    ----------
    trained
        Models after local training.
    imports
        Who takes whose model, shape `(participants, participants)`, `[buyer, seller]`.
    plan
        What the next round's training does.
    models
        What participants use until then, shape `(participants, dimension)`.
    """

    trained: Trained
    imports: Graph
    plan: LocalPlan
    models: Models


class SharingMethod(ABC):
    """How participants learn from each other: train, show, choose a graph, mix.

    A method holds settings only; what it remembers from round to round is the `LocalPlan`.
    """

    name: ClassVar[str]

    def begin(self, task: PersonalTask) -> LocalPlan:
        """Return the plan of the first round: everyone starts from theta0 and trains alone."""
        return LocalPlan(task.begin())

    def train(
        self, task: PersonalTask, plan: LocalPlan, round_: int, active: ArrayLike | None = None
    ) -> Trained:
        """Return the models after local training, and what is shown of them.

        Parameters
        ----------
        task
            Participants' data and their way to train.
        plan
            What the last round led to.
        round_
            Number of the round, >= 0.
        active
            Who takes part, shape `(participants,)`; None for everyone.
        """
        own = task.train(
            plan.start, round_, target=plan.target, strength=plan.strength, active=active
        )
        return Trained(own, task.send(own, round_))

    @abstractmethod
    def imports(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Graph:
        """Return who takes whose model, `[buyer, seller]`: each such edge is one export.

        Parameters
        ----------
        task, trained, active
            As for `exchange`.
        """

    @abstractmethod
    def exchange(
        self,
        task: PersonalTask,
        trained: Trained,
        imports: Graph,
        active: ArrayLike | None = None,
    ) -> LocalPlan:
        """Return what the graph makes of the models: the plan of the next round.

        Parameters
        ----------
        task
            Participants' data.
        trained
            Models of this round; what is not finite is never mixed in.
        imports
            The graph, from `imports` or from a market.
        active
            Who takes part, shape `(participants,)`; None for everyone.
        """

    def models(self, trained: Trained, plan: LocalPlan) -> Models:
        """Return what participants use after a round: what they trained."""
        return trained.own

    def play(
        self, task: PersonalTask, plan: LocalPlan, round_: int, active: ArrayLike | None = None
    ) -> SharingRound:
        """Return a whole round: train, choose the graph, exchange.

        Parameters
        ----------
        task, plan, round_, active
            As for `train`.
        """
        trained = self.train(task, plan, round_, active)
        imports = self.imports(task, trained, active)
        after = self.exchange(task, trained, imports, active)
        return SharingRound(trained, imports, after, self.models(trained, after))
