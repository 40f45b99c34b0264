"""Greedy and exact graphs against bisection, plain loops and all sets."""

import numpy as np
import plain_sharing as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.sharing.exact import best_imports
from market_sim.sharing.greedy import greedy_imports, relative_roots, stopping_totals
from market_sim.sharing.imports import ImportProblems, drop
from market_sim.sharing.subsets import best_subsets


def varied_market(seed, participants, *, ties=False):
    """Wide ranges, zeros and refused edges; round numbers, so that ties occur."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(20, 2000, participants)
    gain = 10 ** rng.uniform(2, 7, participants) * (rng.random(participants) > 0.15)
    cost = rng.exponential(2.0, participants) * (rng.random(participants) > 0.15)
    distance = rng.uniform(0, 1.5, (participants, participants))
    if ties:
        size, cost = np.round(size, -3) + 500, np.round(cost)
        distance = np.round(distance)
    distance[rng.random(distance.shape) < 0.05] = np.nan
    return ms.SharingMarket(size, gain, cost, distance, rng.choice([0.0, 0.5, 2.0]))


def test_the_gain_keeps_its_digits_where_little_is_added():
    found = float(drop(np.array(5e5), np.array(1e6), np.array(1e-3)))
    assert found == pytest.approx(np.sqrt(5e5) * 0.5e-9 * 1e-3, rel=1e-8)
    assert float(drop(np.array(4.0), np.array(1.0), np.array(3.0))) == 1.0


@given(st.floats(-25, 25))
def test_roots_solve_their_equation(power):
    ratio = 10.0**power
    root = relative_roots(np.array([ratio]))[0]
    assert root > 1 or ratio > 1e7
    if 1e-6 < ratio < 1e6:  # beyond, u - 1 or the difference of the two terms has no digits left
        assert drop(np.array(1.0), np.array(root - 1), np.array(1.0)) == pytest.approx(
            ratio, rel=1e-9 * max(1.0, ratio**2)
        )
    if ratio < 1e-8:
        assert root == pytest.approx((1 / (2 * ratio)) ** (2 / 3), rel=1e-4)


def test_stopping_totals_are_those_of_bisection():
    market = varied_market(3, 12)
    found = stopping_totals(market.problems)
    for i in range(12):
        for j in plain.candidates(market, i):
            stop = plain.stopping_total(
                market.gain[i], market.data_size[j], plain.weight(market, i, j)
            )
            assert found[i, j] == pytest.approx(stop, rel=1e-12)
    assert (found[~market.possible] == -np.inf).all()


@pytest.mark.parametrize("ties", [False, True])
def test_the_greedy_graph_is_the_plain_loop_s(ties):
    for seed in range(40):
        market = varied_market(seed, 1 + seed % 12, ties=ties)
        found = plain.sets(market.clear("published").imports)
        assert found == [plain.greedy_set(market, i) for i in range(market.participants)]


def test_sellers_after_the_first_failure_are_not_imported():
    """The large seller comes first in the order and fails; the small one would have fitted."""
    market = ms.SharingMarket([100, 2000, 10], [1e4, 0, 0], [5.0, 7.9, 0.3], np.zeros((3, 3)), 0)
    stops = stopping_totals(market.problems)[0]
    assert stops[1] > stops[2]
    assert stops[1] <= 100 + 2000
    assert stops[2] > 100 + 10
    assert plain.sets(market.clear().imports)[0] == set() == plain.greedy_set(market, 0)
    assert plain.sets(market.clear("published", "exact").imports)[0] == {2}


@pytest.mark.parametrize("ties", [False, True])
def test_the_exact_graph_is_the_best_of_all_sets(ties):
    """Both ways of finding it: all sets of few sellers, and the programme of any number."""
    for seed in range(30):
        market = varied_market(seed, 1 + seed % 8, ties=ties)
        best = [plain.best_set(market, i)[1] for i in range(market.participants)]
        scale = np.sqrt(market.gain / market.data_size) + 1.0
        for enumerated in (0, 12):
            imports, worth = best_imports(market.problems, enumerated=enumerated)
            np.testing.assert_allclose(worth / scale, best / scale, rtol=0, atol=1e-13)
            assert not (imports & ~market.possible).any()


def test_the_programme_is_the_best_of_4096_sets():
    for seed in range(12):
        problems = varied_market(seed, 12, ties=seed % 2 == 0).problems
        by_sets = problems.worth(best_subsets(problems) & (problems.scale > 0)[:, None])
        found = best_imports(problems, enumerated=0)[1]
        scale = np.sqrt(problems.scale / problems.own) + 1.0
        np.testing.assert_allclose(found / scale, by_sets / scale, rtol=0, atol=1e-13)


@pytest.mark.parametrize("seed", range(4))
def test_costs_in_proportion_to_size_are_solved_too(seed):
    """Data at one price: the best set is one of nearly equal sums, the hardest case."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(50, 1000, 13)
    rows = ImportProblems(
        np.array([100.0]),
        np.array([1e6]),
        size[None],
        0.004 * size[None],
        np.zeros((1, 13)),
    )
    best = rows.worth(best_subsets(rows))
    np.testing.assert_allclose(best_imports(rows)[1], best, rtol=1e-12)


def test_a_hopeless_exact_graph_is_refused_in_a_sentence(monkeypatch):
    rng = np.random.default_rng(0)
    size = rng.uniform(1.0, 1.1, 60)
    rows = ImportProblems(
        np.array([1.0]), np.array([1e3]), size[None], size[None], np.zeros((1, 60))
    )
    monkeypatch.setattr("market_sim.sharing.exact._MOST_STATES", 3)
    with pytest.raises(InvalidInput, match="for the exact graph: use graph='greedy'"):
        best_imports(rows)


def test_among_a_hundred_participants_no_small_change_helps():
    """Sizes that no enumeration reaches: no addition, removal or swap improves the exact graph."""
    market = ms.SharingLaw(participants=100).sample(np.random.default_rng(1))
    exact = market.clear("published", "exact")
    greedy = market.clear("published", "greedy")
    assert 0.9 < greedy.optimal_share <= 1.0
    assert greedy.best_net_welfare == pytest.approx(exact.net_welfare, rel=1e-14)
    for i in range(0, 100, 7):
        chosen = set(np.flatnonzero(exact.imports[i]).tolist())
        worth = plain.worth(market, i, chosen)
        for j in range(100):
            if j == i:
                continue
            assert plain.worth(market, i, chosen ^ {j}) <= worth + 1e-9
            for k in chosen - {j}:
                assert plain.worth(market, i, (chosen ^ {j}) - {k}) <= worth + 1e-9


def test_nothing_is_bought_without_a_gain_and_everything_without_a_price():
    free = ms.SharingMarket([10, 20, 30], [1, 0, 1], 0, np.zeros((3, 3)), 1)
    for graph in ("greedy", "exact"):
        assert plain.sets(free.clear("published", graph).imports) == [{1, 2}, set(), {0, 1}]


def test_rows_are_independent():
    problems = varied_market(5, 9).problems
    chosen = np.array([3, 3, 0, 8])
    np.testing.assert_array_equal(
        greedy_imports(problems.rows(chosen)), greedy_imports(problems)[chosen]
    )
    without = problems.rows(chosen).without(np.array([1, 2, 3, 4]))
    assert not best_imports(without)[0][np.arange(4), [1, 2, 3, 4]].any()
