"""Leave one out: each owner meets prices that only the others' reports have made."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.mechanisms._residual import best_sales, clearing_prices
from market_sim.mechanisms._rounding import within_budget
from market_sim.mechanisms._sorted import entry, in_order, prefix, tie_ends
from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array

Limit = Literal["soft", "hard"]


@dataclass(frozen=True)
class LeaveOneOut(Mechanism, PiecewiseConstant):
    r"""The price of owner i clears the others' supply S_i(p): sum of eps_j, j != i, v_j <= p.

    With data sizes, eps_j times the size takes the place of eps_j.

    Parameters
    ----------
    budget
        - "soft": p_i = sup{p : p S_i(p) <= B (N - 1) / N}, at which the others' part of the money
          buys what they supply; owner i sells eps_i at p_i a unit if v_i <= p_i (at v_i = p_i,
          where it is all the same to her, if v_i S_i(v_i) is within that money). The payments
          exceed B a little: by 13 % on average with 10 owners of the uniform law and B = N / 2, by
          1.2 % with 100, by 0.1 % with 1,000.
        - "hard" (default): the others leave B / p - S_i(p) units to her at price p. Of these
          offers owner i takes the one she likes best: max over p of
          (p - v_i) min(eps_i, B / p - S_i(p)). The payments never exceed B.

    Raises
    ------
    InvalidInput
        If the choice is unknown.

    Notes
    -----
    Truth is a dominant strategy in value and cap, exactly: what an owner may choose from depends on
    no report of hers, the rule chooses for her what is best by her own report, and a higher cap
    than the true one only adds sales that she cannot deliver (taxation principle).

    "hard" keeps the budget: let w be the seller of highest unit price p_w. Every other seller j has
    v_j < p_j <= p_w, so her sale x_j <= eps_j is part of S_w(p_w); and the offers give
    p_w (S_w(p_w) + x_w) <= B. So sum_j p_j x_j <= p_w sum_j x_j <= B.

    An owner to whom an offer is worth nothing sells nothing under "hard". So of identical owners
    either all sell at one price above their unit value, or none. A lone owner sells nothing under
    either: there is nobody whose report could price her.

    The others' supply is a difference of sums, and known to about 2e-16 of all supply. So the
    budget and rationality hold to rounding, about 3e-16 relatively, as long as no cap is more than
    1e8 times the others' supply and the budget does not buy less than 1e-8 of one cap. Beyond,
    prices lose digits, and past 1e16 the budget too may be exceeded; an owner beside whom the
    others' supply is lost altogether counts as a lone one.

    Source: privacy auction game, [D] LeaveOneOut; the hard variant is ProportionalShare, whose
    price for owner i is the best at which the others leave room for her whole cap, with the gain
    of hiding a part of it handed to the owner.
    """

    budget: Limit = "hard"

    def __post_init__(self) -> None:
        if self.budget not in get_args(Limit):
            known = list(get_args(Limit))
            raise InvalidInput(f"unknown budget {self.budget!r}, expected one of {known}")

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value and cap, individually rational; "hard" also within the budget."""
        return Guarantees(
            truthful_in=("value", "cap"),
            truthful_for="linear",
            individually_rational=True,
            budget_feasible=self.budget == "hard",
            anonymous=True,
        )

    @property
    def name(self) -> str:
        """`leave-one-out-<budget>`."""
        return f"leave-one-out-{self.budget}"

    @property
    def families(self) -> tuple[str, ...]:
        """Linear valuations: the others' supply at a price is all or nothing."""
        return ("linear",)

    @property
    def is_piecewise_constant(self) -> bool:
        """Only "soft": the sale that an owner likes best moves with her value."""
        return self.budget == "soft"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        self.require_families(reports)
        value, mass, cap, money = flat(reports, budget)
        if reports.owners == 1:
            amount, price = np.zeros((2, *mass.shape))
        else:
            soft = self.budget == "soft"
            order = in_order(value, mass, self._others_part(money, reports) if soft else money)
            sales = clearing_prices if soft else best_sales
            found = sales(order, tie_ends(order.unit))
            amount, price = (order.ranked.scatter(column) for column in found)
        sold, paid = cap * (amount / mass), amount * price
        if self.budget == "hard":
            sold, paid = within_budget(money, sold, paid)
        sold, paid = sold.reshape(reports.shape), paid.reshape(reports.shape)
        return Outcome(sold, paid, money.reshape(reports.profiles), reports.data_size)

    def _others_part(self, money: Array, reports: Reports) -> Array:
        """Return B (N - 1) / N of each row."""
        return np.asarray(money * ((reports.owners - 1) / reports.owners))

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return the price that the others make, for her mass; the soft rule changes there."""
        value, mass, _, money = flat(reports, budget)
        if reports.owners == 1:
            return np.zeros((*reports.profiles, 1))
        part = self._others_part(money, reports)
        order = in_order(np.delete(value, owner, 1), np.delete(mass, owner, 1), part)
        count = prefix(order.unit * order.total <= order.budget)
        total = entry(np.pad(order.total, ((0, 0), (1, 0))), count)
        with np.errstate(divide="ignore"):
            price = np.minimum(part / total, entry(order.unit, count))
        return (price * mass[:, owner]).reshape(*reports.profiles, 1)
