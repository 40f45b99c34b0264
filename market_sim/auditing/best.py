"""The best lie found so far of one owner, in every profile."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from market_sim.auditing.deviations import Deviator, Index, Kinds, lie_size
from market_sim.shapes import Array

TIE = 1e-12  # of the budget: what is less apart than this is equal


@dataclass(frozen=True)
class Best:
    """What one owner's best report brings her in each profile; arrays of shape `(profiles,)`.

    Attributes
    ----------
    utility, payment, epsilon
        As in `Trials`, of the best report.
    rate, cap, kind
        The best report, `kind` the code of the family that it names.
    excess
        Largest overspending met over all reports tried.
    lies
        Number of reports tried.
    """

    utility: Array
    payment: Array
    epsilon: Array
    rate: Array
    cap: Array
    kind: Kinds
    excess: Array
    lies: int

    def merged(self, other: Self, budget: Array) -> Self:
        """Return the better of the two in each profile; equals (to rounding) stay with self."""
        better = self.improved(other, budget)
        return replace(better, lies=self.lies + other.lies)

    def improved(self, other: Self, budget: Array) -> Self:
        """Return the same, counting the reports tried of self alone."""
        better = other.utility > self.utility + TIE * budget
        columns = ("utility", "payment", "epsilon", "rate", "cap", "kind")
        chosen = {c: np.where(better, getattr(other, c), getattr(self, c)) for c in columns}
        return replace(self, **chosen, excess=np.maximum(self.excess, other.excess))


def best_report(
    market: Deviator,
    owner: int,
    profile: Index,
    rate: Array,
    cap: Array,
    kind: Kinds | None = None,
) -> Best:
    """Try reports `(rate, cap[, kind])` of one owner and return the best of each profile.

    The arguments have one shape, any; the true family is kept if no other is given. Rates that are
    no number and reports whose total value is beyond double precision are left out. Among equals
    the one nearest to the truth is taken; profiles without a trial get minus infinity.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        kind = market.truth.valuations.kind[profile, owner] if kind is None else kind
        sane = np.isfinite(rate * market.unit_cost(profile, owner, cap, kind))
    profile, rate, cap, kind = profile[sane], rate[sane], cap[sane], kind[sane]
    rows = len(market.budget)
    trials = market.try_misreports(profile, np.full(len(rate), owner), rate, cap, kind)
    top, excess = np.full((2, rows), -np.inf)
    np.maximum.at(top, profile, trials.utility)
    np.maximum.at(excess, profile, trials.excess)
    near = np.flatnonzero(trials.utility >= (top - TIE * market.budget)[profile])
    with np.errstate(divide="ignore", invalid="ignore"):
        size = lie_size(
            rate[near] / market.truth.valuations.rate[profile[near], owner],
            cap[near] / market.truth.cap[profile[near], owner],
        )
    near = near[np.lexsort((size, profile[near]))]
    seen, first = np.unique(profile[near], return_index=True)
    columns = (trials.utility, trials.payment, trials.epsilon, rate, cap)
    utility, payment, epsilon, rates, caps = chosen = np.zeros((5, rows))
    utility[:], caps[:] = -np.inf, 1.0
    chosen[:, seen] = [column[near[first]] for column in columns]
    kinds = market.truth.valuations.kind[:, owner].copy()
    kinds[seen] = kind[near[first]]
    return Best(utility, payment, epsilon, rates, caps, kinds, excess, len(rate))


def honest_report(market: Deviator, owner: int) -> Best:
    """Return what the truth brings: where every search starts, so that ties go to the truth."""
    profile = np.arange(len(market.budget))
    truth = market.truth
    rate = truth.valuations.rate[:, owner]
    return replace(best_report(market, owner, profile, rate, truth.cap[:, owner]), lies=0)
