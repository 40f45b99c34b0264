"""VCG: the efficient purchase for a stated demand, each seller paid what she saves the others."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.mechanisms._sorted import Sorted, counts_below, entry, in_order, prefix, rows_at
from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_number

OverBudget = Literal["truncated", "scaled", "exceeded"]


@dataclass(frozen=True)
class VCG(Mechanism, PiecewiseConstant):
    r"""Maximize weight min(sum_i x_i, D) - sum_i v_i x_i over 0 <= x_i <= eps_i; Clarke payments.

    Privacy is bought from the cheapest owners until D is reached or the next unit costs more than
    `weight`; D = demand N (`demand` times all sizes, and sizes times epsilon, where sizes are
    used). Owner i is paid what the others and the buyer would lose without her: the cost of her
    x_i units from those who sell next, and `weight` for each unit that nobody else has. Equal unit
    values are bought in the order of the owners; unless payments are scaled, it makes no difference
    to them who of such a group sells.

    Parameters
    ----------
    weight
        What a unit is worth to the buyer, >= 0, in money.
    demand
        Privacy wanted per owner of the market, > 0, may be infinite.
    budget
        What happens where the payments exceed the budget.
        - "truncated" (default): owners are paid in ascending unit value as long as the money
          lasts; the first who does not fit and all after her sell nothing.
        - "scaled": all payments are multiplied by B / sum p; owners may then lose.
        - "exceeded": nothing; the buyer overspends.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the choice unknown.

    Notes
    -----
    With "exceeded" truth is a dominant strategy in value and cap: an owner's utility is the
    welfare that the reports of all give, less what she cannot change. No budget is kept by that
    rule, and keeping it afterwards breaks the promise: an owner whose payment would be cut gains
    by asking for something else. So the two others promise no truthfulness, though they are as
    truthful as the first wherever its payments fit into the budget.

    With infinite demand nobody replaces anybody, and VCG is the posted price `weight`.

    Source: privacy auction game, [D] the real VCG; Clarke (1971), Groves (1973). The paper's "VCG"
    is `BudgetCappedThreshold`.
    """

    weight: float = 1.0
    demand: float = 1.0
    budget: OverBudget = "truncated"

    def __post_init__(self) -> None:
        as_number("weight", self.weight, minimum=0.0)
        as_number("demand", self.demand, positive=True, finite=False)
        if self.budget not in get_args(OverBudget):
            known = list(get_args(OverBudget))
            raise InvalidInput(f"unknown budget {self.budget!r}, expected one of {known}")

    @property
    def guarantees(self) -> Guarantees:
        """Truthful if the budget may be exceeded; else within it, and rational if truncated."""
        pure = self.budget == "exceeded"
        return Guarantees(
            truthful_in=("value", "cap") if pure else (),
            truthful_for="linear" if pure else "none",
            individually_rational=self.budget != "scaled",
            budget_feasible=not pure,
            anonymous=True,
        )

    @property
    def name(self) -> str:
        """`vcg-<budget>`."""
        return f"vcg-{self.budget}"

    @property
    def families(self) -> tuple[str, ...]:
        """Linear valuations: the last seller sells a part of her cap."""
        return ("linear",)

    @property
    def is_piecewise_constant(self) -> bool:
        """Only without a budget: else her value moves the others' payments, and these her own."""
        return self.budget == "exceeded"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        self.require_families(reports)
        value, mass, cap, money = flat(reports, budget)
        order = in_order(value, mass, money)
        amount, paid = self._clarke(order, self._wanted(mass, cap))
        if self.budget == "scaled":
            total = paid.sum(axis=1, keepdims=True)
            paid = paid * np.minimum(1.0, order.budget / np.where(total > 0, total, 1.0))
        elif self.budget == "truncated":
            kept = np.cumsum(paid, axis=1) <= order.budget
            amount, paid = np.where(kept, amount, 0.0), np.where(kept, paid, 0.0)
        share = order.ranked.scatter(amount / order.mass)
        sold = (cap * np.minimum(share, 1.0)).reshape(reports.shape)
        paid = order.ranked.scatter(paid).reshape(reports.shape)
        return Outcome(sold, paid, money.reshape(reports.profiles), reports.data_size)

    def _wanted(self, mass: Array, cap: Array) -> Array:
        """Return D of each row, a column."""
        return np.asarray(self.demand * (mass / cap).sum(axis=1, keepdims=True))

    def _clarke(self, order: Sorted, demand: Array) -> tuple[Array, Array]:
        """Return what is bought of each owner and the Clarke payments, in ascending order."""
        served = order.unit <= self.weight
        supply = entry(order.total, prefix(served) - 1)[:, None] * served[:, :1]
        bought = np.minimum(demand, supply)
        amount = np.where(served, np.clip(bought - (order.total - order.mass), 0, order.mass), 0.0)
        # The last seller's own remainder cannot replace her: her replacements start behind it.
        start = np.maximum(bought, np.where(amount > 0, order.total, 0.0))
        paid = self._cost(order, supply, start + amount) - self._cost(order, supply, start)
        return amount, np.where(amount > 0, np.maximum(paid, order.unit * amount), 0.0)

    def _cost(self, order: Sorted, supply: Array, quantity: Array) -> Array:
        """Return what the cheapest `quantity` units cost, `weight` a unit beyond the supply."""
        inside = np.minimum(quantity, supply)
        place = counts_below(order.total, inside)
        spent = np.cumsum(order.unit * order.mass, axis=1)
        first = np.maximum(place - 1, 0)
        whole = np.where(place > 0, rows_at(spent, first), 0.0)
        before = np.where(place > 0, rows_at(order.total, first), 0.0)
        following = rows_at(order.unit, np.minimum(place, order.unit.shape[1] - 1))
        rest = np.maximum(inside - before, 0.0) * following
        return np.asarray(whole + rest + (quantity - inside) * self.weight)

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return the others' asks and the weight, for her mass."""
        value, mass, _, _ = flat(reports, budget)
        own = mass[:, owner, None]
        unit = np.delete(value / mass, owner, axis=1)
        units = np.concatenate([unit, np.full(own.shape, float(self.weight))], axis=1)
        return (units * own).reshape(*reports.profiles, -1)
