"""Hall's condition, assignments and their number, against trying everything."""

from itertools import product

import numpy as np
import pytest

from market_sim.errors import InvalidInput
from market_sim.solvers.assignment import assignment, ways
from market_sim.solvers.contentment import hall


def count(accepted, sizes, counts) -> int:
    """Place the users one by one in all ways."""
    users = np.repeat(np.arange(len(sizes)), sizes)
    levels = accepted.shape[1]
    return sum(
        all(accepted[g, level] for g, level in zip(users, placed, strict=True))
        and np.bincount(placed, minlength=levels).tolist() == counts.tolist()
        for placed in product(range(levels), repeat=len(users))
    )


@pytest.mark.parametrize("seed", range(60))
def test_against_trying_everything(seed):
    rng = np.random.default_rng(seed)
    groups, levels = int(rng.integers(1, 4)), int(rng.integers(2, 4))
    sizes = rng.integers(1, 3, groups)
    counts = np.bincount(rng.integers(0, levels, sizes.sum()), minlength=levels)
    accepted = (rng.random((groups, levels)) < 0.65) & (counts > 0)
    expected = count(accepted, sizes, counts)
    masks = accepted @ (1 << np.arange(levels))
    assert bool(hall(masks, sizes, counts)) == (expected > 0)
    assert ways(accepted, sizes, counts) == expected
    if expected:
        placed = assignment(accepted, sizes, counts)
        assert placed.sum(axis=0).tolist() == counts.tolist()
        assert placed.sum(axis=1).tolist() == sizes.tolist()
        assert not placed[~accepted].any()
    else:
        with pytest.raises(InvalidInput, match="no assignment"):
            assignment(accepted, sizes, counts)


def test_large_numbers_are_exact():
    accepted = np.array([[True, True], [True, False]])
    number = ways(accepted, np.array([100, 50]), np.array([90, 60]))
    assert number == ways(np.ones((1, 2), bool), np.array([100]), np.array([40, 60]))
    assert number > 10**28


def test_too_many_to_count_is_said():
    accepted = np.array([[True, True, False], [True, True, True]])
    with pytest.raises(InvalidInput, match="count"):
        ways(accepted, np.array([3000, 3000]), np.array([2000, 2000, 2000]))
