"""Calibration and accounts of Laplace and Gaussian noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.privacy import (
    GaussianPerturbation,
    LaplacePerturbation,
    compose,
    gaussian_epsilon,
    gaussian_noise_multiplier,
    laplace_scale,
)

EPSILON = st.floats(1e-3, 1e3)
DELTA = st.floats(-12, -1).map(lambda power: 10.0**power)
PERTURBATIONS = [LaplacePerturbation(), LaplacePerturbation(3.0), GaussianPerturbation(2.0, 1e-7)]


def test_laplace_scale_is_the_replacement_sensitivity_over_epsilon():
    assert np.array_equal(laplace_scale([0.5, 2.0], clip=3.0), [12.0, 3.0])


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_limits(perturbation):
    assert np.array_equal(perturbation.scale([0.0, np.inf]), [np.inf, 0.0])
    assert np.array_equal(perturbation.loss([0.0, np.inf]), [0.0, np.inf])
    assert np.array_equal(perturbation.composed([0.0, np.inf]), [0.0, np.inf])


@given(EPSILON, DELTA)
def test_gaussian_inverse_returns_epsilon(epsilon, delta):
    multiplier = gaussian_noise_multiplier(epsilon, delta)
    assert gaussian_epsilon(1.0 / multiplier, delta) == pytest.approx(epsilon, rel=1e-9)


@given(EPSILON, EPSILON, DELTA)
def test_more_epsilon_needs_less_noise(first, second, delta):
    low, high = sorted((first, second))
    noise = gaussian_noise_multiplier([low, high], delta)
    assert noise[0] >= noise[1] * (1 - 1e-12)


def test_a_batch_equals_its_entries():
    epsilon = np.array([[0.01, 1.0], [30.0, 0.0]])
    batch = gaussian_noise_multiplier(epsilon, 1e-5)
    single = [[float(gaussian_noise_multiplier(e, 1e-5)) for e in row] for row in epsilon]
    assert batch.shape == (2, 2)
    assert np.allclose(batch, single, rtol=1e-12)


def test_analytic_noise_is_below_the_classic_formula():
    epsilon = [0.1, 0.5, 0.99]
    analytic = gaussian_noise_multiplier(epsilon, 1e-5)
    assert np.all(analytic < gaussian_noise_multiplier(epsilon, 1e-5, method="classic"))


def test_classic_formula():
    expected = np.sqrt(2 * np.log(1.25e5)) / 0.5
    assert gaussian_noise_multiplier(0.5, 1e-5, method="classic") == pytest.approx(expected)


def test_classic_formula_is_refused_from_one_on():
    with pytest.raises(InvalidInput, match=r"epsilon < 1 only, got 2: use method='analytic'"):
        gaussian_noise_multiplier([0.5, 2.0], 1e-5, method="classic")


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
@given(data=st.data())
def test_remaining_spends_the_lifetime_cap_exactly(perturbation, data):
    cap = data.draw(st.floats(0.05, 50.0))
    sold = data.draw(st.lists(st.floats(0.01, 5.0), max_size=20))
    loss = float(perturbation.loss(sold).sum())
    left = perturbation.remaining(cap, loss)
    total = perturbation.composed(loss + perturbation.loss(left))
    if left > 0:
        assert total == pytest.approx(cap, rel=1e-9)
    elif loss > 0:
        smallest = perturbation.composed(loss + perturbation.loss(1e-6))
        assert smallest > cap * (1 - 1e-5)


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_remaining_in_its_corners(perturbation):
    loss = perturbation.loss([0.0, 1.0, 2.0, 1.0])
    left = perturbation.remaining([2.0, 1.0, 1.0, np.inf], loss)
    assert left[0] == 2.0
    assert left[1] < 1e-9
    assert left[2] == 0.0
    assert left[3] == np.inf


def test_gaussian_composition_is_cheaper_than_adding_epsilons():
    gaussian = GaussianPerturbation()
    assert gaussian.composed(50 * gaussian.loss(0.5)) < 0.5 * 50


@pytest.mark.parametrize(
    ("perturbation", "spread"), [(PERTURBATIONS[0], 2.0), (PERTURBATIONS[2], 1)]
)
def test_unit_noise_has_the_moments_of_its_law(perturbation, spread):
    noise = perturbation.unit_noise(np.random.default_rng(5), (400, 500))
    assert noise.shape == (400, 500)
    assert abs(noise.mean()) < 0.01
    assert noise.var() == pytest.approx(spread, rel=0.02)


def test_laplace_noise_follows_the_laplace_distribution():
    noise = np.sort(LaplacePerturbation().unit_noise(np.random.default_rng(6), 20_001))
    exact = np.where(noise < 0, np.exp(noise) / 2, 1 - np.exp(-noise) / 2)
    steps = np.arange(1, noise.size + 1) / noise.size
    assert np.abs(exact - steps).max() < 1.63 / np.sqrt(noise.size)


def test_laplace_noise_really_hides_a_replacement():
    """Likelihoods of neighbouring gradients 2 clip apart differ by at most e^epsilon."""
    laplace, epsilon = LaplacePerturbation(0.7), 1.3
    scale = float(laplace.scale(epsilon))
    x = np.linspace(-5, 5, 101)
    ratio = (np.abs(x - 0.7) - np.abs(x + 0.7)) / scale
    assert np.abs(ratio).max() == pytest.approx(epsilon)


def test_compose_of_nothing_and_of_no_noise():
    assert compose(LaplacePerturbation(), []).epsilon == 0
    assert compose(GaussianPerturbation(), []).epsilon == 0
    assert compose(GaussianPerturbation(), [0.0, 0.0]).epsilon == 0
    assert compose(GaussianPerturbation(), [1.0, np.inf]).epsilon == np.inf


def test_pure_composition_is_the_sum():
    spent = compose(LaplacePerturbation(), [0.25, 0.5])
    assert (spent.epsilon, spent.delta, spent.accountant) == (0.75, 0.0, "basic composition")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: laplace_scale(-1.0, 1.0), "epsilon must be at least 0, got -1"),
        (lambda: laplace_scale(np.nan, 1.0), "epsilon must not be NaN"),
        (lambda: laplace_scale(1.0, 0.0), "clip must be greater than 0"),
        (lambda: LaplacePerturbation(-1.0), "clip must be greater than 0"),
        (lambda: GaussianPerturbation(1.0, 0.0), "delta must be one number strictly between"),
        (lambda: GaussianPerturbation(1.0, 1.0), "delta must be one number strictly between"),
        (lambda: gaussian_noise_multiplier(1.0, 1e-5, "exact"), "'analytic' or 'classic'"),
        (lambda: gaussian_epsilon(-1.0, 1e-5), "mu must be at least 0"),
        (lambda: LaplacePerturbation().remaining(-1.0, 0.0), "lifetime_cap must be at least 0"),
        (lambda: LaplacePerturbation().remaining([1.0, 2.0], [0.0] * 3), "one of each an owner"),
        (lambda: compose(LaplacePerturbation(), [[1.0]]), "one sequence of sales"),
        (lambda: compose(GaussianPerturbation(), [1.0], delta=0.0), "strictly between 0 and 1"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(Exception, match=message) as caught:
        call()
    if not isinstance(caught.value, InvalidInput):  # a literal is refused by the shape checks
        assert "exact" in str(caught.value)
