"""Distances of models: by definition, at the edges of the numbers, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import market_sim as ms
from market_sim.errors import InvalidInput


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 9))
def test_distances_by_definition(seed, participants, dimension):
    rng = np.random.default_rng(seed)
    models, start = rng.standard_normal((participants, dimension)), rng.standard_normal(dimension)
    cosine, squared = (ms.model_distances(models, start, kind=k) for k in ("cosine", "squared"))
    for i in range(participants):
        for j in range(participants):
            one, other = models[i] - start, models[j] - start
            angle = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
            assert cosine[i, j] == pytest.approx(0 if i == j else 1 - angle, abs=1e-12)
            assert squared[i, j] == pytest.approx(((one - other) ** 2).sum(), abs=1e-12)
    np.testing.assert_array_equal(cosine, cosine.T)
    assert cosine.min() >= 0.0
    assert cosine.max() <= 2.0


def test_known_angles():
    models = [[1.0, 0.0], [2.0, 0.0], [0.0, 5.0], [-3.0, 0.0]]
    np.testing.assert_allclose(ms.model_distances(models)[0], [0, 0, 1, 2], atol=1e-15)


def test_an_attacker_s_row_is_refused_whatever_it_holds():
    for bad in (np.nan, np.inf, -np.inf):
        models = np.eye(3)
        models[1, 0] = bad
        for kind in ("cosine", "squared"):
            found = ms.model_distances(models, kind=kind)
            assert np.isnan(found[1, [0, 2]]).all()
            assert np.isnan(found[[0, 2], 1]).all()
            assert np.isfinite(found[np.ix_([0, 2], [0, 2])]).all()
            market = ms.SharingMarket([1, 1, 1], 1e3, 0.1, found, 1.0)
            assert market.refused.sum() == 4


def test_a_model_that_never_moved_has_no_direction():
    found = ms.model_distances([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]], [1.0, 1.0])
    np.testing.assert_allclose(found, [[0, 1, 1], [1, 0, 0], [1, 0, 0]], atol=1e-15)


def test_directions_of_huge_and_tiny_models_keep_their_digits():
    found = ms.model_distances([[1e308, 1e308], [1e-300, 0.0], [-1e308, -1e308]])
    np.testing.assert_allclose(found[0], [0, 1 - np.sqrt(0.5), 2], rtol=1e-14, atol=1e-15)
    squared = ms.model_distances([[1e200], [0.0]], kind="squared")
    assert squared[0, 1] == np.inf  # refused by the market
    near = ms.model_distances([[1e8], [1e8 + 1]], kind="squared")
    assert near[0, 1] == 1.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([[1.0, 2.0], [1.0]],), "only share models of the same shape"),
        (([1.0, 2.0],), r"shape \(participants, dimension\), got \(2,\)"),
        ((np.zeros((0, 3)),), r"got \(0, 3\)"),
        (([[1.0, 2.0]], [1.0]), r"initial must be 2 finite numbers, one a parameter, got the sh"),
        (([[1.0]], [np.nan]), "with values not finite"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(arguments, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        ms.model_distances(*arguments)


def test_an_unknown_kind_is_refused():
    with pytest.raises(InvalidInput, match="kind must be 'cosine' or 'squared', got 'manhattan'"):
        ms.model_distances([[1.0]], kind="manhattan")
