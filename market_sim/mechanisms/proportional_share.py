"""Proportional share: the cheapest owners share the money in proportion to what they sell."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from market_sim.mechanisms.all_in import AllIn
from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array

_STOPPED = AllIn("singer")


@dataclass(frozen=True)
class ProportionalShare(Mechanism, PiecewiseConstant):
    r"""The first k owners sell their caps at one price, k = max{k : v_k <= B / sum_{i<=k} eps_i}.

    Owners come in ascending unit value v; the price of a unit is
    min(B / sum_{i<=k} eps_i, v_{k+1}). With data sizes, eps_i times the size takes the place of
    eps_i. Equal unit values are served in the order of the owners; where that order decides, the
    price is what they ask, so that who is served gains nothing.

    Notes
    -----
    No lie in the value pays, whatever the valuation: the price is the highest unit value at which
    the owner would still be served. A lie in the cap may: where B / sum eps is the price, an owner
    with linear costs who hides a part of her cap raises it, and `LeaveOneOut("hard")` is the rule
    that does this for her, so that she need not. A lone owner has no rival and is paid B for any
    cap that B pays. Single-minded owners do not gain by hiding.

    The same rule is `AllIn("singer")`, which states what it promises to single-minded owners.

    Source: privacy auction game, [D] ProportionalShare; Singer (FOCS 2010), budget feasible
    mechanisms.
    """

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value for anybody, individually rational, within the budget."""
        return Guarantees(
            truthful_in=("value",),
            truthful_for="any",
            individually_rational=True,
            budget_feasible=True,
            anonymous=True,
        )

    @property
    def name(self) -> str:
        """`proportional-share`."""
        return "proportional-share"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        return _STOPPED.clear(reports, budget)

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return the others' asks, and the asks at which the owner just fits behind them."""
        return _STOPPED.critical_values(reports, budget, owner)
