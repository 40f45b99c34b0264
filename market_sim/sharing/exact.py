"""The exact sharing graph: a Pareto dynamic programme that drops what a relaxation rules out."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array
from market_sim.sharing.imports import Edges, ImportProblems, PerRow, drop
from market_sim.sharing.subsets import best_subsets

_ENUMERATED = 12
_MOST_STATES = 1_000_000
_ROUNDING = 2e-14  # of sqrt(K / N): two sets closer than this count as equally good

_Step = tuple[NDArray[np.int64], NDArray[np.bool_]]  # of each state: whence it came, what it took


def best_imports(
    problems: ImportProblems, *, enumerated: int = _ENUMERATED
) -> tuple[Edges, PerRow]:
    """Return the set S that maximizes W(S) = G(S) - sum of w over S, and W(S), for each row.

    Parameters
    ----------
    problems
        The buyers, shape `(rows, sellers)`.
    enumerated
        Up to so many sellers all sets are compared; above, the programme below runs.

    Raises
    ------
    InvalidInput
        If more than a million partial sets of one row stay in question. Random markets of 1,000
        sellers are far from this.

    Notes
    -----
    Source: [D], Pareto dynamic programme over (sum of N, sum of w). Here a partial set is also
    dropped where even fractions of the remaining models would not lift it above the best set
    known, and sellers whose place follows from the price of data at the fractional optimum are
    settled beforehand. Both leave the optimum in.
    """
    if problems.penalty.shape[1] <= enumerated:
        chosen = best_subsets(problems)
        chosen[problems.scale == 0] = False
        return chosen, problems.worth(chosen)
    chosen = np.zeros(problems.penalty.shape, dtype=np.bool_)
    weight = problems.weight
    for row in np.flatnonzero(problems.scale > 0):
        sellers = np.flatnonzero(np.isfinite(weight[row]))
        if sellers.size:
            buyer = _Buyer(
                float(problems.own[row]),
                float(problems.scale[row]),
                problems.size[row, sellers],
                weight[row, sellers],
            )
            chosen[row, sellers] = _solve(buyer)
    return chosen, problems.worth(chosen)


@dataclass(frozen=True, eq=False)
class _Buyer:
    """One row, or what is left of it: `base` samples and `paid` weight are settled."""

    own: float
    scale: float
    size: Array
    weight: Array
    base: float = 0.0
    paid: float = 0.0

    def worth(self, data: Array, paid: Array) -> Array:
        """W of sets that import `data` samples at the total weight `paid`."""
        return drop(np.asarray(self.scale), np.asarray(self.own), np.asarray(data)) - paid

    def price_of_data(self, data: float) -> float:
        """G'(x), what one more sample is worth."""
        return float(0.5 * np.sqrt(self.scale) * (self.own + data) ** -1.5)

    def reach(self, slope: Array) -> Array:
        """Return the x at which G'(x) = slope; infinite for slopes at or below 0."""
        with np.errstate(divide="ignore"):
            return np.where(
                slope > 0,
                (np.sqrt(self.scale) / (2.0 * np.maximum(slope, 0.0))) ** (2.0 / 3.0) - self.own,
                np.inf,
            )


def _solve(buyer: _Buyer) -> NDArray[np.bool_]:
    """Return the best set of one buyer."""
    order = np.argsort(buyer.weight / buyer.size, kind="stable")
    sorted_ = replace(buyer, size=buyer.size[order], weight=buyer.weight[order])
    start = _improved(sorted_, _best_prefix(sorted_))
    known = _worth_of(sorted_, start)
    settled, inside = _settle(sorted_, known)
    if not settled.all():
        core = replace(
            sorted_,
            size=sorted_.size[~settled],
            weight=sorted_.weight[~settled],
            base=float(sorted_.size[inside].sum()),
            paid=float(sorted_.weight[inside].sum()),
        )
        better = _search(core, known)
        if better is not None:
            start = inside.copy()
            start[~settled] = better
    found = np.zeros(start.size, dtype=np.bool_)
    found[order] = start
    return found


def _worth_of(buyer: _Buyer, chosen: NDArray[np.bool_]) -> float:
    """W of one set."""
    return float(buyer.worth(buyer.size[chosen].sum(), buyer.weight[chosen].sum()))


def _best_prefix(buyer: _Buyer) -> NDArray[np.bool_]:
    """Return the best of the sets that hold the cheapest data: none, the first, the first two."""
    data = np.concatenate([[0.0], np.cumsum(buyer.size)])
    paid = np.concatenate([[0.0], np.cumsum(buyer.weight)])
    return np.arange(buyer.size.size) < int(np.argmax(buyer.worth(data, paid)))


