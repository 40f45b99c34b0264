"""Methods that choose from whom each participant learns: pFedGraph and iPFL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.learning.personal import PersonalTask
from market_sim.learning.personal_distance import (
    Graph,
    cosine_distances,
    participants_mask,
    proximal_targets,
    sharing_gradient,
    usable,
)
from market_sim.learning.personal_sgd import LARGEST_STRENGTH, as_strength
from market_sim.learning.sharing_methods import LocalPlan, SharingMethod, Trained
from market_sim.shapes import Array, as_floats, as_number


@dataclass(frozen=True)
class PFedGraph(SharingMethod):
    """Each participant starts from a mixture of models, by data size and likeness.

    Row i of the mixture: argmin over the simplex of alpha ||x||^2 + (d_i - 2 alpha p)' x with
    d_ij = -cos(theta_i - theta0, sent_j - theta0) and p the shares of the data, which is the
    projection of p - d_i / (2 alpha).

    Parameters
    ----------
    alpha
        Weight of data against likeness, > 0.

    Raises
    ------
    InvalidInput
        If alpha is not positive.

    Notes
    -----
    Source: Ye et al. 2023, "Personalized Federated Learning with Inferred Collaboration Graphs".
    """

    alpha: float = 0.8
    name: ClassVar[str] = "pfedgraph"

    def __post_init__(self) -> None:
        as_number("alpha", self.alpha, positive=True)

    def mixture(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Array:
        """Return the weights of each participant's mixture, rows on the simplex.

        Parameters
        ----------
        task, trained, active
            As for `exchange`; rows and columns of who does not take part, or whose model is not
            usable, are those of the unit matrix.
        """
        inside = participants_mask(active, task.participants)
        inside &= usable(trained.own) & usable(trained.sent)
        weights = np.eye(task.participants)
        some = np.flatnonzero(inside)
        if some.size:
            share = task.data_size[some] / task.data_size[some].sum()
            distance = cosine_distances(trained.own[some], trained.sent[some], task.initial)
            likeness = 1.0 - distance  # the diagonal is 1: what is mine is like mine
            weights[np.ix_(some, some)] = simplex_projection(share + likeness / (2.0 * self.alpha))
        return weights

    def imports(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Graph:
        """Return who has a positive weight in whose mixture."""
        graph = np.asarray(self.mixture(task, trained, active) > 0)
        np.fill_diagonal(graph, False)
        return graph

    def exchange(
        self,
        task: PersonalTask,
        trained: Trained,
        imports: Graph,
        active: ArrayLike | None = None,
    ) -> LocalPlan:
        """Return a plan that starts from the mixtures, of own models and those shown."""
        weights = self.mixture(task, trained, active)
        sent = np.where(usable(trained.sent)[:, None], trained.sent, 0.0)
        own = np.diag(weights)[:, None].copy()  # diag is a view
        np.fill_diagonal(weights, 0.0)
        return LocalPlan(own * trained.own + weights @ sent)


@dataclass(frozen=True, eq=False)
class Offers:
    """What a market for models is told before it chooses the graph.

    Attributes
    ----------
    distance
        d_ij, shape `(participants, participants)`, `[buyer, seller]`; infinite where a model is
        not usable.
    data_size
        N, shape `(participants,)`.
    active
        Who takes part, shape `(participants,)`.
    usable
        Whose model is finite and of length 1e9 at most, shape `(participants,)`: nobody can learn
        from the others.
    """

    distance: Array
    data_size: Array
    active: NDArray[np.bool_]
    usable: NDArray[np.bool_]


@dataclass(frozen=True)
class IPFL(SharingMethod):
    """Each participant's model is pulled towards the models that a market gave her.

    After a round prox_i = theta_i + step sum_{j in S_i} (N_j / N_i) grad cos(theta_i - theta0,
    sent_j - theta0); the next local loss has penalty / (2 step) ||theta - prox_i||^2 in addition.
    With the graph fixed this is forward-backward splitting: where it rests,
    grad L_i + penalty sum_{j in S_i} (N_j / N_i) grad d_ij = 0.

    Parameters
    ----------
    market
        Given the `Offers`, who imports whom: shape `(participants, participants)`,
        `[buyer, seller]`. None where the caller hands the graph to `exchange`.
    penalty
        lambda, what unlike models cost, > 0.
    step
        eta, > 0. Penalty, step and penalty / step may be 1e30 at most.

    Raises
    ------
    InvalidInput
        If the penalty or the step is not positive, or one of the three is too large.

    Notes
    -----
    Source: iPFL [S], model step; [D] for its fixed points.
    """

    market: Callable[[Offers], ArrayLike] | None = None
    penalty: float = 2.0
    step: float = 5.0
    name: ClassVar[str] = "ipfl"

    def __post_init__(self) -> None:
        most = LARGEST_STRENGTH
        penalty = as_strength("penalty", self.penalty, positive=True)
        step = as_strength("step", self.step, positive=True)
        if penalty / step > most:
            raise InvalidInput(
                f"penalty / step must be at most {most:g}, the strongest pull that training in "
                f"float32 can carry, got {penalty:g} / {step:g}"
            )

    def offers(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Offers:
        """Return what the market is told.

        Parameters
        ----------
        task, trained, active
            As for `exchange`.
        """
        return Offers(
            cosine_distances(trained.own, trained.sent, task.initial),
            task.data_size,
            participants_mask(active, task.participants),
            usable(trained.sent),
        )

    def imports(
        self, task: PersonalTask, trained: Trained, active: ArrayLike | None = None
    ) -> Graph:
        """Return the market's graph without edges that nobody can use.

        Raises
        ------
        InvalidInput
            If there is no market, or it gave something else than a square of participants.
        """
        if self.market is None:
            raise InvalidInput(
                "this method was given no market to choose the graph: IPFL(market=...), or hand "
                "the graph to exchange"
            )
        offers = self.offers(task, trained, active)
        graph = np.asarray(self.market(offers), dtype=bool)
        if graph.shape != 2 * (task.participants,):
            raise InvalidInput(
                f"the market must give {task.participants} x {task.participants} imports, got "
                f"shape {graph.shape}"
            )
        buyers = offers.active & usable(trained.own)
        graph = graph & buyers[:, None] & (offers.active & offers.usable)[None, :]
        np.fill_diagonal(graph, False)
        return graph

    def exchange(
        self,
        task: PersonalTask,
        trained: Trained,
        imports: Graph,
        active: ArrayLike | None = None,
    ) -> LocalPlan:
        """Return a plan that goes on from what was trained, pulled towards prox_i."""
        target = proximal_targets(
            trained.own, trained.sent, task.initial, imports, task.data_size, step=self.step
        )
        return LocalPlan(trained.own, target, self.penalty / self.step)


def sharing_residual(
    task: PersonalTask, models: ArrayLike, imports: ArrayLike, penalty: float
) -> Array:
    """||grad L_i + penalty sum_{j in S_i} (N_j / N_i) grad d_ij||, 0 at a fixed point of iPFL.

    Parameters
    ----------
    task
        Participants' data; L_i is the mean loss of all samples of i, weight decay included.
    models
        theta, honestly shown, shape `(participants, dimension)`.
    imports
        The graph, shape `(participants, participants)`, `[buyer, seller]`.
    penalty
        lambda.

    Returns
    -------
    ndarray
        Shape `(participants,)`.
    """
    pull = sharing_gradient(models, models, task.initial, imports, task.data_size)
    return np.asarray(np.linalg.norm(task.gradients(models) + penalty * pull, axis=1))


def simplex_projection(values: ArrayLike) -> Array:
    """Argmin over x in the simplex of ||x - values||, along the last axis.

    Parameters
    ----------
    values
        Shape `(..., entries)`.

    Notes
    -----
    Source: Held, Wolfe and Crowder 1974, "Validation of subgradient optimization".
    """
    given = as_floats("values", values)
    descending = -np.sort(-given, axis=-1)
    surplus = np.cumsum(descending, axis=-1) - 1.0
    counts = np.arange(1, given.shape[-1] + 1)
    kept = (descending * counts > surplus).sum(axis=-1, keepdims=True)
    threshold = np.take_along_axis(surplus, kept - 1, axis=-1) / kept
    return np.asarray(np.maximum(given - threshold, 0.0))
