"""Linear price: each owner in turn is offered a price a unit and sells as much as she likes."""

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.mechanisms._visits import (
    Order,
    by_owner,
    by_visit,
    visited_valuations,
    visits,
)
from market_sim.mechanisms.base import Guarantees, Mechanism, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_number, whole_number
from market_sim.valuation import Valuations

REFERENCE_SHARES: dict[str, dict[float, float]] = {
    "random": {0.1: 4.5, 0.25: 2.4, 0.5: 1.6, 1.0: 1.15, 2.0: 0.9},
    "size": {0.1: 1.9, 0.25: 1.4, 0.5: 1.2, 1.0: 1.0, 2.0: 0.85},
}
"""Tuned shares under the reference law, by order and budget rate; see `LinearPrice`."""


@dataclass(frozen=True)
class LinearPrice(Mechanism):
    """Owner i sells argmax over eps of p_i s_i eps - s_i v_i(eps), 0 <= eps <= cap_i.

    Owners are visited one after the other. The price of a unit of eps times size is

        p_i = share * money left / (slack * size left) ,

    the size left being that of the owners not yet visited, i among them (their number, without
    sizes); and no owner sells more than the money left pays.

    Parameters
    ----------
    share
        Factor of the price, > 0: higher buys dearer and sooner.
    slack
        What an owner of size 1 is expected to sell, > 0; 1.25 is the mean cap of the law with caps
        from U[0.5, 2].
    order
        - "random": a permutation from the seed, the same for every profile.
        - "given": the order of the owners.
        - "size": largest data size first; sizes are public.
    seed
        Seed of the random order.

    Raises
    ------
    InvalidInput
        If `share` or `slack` is not positive and finite, the order unknown or the seed negative.

    Notes
    -----
    What an owner may choose from depends on no report of hers, so the truth is the best report, in
    value and cap, for every valuation (taxation principle); she may always choose nothing; and no
    menu promises more than the money left. A random order is drawn by `realize(seed)`; `clear`
    uses the seed given.

    Shares with the least mean error bound under the reference law (`fl_market_2022(10)`, budget a
    rate times what all ask for their caps, ErrorOpt weights), tuned on 10,000 profiles, with the
    mean error bounds found:

    ===========  =====  =====  =====  =====  =====
    budget rate  .1     .25    .5     1      2
    ===========  =====  =====  =====  =====  =====
    random       4.5    2.4    1.6    1.15   .9
    error bound  12.9   5.25   2.95   1.65   1.06
    size         1.9    1.4    1.2    1.0    .85
    error bound  6.85   3.69   2.40   1.51   1.02
    ===========  =====  =====  =====  =====  =====

    They are the numbers of `REFERENCE_SHARES` in this module, by order and rate.

    Source: FL-Market, [D] first prototype of an exactly truthful auction, nothing learned.
    """

    share: float = 1.0
    slack: float = 1.25
    order: Order = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        as_number("share", self.share, positive=True)
        as_number("slack", self.slack, positive=True)
        whole_number("seed", self.seed, 0)
        if self.order not in get_args(Order):
            known = list(get_args(Order))
            raise InvalidInput(f"unknown order {self.order!r}, expected one of {known}")

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value and cap for any valuation, individually rational, within budget."""
        return Guarantees(
            truthful_in=("value", "cap"),
            truthful_for="any",
            individually_rational=True,
            budget_feasible=True,
            deterministic=self.order != "random",
        )

    @property
    def name(self) -> str:
        """`linear-price`, with the order if it is not random."""
        return "linear-price" if self.order == "random" else f"linear-price-{self.order}"

    def realize(self, seed: int) -> "LinearPrice":
        """Return the deterministic rule that one toss of the coins gives."""
        return replace(self, seed=seed)

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        _, mass, cap, money = flat(reports, budget)
        places = visits(self.order, self.seed, reports)
        size = by_visit(places, mass / cap)
        cap, valuations = by_visit(places, cap), visited_valuations(places, reports)
        waiting = np.cumsum(size[:, ::-1], axis=1)[:, ::-1]
        sold, paid = np.zeros((2, *cap.shape))
        left = money.copy()
        for visit in range(reports.owners if money.size else 0):
            at = (slice(None), visit)
            price = self.share * left / (self.slack * waiting[at])
            owner = valuations[:, visit]
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                most = np.fmin(cap[at], left / (price * size[at]))
            epsilon = best_sale(owner, price, most)
            pay = np.minimum(price * (size[at] * epsilon), left)
            sells = (pay >= size[at] * owner.cost(epsilon)) & (left > 0)
            sold[at], paid[at] = np.where(sells, epsilon, 0.0), np.where(sells, pay, 0.0)
            left = np.maximum(left - paid[at], 0.0)
        shape, money = reports.shape, money.reshape(reports.profiles)
        sold, paid = (by_owner(places, column).reshape(shape) for column in (sold, paid))
        return Outcome(sold, paid, money, reports.data_size)


def best_sale(valuations: Valuations, price: Array, most: Array) -> Array:
    """Return argmax over 0 <= eps <= most of price eps - v(eps), the larger one of equals.

    All arrays have the shape of the valuations. Quadratic and exponential valuations have one
    stationary point, price / (2 rate) and log(price / rate); the others sell all or nothing.
    """
    rate, kind = valuations.rate, valuations.kind
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = price / rate
        inner = np.where(kind == 1, 0.5 * ratio, np.where(kind == 3, np.log(ratio), np.inf))
    # 0 / 0 is an owner who asks nothing and is offered nothing.
    inner = np.where(np.isnan(inner), np.inf, inner)
    epsilon: NDArray[np.float64] = np.clip(inner, 0.0, most)
    return np.where(price * epsilon >= valuations.cost(epsilon), epsilon, 0.0)
