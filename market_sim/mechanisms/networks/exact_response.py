"""The best report of every owner, searched everywhere: no slopes, no starting points, no steps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import KnownExpectation, Mechanism
from market_sim.reports import Reports
from market_sim.shapes import Array, PerOwner, as_budget, as_floats, whole_number
from market_sim.valuation import KINDS, Valuations

_DEVIATIONS = ("value", "cap", "both")
_CELLS = 400_000  # owners of all markets cleared at once
_PAIRS = 500  # owners searched for together
Index = NDArray[np.intp]
_SMALL = (1e-6, 1e-4, 1e-2)  # shares of a range that an even grid does not see
_PEAKS = 4  # of the grid, each refined on its own
_SIDES = np.linspace(-1.0, 1.0, 5)
_AROUND = np.stack(np.meshgrid(_SIDES, _SIDES)).reshape(2, 1, 1, -1)


@dataclass(frozen=True, eq=False)
class BestResponses:
    """The best report found of every owner, who alone lies; arrays of shape `(*profiles, owners)`.

    Attributes
    ----------
    regret
        Expected true utility of the best report less that of the truth, in money, >= 0.
    utility, cost
        Expected utility at the truth, and the true cost of what is sold there.
    value, cap
        The best report: unit value and cap.
    resolution
        Distance of the last grid's points, as a share of the range of the first one.
    """

    regret: PerOwner
    utility: PerOwner
    cost: PerOwner
    value: PerOwner
    cap: PerOwner
    resolution: float

    @property
    def regret_per_cost(self) -> float:
        """Mean of regret / cost over owners who sell: the measure of the published tables."""
        sells = self.cost > 0
        return float((self.regret[sells] / self.cost[sells]).mean()) if sells.any() else 0.0


def best_responses(
    mechanism: Mechanism,
    reports: Reports,
    budget: ArrayLike,
    *,
    largest_value: float = 1.0,
    deviation: str = "both",
    grid: int = 17,
    zooms: int = 8,
) -> BestResponses:
    r"""Return max over 0 <= v' <= v_max, 0 < eps' <= eps_bar_i of u_i(v', eps') - u_i(truth).

    Every owner's reports are tried on an even grid of both parts together, with next to nothing
    added to each; then the best places of the grid are refined, each on its own, by grids of half
    the size. Caps above the true one are never feasible. Nothing is known of the rule but its
    outcomes, or its expectations if it knows them: code of its own, beside the attacks by slope.

    Parameters
    ----------
    mechanism
        Any deterministic rule, or one of known expectations, for linear valuations.
    reports
        The truth, shape `(*profiles, owners)`: linear valuations without data sizes.
    budget
        Money, one number or shape `profiles`.
    largest_value
        Largest unit value that may be told: that of the law of the owners, or a larger one.
    deviation
        "value", "cap" or "both": which part of the report may lie.
    grid
        Points of the even grid in each direction, at least 3.
    zooms
        How often the range around each of the best places is halved.

    Returns
    -------
    BestResponses

    Raises
    ------
    InvalidInput
        If a setting is outside its domain, or the owners are not linear.

    Notes
    -----
    Source: privacy auction game [S], regret; [D] the search: with a smooth rule what is missed is
    of the order of the squared resolution. Offering next to no privacy is always tried.
    """
    points, halvings = whole_number("grid", grid, 3), whole_number("zooms", zooms, 0)
    market = _Market(mechanism, _flat(reports), as_budget(budget, reports.profiles).reshape(-1))
    top = float(as_floats("largest_value", largest_value, positive=True))
    usual = float(market.value.max())
    # Far beyond the true values a grid is coarse among them, so that both ranges are searched.
    tops = [usual, top] if top > 2.0 * usual > 0 else [max(top, usual)]
    searches = [_Lies.of(deviation, end, points, halvings) for end in tops]
    pairs = market.value.size
    blocks = np.array_split(np.arange(pairs), -(-pairs // _PAIRS))
    parts = [_better([_best(market, block, lies) for lies in searches]) for block in blocks]
    regret, utility, cost, value, cap = (
        np.concatenate(column).reshape(reports.shape) for column in zip(*parts, strict=True)
    )
    resolution = 0.5**halvings / (points - 1)
    return BestResponses(regret, utility, cost, value, cap, resolution)


@dataclass(frozen=True)
class _Lies:
    """What may be told: shares of the largest value, or of the true cap, and how finely."""

    values: Array | None
    caps: Array | None
    top: float
    width: float
    halvings: int

    @classmethod
    def of(cls, deviation: str, top: float, points: int, halvings: int) -> "_Lies":
        """Return the even grids of a deviation, with points next to 0."""
        if deviation not in _DEVIATIONS:
            raise InvalidInput(f"deviation must be one of {list(_DEVIATIONS)}, got {deviation!r}")
        even = np.linspace(0.0, 1.0, points)
        values = None if deviation == "cap" else np.unique([*even, *_SMALL])
        caps = None if deviation == "value" else np.unique([*even[1:], *_SMALL])
        return cls(values, caps, top, 1.0 / (points - 1), halvings)

    def axes(self, true: Array) -> tuple[Array, Array]:
        """Return values and caps to try of each pair, `(pairs, points)`; `true` is `(2, pairs)`."""
        value, cap = true[:, :, None]
        return (
            value
            if self.values is None
            else np.broadcast_to(self.top * self.values, (len(value), len(self.values))),
            cap if self.caps is None else self.caps * cap,
        )

    def box(self, true: Array) -> tuple[Array, Array]:
        """Return the least and the largest report of each pair, `(2, pairs)` each."""
        low, high = true.copy(), true.copy()
        if self.values is not None:
            low[0], high[0] = 0.0, self.top
        if self.caps is not None:
            low[1] = _SMALL[0] * true[1]
        return low, high


@dataclass(frozen=True, eq=False)
class _Market:
    """Markets of truthful linear owners; a pair is one owner of one of them."""

    mechanism: Mechanism
    truth: Reports
    budget: Array

    @property
    def value(self) -> Array:
        """True unit values, `(profiles, owners)`."""
        return self.truth.unit_value

    def outcome(self, pairs: Index, value: Array, cap: Array) -> tuple[Array, Array]:
        """Return utility and true cost of what the pairs' owners say, `(pairs, trials)` each."""
        profile, owner = np.divmod(np.repeat(pairs, value.shape[1]), self.truth.owners)
        step = max(1, _CELLS // self.truth.owners)
        values, caps = value.reshape(-1), cap.reshape(-1)
        slices = [slice(start, start + step) for start in range(0, len(profile), step)]
        parts = [self._outcome(profile[s], owner[s], values[s], caps[s]) for s in slices]
        utility, cost = (
            np.concatenate(part).reshape(value.shape) for part in zip(*parts, strict=True)
        )
        return utility, cost

    def _outcome(
        self, profile: Index, owner: Index, value: Array, cap: Array
    ) -> tuple[Array, Array]:
        row = np.arange(len(profile))
        rates, caps = self.truth.valuations.rate[profile], self.truth.cap[profile]
        unit = self.truth.valuations.kind[profile]
        rates[row, owner], caps[row, owner] = 0.5 * value, cap
        reports = Reports(Valuations(unit, rates), caps)
        money = self.budget[profile]
        true = Reports(
            Valuations(unit, self.truth.valuations.rate[profile]), self.truth.cap[profile]
        )
        if isinstance(self.mechanism, KnownExpectation):
            utility, _, epsilon = self.mechanism.expectation(reports, money, true)
        else:
            outcome = self.mechanism.clear(reports, money)
            utility, epsilon = outcome.utility(true.valuations, true.cap), outcome.epsilon
        return utility[row, owner], (self.value[profile] * epsilon)[row, owner]


def _best(market: _Market, pairs: Index, lies: _Lies) -> tuple[Array, ...]:
    """Return the columns of the result for some pairs, `(pairs,)` each."""
    true = np.stack([x.reshape(-1)[pairs] for x in (market.value, market.truth.cap)])
    honest, cost = (x[:, 0] for x in market.outcome(pairs, *true[:, :, None]))
    place, utility = _peaks(market, pairs, lies.axes(true))
    # The truth is a place to refine as well: small lies may pay.
    place = np.concatenate([true[:, :, None], place], axis=-1)
    utility = np.concatenate([honest[:, None], utility], axis=-1)
    low, high = (end[:, :, None, None] for end in lies.box(true))
    width = lies.width * (high - low)
    for _ in range(lies.halvings):
        near = np.clip(place[..., None] + width * _AROUND, low, high)
        found = market.outcome(pairs, *near.reshape(2, len(pairs), -1))[0].reshape(near.shape[1:])
        at = found.argmax(axis=-1)[..., None]
        moved = np.take_along_axis(near, at[None], axis=-1)[..., 0]
        place = np.where(found.max(axis=-1) > utility, moved, place)
        utility = np.maximum(utility, found.max(axis=-1))
        width = 0.5 * width
    row, chosen = np.arange(len(pairs)), utility.argmax(axis=1)
    gain = utility[row, chosen] - honest
    value, cap = np.where(gain > 0, place[:, row, chosen], true)
    return np.maximum(gain, 0.0), honest, cost, value, cap


def _better(found: list[tuple[Array, ...]]) -> tuple[Array, ...]:
    """Return the columns of the best of several searches, pair by pair."""
    best = np.argmax([columns[0] for columns in found], axis=0)
    return tuple(np.choose(best, column) for column in zip(*found, strict=True))


def _peaks(market: _Market, pairs: Index, axes: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return the places `(2, pairs, peaks)` of the grid's highest peaks, and their utilities."""
    value, cap = np.broadcast_arrays(axes[0][:, :, None], axes[1][:, None, :])
    shape = (len(pairs), -1)
    utility = market.outcome(pairs, value.reshape(shape), cap.reshape(shape))[0]
    surface = np.pad(
        utility.reshape(value.shape), ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf
    )
    middle = surface[:, 1:-1, 1:-1]
    around = [
        surface[:, :-2, 1:-1],
        surface[:, 2:, 1:-1],
        surface[:, 1:-1, :-2],
        surface[:, 1:-1, 2:],
    ]
    peak = np.all([middle >= side for side in around], axis=0).reshape(utility.shape)
    order = np.lexsort((-utility, ~peak), axis=-1)[:, :_PEAKS]
    place = np.stack([axis.reshape(shape) for axis in (value, cap)])
    return (
        np.take_along_axis(place, order[None], axis=-1),
        np.take_along_axis(utility, order, axis=-1),
    )


def _flat(reports: Reports) -> Reports:
    """Return truthful linear reports with one leading axis, refused if they are others."""
    if (reports.valuations.kind != KINDS.index("linear")).any() or reports.data_size is not None:
        raise InvalidInput(
            "best responses are searched for owners with linear valuations and no data sizes, got "
            "others: use ms.audit for these"
        )
    shape = (-1, reports.owners)
    rate, cap = reports.valuations.rate.reshape(shape), reports.cap.reshape(shape)
    return Reports(Valuations("linear", rate), cap)
