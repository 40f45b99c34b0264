"""First price: the cheapest privacy is bought at its ask, until the money is out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from market_sim.mechanisms._sorted import entry, in_order, prefix
from market_sim.mechanisms.base import Guarantees, Mechanism, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports


@dataclass(frozen=True)
class FirstPrice(Mechanism):
    """Owners in ascending unit value sell their caps at their own ask; the last one sells a part.

    With the money that is left the first owner who does not fit sells eps_i left / (v_i eps_i);
    owners who ask the same share that money in proportion to their caps (times sizes), so that
    identical owners are treated alike.

    Notes
    -----
    At truthful reports it buys all that the money can buy (`purchase_bound`) and leaves owners
    nothing; so owners ask more. Its equilibria are those of a `BiddingGame`.

    Source: privacy auction game, [D] first price, the mechanism whose bidding equilibrium is
    solved for comparison.
    """

    @property
    def guarantees(self) -> Guarantees:
        """Individually rational, within the budget, anonymous; not truthful."""
        return Guarantees(individually_rational=True, budget_feasible=True, anonymous=True)

    @property
    def name(self) -> str:
        """`first-price`."""
        return "first-price"

    @property
    def families(self) -> tuple[str, ...]:
        """Linear valuations: a part of the cap costs that part of the ask."""
        return ("linear",)

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        self.require_families(reports)
        value, mass, cap, money = flat(reports, budget)
        order = in_order(value, mass, money)
        spent = np.cumsum(order.unit * order.mass, axis=1)
        last = entry(order.unit, prefix(spent <= order.budget))[:, None]
        unit = value / mass
        below, tied = unit < last, unit == last
        before = np.where(below, value, 0.0).sum(axis=1, keepdims=True)
        asked = np.where(tied, value, 0.0).sum(axis=1, keepdims=True)
        part = np.maximum(order.budget - before, 0.0) / np.where(asked > 0, asked, 1.0)
        share = np.where(below, 1.0, np.where(tied, np.minimum(part, 1.0), 0.0))
        sold, paid = (cap * share).reshape(reports.shape), (value * share).reshape(reports.shape)
        return Outcome(sold, paid, money.reshape(reports.profiles), reports.data_size)
