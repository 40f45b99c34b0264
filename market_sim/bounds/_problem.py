"""The purchase problem of one or many profiles, in units in which the budget is 1."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from market_sim.shapes import Array
from market_sim.valuation import KINDS, Valuations

STEP = KINDS.index("step")
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Problem:
    """min ERR(lambda, eps) with sum c_i(eps_i) <= 1 and low <= eps <= high, a row a profile.

    Attributes
    ----------
    kind, rate
        c_i(eps) = rate_i base_i(eps), money relative to the budget; shape `(rows, owners)`.
    low, high
        Bounds of the privacy bought, same shape; a `high` of 0 belongs to who is too dear.
    share
        w_i, the owner's part of all samples, same shape.
    noise
        8 d, what lambda^2 / eps^2 is multiplied by.
    """

    kind: NDArray[np.int8]
    rate: Array
    low: Array
    high: Array
    share: Array
    noise: float

    def cost(self, epsilon: Array) -> Array:
        """Return what each owner is owed, as a part of the budget."""
        return np.asarray(Valuations(self.kind, self.rate).cost(epsilon))

    def rows(self, index: Index | Mask) -> Self:
        """Return some rows, in the order given."""
        part = {n: getattr(self, n)[index] for n in ("kind", "rate", "low", "high", "share")}
        return replace(self, **part)


def affordable(kind: NDArray[np.int8], rate: Array, cap: Array) -> Array:
    """Return the largest eps up to the cap that costs at most 1: nobody can sell more than it."""
    with np.errstate(divide="ignore", over="ignore"):
        money = 1.0 / rate
        most = np.select(
            [kind == KINDS.index(name) for name in KINDS],
            [
                money / 2.0,
                np.sqrt(money),
                np.square(money / 2.0),
                np.log1p(money),
                np.where(rate <= 1.0, np.inf, 0.0),
            ],
        )
    return np.asarray(np.minimum(cap, most))
