"""purchase_bound: how much privacy a budget buys from owners who cannot lie."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import flat
from market_sim.reports import Reports


def purchase_bound(reports: Reports, budget: ArrayLike) -> Float[NDArray[np.float64], "*profiles"]:
    r"""Return max sum_i eps_i subject to sum_i [s_i] v_i eps_i <= B and 0 <= eps_i <= cap_i.

    The money buys the cheapest privacy first (a fractional knapsack), which is exact. No
    individually rational mechanism within its budget buys more.

    Parameters
    ----------
    reports
        True valuations, all linear, and caps, shape `(*profiles, owners)`; where sizes are given,
        they multiply the costs, and epsilon is what is counted.
    budget
        The buyer's money B, > 0, one number or shape `profiles`.

    Raises
    ------
    InvalidInput
        If a valuation is not linear, or the budget is outside its domain.

    Examples
    --------
    >>> import market_sim as ms
    >>> three = ms.Reports(ms.Valuations.linear([0.5, 0.1, 1.0]), cap=[2.0, 5.0, 3.0])
    >>> float(ms.purchase_bound(three, budget=1.0))
    6.0

    Notes
    -----
    Source: privacy auction game, [D] the full-information bound.
    """
    strange = {str(name) for name in np.unique(reports.valuations.names)} - {"linear"}
    if strange:
        raise InvalidInput(
            f"purchase_bound is exact for linear valuations only, got {sorted(strange)}: "
            "ms.full_information_bound takes every family"
        )
    value, _, cap, money = flat(reports, budget)
    order = np.argsort(value / cap, axis=1)
    value, cap = (np.take_along_axis(column, order, axis=1) for column in (value, cap))
    before = np.cumsum(value, axis=1) - value
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(value > 0, (money[:, None] - before) / value, 1.0)
    bought = (np.clip(share, 0.0, 1.0) * cap).sum(axis=1)
    return np.asarray(bought.reshape(reports.profiles))
