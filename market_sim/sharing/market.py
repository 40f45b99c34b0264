"""SharingMarket: who imports whose model, for which money."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats, frozen
from market_sim.sharing.imports import ImportProblems
from market_sim.sharing.outcome import SharingOutcome
from market_sim.sharing.payments import GraphKind, choose, known_pairing, payments, published

Vector = Float[NDArray[np.float64], " participants"]
Matrix = Float[NDArray[np.float64], "buyers sellers"]
Links = Bool[NDArray[np.bool_], "buyers sellers"]
_ROUNDING = 1e-9  # a cosine distance computed elsewhere may be this far below 0


@dataclass(frozen=True, eq=False, init=False)
class SharingMarket:
    """Participants who may import each other's models: gains, costs and distances.

    Participant i gains G_i(S) = sqrt(K_i / N_i) - sqrt(K_i / (N_i + sum over S of N_j)) from the
    models of the set S and pays c_i for each export of its own. Every matrix is [buyer, seller].

    Parameters
    ----------
    data_size
        N_i > 0, samples of each participant, shape `(participants,)`.
    gain
        K_i >= 0, what accuracy is worth to each, in money squared times samples; one number serves
        all. At 0 a participant imports nothing.
    cost
        c_i >= 0 in money for each export; one number serves all.
    distance
        d_ij >= 0, shape `(participants, participants)`, as `model_distances` gives it. The diagonal
        plays no part. An edge whose distance is not finite is refused and the market goes on.
    penalty
        lam >= 0, money for a distance of 1 to a model trained on as much data as the buyer's own.
    allowed
        Which edges may be chosen at all, shape as `distance`; all if None. The row and the column
        of a participant who is away are False.

    Raises
    ------
    InvalidInput
        If a number is negative or not finite, or the shapes do not fit.

    Notes
    -----
    Source: iPFL [S], market.
    """

    data_size: Vector
    gain: Vector
    cost: Vector
    distance: Matrix
    penalty: float
    allowed: Links

    def __init__(
        self,
        data_size: ArrayLike,
        gain: ArrayLike,
        cost: ArrayLike,
        distance: ArrayLike,
        penalty: float,
        *,
        allowed: ArrayLike | None = None,
    ) -> None:
        size = as_floats("data_size", data_size, positive=True)
        if size.ndim != 1 or not size.size:
            raise InvalidInput(
                f"data_size must be one number a participant, got the shape {size.shape}"
            )
        lam = as_floats("penalty", penalty, minimum=0.0)
        if lam.ndim:
            raise InvalidInput(f"penalty must be one number, got the shape {lam.shape}")
        fields = {
            "data_size": frozen(size),
            "gain": _for_each("gain", gain, size.size),
            "cost": _for_each("cost", cost, size.size),
            "distance": _distances(distance, size.size),
            "penalty": float(lam),
            "allowed": _links("allowed", allowed, size.size),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def participants(self) -> int:
        """Number of participants."""
        return int(self.data_size.size)

    @property
    def refused(self) -> Links:
        """Edges that would be allowed, but whose distance is not a finite number."""
        return np.asarray(self.allowed & ~np.isfinite(self.distance))

    @property
    def possible(self) -> Links:
        """Edges that may be chosen: allowed and not refused."""
        return np.asarray(self.allowed & np.isfinite(self.distance))

    @property
    def edge_penalty(self) -> Matrix:
        """Return lam (N_j / N_i) d_ij in money, infinite where the edge cannot be."""
        ratio = self.data_size / self.data_size[:, None]
        distance = np.where(self.possible, self.distance, 0.0)
        return np.where(self.possible, self.penalty * ratio * distance, np.inf)

    @property
    def problems(self) -> ImportProblems:
        """The buyers' separate problems, one a row."""
        shape = (self.participants, self.participants)
        return ImportProblems(
            self.data_size,
            self.gain,
            np.broadcast_to(self.data_size, shape),
            np.broadcast_to(self.cost, shape),
            self.edge_penalty,
        )

    def with_reports(
        self,
        *,
        data_size: ArrayLike | None = None,
        gain: ArrayLike | None = None,
        cost: ArrayLike | None = None,
    ) -> "SharingMarket":
        """Return the market as participants report it; what is None stays the truth.

        Raises
        ------
        InvalidInput
            As when a market is made.
        """
        return SharingMarket(
            self.data_size if data_size is None else data_size,
            self.gain if gain is None else gain,
            self.cost if cost is None else cost,
            self.distance,
            self.penalty,
            allowed=self.allowed,
        )

    def clear(self, rule: str = "published", graph: GraphKind | None = None) -> SharingOutcome:
        """Choose the graph and the payments.

        Parameters
        ----------
        rule
            "published", "vcg", "critical" or "two_sided"; `market_sim.sharing.RULES` tells what
            each promises.
        graph
            "greedy" or "exact"; None for the rule's own: greedy for published and critical, exact
            for vcg and two_sided.

        Raises
        ------
        InvalidInput
            If rule or graph is unknown, the promises of the rule do not hold on this graph, or the
            exact graph is out of reach.

        Notes
        -----
        Source: iPFL [S], published payments and greedy graph; [D] the others.
        """
        kind = known_pairing(rule, graph)
        problems = self.problems
        imports = choose(problems, kind)
        paid, received = payments(problems, imports, rule)
        return SharingOutcome(self, rule, kind, imports, paid, received)

    def settle(
        self, imports: ArrayLike, rule: Literal["free", "published"] = "free"
    ) -> SharingOutcome:
        """Price a graph that was chosen elsewhere, such as a baseline's.

        Parameters
        ----------
        imports
            True where the buyer (row) imports the seller's model (column). Edges that are not
            possible are left out.
        rule
            "free": nobody pays, exports still cost; "published": the published payments, which
            promise nothing on such a graph.

        Raises
        ------
        InvalidInput
            If the shape does not fit or the rule is another one.
        """
        asked = _links("imports", imports, self.participants) & self.possible
        if rule not in ("free", "published"):
            raise InvalidInput(
                f"rule must be 'free' or 'published' for a given graph, got {rule!r}"
            )
        price = np.zeros(asked.shape) if rule == "free" else published(self.problems, asked)
        return SharingOutcome(self, rule, "given", asked, price, price)


