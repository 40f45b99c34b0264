"""The bidding game with few types and few reports: expected payoffs by enumeration, exact."""

from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.bidding import BiddingGame, Clears
from market_sim.shapes import Array, as_floats, as_number, frozen, whole_number

_MOST_CELLS = 4_000_000
_SUM = 1e-9
Play = Float[NDArray[np.float64], "types reports"]


class TypedBidding:
    r"""N owners of T types, each with a list of A reports (b_a, c_a); seats are drawn at random.

    With q_a = sum_t chance_t play[t, a], the payoff of report a is the expectation of
    p - v_t epsilon over all A^(N-1) reports of the others and over her seat: an exact sum. Seats at
    random break ties evenly.

    Parameters
    ----------
    mechanism
        Anything with `clear(reports, budget)`.
    value, cap
        Unit value and cap of each type, shape `(types,)`.
    chance
        Probability of each type, > 0.
    bid, offer
        The reports: unit value and cap, shape `(reports,)`. A report with a cap above a type's own
        is not open to her.
    owners, budget
        N and the buyer's money.

    Reports are stated as `BiddingGame.reports` says: caps to 24 binary digits, rounded down, and
    bids to 28.

    Raises
    ------
    InvalidInput
        If shapes or domains do not fit, a type has no report, or there are too many profiles.

    Notes
    -----
    Source: privacy auction game [D], bidding equilibria of rules that are not truthful.
    """

    def __init__(
        self,
        mechanism: Clears,
        value: ArrayLike,
        cap: ArrayLike,
        chance: ArrayLike,
        bid: ArrayLike,
        offer: ArrayLike,
        owners: int,
        budget: float,
    ) -> None:
        self.mechanism = mechanism
        self.value, self.cap = _columns("value", value, "cap", cap)
        self.bid, self.offer = _columns("bid", bid, "offer", offer)
        chances = as_floats("chance", chance, positive=True)
        if chances.shape != self.value.shape or abs(chances.sum() - 1.0) > _SUM:
            raise InvalidInput(
                f"chance must be {self.value.size} numbers that add up to 1, got {chances}"
            )
        self.chance = frozen(chances)
        self.owners = whole_number("owners", owners, 1)
        self.budget = as_number("budget", budget, positive=True)
        profiles = self.bid.size**self.owners
        if profiles * self.owners > _MOST_CELLS:
            raise InvalidInput(
                f"{self.bid.size} reports of {self.owners} owners make {profiles} profiles, too "
                f"many to enumerate: at most {_MOST_CELLS // self.owners}"
            )
        self.open = self.offer <= self.cap[:, None] * (1.0 + 1e-12)
        if not self.open.any(axis=1).all():
            raise InvalidInput("a type has no report within her cap: offer smaller caps")

    @property
    def types(self) -> int:
        """Number of types."""
        return self.value.size

    @property
    def choices(self) -> int:
        """Number of reports."""
        return self.bid.size

    @cached_property
    def _tables(self) -> tuple[Array, Array]:
        """Own (epsilon, payment) averaged over seats, axes: own report, then the others'."""
        shape = (self.choices,) * self.owners
        epsilon, payment = self.cleared(np.indices(shape).reshape(self.owners, -1).T)
        tables = []
        for column in (epsilon, payment):
            seats = [np.moveaxis(column[:, i].reshape(shape), i, 0) for i in range(self.owners)]
            tables.append(np.mean(seats, axis=0))
        return tables[0], tables[1]

    def cleared(self, reports: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return (epsilon, payment) of profiles of report numbers, `(profiles, owners)` each."""
        said = BiddingGame.reports(self.bid[reports], self.offer[reports])
        outcome = self.mechanism.clear(said, self.budget)
        return outcome.epsilon, outcome.payment

    def payoffs(self, play: Play) -> Play:
        """Return what each report brings each type when the others play `play`.

        Minus infinity where a report is not open to a type.
        """
        chance = self.chance @ play
        epsilon, payment = self._tables
        for _ in range(self.owners - 1):
            epsilon, payment = epsilon @ chance, payment @ chance
        worth = payment - self.value[:, None] * epsilon
        return np.where(self.open, worth, -np.inf)

    def mean_bid(self, play: Play) -> Array:
        """Return the mean bid of each type, shape `(types,)`."""
        return np.asarray(play @ self.bid)


def typed_bidding(
    game: BiddingGame, types: int = 5, bids: ArrayLike | int = 9, offers: int = 1
) -> TypedBidding:
    """Return the game with types at the middles of equally likely intervals of value.

    Parameters
    ----------
    game
        Its caps are replaced by their mean.
    types
        Number of values.
    bids
        Unit values that can be reported, or how many, from the least to the greatest value.
    offers
        Number of caps that can be reported: equal steps up to the mean cap.

    Raises
    ------
    InvalidInput
        If a number is below 1 or the enumeration is too large.
    """
    count = whole_number("types", types, 1)
    value = game.value_quantile((np.arange(count) + 0.5) / count)
    cap = game.mean_cap
    if isinstance(bids, int):
        top = float(game.value_quantile(0.999))
        bids = np.linspace(value[0], top, whole_number("bids", bids, 2))
    steps = cap * np.arange(1, whole_number("offers", offers, 1) + 1) / offers
    pairs = np.stack(np.meshgrid(as_floats("bids", bids, minimum=0.0), steps, indexing="ij"))
    bid, offer = pairs.reshape(2, -1)
    return TypedBidding(
        game.mechanism,
        value,
        np.full(count, cap),
        np.full(count, 1.0 / count),
        bid,
        offer,
        game.owners,
        game.budget,
    )


def _columns(first: str, one: ArrayLike, second: str, two: ArrayLike) -> tuple[Array, Array]:
    """Return a column of money and one of caps, of one length."""
    money = np.atleast_1d(as_floats(first, one, minimum=0.0))
    cap = np.atleast_1d(as_floats(second, two, positive=True))
    if money.ndim != 1 or money.shape != cap.shape:
        raise InvalidInput(
            f"{first} and {second} must be lists of one length, got shapes {money.shape} and "
            f"{cap.shape}"
        )
    return frozen(money), frozen(cap)
