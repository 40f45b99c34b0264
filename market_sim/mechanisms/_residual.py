"""What the others leave to each owner at each price, and which of these offers she likes best.

At price p the others sell S_i(p), so B / p - S_i(p) units are left to owner i. Between two unit
values v_j <= p <= v_{j+1} the supply is constant. For p above v_i it is S(p) - eps_i with
everybody's supply S, so what an owner has to hold back is the excess E(p) = S(p) - B / p, the same
for all: at p she may sell eps_i - max(E(p), 0). E grows with p until nothing is left, so only the
few intervals after the price that clears the whole market matter to an owner.
"""

from dataclasses import dataclass

import numpy as np

from market_sim.mechanisms._sorted import Index, Sorted, prefix, rows_at
from market_sim.shapes import Array

_STEPS = 64  # intervals through which all owners walk together; few have more before them


def clearing_prices(order: Sorted, ends: Index) -> tuple[Array, Array]:
    """Return what each owner sells at the price that the others alone clear, and that price.

    Parameters
    ----------
    order
        At least two owners a row.
    ends
        Last index of each owner's equals, same shape.

    Returns
    -------
    amount, price
        In ascending order, each `(rows, owners)`; 0 where she sells nothing, as where the others'
        supply is lost beside her own in rounding, so that nobody is left to price her.
    """
    unit, mass, total, money = order.unit, order.mass, order.total, order.budget
    won = unit * (rows_at(total, ends) - mass) <= money
    # Without an owner the market clears in interval j, the last with v_j (S_j - eps_i) <= B; none
    # is beyond that of an owner who has the largest cap of all.
    most = prefix(unit * (total - mass.max(axis=1, keepdims=True)) <= money)[:, None] - 1
    least = prefix(unit * total <= money)[:, None] - 1
    low = np.where(won, np.maximum(ends, least), ends)
    high = np.maximum(np.where(won, most, ends), low)
    while (low < high).any():
        middle = (low + high + 1) // 2
        fits = rows_at(unit, middle) * (rows_at(total, middle) - mass) <= money
        low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
    following = np.pad(unit[:, 1:], ((0, 0), (0, 1)), constant_values=np.inf)
    others = np.maximum(rows_at(total, low) - mass, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        price = np.minimum(money / others, rows_at(following, low))
        won = won & np.isfinite(price * mass)
    return np.where(won, mass, 0.0), np.where(won, price, 0.0)


def best_sales(order: Sorted, ends: Index) -> tuple[Array, Array]:
    """Return the offer max over p of (p - v_i) min(eps_i, B / p - S_i(p)) that each likes best.

    Arguments and result as for `clearing_prices`; an owner to whom no offer is worth anything
    sells nothing.
    """
    rows, owners = order.unit.shape
    curve = _Curve.of(order)
    count = prefix(order.unit * order.total <= order.budget)[:, None]
    row = np.arange(rows)[:, None]
    place = (np.maximum(ends, count - 1) + row * owners).reshape(-1)
    last = np.broadcast_to((row + 1) * owners - 1, order.unit.shape).reshape(-1)
    mass = order.mass.reshape(-1)
    chosen = np.zeros((3, mass.size))  # gain, amount, price
    who = np.flatnonzero(curve.excess[place] < mass)
    place = place[who]
    for _ in range(_STEPS):
        if not len(who):
            break
        offer = curve.offer(who, place)
        better = offer[0] > chosen[0, who]
        chosen[:, who[better]] = offer[:, better]
        place = place + 1
        stays = place <= last[who]
        stays[stays] = curve.excess[place[stays]] < mass[who[stays]]
        who, place = who[stays], place[stays]
    for owner, start in zip(who, place, strict=True):
        ahead = np.arange(start, last[owner] + 1)
        ahead = ahead[curve.excess[ahead] < mass[owner]]
        offer = curve.offer(np.full(len(ahead), owner), ahead)
        top = offer[:, offer[0].argmax()]
        chosen[:, owner] = np.where(top[0] > chosen[0, owner], top, chosen[:, owner])
    return chosen[1].reshape(rows, owners), chosen[2].reshape(rows, owners)


@dataclass(frozen=True)
class _Curve:
    """Everybody's supply, rows laid end to end; interval j runs from v_j to v_{j+1}."""

    unit: Array  # v_j
    mass: Array
    following: Array  # v_{j+1}, infinite in the last interval of a row
    supply: Array  # S on the interval
    excess: Array  # E at its start
    budget: Array

    @classmethod
    def of(cls, order: Sorted) -> "_Curve":
        """Return the curve of sorted rows."""
        following = np.pad(order.unit[:, 1:], ((0, 0), (0, 1)), constant_values=np.inf)
        with np.errstate(divide="ignore", over="ignore"):
            excess = order.total - order.budget / order.unit
        budget = np.broadcast_to(order.budget, order.unit.shape)
        columns = (order.unit, order.mass, following, order.total, excess, budget)
        return cls(*(column.reshape(-1) for column in columns))

    def offer(self, who: Index, place: Index) -> Array:
        """Return gain, amount and price of the best offer of an interval, `(3, pairs)`.

        Where money clears more than S she sells all, the dearer the better. Above, her gain
        (p - v) (B / p - R) with R = S - eps_i is concave, its peak at sqrt(v B / R).
        """
        value, mass, money = self.unit[who], self.mass[who], self.budget[place]
        rest = self.supply[place] - mass
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            peak = np.where(rest > 0, np.sqrt(value * money / rest), np.inf)
            clears = money / self.supply[place]
        high = self.following[place]
        low = np.maximum(self.unit[place], np.minimum(clears, high))
        price = np.minimum(np.maximum(peak, low), high)
        amount = np.where(price <= clears, mass, np.maximum(money / price - rest, 0.0))
        amount = np.minimum(amount, mass)
        # Nobody is left to price her where the others' supply is lost beside her own in rounding.
        amount = np.where(np.isfinite(price), amount, 0.0)
        price = np.where(amount > 0, price, 0.0)
        return np.stack([np.where(amount > 0, price - value, 0.0) * amount, amount, price])