def _improved(buyer: _Buyer, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add, remove or swap single models as long as this helps."""
    data, paid = float(buyer.size[chosen].sum()), float(buyer.weight[chosen].sum())
    for _ in range(chosen.size):
        inside, outside = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        near_in, near_out = np.append(inside[-8:], -1), np.append(outside[:8], -1)
        size, weight = np.append(buyer.size, 0.0), np.append(buyer.weight, 0.0)
        tried = buyer.worth(
            data - size[near_in][:, None] + size[near_out],
            paid - weight[near_in][:, None] + weight[near_out],
        )
        best = np.unravel_index(int(np.argmax(tried)), tried.shape)
        if tried[best] <= _worth_of(buyer, chosen) + _slack(buyer):
            return chosen
        chosen = chosen.copy()
        for index in (near_in[best[0]], near_out[best[1]]):
            if index >= 0:
                chosen[index] ^= True
        data, paid = float(buyer.size[chosen].sum()), float(buyer.weight[chosen].sum())
    return chosen


def _slack(buyer: _Buyer) -> float:
    """Difference of two values of W that is only rounding."""
    return _ROUNDING * float(np.sqrt(buyer.scale / buyer.own))


def _settle(buyer: _Buyer, known: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which models' places are certain, and which of these are imported.

    At the price of data mu of the fractional optimum, W(S) <= D = max over x of G(x) - mu x, plus
    the sum of (mu N - w)+; a set that treats model j otherwise than the sign of mu N_j - w_j says
    stays |mu N_j - w_j| below D.
    """
    data = _fractional(buyer)
    price = buyer.price_of_data(data)
    margin = price * buyer.size - buyer.weight
    bound = float(buyer.worth(np.asarray(data), np.asarray(price * data)))
    bound += float(np.maximum(margin, 0.0).sum())
    settled = bound - np.abs(margin) < known - _slack(buyer)
    return settled, settled & (margin > 0)


def _fractional(buyer: _Buyer) -> float:
    """Return the samples imported at the optimum with fractions of models."""
    reach = buyer.reach(buyer.weight / buyer.size)
    before = np.concatenate([[0.0], np.cumsum(buyer.size)])
    full = int(np.count_nonzero(reach > before[:-1]))
    return float(min(before[full], max(reach[full - 1], before[full - 1]))) if full else 0.0


def _search(core: _Buyer, known: float) -> NDArray[np.bool_] | None:
    """Return the best set of the undecided models, or None if none beats `known`."""
    data, paid = np.array([core.base]), np.array([core.paid])
    trail: list[_Step] = []
    best, found = known + _slack(core), None
    for step in range(core.size.size):
        parent = np.concatenate([np.arange(data.size)] * 2)
        took = np.arange(parent.size) >= data.size
        data = data[parent] + took * core.size[step]
        paid = paid[parent] + took * core.weight[step]
        bound, worth, more = _bounds(core, step + 1, data, paid)
        trail.append((parent, took))
        top = int(np.argmax(worth))
        if worth[top] > best:
            best = float(worth[top]) + _slack(core)
            found = _walk_back(trail, top, core.size.size)
            found[step + 1 : step + 1 + more[top]] = True
        kept = np.flatnonzero(bound > best)
        kept = kept[_undominated(data[kept], paid[kept])]
        trail[-1] = (parent[kept], took[kept])
        data, paid = data[kept], paid[kept]
        if data.size > _MOST_STATES:
            raise InvalidInput(
                f"a buyer with {core.size.size} undecided sellers needs more than "
                f"{_MOST_STATES:,} partial sets for the exact graph: use graph='greedy'"
            )
        if not data.size:
            break
    return found


def _walk_back(trail: list[_Step], index: int, models: int) -> NDArray[np.bool_]:
    """Return the models that state `index` of the last step took on its way."""
    chosen = np.zeros(models, dtype=np.bool_)
    for step in range(len(trail) - 1, -1, -1):
        parent, took = trail[step]
        chosen[step] = took[index]
        index = int(parent[index])
    return chosen


def _bounds(
    core: _Buyer, step: int, data: Array, paid: Array
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Fill up each set with the models from `step` on, the cheapest data first.

    Returns
    -------
    tuple
        W with fractions of models, an upper bound; W with whole models only, a set that can be
        had; and how many whole models these are.
    """
    size, weight = core.size[step:], core.weight[step:]
    if not size.size:
        worth = core.worth(data, paid)
        return worth, worth, np.zeros(data.size, dtype=np.int64)
    before = np.concatenate([[0.0], np.cumsum(size)])
    spent = np.concatenate([[0.0], np.cumsum(weight)])
    slope = weight / size
    starts = core.reach(slope) - before[:-1]  # falling: a model is begun by sets below its start
    begun = np.searchsorted(-starts, -data, side="left")
    last = np.maximum(begun - 1, 0)
    wanted = np.maximum(starts[last] + before[last] - data, before[last])
    added = np.where(begun > 0, np.minimum(before[begun], wanted), 0.0)
    cost = np.where(begun > 0, spent[last] + slope[last] * (added - before[last]), 0.0)
    whole = np.where(added < before[begun], last, begun)
    bound = core.worth(data + added, paid + cost)
    return bound, core.worth(data + before[whole], paid + spent[whole]), whole


def _undominated(data: Array, paid: Array) -> NDArray[np.int64]:
    """Return, in rising order, the sets that no other one beats in data and in weight."""
    order = np.lexsort((paid, -data))
    least = np.minimum.accumulate(np.concatenate([[np.inf], paid[order]]))[:-1]
    return np.sort(order[paid[order] < least])
