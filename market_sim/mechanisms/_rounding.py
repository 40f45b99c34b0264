"""Rounding: sums of payments that may not exceed a budget, not even by their last digit."""

import numpy as np

from market_sim.shapes import Array


def within_budget(budget: Array, sold: Array, paid: Array) -> tuple[Array, Array]:
    """Shrink what a market sold and paid by the rounding by which it is over its budget.

    Sums of many small sales may round up by some parts in 1e12, more where the budget is a tiny
    part of what is offered. One factor for all leaves everybody's price a unit as it is.

    Parameters
    ----------
    budget
        Shape `(rows,)`.
    sold, paid
        Shape `(rows, owners)`.
    """
    factor = np.ones(budget.shape)
    spent = paid.sum(axis=1)
    while (over := spent > budget).any():
        factor[over] *= (budget[over] / spent[over]) * (1.0 - 1e-15)
        spent = (factor[:, None] * paid).sum(axis=1)
    return factor[:, None] * sold, factor[:, None] * paid
