"""Budget-capped threshold: equal parts of privacy at the ask of the first loser."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from market_sim.mechanisms._equal_parts import critical_asks, equal_parts_guarantees, sellers
from market_sim.mechanisms._sorted import in_order
from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, as_flag


@dataclass(frozen=True)
class BudgetCappedThreshold(Mechanism, PiecewiseConstant):
    r"""The k cheapest sell epsilon = 1 / (N - k), k = max{k : k v_{k+1} / (N - k) <= B}.

    Each is paid v_{k+1} / (N - k), the ask of the first loser. The dearest owner, and a lone one,
    never sells. Equal unit values are served in the order of the owners, and paid exactly what
    they ask where that order decides.

    Parameters
    ----------
    respect_caps
        - True (default): only owners with a cap of at least 1 / (N - k) are looked at for that k;
          v_{k+1} is the unit value of rank k + 1 among them.
        - False: caps are not looked at, as published; an owner may sell more than her cap, which
          is worth minus infinity to her.

    Raises
    ------
    InvalidInput
        If `respect_caps` is neither True nor False.

    Notes
    -----
    Respecting caps it is truthful in value and cap, for the reasons given at `PAC`, which differs
    in that it also takes an owner whose successor is too dear, and pays B / k then.

    Source: privacy auction game [S], called "VCG" there, which it is not: it maximizes no welfare
    and its price is no externality. `VCG` is the real one. [D] `respect_caps`.
    """

    respect_caps: bool = True

    def __post_init__(self) -> None:
        as_flag("respect_caps", self.respect_caps)

    @property
    def guarantees(self) -> Guarantees:
        """Truthful, individually rational and within caps if caps are respected."""
        return equal_parts_guarantees(self.respect_caps)

    @property
    def name(self) -> str:
        """`budget-capped-threshold`, with `-beyond-caps` as published."""
        plain = "budget-capped-threshold"
        return plain if self.respect_caps else f"{plain}-beyond-caps"

    @property
    def families(self) -> tuple[str, ...]:
        """Linear valuations: owners sell a part of their caps."""
        return ("linear",)

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        self.require_families(reports)
        value, _, cap, money = flat(reports, budget)
        order = in_order(value, cap, money)
        caps = order.mass if self.respect_caps else np.full(cap.shape, np.inf)
        count, won, following = sellers(order, caps, price_setter=1)
        part = 1.0 / (reports.owners - count)
        price = np.where(count > 0, following, 0.0) * part
        chosen = order.ranked.scatter(won)
        sold = np.where(chosen, part[:, None], 0.0).reshape(reports.shape)
        paid = np.where(chosen, price[:, None], 0.0).reshape(reports.shape)
        return Outcome(sold, paid, money.reshape(reports.profiles), reports.data_size)

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return the others' asks, and the asks at which she would set the price of k."""
        return critical_asks(reports, as_budget(budget, reports.profiles), owner)
