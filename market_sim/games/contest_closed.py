"""The contest with q = p in closed form: sort the costs, extend the set of those who share."""

import numpy as np

from market_sim.shapes import Array


def closed_form_shares(unit_cost: Array, pool: float) -> tuple[Array, float]:
    """Return the shares of the pool and the total contribution.

    Sorted by cc_i, owner m joins the m - 1 cheaper ones while cc_m < C / (m - 2), C the sum of
    theirs; then z_i = 1 - (m - 1) cc_i / C and Y = R (m - 1) / C. All is written in
    d_i = cc_i / cc_1 - 1, which keeps the digits of a million almost equal owners.

    Parameters
    ----------
    unit_cost
        cc_i = c_i / s_i > 0 of at least two owners, shape `(owners,)`, in money per contribution.
    pool
        R > 0, in money.

    Notes
    -----
    Source: version marketplace [D], closed form q = p.
    """
    order = np.argsort(unit_cost, kind="stable")
    least = float(unit_cost[order[0]])
    extra = (unit_cost[order] - least) / least
    before = np.concatenate([[0.0], np.cumsum(extra)[:-1]])
    number = np.arange(len(extra))  # of cheaper owners
    joins = extra * (number - 1) < 1.0 + before
    members = len(extra) if joins.all() else int(joins.argmin())
    kept = extra[:members]
    spread = 1.0 + float(kept.sum())
    share = np.zeros_like(unit_cost)
    share[order[:members]] = (spread - (members - 1) * kept) / (members - 1 + spread)
    return share, pool * (members - 1) / (least * (members - 1 + spread))
