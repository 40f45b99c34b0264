"""Mean estimation under local differential privacy: the closed form and its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import DPMeanEstimation

EPSILON = st.one_of(st.just(0.0), st.just(np.inf), st.floats(1e-3, 1e3))


def root(epsilon):
    """The saturation level, by bisection on its definition."""
    finite = np.array([e for e in epsilon if 0 < e < np.inf])
    low, high = 0.0, 12.0 / finite.sum() + finite.max() + 1.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if (finite * np.maximum(middle - finite, 0)).sum() < 12:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@given(st.lists(EPSILON, min_size=1, max_size=8))
def test_the_closed_form_meets_the_definition_of_the_saturation_level(epsilon):
    utility = DPMeanEstimation(len(epsilon))
    level = float(utility.saturation(epsilon))
    if not any(0 < e < np.inf for e in epsilon):
        assert level == np.inf
        return
    assert level == pytest.approx(root(epsilon), rel=1e-9)
    total = np.minimum(epsilon, level).sum()
    n = len(epsilon)
    assert float(utility.value(epsilon)) == pytest.approx(
        (n + 2) / n * total / (2 * level + total), rel=1e-12
    )
    assert float(utility.risk(epsilon)) == pytest.approx(
        2 * level / (2 * level + total) / 12, rel=1e-12
    )


@given(st.lists(EPSILON, min_size=1, max_size=6))
def test_utility_is_the_share_of_the_prior_risk_that_is_gone(epsilon):
    utility = DPMeanEstimation(len(epsilon))
    n = len(epsilon)
    gone = 1.0 - 12.0 * float(utility.risk(epsilon))
    assert float(utility.value(epsilon)) == pytest.approx((n + 2) / n * gone, rel=1e-9, abs=1e-12)
    assert 0.0 <= float(utility.value(epsilon)) <= 1.0 + 1e-12


@given(st.lists(EPSILON, min_size=2, max_size=6), st.integers(0, 5), st.floats(1e-3, 10.0))
def test_more_privacy_loss_never_hurts(epsilon, place, extra):
    more = list(epsilon)
    more[place % len(more)] += extra
    utility = DPMeanEstimation(len(epsilon))
    assert utility.value(more) >= utility.value(epsilon) - 1e-12


@pytest.mark.parametrize("n", [1, 2, 7])
def test_infinite_levels_count_users(n):
    utility = DPMeanEstimation(n)
    profiles = np.where(np.tri(n + 1, n, -1) > 0, np.inf, 0.0)
    k = np.arange(n + 1)
    assert utility.value(profiles) == pytest.approx((n + 2) / n * k / (k + 2), abs=1e-15)


@pytest.mark.parametrize("epsilon", [[1e-200, 1.0], [1e200, 0.0], [1e308, 1e308], [5e-324, np.inf]])
def test_extreme_levels_stay_finite(epsilon):
    utility = DPMeanEstimation(2)
    for value in (utility.value(epsilon), utility.risk(epsilon), utility.noise_scale(epsilon)):
        assert np.isfinite(value)
    assert np.isfinite(utility.weights(epsilon)).all()


def test_a_huge_level_is_as_good_as_infinity():
    utility = DPMeanEstimation(3)
    assert utility.value([1e200, 0, 2]) == pytest.approx(utility.value([np.inf, 0, 2]), rel=1e-12)


def test_leading_axes_are_profiles():
    utility = DPMeanEstimation(3)
    profiles = np.random.default_rng(0).uniform(0, 5, (4, 2, 3))
    values = utility.value(profiles)
    assert values.shape == (4, 2)
    assert values[3, 1] == utility.value(profiles[3, 1])
    assert utility.weights(profiles).shape == (4, 2, 3)


def test_counts_give_what_profiles_give():
    utility = DPMeanEstimation(7)
    levels = np.array([0.4, 3.0, np.inf])
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    profiles = np.array([np.repeat([*levels, 0], [*k, 7 - k.sum()]) for k in grid])
    counts = [grid[:, t].astype(float) for t in range(3)]
    got = utility.value_of_counts([0, 0, 0], levels, counts)
    assert got == pytest.approx(utility.value(profiles), abs=1e-14)


@pytest.mark.parametrize(
    ("epsilon", "words"),
    [
        ([-1.0, 1.0], "at least 0"),
        ([np.nan, 1.0], "NaN"),
        ([1.0, 2.0, 3.0], "2 users"),
        (3.0, "2 users"),
    ],
)
def test_bad_levels_are_refused(epsilon, words):
    with pytest.raises(InvalidInput, match=words):
        DPMeanEstimation(2).value(epsilon)


@pytest.mark.parametrize("users", [0, -1, 2.5])
def test_a_bad_number_of_users_is_refused(users):
    with pytest.raises(InvalidInput, match="whole number"):
        DPMeanEstimation(users)
