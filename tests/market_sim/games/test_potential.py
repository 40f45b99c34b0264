"""The potential table: all profiles at once."""

import itertools
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import (
    DPMeanEstimation,
    FederatedMeanEstimation,
    PotentialTable,
    SymmetricUtility,
    fair_values,
)
from market_sim.games.potential import simplex, simplex_rank, simplex_size


def definition(utility, levels):
    """The potential as a sum over coalitions."""
    n = len(levels)
    total = 0.0
    for mask in itertools.product((0, 1), repeat=n):
        size = sum(mask)
        if size:
            weight = factorial(size - 1) * factorial(n - size) / factorial(n)
            total += weight * float(utility.value(np.where(mask, levels, 0.0)))
    return total


@given(st.integers(0, 6), st.integers(1, 4))
def test_the_rank_of_a_count_is_its_place(users, cells):
    counts = simplex(users, cells)
    assert len(counts) == simplex_size(users, cells) == comb(users + cells, cells)
    assert len({tuple(row) for row in counts.tolist()}) == len(counts)
    assert (counts >= 0).all()
    assert (np.diff(counts.sum(axis=1)) >= 0).all()
    assert (simplex_rank(counts) == np.arange(len(counts))).all()


def test_a_smaller_table_is_the_beginning_of_a_larger_one():
    assert (simplex(7, 3)[: simplex_size(4, 3)] == simplex(4, 3)).all()


@pytest.fixture
def market():
    return FederatedMeanEstimation([5, 5, 3, 5, 3], r2=2.0, s2=30.0)


def counts_of(utility, profile, levels):
    kinds = np.unique(utility.kinds)
    return [[((utility.kinds == g) & (profile == a)).sum() for a in range(levels)] for g in kinds]


def test_every_state_is_the_potential_by_definition(market):
    table = PotentialTable(market, [0, 1, 2])
    for profile in itertools.product(range(3), repeat=5):
        levels = np.array(profile)
        state = table.index(counts_of(market, levels, 3))
        assert table.potential[state] == pytest.approx(definition(market, levels), abs=1e-11)
        assert table.utility[state] == pytest.approx(float(market.value(levels)), abs=1e-12)


def test_differences_are_the_fair_payments(market):
    table = PotentialTable(market, [0, 1, 2])
    levels = np.array([2, 1, 1, 0, 2])
    state = table.index(counts_of(market, levels, 3))
    paid = fair_values(market, levels, method="subsets").users
    for user, level in enumerate(levels):
        if level:
            got = table.payment(int(market.kinds[user]), int(level))[state]
            assert got == pytest.approx(paid[user], abs=1e-12)


def test_neighbors_are_moves_of_one_user(market):
    table = PotentialTable(market, [0, 1, 2])
    counts = table.counts
    for kind, old, new in itertools.product(range(2), range(3), range(3)):
        there = table.neighbor(kind, old, new)
        possible = counts[:, kind, old] > 0
        assert ((there >= 0) == possible).all()
        moved = counts[possible].copy()
        moved[:, kind, old] -= 1
        moved[:, kind, new] += 1
        assert (counts[there[possible]] == moved).all()


def test_index_undoes_counts(market):
    table = PotentialTable(market, [0, 1, 2])
    assert (table.index(table.counts) == np.arange(table.states)).all()
    assert table.full.all()
    assert (table.counts.sum(axis=2) == table.sizes).all()


def test_a_private_level_that_gives_data_adds_the_coalitions_without_it():
    utility = DPMeanEstimation(4)
    table = PotentialTable(utility, [1.0, np.inf])
    full = np.flatnonzero(table.full)
    assert full.size == 5
    for state in full:
        low, high = table.counts[state, 0]
        levels = [1.0] * low + [np.inf] * high
        paid = fair_values(utility, levels, method="subsets").users
        assert table.potential[state] == pytest.approx(definition(utility, levels), abs=1e-13)
        if low:
            assert table.payment(0, 0)[state] == pytest.approx(paid[0], abs=1e-13)
        if high:
            assert table.payment(0, 1)[state] == pytest.approx(paid[-1], abs=1e-13)
        assert np.isnan(table.payment(0, 0)[state]) == (low == 0)
    moved = table.neighbor(0, 0, 1)[full]
    assert (moved[table.counts[full, 0, 0] > 0] >= 0).all()


def test_a_table_that_would_fill_memory_is_refused():
    utility = FederatedMeanEstimation(np.arange(1.0, 31.0), r2=1.0, s2=1.0)
    with pytest.raises(InvalidInput, match="fair_values"):
        PotentialTable(utility, [0, 1, 2])


def test_counts_of_another_shape_are_refused(market):
    with pytest.raises(InvalidInput, match="kinds, levels"):
        PotentialTable(market, [0, 1, 2]).index([[1, 2], [3, 4]])


def test_one_kind_with_one_level_is_a_running_sum():
    values = np.array([0.0, 0.5, 0.9, 1.0, 1.05])
    table = PotentialTable(SymmetricUtility(values), [0, 1])
    assert table.potential == pytest.approx(np.append(0, np.cumsum(values[1:] / [1, 2, 3, 4])))
    assert table.payment(0, 1)[1:] == pytest.approx(values[1:] / [1, 2, 3, 4])
