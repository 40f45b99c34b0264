"""Owners' noise: three calibrations, and the label of the model that they make together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.privacy import gaussian_noise_multiplier
from market_sim.versions import OwnerNoise, VersionLabels, classic_factor, global_noise, zcdp_budget

EPSILON = np.array([1e-6, 0.01, 0.3, 0.9, 2.0, 30.0])


@pytest.mark.parametrize("delta", [1e-9, 1e-5, 0.01])
def test_zcdp_budget_solves_the_conversion(delta):
    rho = zcdp_budget(EPSILON, delta)
    np.testing.assert_allclose(rho + 2 * np.sqrt(rho * np.log(1 / delta)), EPSILON, rtol=1e-13)


def test_zcdp_noise_by_the_published_formula():
    noise = OwnerNoise(clip=0.7, delta=1e-5, rounds=3)
    logarithm = np.log(1e5)
    rho = (np.sqrt(2.0 + logarithm) - np.sqrt(logarithm)) ** 2
    expected = 2 * 0.7 / 40 * np.sqrt(3 / (2 * rho))
    np.testing.assert_allclose(noise.scale([2.0], [40]), [expected], rtol=1e-12)


@pytest.mark.parametrize("method", ["zcdp", "analytic"])
@pytest.mark.parametrize("rounds", [1, 7])
def test_no_owner_spends_more_than_she_chose(method, rounds):
    noise = OwnerNoise(rounds=rounds, method=method)
    sizes = np.arange(10, 10 + len(EPSILON))
    spent = noise.spent(noise.scale(EPSILON, sizes), sizes)
    assert (spent <= EPSILON * (1 + 1e-9)).all()
    if method == "analytic":
        np.testing.assert_allclose(spent, EPSILON, rtol=1e-8)
    else:
        assert (spent[2:] < 0.97 * EPSILON[2:]).all()


def test_analytic_needs_least_and_classic_stops_at_one():
    loss = np.array([0.05, 0.3, 0.99])
    zcdp, analytic, classic = (
        OwnerNoise(method=m).multiplier(loss) for m in ("zcdp", "analytic", "classic")
    )
    assert (analytic < zcdp).all()
    assert (analytic < classic).all()
    np.testing.assert_allclose(classic, classic_factor(1e-5) / loss)
    np.testing.assert_allclose(analytic, gaussian_noise_multiplier(loss, 1e-5))
    with pytest.raises(InvalidInput, match="epsilon < 1 only, got 1"):
        OwnerNoise(method="classic").scale([0.5, 1.0], [10, 10])


@pytest.mark.parametrize("method", ["zcdp", "analytic", "classic"])
def test_rounds_cost_a_square_root(method):
    one, nine = (OwnerNoise(rounds=t, method=method).multiplier(0.5) for t in (1, 9))
    np.testing.assert_allclose(nine, 3 * one, rtol=1e-12)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(1, 1000)), min_size=1, max_size=9),
    st.floats(0.1, 10.0),
)
def test_the_harmonic_label_is_exact_under_classic_noise(owners, clip):
    """eps_g = (sum eps_i^-2)^(-1/2): sizes, clip and delta cancel."""
    epsilon, size = (np.array(x, dtype=float) for x in zip(*owners, strict=True))
    noise = OwnerNoise(clip=clip, delta=1e-6, method="classic")
    assert noise.global_label(epsilon, size) == pytest.approx((epsilon**-2.0).sum() ** -0.5)
    sigma = float(global_noise(noise.scale(epsilon, size), size))
    labels = noise.labels(size.sum())
    assert labels == VersionLabels(size.sum(), clip, 1e-6)
    assert float(labels.label(sigma)) == pytest.approx((epsilon**-2.0).sum() ** -0.5)


def test_the_noise_of_an_average_of_uploads():
    """Monte Carlo of sum (n_i / n) (upload_i + noise_i)."""
    size, epsilon = np.array([10.0, 30.0, 60.0]), np.array([0.5, 2.0, 0.9])
    sigma = OwnerNoise().scale(epsilon, size)
    draws = np.random.default_rng(0).standard_normal((200_000, 3)) * sigma @ (size / 100)
    assert global_noise(sigma, size) == pytest.approx(draws.std(), rel=0.01)


def test_who_stays_out_is_left_out_of_the_average():
    noise, size = OwnerNoise(method="classic"), np.array([10.0, 30.0, 60.0])
    label = noise.global_label([0.5, 0.0, 0.5], size)
    assert label == pytest.approx(0.7 * 0.5 / np.sqrt(2))  # their 70 samples of 100
    assert noise.global_label([0.5, 0.0, 0.5], size, samples=70) == pytest.approx(0.5 / np.sqrt(2))
    assert noise.global_label([0.0, 0.0, 0.0], size) == 0.0
    assert global_noise([np.inf, np.inf], [1, 2]) == np.inf
    assert OwnerNoise().global_label(np.full(3, np.inf), size) == np.inf


def test_profiles():
    epsilon = np.array([[0.5, 0.6], [0.1, 0.0], [0.3, 0.3]])
    noise = OwnerNoise(method="classic")
    rows = [float(noise.global_label(row, [5, 15])) for row in epsilon]
    np.testing.assert_allclose(noise.global_label(epsilon, [5, 15]), rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clip": 0.0}, "clip must be greater than 0"),
        ({"clip": [1.0, 2.0]}, "clip must be one number"),
        ({"delta": 1.0}, "strictly between 0 and 1"),
        ({"rounds": 0}, "rounds must be a whole number"),
        ({"method": "renyi"}, "method must be one of 'zcdp', 'analytic', 'classic'"),
    ],
)
def test_bad_settings(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        OwnerNoise(**arguments)


def test_bad_arrays():
    noise = OwnerNoise()
    with pytest.raises(InvalidInput, match="epsilon must be at least 0"):
        noise.scale([-1.0], [1])
    with pytest.raises(InvalidInput, match="data_size must be greater than 0"):
        noise.scale([1.0], [0])
    with pytest.raises(InvalidInput, match="number of owners"):
        noise.scale([1.0, 2.0], [1, 2, 3])
    with pytest.raises(InvalidInput, match="samples must be greater than 0"):
        noise.global_label([1.0], [1], samples=0)
    with pytest.raises(InvalidInput, match="owner_noise must be at least 0"):
        global_noise([-1.0], [1])
