"""The exact sharing graph of few sellers: every set of models, for many buyers at once."""

import numpy as np
from numpy.typing import NDArray

from market_sim.sharing.imports import Edges, ImportProblems

_CELLS = 1 << 18  # sets times buyers looked at in one pass
_NEVER = 1e300  # weight of an edge that cannot be: finite, so that 0 times it is 0


def best_subsets(problems: ImportProblems) -> Edges:
    """Return the set of the largest W(S) for each row, by looking at all of them.

    Parameters
    ----------
    problems
        The buyers, shape `(rows, sellers)`; time and memory grow with 2 to the number of sellers.
    """
    sellers = problems.penalty.shape[1]
    sets = (np.arange(1 << sellers)[:, None] >> np.arange(sellers)) & 1
    weight = np.where(problems.possible, problems.weight, _NEVER)
    step = max(1, _CELLS >> sellers)
    best = np.zeros(len(weight), dtype=np.int64)
    for start in range(0, len(weight), step):
        part = slice(start, start + step)
        best[part] = _best(problems, weight, sets, part)
    return sets[best].astype(np.bool_)


def _best(
    problems: ImportProblems,
    weight: NDArray[np.float64],
    sets: NDArray[np.int64],
    part: slice,
) -> NDArray[np.int64]:
    """Return the index of the best set for some of the rows."""
    columns = sets.T.astype(np.float64)
    own = problems.own[part, None]
    left = np.sqrt(problems.scale[part, None] / (own + problems.size[part] @ columns))
    return np.asarray((left + weight[part] @ columns).argmin(axis=1), dtype=np.int64)
