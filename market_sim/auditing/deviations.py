"""Deviations: what one owner gains by lying while the others' reports stand, many lies at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.auditing.checked import Clears, checked_clear
from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import KnownExpectation
from market_sim.outcome import exceeds
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, as_floats
from market_sim.valuation import Valuations

Index = NDArray[np.intp]
Kinds = NDArray[np.int8]
_CELLS = 1_000_000  # entries of one cleared batch: a few arrays of 8 MB, whatever the sizes are
_TIE = 1e-12  # of the budget: a smaller gain is rounding


@dataclass(frozen=True)
class Trials:
    """What each misreport brings to the owner who makes it; every array has shape `(trials,)`.

    Attributes
    ----------
    utility
        True utility of the lying owner: p - [s] v(eps), minus infinity where eps > true cap.
    payment, epsilon
        What she is paid and what she sells.
    excess
        Sum of all payments less the budget (negative where money is left).
    """

    utility: Array
    payment: Array
    epsilon: Array
    excess: Array


@dataclass(frozen=True)
class Deviator:
    """One market in which single owners lie: the others' reports, the truth, and the rule.

    Parameters
    ----------
    draws
        The mechanism; or several draws of a random one, over which utilities are averaged.
    reports
        What everybody else says, shape `(profiles, owners)`.
    truth
        True valuations and caps, same shape.
    budget
        Money, shape `(profiles,)`.
    expectation
        Where a random rule knows its expectations, they are taken in place of draws.
    """

    draws: tuple[Clears, ...]
    reports: Reports
    truth: Reports
    budget: Array
    expectation: KnownExpectation | None = None

    def try_misreports(
        self, profile: Index, owner: Index, rate: Array, cap: Array, kind: Kinds | None = None
    ) -> Trials:
        """Clear once for each misreport `(rate, cap)` of one owner of one profile.

        All arguments have shape `(trials,)`; the family of the owner's valuation is kept unless
        its code `kind` is given. The markets are cleared in batches of bounded size.
        """
        kind = self.truth.valuations.kind[profile, owner] if kind is None else kind
        step = max(1, _CELLS // self.reports.owners)
        result = np.empty((4, len(rate)))
        for start in range(0, len(rate), step):
            part = slice(start, start + step)
            reports = self._with_misreports(
                profile[part], owner[part], rate[part], cap[part], kind[part]
            )
            result[:, part] = self._clear(reports, profile[part], owner[part])
        return Trials(*result)

    def unit_cost(self, profile: Index, owner: int, cap: Array, kind: Kinds | None = None) -> Array:
        """Return `[s] base(cap)`, the total value of a report of rate 1; infinite beyond doubles.

        `profile` and `cap` have one shape, which is that of the result.
        """
        with np.errstate(over="ignore"):
            kind = self.truth.valuations.kind[profile, owner] if kind is None else kind
            cost = Valuations(kind, np.ones(kind.shape)).base(cap)
        size = self.truth.data_size
        return cost if size is None else cost * size[profile, owner]

    def _clear(self, reports: Reports, profile: Index, owner: Index) -> Array:
        """Clear one batch and return utility, payment, epsilon and excess."""
        row = np.arange(len(profile))
        budget = self.budget[profile]
        if self.expectation is not None:
            truth = _rows(self.truth, profile)
            known = self.expectation.expectation(reports, budget, truth)
            return np.stack([*(c[row, owner] for c in known), known[1].sum(axis=1) - budget])
        utility, payment, epsilon = np.zeros((3, len(profile)))
        excess = np.full(len(profile), -np.inf)
        for mechanism in self.draws:
            sold, paid = checked_clear(mechanism, reports, budget)
            eps, pay = sold[row, owner], paid[row, owner]
            utility += self._utility(profile, owner, eps, pay)
            payment += pay
            epsilon += eps
            np.maximum(excess, paid.sum(axis=1) - budget, out=excess)
        count = len(self.draws)
        return np.stack([utility / count, payment / count, epsilon / count, excess])

    def _with_misreports(
        self, profile: Index, owner: Index, rate: Array, cap: Array, kind: Kinds
    ) -> Reports:
        """Return one row of reports for each misreport."""
        row = np.arange(len(rate))
        kinds = self.reports.valuations.kind[profile]
        rates = self.reports.valuations.rate[profile]
        caps = self.reports.cap[profile]
        kinds[row, owner] = kind
        rates[row, owner] = rate
        caps[row, owner] = cap
        size = None if self.reports.data_size is None else self.reports.data_size[profile]
        return Reports(Valuations(kinds, rates), caps, size)

    def _utility(self, profile: Index, owner: Index, epsilon: Array, payment: Array) -> Array:
        """Return the true utility of the owners named, from what they sell and are paid."""
        truth = self.truth
        where = (profile, owner)
        sold = np.where(exceeds(epsilon, truth.cap[where]), 0.0, epsilon)
        cost = Valuations(truth.valuations.kind[where], truth.valuations.rate[where]).cost(sold)
        if truth.data_size is not None:
            cost = cost * truth.data_size[where]
        return np.where(sold < epsilon, -np.inf, payment - cost)


def best_deviations(
    mechanism: Clears,
    reports: Reports,
    budget: ArrayLike,
    truth: Reports,
    owners: ArrayLike,
    value_factors: ArrayLike,
    cap_factors: ArrayLike,
) -> tuple[Array, Array, Array]:
    """Return argmax over (f, c) of each owner's true utility when she reports (f v_i, c eps_bar_i).

    Every listed owner is asked on her own: the others say what `reports` says, whatever she says
    there herself. All pairs of the two lists of factors are tried, and the truth (1, 1) always.
    Ties go to the truth, then to the smallest lie; a gain below 1e-12 of the budget is a tie.

    Parameters
    ----------
    mechanism
        A deterministic rule, with `clear(reports, budget)`.
    reports
        What everybody says now, shape `(*profiles, owners)`.
    budget
        The buyer's money, one number or shape `profiles`.
    truth
        True valuations, caps and sizes, same shape.
    owners
        Indices of the owners who look for a best response, shape `(k,)`.
    value_factors, cap_factors
        Factors to try on the true valuation (>= 0) and on the true cap (> 0).

    Returns
    -------
    value_factor, cap_factor, gain
        Each of shape `(*profiles, k)`; `gain` >= 0 is the true utility beyond that of the truth.

    Raises
    ------
    InvalidInput
        If a factor or an index is outside its domain or the shapes differ.
    AuditError
        If the mechanism breaks its interface.
    """
    if truth.shape != reports.shape:
        raise InvalidInput(f"truth has shape {truth.shape} but the reports {reports.shape}")
    index = _owner_index(owners, reports.owners)
    table = _lies(
        as_floats("value_factors", value_factors, minimum=0.0),
        as_floats("cap_factors", cap_factors, positive=True),
    )
    market = Deviator(
        (mechanism,),
        flat_profiles(reports),
        flat_profiles(truth),
        as_budget(budget, reports.profiles).reshape(-1),
    )
    rows = len(market.budget)
    best = np.empty((3, rows, len(index)))
    # A block of owners at a time: memory stays bounded however many of them look.
    block = max(1, _CELLS // (rows * len(table)))
    for start in range(0, len(index), block):
        part = slice(start, start + block)
        best[:, :, part] = _best_of(market, index[part], table)
    shape = (*reports.profiles, len(index))
    value, cap, gain = (column.reshape(shape) for column in best)
    return value, cap, gain


def _best_of(market: Deviator, owners: Index, table: Array) -> Array:
    """Return the best (value factor, cap factor, gain) of some owners, `(3, profiles, k)`."""
    shape = (len(market.budget), len(owners), len(table))
    profile, place, lie = (axis.reshape(-1) for axis in np.indices(shape))
    owner = owners[place]
    rate = table[lie, 0] * market.truth.valuations.rate[profile, owner]
    cap = table[lie, 1] * market.truth.cap[profile, owner]
    utility = market.try_misreports(profile, owner, rate, cap).utility.reshape(shape)
    honest = utility[..., 0]
    top = utility.max(axis=-1)
    tie = _TIE * market.budget[:, None]
    # The table starts with the truth and goes on by the size of the lie: the first is the smallest.
    first = (utility >= (top - tie)[..., None]).argmax(axis=-1)
    gain = np.where(first > 0, top - honest, 0.0)
    return np.stack([table[first, 0], table[first, 1], gain])


def _lies(value_factors: Array, cap_factors: Array) -> Array:
    """Return all pairs of factors, shape `(pairs, 2)`: the truth first, then growing lies."""
    value, cap = (
        np.unique(np.append(factors.reshape(-1), 1.0)) for factors in (value_factors, cap_factors)
    )
    table = np.stack(np.meshgrid(value, cap, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(table[np.argsort(lie_size(table[:, 0], table[:, 1]), kind="stable")])


def lie_size(value_factor: Array, cap_factor: Array) -> Array:
    """Return |log value factor| + |log cap factor|: how far from the truth a report is."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.abs(np.log(value_factor)) + np.abs(np.log(cap_factor)))


def _owner_index(owners: ArrayLike, count: int) -> Index:
    """Return the indices of owners, checked."""
    index = np.atleast_1d(np.asarray(owners))
    if index.dtype.kind not in "iu" and index.size:
        raise InvalidInput(f"owners must be integer indices, got {index.dtype}")
    index = index.astype(np.intp)
    if index.size and (index.min() < 0 or index.max() >= count):
        raise InvalidInput(f"owners must lie between 0 and {count - 1}, got {index}")
    return index


def _rows(reports: Reports, profile: Index) -> Reports:
    """Return one row of reports for each profile named."""
    size = None if reports.data_size is None else reports.data_size[profile]
    return Reports(reports.valuations[profile], reports.cap[profile], size)


def flat_profiles(reports: Reports) -> Reports:
    """Return the reports with all leading axes made into one."""
    shape = (-1, reports.owners)
    kind, rate, cap = (
        array.reshape(shape)
        for array in (reports.valuations.kind, reports.valuations.rate, reports.cap)
    )
    size = None if reports.data_size is None else reports.data_size.reshape(shape)
    return Reports(Valuations(kind, rate), cap, size)
