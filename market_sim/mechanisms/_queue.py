"""Owners in a queue at a posted price: first come, first served, until the money is out.

What is left after each sale is a running difference, so the whole queue is served at once up to
the first owner who no longer fits. She is passed over (or sells a part), and the rest is served in
the same way. The money left is then less than she would have cost, so there are few such rounds:
about as many as halvings of the largest payment down to the smallest. The results are those of
serving one owner after the other, to the last bit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from market_sim.shapes import Array
from market_sim.valuation import Valuations

_ROUNDS = 64  # then the rest is served one by one: some orders pass over many owners


@dataclass(frozen=True)
class Queue:
    """What owners are offered, in the order of their visits, `(rows, owners)` each.

    Attributes
    ----------
    asked
        V_i for the whole cap.
    pay
        Money offered for it.
    cap, size
        Epsilon on sale, and what multiplies its cost.
    valuations
        For sales of a part; None where the whole cap is sold or nothing.
    """

    asked: Array
    pay: Array
    cap: Array
    size: Array
    valuations: Valuations | None

    def accepts_part(self, at: Any, left: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return the part of their caps that `left` pays, and whether the owners like that."""
        if self.valuations is None:
            return np.zeros(left.shape), np.zeros(left.shape, dtype=bool)
        pay = self.pay[at]
        amount = self.cap[at] * np.minimum(left / np.where(pay > left, pay, 1.0), 1.0)
        return amount, self.size[at] * self.valuations[at].cost(amount) <= left


def serve(queue: Queue, money: Array) -> tuple[Array, Array]:
    """Return epsilon sold and money paid, each `(rows, owners)`; `money` has shape `(rows,)`."""
    sold, paid = np.zeros((2, *queue.pay.shape))
    rows, owners = queue.pay.shape
    if rows >= owners:  # many short queues: one visit of all rows at a time
        _one_by_one(queue, slice(None), 0, money, sold, paid)
        return sold, paid
    for row in range(rows):
        start, left = _in_rounds(queue, row, float(money[row]), sold[row], paid[row])
        if start < owners:
            _one_by_one(queue, slice(row, row + 1), start, np.array([left]), sold, paid)
    return sold, paid


def _one_by_one(
    queue: Queue, rows: slice, start: int, money: Array, sold: Array, paid: Array
) -> None:
    """Serve rows from visit `start` on, an owner of each at a time; fills `sold` and `paid`."""
    left = money
    for visit in range(start, queue.pay.shape[1]):
        at = (rows, visit)
        pay, amount = queue.pay[at], queue.cap[at]
        scarce = pay > left
        sells = ~scarce & (queue.asked[at] <= pay)
        if queue.valuations is not None and scarce.any():
            part, likes = queue.accepts_part(at, left)
            amount, pay = np.where(scarce, part, amount), np.minimum(pay, left)
            sells |= scarce & likes
        sold[at], paid[at] = np.where(sells, amount, 0.0), np.where(sells, pay, 0.0)
        left = np.maximum(left - paid[at], 0.0)


def _in_rounds(queue: Queue, row: int, left: float, sold: Array, paid: Array) -> tuple[int, float]:
    """Serve one row; return the visit at which it stopped and the money left then."""
    owners = queue.pay.shape[1]
    willing = queue.asked[row] <= queue.pay[row]
    start = 0
    for _ in range(_ROUNDS):
        if start >= owners or left <= 0.0:
            break
        at = (row, slice(start, None))
        pay = queue.pay[at]
        # An owner who does not fit now never will: money only gets less.
        takes = willing[start:] & (pay <= left)
        money = np.subtract.accumulate(np.concatenate([[left], np.where(takes, pay, 0.0)]))
        scarce = pay > money[:-1]
        stops = takes & scarce
        end = int(stops.argmax()) if stops.any() else len(pay)
        end, part = _first_part(queue, row, start, scarce[: end + 1], money, end)
        served = slice(start, start + end)
        sold[served] = np.where(takes[:end], queue.cap[row, served], 0.0)
        paid[served] = np.where(takes[:end], pay[:end], 0.0)
        left = float(money[end])
        if part > 0.0:
            sold[start + end], paid[start + end] = part, left
            left = 0.0
        start += end + 1
    return (start, left) if left > 0.0 else _for_free(queue, row, start, sold)


def _first_part(
    queue: Queue, row: int, start: int, scarce: NDArray[np.bool_], money: Array, end: int
) -> tuple[int, float]:
    """Return who first sells a part of what she has, and the part; `end` and 0 if nobody does."""
    if queue.valuations is None:
        return end, 0.0
    asked = np.flatnonzero(scarce)
    if not len(asked):
        return end, 0.0
    part, likes = queue.accepts_part((row, start + asked), money[asked])
    first = int(likes.argmax())
    return (int(asked[first]), float(part[first])) if likes[first] else (end, 0.0)


def _for_free(queue: Queue, row: int, start: int, sold: Array) -> tuple[int, float]:
    """Let those sell who ask nothing and are offered nothing, once the money is out."""
    at = (row, slice(start, None))
    free = (queue.pay[at] <= 0.0) & (queue.asked[at] <= 0.0)
    sold[start:] = np.where(free, queue.cap[at], 0.0)
    return queue.pay.shape[1], 0.0
