"""PAC: the cheapest owners sell equal parts of privacy at one price (FairQuery)."""

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
class PAC(Mechanism, PiecewiseConstant):
    r"""The k cheapest owners sell epsilon = 1 / (N - k) each, k = max{k : v_k / (N - k) <= B / k}.

    Each is paid min(B / k, v_{k+1} / (N - k)). k is at most N - 1: at k = N the formula would sell
    infinite privacy, so the dearest owner, and a lone one, never sells. Equal unit values are
    served in the order of the owners, and paid exactly what they ask where that order decides.

    Parameters
    ----------
    respect_caps
        - True (default): only owners with a cap of at least 1 / (N - k) are looked at for that k;
          v_k and v_{k+1} are the k-th and the next lowest unit value among them.
        - False: caps are not looked at, as published. An owner may then sell more than her cap,
          which is worth minus infinity to her.

    Raises
    ------
    InvalidInput
        If `respect_caps` is neither True nor False.

    Notes
    -----
    Respecting caps, PAC is truthful in value and cap. In value: a seller who asks more than her
    price does not change what larger k need, and at no smaller k is she among the k cheapest. In
    the cap: hiding can only lower k to some j < k, where the unit price is at most the (j+1)-th
    lowest unit value, hence at most the k-th lowest of before, which is at most the price she had,
    for fewer units. As published, owners who would sell more than their cap do better by asking a
    price at which they lose, so nothing is promised to them.

    Source: privacy auction game [S], PAC; Ghosh and Roth (2011), FairQuery; [D] `respect_caps`.
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
        """`pac`, or `pac-beyond-caps` as published."""
        return "pac" if self.respect_caps else "pac-beyond-caps"

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
        count, won, following = sellers(order, caps, price_setter=0)
        part = 1.0 / (reports.owners - count)
        price = np.minimum(money / np.maximum(count, 1), following * part)
        chosen = order.ranked.scatter(won)
        sold = np.where(chosen, part[:, None], 0.0).reshape(reports.shape)
        paid = np.where(chosen, price[:, None], 0.0).reshape(reports.shape)
        return Outcome(sold, paid, money.reshape(reports.profiles), reports.data_size)

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return the others' asks, and the asks at which she would just fit as the last of k."""
        return critical_asks(reports, as_budget(budget, reports.profiles), owner)