def _for_each(name: str, value: ArrayLike, participants: int) -> Array:
    """Return one non-negative number a participant."""
    array = as_floats(name, value, minimum=0.0)
    if array.shape not in ((), (participants,)):
        raise InvalidInput(
            f"{name} must be one number, or one for each of the {participants} participants, got "
            f"the shape {array.shape}"
        )
    return frozen(np.array(np.broadcast_to(array, (participants,))))


def _distances(value: ArrayLike, participants: int) -> Array:
    """Return distances, the diagonal 0, what is not finite kept, rounding below 0 removed."""
    try:
        if np.iscomplexobj(value):
            raise TypeError
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "distance must be a square matrix of real numbers, [buyer, seller]"
        ) from error
    if array.shape != (participants, participants):
        raise InvalidInput(
            f"distance must have the shape ({participants}, {participants}), [buyer, seller], got "
            f"{array.shape}"
        )
    np.fill_diagonal(array, 0.0)
    as_floats("distance", np.where(np.isfinite(array), array, 0.0), minimum=-_ROUNDING)
    return frozen(np.where(np.isfinite(array), np.maximum(array, 0.0), array))


def _links(name: str, value: ArrayLike | None, participants: int) -> NDArray[np.bool_]:
    """Return a matrix of edges without the diagonal; all edges if None."""
    shape = (participants, participants)
    given = np.ones(shape, dtype=np.bool_) if value is None else np.asarray(value)
    if given.shape != shape or not ((given == 0) | (given == 1)).all():
        raise InvalidInput(
            f"{name} must be true or false for each [buyer, seller], shape {shape}, got the shape "
            f"{given.shape} of {given.dtype}"
        )
    links = given.astype(np.bool_)
    np.fill_diagonal(links, False)
    return links
