"""All-in: the buyer takes an owner's whole cap or nothing, cheapest unit value first."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

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

_BLOCK = 2**14  # entries worked on at once: what fits into a processor's cache
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
        sold, paid = np.empty(value.shape), np.empty(value.shape)
        step = max(1, _BLOCK // reports.owners)
        for start in range(0, len(value), step):
            rows = slice(start, start + step)
            won, price = self._sell(value[rows], mass[rows], money[rows])
            np.multiply(cap[rows], won, out=sold[rows])
            pay = np.multiply(mass[rows], price, out=paid[rows])
            # Rounding must not take a winner below her report: max() moves at most the last digit.
            np.maximum(pay, value[rows], out=pay)
            np.multiply(pay, won, out=pay)
        shape, money = reports.shape, money.reshape(reports.profiles)
        return Outcome(sold.reshape(shape), paid.reshape(shape), money, reports.data_size)

    def _sell(self, value: Array, mass: Array, money: Array) -> tuple[Mask, Array]:
        """Return winners and finite unit prices of rows in the order of the owners."""
        ranked = rank(value, mass, money)
        if self.payment == "singer":
            return _sell_below(ranked, value / mass)
        accepted, price = self._accept(ranked)
        return ranked.scatter(accepted), ranked.scatter(np.where(accepted, price, 0.0))

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


def _stopped(ranked: Ranked) -> tuple[NDArray[np.intp], Array, Array]:
    """Return per row the number of winners, the unit value refused first, and the unit price."""
    count, total = accept_prefix(ranked)
    owners = ranked.mass.shape[1]
    following = ranked.unit[np.arange(len(count)), np.minimum(count, owners - 1)]
    following = np.where(count < owners, following, np.inf)
    price = np.minimum(ranked.budget / np.where(total > 0, total, 1.0), following)
    return count, following, price


def _single_price(ranked: Ranked) -> tuple[Mask, Array]:
    """Return the owners before the first refusal and their common unit price."""
    count, _, price = _stopped(ranked)
    accepted = np.arange(ranked.mass.shape[1]) < count[:, None]
    return accepted, np.where(accepted, price[:, None], 0.0)


def _sell_below(ranked: Ranked, unit: Array) -> tuple[Mask, Array]:
    """Return the same in the order of the owners: who asks less than the first refused, wins."""
    count, following, price = _stopped(ranked)
    won = unit < following[:, None]
    wrong = np.count_nonzero(won, axis=1) != count
    if wrong.any():  # the first refused ties with winners: only their order tells them apart
        accepted = np.arange(unit.shape[1]) < count[:, None]
        won[wrong] = ranked.scatter(accepted)[wrong]
    return won, price[:, None]
