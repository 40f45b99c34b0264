"""All-in: the buyer takes an owner's whole cap or nothing, cheapest unit value first."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.mechanisms._greedy import (
    Mask,
    Ranked,
    accept_all_in,
    accept_prefix,
    critical_prices,
    rank,
)
from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array

Payment = Literal["critical", "singer", "published"]

_TRUTHFUL = Guarantees(
    truthful_in=("value", "cap"),
    truthful_for="single-minded",
    individually_rational=True,
    budget_feasible=True,
    anonymous=True,
)
_PUBLISHED = Guarantees(individually_rational=True, budget_feasible=True, anonymous=True)


@dataclass(frozen=True)
class AllIn(Mechanism, PiecewiseConstant):
    """Owners in ascending unit value V_i / mass_i win if (A + mass_i) u_i <= B; winners sell all.

    `mass_i` is the cap, times the data size where sizes are used; A is the mass accepted before.
    Equal unit values are served in the order of the owners.

    Parameters
    ----------
    payment
        - "critical" (default): winner i gets mass_i u*_i, u*_i the highest unit value at which
          she would still have won. Truthful for single-minded owners, individually rational,
          budget feasible.
        - "singer": stop at the first refusal; every winner gets the same unit price
          min(B / A, unit value of the first refused). The same promises, O(n log n), buys less.
        - "published": mass_i B / A as printed. NOT truthful: a loser can evict a winner by asking
          less (see the documentation); kept for comparison.

    Raises
    ------
    InvalidInput
        If the payment rule is unknown.

    Notes
    -----
    Source: FL-Market [S] Algorithm 4 and Proposition 5.1 (false for the printed payment); [D] the
    critical and the stopped variant; the stopped rule is Singer (FOCS 2010), budget feasible
    mechanisms.
    """

    payment: Payment = "critical"

    def __post_init__(self) -> None:
        if self.payment not in get_args(Payment):
            raise InvalidInput(
                f"unknown payment {self.payment!r}, expected one of {list(get_args(Payment))}"
            )

    @property
    def guarantees(self) -> Guarantees:
        """Promises of the chosen payment rule."""
        return _PUBLISHED if self.payment == "published" else _TRUTHFUL

    @property
    def name(self) -> str:
        """`all-in-<payment>`."""
        return f"all-in-{self.payment}"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        value, mass, cap, money = flat(reports, budget)
        ranked = rank(value, mass, money)
        accepted, price = self._accept(ranked)
        won = ranked.scatter(accepted)
        # Rounding must not take a winner below her report: max() moves at most the last digit.
        paid = np.where(won, np.maximum(mass * ranked.scatter(price), value), 0.0)
        shape = reports.shape
        sold = np.where(won, cap, 0.0).reshape(shape)
        money = money.reshape(reports.profiles)
        return Outcome(sold, paid.reshape(shape), money, reports.data_size)

    def _accept(self, ranked: Ranked) -> tuple[Mask, Array]:
        """Return winners and unit prices in ranked order, each `(rows, owners)`."""
        if self.payment == "critical":
            return critical_prices(ranked)
        if self.payment == "singer":
            return _single_price(ranked)
        accepted = accept_all_in(ranked)[0]
        total = np.where(accepted, ranked.mass, 0.0).sum(axis=1, keepdims=True)
        price = ranked.budget[:, None] / np.where(total > 0, total, 1.0)
        return accepted, np.where(accepted, price, 0.0)

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return the others' asks per unit, and the asks at which the owner just fits behind them.

        Between two of these values her rank and everybody's acceptance stay the same. See
        `PiecewiseConstant.critical_values`.
        """
        value, mass, _, money = flat(reports, budget)
        others = np.delete(np.arange(reports.owners), owner)
        own = mass[:, owner, None]
        ranked = rank(value[:, others], mass[:, others], money)
        accepted = self._accept(ranked)[0]
        before = np.cumsum(np.where(accepted, ranked.mass, 0.0), axis=1)
        before = np.concatenate([np.zeros((len(before), 1)), before], axis=1)
        fits = money[:, None] / (before + own)
        units = np.concatenate([ranked.unit, fits], axis=1)
        return (units * own).reshape(*reports.profiles, -1)


def _single_price(ranked: Ranked) -> tuple[Mask, Array]:
    """Return the owners before the first refusal and their common unit price."""
    count, total = accept_prefix(ranked)
    rows, owners = ranked.mass.shape
    following = np.append(ranked.unit, np.full((rows, 1), np.inf), axis=1)[np.arange(rows), count]
    price = np.minimum(ranked.budget / np.where(total > 0, total, 1.0), following)
    accepted = np.arange(owners) < count[:, None]
    return accepted, np.where(accepted, price[:, None], 0.0)
