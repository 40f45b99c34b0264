"""Versions are drawn once, and averaging them reaches no more than the price menu assumes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.versions import ModelVersions, VersionLabels

LABELS = (0.5, 1.0, 1.6, 2.4)
SCALE = VersionLabels(samples=1000, clip=1.0, delta=1e-5)


def versions(dimension=8, *, labels=LABELS, reached=3.0, seed=0, **options):
    return ModelVersions(
        np.linspace(-1, 1, dimension),
        labels,
        scale=SCALE,
        global_label=reached,
        streams=ms.Streams(seed),
        **options,
    )


@given(st.floats(1e-3, 1e3))
def test_labels_and_noise_are_inverse(label):
    assert float(SCALE.label(SCALE.noise(label))) == pytest.approx(label, rel=1e-14)


def test_sale_noise_by_the_published_formula():
    kappa = np.sqrt(2 * np.log(1.25 / 1e-5))
    assert float(SCALE.noise(0.5)) == pytest.approx(kappa * 2.0 / (1000 * 0.5))
    assert SCALE.noise(0.0) == np.inf
    assert SCALE.noise(np.inf) == 0.0
    assert SCALE.label(0.0) == np.inf


def test_a_label_bounds_its_guarantee_below_one():
    labels = np.linspace(0.01, 1.0, 20)
    assert (SCALE.guarantee(labels) < labels).all()
    assert SCALE.guarantee(0.0) == 0.0
    big = float(SCALE.guarantee(60.0))
    assert big > 60.0  # a name only


@pytest.mark.parametrize("draws", ["independent", "nested"])
def test_buying_twice_gives_the_same_bytes(draws):
    shop, again = versions(draws=draws), versions(draws=draws)
    late = versions(draws=draws)
    late.version(3)  # the order of sales does not matter
    for number in range(len(shop)):
        bought = shop.version(number)
        assert bought.tobytes() == shop.version(number).tobytes()
        assert bought.tobytes() == again.version(number).tobytes() == late.version(number).tobytes()
        assert not bought.flags.writeable
    assert shop.version(0).tobytes() != versions(draws=draws, seed=1).version(0).tobytes()
    assert shop.version(0).tobytes() != versions(draws=draws, sale=1).version(0).tobytes()


@pytest.mark.parametrize("draws", ["independent", "nested"])
def test_covariances_of_the_noises(draws):
    """Total noise sigma_j, w's own included; independent or nested extra noises."""
    dimension, common = 200_000, float(SCALE.noise(3.0))
    shop = versions(dimension, draws=draws)
    own = common * np.random.default_rng(1).standard_normal(dimension)
    noise = np.array([shop.version(j) - shop.parameters + own for j in range(4)])
    covariance = noise @ noise.T / dimension
    sigma = SCALE.noise(LABELS)
    if draws == "independent":
        expected = np.full((4, 4), common**2)
        np.fill_diagonal(expected, sigma**2)
    else:  # what a version and a better one share is the better one's noise
        expected = np.minimum(sigma[:, None], sigma[None, :]) ** 2
    np.testing.assert_allclose(covariance, expected, atol=0.02 * sigma[0] ** 2)
    np.testing.assert_allclose(np.diag(covariance), sigma**2, rtol=0.02)


@pytest.mark.parametrize("draws", ["independent", "nested"])
def test_the_best_average_is_as_good_as_it_says(draws):
    dimension, common = 200_000, float(SCALE.noise(3.0))
    shop = versions(dimension, draws=draws)
    own = common * np.random.default_rng(2).standard_normal(dimension)
    found = shop.combine(0, 2, 1, 2)
    assert found.numbers == (0, 1, 2)
    assert found.weights.sum() == pytest.approx(1.0)
    average = found.weights @ np.array([shop.version(j) for j in found.numbers])
    measured = (average - shop.parameters + own).std()
    assert measured == pytest.approx(found.noise, rel=0.01)
    assert float(SCALE.label(measured)) == pytest.approx(found.label, rel=0.01)
    if draws == "nested":
        assert found.label == pytest.approx(LABELS[2])
    else:
        assert LABELS[2] < found.label < np.sqrt(sum(x**2 for x in LABELS[:3]))


@settings(max_examples=40)
@given(st.lists(st.floats(0.05, 3.0), min_size=1, max_size=5, unique=True), st.floats(0.0, 2.0))
def test_no_set_of_versions_beats_the_sum_of_precisions(labels, spare):
    """The price menu assumes label^2 <= sum of label_j^2: averages never reach more."""
    labels = sorted(labels)
    if any(b - a < 1e-6 for a, b in itertools.pairwise(labels)):
        return
    shop = versions(2, labels=labels, reached=labels[-1] + spare)
    for size in range(1, len(labels) + 1):
        for chosen in itertools.combinations(range(len(labels)), size):
            reached = shop.combine(*chosen).label
            assumed = np.sqrt(sum(labels[j] ** 2 for j in chosen))
            assert max(labels[j] for j in chosen) * (1 - 1e-9) <= reached
            assert reached <= assumed * (1 + 1e-9)
            assert reached <= shop.global_label * (1 + 1e-9)


def test_the_model_itself_is_the_best_version():
    shop = versions(reached=2.4)
    np.testing.assert_array_equal(shop.version(3), shop.parameters)
    assert shop.extra_noise[3] == 0.0
    assert shop.combine(0, 3).label == pytest.approx(2.4)
    np.testing.assert_array_equal(shop.combine(0, 3).weights, [0, 1])
    clean = versions(reached=np.inf)
    assert clean.combine(0, 1).label == pytest.approx(np.sqrt(0.5**2 + 1.0**2))


@pytest.mark.parametrize("draws", ["independent", "nested"])
def test_versions_above_the_model_are_refused(draws):
    shop = versions(reached=1.2, draws=draws)
    shop.version(1)
    for request in (shop.version, shop.combine):
        with pytest.raises(InvalidInput, match=r"label 1.6, but the model reaches 1.2 only"):
            request(2)
    np.testing.assert_array_equal(np.isnan(shop.extra_noise), [False, False, True, True])
    with pytest.raises(InvalidInput, match="reaches 0 only"):
        versions(reached=0.0).version(0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"labels": [1.0, 1.0]},
            "increase from version to version, got 1 after 1 at index 1",
        ),
        ({"labels": [0.0, 1.0]}, "labels must be greater than 0"),
        ({"labels": []}, "one list with a privacy label for each version"),
        ({"draws": "fresh"}, "'independent' or 'nested'"),
        ({"reached": -1.0}, "global_label must be at least 0"),
        ({"sale": -1}, "sale must be a whole number"),
    ],
)
def test_bad_settings(options, message):
    with pytest.raises(InvalidInput, match=message):
        versions(**options)


def test_bad_requests():
    with pytest.raises(InvalidInput, match="there is no version 4"):
        versions().version(4)
    with pytest.raises(InvalidInput, match="at least one version"):
        versions().combine()
    with pytest.raises(InvalidInput, match="parameters must be one vector"):
        ModelVersions(np.zeros((2, 2)), [1.0], scale=SCALE, global_label=2.0, streams=ms.Streams(0))
    with pytest.raises(InvalidInput, match="samples must be greater than 0"):
        VersionLabels(0)
