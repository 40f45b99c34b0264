"""MFG-Pricing: everybody sells everything, and the money is shared in proportion."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array


@dataclass(frozen=True)
class MFGPricing(Mechanism, PiecewiseConstant):
    """Every owner sells her cap and is paid B eps_i / sum_j eps_j.

    With data sizes, eps_i times the size takes the place of eps_i. Values are not looked at, so no
    lie about them pays; but owners whose unit value is above B / sum eps lose, and anybody may
    gain by hiding a part of her cap.

    Notes
    -----
    Source: privacy auction game [S], MFG-Pricing. The price is the one that spends the budget if
    everybody sells; it is no mean field of anything, which `mean_field_price` computes.
    """

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value for anybody, within the budget; owners may lose."""
        return Guarantees(
            truthful_in=("value",), truthful_for="any", budget_feasible=True, anonymous=True
        )

    @property
    def name(self) -> str:
        """`mfg-pricing`."""
        return "mfg-pricing"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        _, mass, cap, money = flat(reports, budget)
        share = mass / mass.sum(axis=1, keepdims=True)
        paid = (money[:, None] * share).reshape(reports.shape)
        sold = cap.reshape(reports.shape)
        return Outcome(sold, paid, money.reshape(reports.profiles), reports.data_size)

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return 0: the outcome does not depend on the value."""
        return np.zeros((*reports.profiles, 1))
