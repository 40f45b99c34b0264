"""Small rules for bidding games, written for clearness: what the real ones must agree with."""

import numpy as np

import market_sim as ms

UNIT = float(ms.Valuations("linear", [1.0]).cost([1.0])[0])


class PayAsBid:
    """Cheapest first; who fits into the money left sells all and gets what she asked."""

    name = "tiny pay as bid"

    def clear(self, reports, budget):
        bid, cap = (
            reports.unit_value.reshape(-1, reports.owners),
            reports.cap.reshape(-1, reports.owners),
        )
        left = np.array(np.broadcast_to(budget, reports.profiles), dtype=float).reshape(-1)
        sold, paid, rows = np.zeros(bid.shape), np.zeros(bid.shape), np.arange(len(bid))
        for owner in np.argsort(bid, axis=1, kind="stable").T:
            ask = bid[rows, owner] * cap[rows, owner]
            fits = ask <= left
            sold[rows, owner], paid[rows, owner] = cap[rows, owner] * fits, ask * fits
            left = left - ask * fits
        return ms.Outcome(sold.reshape(reports.shape), paid.reshape(reports.shape), budget)


class ShareOfBudget:
    """Everybody sells all that she offers for B times her part of it."""

    name = "tiny share"

    def clear(self, reports, budget):
        total = reports.cap.sum(axis=-1, keepdims=True)
        return ms.Outcome(reports.cap, np.asarray(budget)[..., None] * reports.cap / total, budget)


def law(value=(0.5, 1.0), cap=(1.0, 1.0), owners=2):
    """Owners with unit values and caps uniform between bounds."""
    low, high = value
    return ms.PopulationLaw(owners, ("linear",), (low / UNIT, high / UNIT), cap)
