"""The greedy of All-in and its critical prices, for many profiles at once.

Owners come in ascending unit value u. With A the mass accepted so far, owner j is accepted if
(A + m_j) u_j <= B, that is, if her mass fits into the room B/u_j - A. The room only shrinks as u
grows, which gives both the early end of the scan and the critical prices (see `critical_prices`).
"""

import heapq
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from market_sim.shapes import Array

Mask = NDArray[np.bool_]
Scalar = TypeVar("Scalar", np.float64, np.bool_)
_DENSE_EVENTS = 16  # beyond this many events a row, a search per row is cheaper than dense passes


@dataclass(frozen=True)
class Ranked:
    """Rows of owners in ascending unit value; ties keep the order of the owners."""

    place: NDArray[np.intp]  # where each entry stood, as an index into the flattened rows
    unit: Array
    mass: Array
    budget: Array

    def scatter(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return values given in ranked order, back in the order of the owners."""
        result = np.empty_like(values)
        result.reshape(-1)[self.place] = values
        return result


@dataclass(frozen=True)
class Refusal:
    """A refused owner who would have been accepted had `missing` units not been bought before."""

    position: int
    unit: float
    missing: float


def rank(value: Array, mass: Array, budget: Array) -> Ranked:
    """Sort rows `(rows, owners)` by unit value `value / mass`, stable."""
    unit = value / mass
    place = np.argsort(unit, axis=1)
    start = np.arange(len(unit))[:, None] * unit.shape[1]
    place += start
    ranked = unit.reshape(-1).take(place)
    tied = (ranked[:, 1:] == ranked[:, :-1]).any(axis=1)
    if tied.any():  # the default sort is much faster, but orders equal keys arbitrarily
        place[tied] = np.argsort(unit[tied], axis=1, kind="stable") + start[tied]
    return Ranked(place, ranked, np.ascontiguousarray(mass).reshape(-1).take(place), budget)


def accept_prefix(ranked: Ranked) -> tuple[NDArray[np.intp], Array]:
    """Return how many owners come before the first refusal, and their mass, each `(rows,)`."""
    total = np.cumsum(ranked.mass, axis=1)
    refused = total * ranked.unit > ranked.budget[:, None]
    owners = ranked.mass.shape[1]
    count = np.where(refused.any(axis=1), refused.argmax(axis=1), owners)
    rows = np.arange(len(count))
    return count, np.where(count > 0, total[rows, count - 1], 0.0)


def accept_all_in(ranked: Ranked) -> tuple[Mask, list[list[Refusal]], Array]:
    """Run the greedy to its end, skipping who does not fit.

    Returns
    -------
    accepted
        Winners in ranked order, shape `(rows, owners)`.
    refusals
        Of each row, the refusals that matter for critical prices, in order.
    late_price
        For winners accepted after a refusal, the unit price at which a later refusal would take
        their place (infinite if none would), shape `(rows, owners)`; infinite elsewhere.
    """
    count, total = accept_prefix(ranked)
    accepted = np.arange(ranked.mass.shape[1]) < count[:, None]
    late_price = np.full(ranked.mass.shape, np.inf)
    # Where u A >= B there is no room left, now or later: nobody behind matters.
    end = (ranked.unit * total[:, None] < ranked.budget[:, None]).sum(axis=1)
    refusals: list[list[Refusal]] = [[] for _ in count]
    for row in np.flatnonzero(end > count):
        refusals[row] = _scan_tail(
            ranked, int(row), int(count[row]), int(end[row]), total[row], accepted, late_price
        )
    return accepted, refusals, late_price


def _scan_tail(
    ranked: Ranked,
    row: int,
    start: int,
    end: int,
    total: float,
    accepted: Mask,
    late_price: Array,
) -> list[Refusal]:
    """Scan one row from its first refusal on; fills `accepted` and `late_price` in place."""
    budget = float(ranked.budget[row])
    total = float(total)
    units = ranked.unit[row, start:end].tolist()
    masses = ranked.mass[row, start:end].tolist()
    refusals: list[Refusal] = []
    waiting: list[tuple[float, int]] = []  # late winners not yet displaced, largest mass first
    for position, (unit, mass) in enumerate(zip(units, masses, strict=True), start):
        if (total + mass) * unit <= budget:
            accepted[row, position] = True
            heapq.heappush(waiting, (-mass, position))
            total += mass
            continue
        room = budget / unit - total
        if room < 0:
            break
        missing = max(mass - room, 0.0)
        refusals.append(Refusal(position, unit, missing))
        while waiting and -waiting[0][0] >= missing:
            late_price[row, heapq.heappop(waiting)[1]] = unit
    return refusals


def critical_prices(ranked: Ranked) -> tuple[Mask, Array]:
    """Return winners and the highest unit value at which each would still win.

    u*_i = sup{u : (A_{-i}(u) + m_i) u <= B}, A_{-i} the mass accepted by the greedy without i.
    Without i the room is larger by m_i, so both runs agree until the first refusal whose missing
    mass is at most m_i: there that owner takes the room, and i could not bid above her. If there is
    none, i wins until the room is gone, at B / (mass of all winners). One pass gives the prices
    of all winners; the greedy is never rerun.
    """
    accepted, refusals, prices = accept_all_in(ranked)
    total = np.where(accepted, ranked.mass, 0.0).sum(axis=1)
    with np.errstate(divide="ignore"):
        exhausted = ranked.budget / total
    _displace_prefix(ranked, refusals, prices)
    return accepted, np.minimum(prices, exhausted[:, None])


def _displace_prefix(ranked: Ranked, refusals: list[list[Refusal]], prices: Array) -> None:
    """Lower, in place, the prices of owners before the first refusal to who displaces them."""
    records = [_running_minima(row) for row in refusals]
    depth = max((len(row) for row in records), default=0)
    if depth == 0:
        return
    if depth > _DENSE_EVENTS:
        _displace_by_row(ranked, refusals, records, prices)
        return
    missing = np.full((len(records), depth), np.inf)
    unit = np.full((len(records), depth), np.inf)
    first = np.zeros(len(records), dtype=np.intp)
    for row, record in enumerate(records):
        for place, refusal in enumerate(record):
            missing[row, place], unit[row, place] = refusal.missing, refusal.unit
        first[row] = record[0].position if record else 0
    before = np.arange(ranked.mass.shape[1]) < first[:, None]
    for place in reversed(range(depth)):  # the earliest refusal that displaces has the last word
        hit = before & (ranked.mass >= missing[:, place, None])
        np.copyto(prices, unit[:, place, None], where=hit)


def _displace_by_row(
    ranked: Ranked, refusals: list[list[Refusal]], records: list[list[Refusal]], prices: Array
) -> None:
    """Do the same by binary search in each row, for rows with many refusals."""
    for row, record in enumerate(records):
        if not record:
            continue
        before = refusals[row][0].position
        missing = np.array([refusal.missing for refusal in record])
        unit = np.array([refusal.unit for refusal in record] + [np.inf])
        place = np.searchsorted(-missing, -ranked.mass[row, :before], side="left")
        prices[row, :before] = unit[place]


def _running_minima(refusals: list[Refusal]) -> list[Refusal]:
    """Return the refusals that miss less than every one before: only these can come first."""
    lowest = np.inf
    records = []
    for refusal in refusals:
        if refusal.missing < lowest:
            lowest = refusal.missing
            records.append(refusal)
    return records
