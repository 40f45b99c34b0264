"""Posted price: one price a unit, take it or leave it, until the money is out."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.mechanisms._queue import Queue, serve
from market_sim.mechanisms._visits import by_owner, by_visit, visited_valuations, visits
from market_sim.mechanisms.base import Guarantees, Mechanism, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_number, whole_number

Unit = Literal["money", "share"]
Order = Literal["random", "given"]
Last = Literal["skip", "part"]

REFERENCE_PRICES: dict[str, dict[float, float]] = {
    "skip": {0.1: 10.5, 0.25: 3.7, 0.5: 2.0, 1.0: 1.16, 2.0: 0.76},
    "part": {0.1: 7.7, 0.25: 3.0, 0.5: 1.76, 1.0: 1.04, 2.0: 0.76},
}
"""Prices as shares with the least mean error bound under the reference law, by budget rate.

At each, at most 1 % of the profiles are left without a winner; random order.
"""


@dataclass(frozen=True)
class PostedPrice(Mechanism):
    """Owner i sells her whole cap for p mass_i if V_i <= p mass_i, first come first served.

    `mass_i` is the cap, times the data size where sizes are used; V_i / mass_i, the unit value, is
    the v_i of the privacy auction game. The price depends on no report, nor does the order.

    Parameters
    ----------
    price
        p, >= 0, in units of `unit`.
    unit
        - "money": money for a unit of mass.
        - "share": multiples of B / sum_i s_i (B / n without sizes), for budgets that go with the
          market; at 1 the budget just pays for owners who sell epsilon 1 on average.
    order
        - "random": a permutation from the seed, the same for every profile.
        - "given": the order of the owners.
    last
        What happens to an owner whose whole cap the money left does not pay.
        - "skip": she sells nothing, and the next one is asked. She may gain by hiding a part of her
          cap, so that she fits.
        - "part": she sells the part that the money pays, if she likes that at the same price.
    seed
        Seed of the random order.

    Raises
    ------
    InvalidInput
        If the price is negative or not finite, a choice unknown or the seed negative.

    Notes
    -----
    No lie in the value pays, for any valuation: an owner is offered an amount and a sum that do
    not depend on it. In the cap, "part" is truthful for single-minded owners and wherever v is
    concave (linear, sqrt), as all or nothing is then the best that a price can bring; with convex
    valuations an owner may hide a part of her cap that costs more than the price.

    A random order is drawn by `realize(seed)`; `clear` uses the seed given.

    Prices tuned on 10,000 profiles of the reference law (`fl_market_2022(10)`, budget a rate times
    what all ask for their caps) are the `REFERENCE_PRICES` of this module.

    Source: privacy auction game [S], `PostedPrice(p)`; FL-Market [S], caps and sizes; [D] price as
    a share, part sales.
    """

    price: float = 1.0
    unit: Unit = "money"
    order: Order = "random"
    last: Last = "skip"
    seed: int = 0

    def __post_init__(self) -> None:
        as_number("price", self.price, minimum=0.0)
        whole_number("seed", self.seed, 0)
        for name, choices in (("unit", Unit), ("order", Order), ("last", Last)):
            if (given := getattr(self, name)) not in get_args(choices):
                known = list(get_args(choices))
                raise InvalidInput(f"unknown {name} {given!r}, expected one of {known}")

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value for anybody; with part sales in value and cap for single-minded."""
        part = self.last == "part"
        return Guarantees(
            truthful_in=("value", "cap") if part else ("value",),
            truthful_for="single-minded" if part else "any",
            individually_rational=True,
            budget_feasible=True,
            deterministic=self.order != "random",
        )

    @property
    def name(self) -> str:
        """`posted-price`, with every setting that is not the default."""
        chosen = (self.unit, self.order, self.last)
        plain = ("money", "random", "skip")
        return "-".join(["posted-price", *(c for c in chosen if c not in plain)])

    def realize(self, seed: int) -> "PostedPrice":
        """Return the deterministic rule that one toss of the coins gives."""
        return replace(self, seed=seed)

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        value, mass, cap, money = flat(reports, budget)
        size = mass / cap
        price = self._unit_price(size, money)
        places = visits(self.order, self.seed, reports)
        value, cap, size = (by_visit(places, column) for column in (value, cap, size))
        queue = Queue(
            asked=value,
            pay=price[:, None] * (size * cap),
            cap=cap,
            size=size,
            valuations=visited_valuations(places, reports) if self.last == "part" else None,
        )
        sold, paid = serve(queue, money)
        shape, money = reports.shape, money.reshape(reports.profiles)
        sold, paid = (by_owner(places, column).reshape(shape) for column in (sold, paid))
        return Outcome(sold, paid, money, reports.data_size)

    def _unit_price(self, size: Array, money: Array) -> Array:
        """Return the money for a unit of mass, `(rows,)`."""
        if self.unit == "money":
            return np.full(money.shape, float(self.price))
        return np.asarray(self.price * money / size.sum(axis=1))
