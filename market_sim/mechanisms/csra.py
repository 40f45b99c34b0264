"""CSRA: who offers most privacy for the money sells all of it, at the ask of the first loser."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from market_sim.mechanisms._sorted import entry, first_of, in_order, prefix
from market_sim.mechanisms.base import Guarantees, Mechanism, PiecewiseConstant, flat
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array


@dataclass(frozen=True)
class CSRA(Mechanism, PiecewiseConstant):
    r"""The first k owners sell their caps, k = max{k : (b_{k+1} / q_{k+1}) sum_{i<=k} q_i <= B}.

    q_i = (eps_i / sum eps) (n_i / sum n) is what owner i is worth, b_i = v_i eps_i what she asks;
    owners come in descending q_i / b_i. Winner i is paid (b_{k+1} / q_{k+1}) q_i, the ask of the
    first loser for as much. The sums cancel: with mass_i = eps_i (times the size n_i) and the unit
    value v_i, winners are paid v_{k+1} mass_i while v_{k+1} sum_{i<=k} mass_i <= B.

    Equal unit values are served in the order of the owners, and paid exactly what they ask where
    that order decides. There must be a loser to set the price: the dearest owner never sells, and
    a lone owner sells nothing.

    Notes
    -----
    Truthful in value for anybody. An owner who hides a part of her cap may let one more owner in,
    whose ask raises the price.

    Source: privacy auction game [S], CSRA.
    """

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value for anybody, individually rational, within the budget."""
        return Guarantees(
            truthful_in=("value",),
            truthful_for="any",
            individually_rational=True,
            budget_feasible=True,
            anonymous=True,
        )

    @property
    def name(self) -> str:
        """`csra`."""
        return "csra"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        value, mass, cap, money = flat(reports, budget)
        order = in_order(value, mass, money)
        count = prefix(order.unit[:, 1:] * order.total[:, :-1] <= order.budget)
        won = order.ranked.scatter(first_of(reports.owners, count))
        price = entry(order.unit, count, 0.0)[:, None]
        sold = np.where(won, cap, 0.0).reshape(reports.shape)
        # Rounding must not take a winner below her report.
        paid = np.where(won, np.maximum(mass * price, value), 0.0).reshape(reports.shape)
        return Outcome(sold, paid, money.reshape(reports.profiles), reports.data_size)

    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return the others' asks, and B over the mass of the first of them, for her mass."""
        value, mass, _, money = flat(reports, budget)
        own = mass[:, owner, None]
        order = in_order(np.delete(value, owner, 1), np.delete(mass, owner, 1), money)
        units = np.concatenate([order.unit, order.budget / order.total, np.zeros_like(own)], axis=1)
        return (units * own).reshape(*reports.profiles, -1)
