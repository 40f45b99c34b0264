"""Utilities given as functions, tables and counts; grouping; the abstract game."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import (
    DPMeanEstimation,
    FunctionUtility,
    Game,
    PaymentsUnbalanced,
    SymmetricUtility,
    TableUtility,
    Utility,
    fair_values,
    mixed,
)
from market_sim.games.utility import as_utility, gather


@given(st.lists(st.sampled_from([0.0, 1.0, 2.5, np.inf]), min_size=1, max_size=30), st.data())
def test_groups_hold_every_user_who_gives_once(levels, data):
    kinds = data.draw(st.lists(st.integers(0, 3), min_size=len(levels), max_size=len(levels)))
    utility = FunctionUtility(lambda x: x.sum(axis=1), len(levels), kinds)
    groups = gather(utility, np.array(levels))
    assert groups.active == sum(level != 0 for level in levels)
    assert groups.states == np.prod(groups.size + 1)
    for user, level in enumerate(levels):
        group = groups.member[user]
        if level == 0:
            assert group == -1
        else:
            assert groups.level[group] == level
            assert groups.kind[group] == utility.kinds[user]
    assert len({(k, v) for k, v in zip(groups.kind, groups.level, strict=True)}) == len(groups.size)


def test_counts_become_profiles_for_any_utility():
    """The generic route counts users of a kind at their first places."""
    utility = FunctionUtility(lambda x: x @ np.array([1.0, 10.0, 1.0]), 3, ["a", "b", "a"])
    values = utility.value_of_counts(
        [0, 0, 1], [1.0, 2.0, 5.0], [np.array([0.0, 1, 1, 2]), np.array([0.0, 0, 1, 0]), np.ones(1)]
    )
    assert values == pytest.approx([50.0, 51.0, 53.0, 52.0])


def test_symmetric_utilities_count_who_gives():
    utility = SymmetricUtility([0.0, 0.5, 0.8])
    assert utility.users == 2
    assert utility.value([[0, 0], [3, 0], [1, 1]]) == pytest.approx([0.0, 0.5, 0.8])
    result = fair_values(utility, [1, 1])
    assert result.users == pytest.approx([0.4, 0.4])
    assert result.method == "types"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: SymmetricUtility([0.0]), r"U\(0\), U\(1\)"),
        (lambda: SymmetricUtility([[0.0, 1.0]]), r"U\(0\), U\(1\)"),
        (lambda: SymmetricUtility([0.0, np.nan]), "NaN"),
        (lambda: TableUtility(1.0), "one axis a user"),
        (lambda: TableUtility([0.0, np.inf]), "finite"),
        (lambda: TableUtility([0.0, 1.0]).value([2]), "below the table's shape"),
        (lambda: TableUtility([0.0, 1.0]).value([0.5]), "whole numbers"),
        (lambda: TableUtility([0.0, 1.0]).value([np.inf]), "whole numbers"),
        (lambda: FunctionUtility(np.sum, 2, [0]), "one a user"),
        (lambda: FunctionUtility(np.sum, 0), "whole number"),
        (lambda: as_utility(DPMeanEstimation(2), 3), "2 users"),
        (lambda: as_utility(None, 3), "utility must be"),
    ],
)
def test_bad_utilities_are_refused(build, words):
    with pytest.raises(InvalidInput, match=words):
        build()


def test_any_object_with_values_is_a_utility():
    class Own:
        def value(self, levels):
            return levels.max(axis=1)

    assert fair_values(Own(), [1.0, 1.0]).users == pytest.approx([0.5, 0.5])


def test_regret_of_any_game_is_the_largest_gain():
    class Pennies(Game):
        users, levels = 2, 2

        def payoff(self, profile):
            same = np.asarray(profile)[..., 0] == np.asarray(profile)[..., 1]
            return np.where(np.expand_dims(same, -1), [1.0, -1.0], [-1.0, 1.0])

        def deviation_gains(self, profile):
            gains = np.zeros((2, 2))
            for user in range(2):
                moved = list(profile)
                moved[user] = 1 - moved[user]
                change = self.payoff(moved)[user] - self.payoff(profile)[user]
                gains[user, moved[user]] = change
            return gains

    assert Pennies().regret([0, 0]) == 2.0
    assert Pennies().regret([0, 1]) == 2.0


def test_mixed_payments_that_do_not_add_up_are_refused():
    class Jump(Utility):
        users = 5000
        smooth = True
        kinds = np.zeros(5000, dtype=np.intp)

        def value(self, levels):
            return np.zeros(np.shape(levels)[:-1])

        def value_of_counts(self, kind, level, counts):
            return np.where(np.asarray(counts[0]) >= 2500.3, 1.0, 0.0)

    with pytest.raises(PaymentsUnbalanced, match="not smooth enough"):
        mixed.mixed_payments(Jump(), np.array([1.0]), np.array([0.5]))
