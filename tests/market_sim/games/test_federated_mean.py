"""Federated mean estimation: the closed form, its options and its counts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import FederatedMeanEstimation
from market_sim.games.utility import Utility

OPTIONS = list(itertools.product(["published", "inverse_variance"], [1, 2]))
PROFILES = np.array(list(itertools.product(range(3), repeat=5)))


@st.composite
def markets(draw):
    users = draw(st.integers(1, 5))
    size = st.floats(0.5, 200.0)
    return (
        draw(st.lists(size, min_size=users, max_size=users)),
        draw(st.floats(0.01, 100.0)),
        draw(st.floats(0.0, 100.0)),
        draw(st.lists(st.integers(0, 2), min_size=users, max_size=users)),
    )


@pytest.mark.parametrize(("group_mean", "min_group"), OPTIONS)
@given(markets())
def test_the_error_is_that_of_the_stated_weights(group_mean, min_group, market):
    """Recompute each EMSE as a quadratic form of the weights that `weights` returns."""
    size, r2, s2, levels = market
    utility = FederatedMeanEstimation(
        size, r2=r2, s2=s2, group_mean=group_mean, min_group=min_group
    )
    weights, error = utility.weights(levels), utility.emse(levels)
    if not weights.any():
        assert error == pytest.approx(r2 + 2 * s2)
        assert utility.value(levels) == 0.0
        return
    variance = r2 / np.array(size) + s2
    for i, row in enumerate(weights):
        assert row.sum() == pytest.approx(1.0, abs=1e-9)
        form = s2 - 2 * row[i] * s2 + (row**2 * variance).sum()
        assert error[i] == pytest.approx(form, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("group_mean", "min_group"), OPTIONS)
def test_counts_of_users_give_what_profiles_give(group_mean, min_group):
    utility = FederatedMeanEstimation(
        [5, 3, 5, 3, 5],
        r2=2.0,
        s2=3.0,
        importance=[1, 2, 1, 2, 1],
        group_mean=group_mean,
        min_group=min_group,
    )
    kinds = utility.kinds
    cells = [(kind, level) for kind in (0, 1) for level in (1, 2)]
    counts = [((rho == PROFILES) & (kinds == kind)).sum(1).astype(float) for kind, rho in cells]
    kind, level = zip(*cells, strict=True)
    expected = utility.value(PROFILES)
    assert utility.value_of_counts(kind, level, counts) == pytest.approx(expected, abs=1e-12)
    generic = Utility.value_of_counts(utility, kind, level, counts)
    assert generic == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("group_mean", ["published", "inverse_variance"])
def test_counts_interpolate_smoothly_through_rounding(group_mean):
    """A Gauss node may be 1 - 1e-16: it is one user, not none."""
    utility = FederatedMeanEstimation([5.0] * 4, r2=2.0, s2=3.0, group_mean=group_mean)
    near = [np.array(count) for count in (1 - 1e-14, 1.0, 1 + 1e-14)]
    values = [float(utility.value_of_counts([0], [1], [count])) for count in near]
    assert max(values) - min(values) < 1e-12


@given(st.permutations(range(5)), st.lists(st.integers(0, 2), min_size=5, max_size=5))
def test_names_do_not_matter(order, levels):
    size, weight = np.array([1.0, 4.0, 9.0, 2.0, 30.0]), np.array([1.0, 0.0, 2.0, 5.0, 1.0])
    order = np.array(order)
    one = FederatedMeanEstimation(size, r2=1.0, s2=2.0, importance=weight)
    other = FederatedMeanEstimation(size[order], r2=1.0, s2=2.0, importance=weight[order])
    levels = np.array(levels)
    assert other.value(levels[order]) == pytest.approx(float(one.value(levels)), abs=1e-12)


def test_a_second_member_of_the_group_can_destroy_utility():
    utility = FederatedMeanEstimation([100, 10, 1, 1], r2=1.0, s2=100.0)
    alone, both = utility.value([[1, 0, 0, 0], [1, 1, 0, 0]])
    assert both < alone


def test_a_group_of_one_gives_nothing_where_two_are_needed():
    utility = FederatedMeanEstimation([100, 10, 1, 1], r2=1.0, s2=100.0, min_group=2)
    assert utility.value([1, 0, 0, 0]) == 0.0
    assert utility.value([1, 0, 2, 0]) == utility.value([0, 0, 2, 0])
    assert utility.value([1, 1, 0, 0]) > 0.0


@given(markets())
def test_the_precise_group_mean_serves_who_is_outside_best(market):
    """Inverse variances give the group's mean with the least variance."""
    size, r2, s2, levels = market
    plain = FederatedMeanEstimation([*size, 1.0], r2=r2, s2=s2)
    precise = FederatedMeanEstimation([*size, 1.0], r2=r2, s2=s2, group_mean="inverse_variance")
    levels = [*levels, 0]
    assert precise.emse(levels)[-1] <= plain.emse(levels)[-1] * (1 + 1e-12)


def test_importance_scales_utility_by_user():
    size, levels = [4.0, 2.0, 1.0], [2, 1, 0]
    parts = [
        FederatedMeanEstimation(size, r2=1.0, s2=1.0, importance=np.eye(3)[i]).value(levels)
        for i in range(3)
    ]
    whole = FederatedMeanEstimation(size, r2=1.0, s2=1.0, importance=[3.0, 0.5, 2.0])
    assert whole.value(levels) == pytest.approx(np.dot([3.0, 0.5, 2.0], parts), abs=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data_size": [1.0, 0.0]}, "data_size must be greater than 0"),
        ({"data_size": [1.0, -2.0]}, "data_size must be greater than 0"),
        ({"data_size": []}, "one number a user"),
        ({"r2": 0.0}, "r2 must be greater than 0"),
        ({"s2": -1.0}, "s2 must be at least 0"),
        ({"s2": np.inf}, "s2 must be finite"),
        ({"importance": [1.0]}, "importance must be one number a user"),
        ({"importance": [1.0, -1.0]}, "importance must be at least 0"),
        ({"group_mean": "median"}, "group_mean must be one of"),
        ({"min_group": 3}, "min_group must be 1 or 2"),
    ],
)
def test_bad_markets_are_refused(change, words):
    arguments = {"data_size": [1.0, 2.0], "r2": 1.0, "s2": 1.0} | change
    with pytest.raises(InvalidInput, match=words):
        FederatedMeanEstimation(arguments.pop("data_size"), **arguments)


@pytest.mark.parametrize("levels", [[3, 0], [0.5, 0], [-1, 0], [0, 0, 0]])
def test_levels_that_do_not_exist_are_refused(levels):
    with pytest.raises(InvalidInput, match="levels"):
        FederatedMeanEstimation([1.0, 2.0], r2=1.0, s2=1.0).value(levels)
