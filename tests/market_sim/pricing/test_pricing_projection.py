"""The projection on the closed cone: nnls on its extreme rays agrees, its conditions hold."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

import market_sim as ms
from market_sim.pricing import project
from market_sim.pricing.cone import growth, in_cone
from market_sim.pricing.projection import polar_violation


def extreme_rays(labels, exponent):
    """Return the extreme rays of the cone, in each step equal or steep, as columns."""
    ratio = (labels[1:] / labels[:-1]) ** exponent
    choices = itertools.product((False, True), repeat=labels.size - 1)
    return np.array([np.cumprod([1.0, *np.where(steep, ratio, 1.0)]) for steep in choices]).T


def by_rays(labels, ideal, demand, exponent):
    """Combine extreme rays with least squares."""
    rays = extreme_rays(labels, exponent)
    rays = rays / np.linalg.norm(rays, axis=0)
    root = np.sqrt(demand)
    share, _ = nnls(root[:, None] * rays, root * ideal)
    return rays @ share


@st.composite
def menus(draw, most=7):
    k = draw(st.integers(1, most))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    labels = np.cumsum(rng.uniform(0.05, 1.0, k))
    ideal = np.exp(rng.normal(0.0, 1.0, k))
    demand = rng.uniform(0.1, 2.0, k)
    return labels, ideal, demand, draw(st.sampled_from((1, 2)))


@given(menus())
def test_least_squares_on_the_extreme_rays_agrees(menu):
    labels, ideal, demand, exponent = menu
    prices = project(labels, ideal, demand, exponent)
    assert np.allclose(prices, by_rays(labels, ideal, demand, exponent), rtol=1e-8)


@given(menus(most=40))
def test_the_conditions_of_the_projection_hold(menu):
    labels, ideal, demand, exponent = menu
    prices = project(labels, ideal, demand, exponent)
    assert in_cone(labels, prices, exponent, 1e-12)
    grown = growth(labels, exponent)
    assert polar_violation(ideal, demand, grown, prices) < 1e-12
    if labels.size > 1:
        assert polar_violation(ideal, demand, grown, 1.01 * prices) > 1e-4


@given(menus())
def test_how_far_other_prices_miss_the_conditions(menu):
    labels, ideal, demand, exponent = menu
    prices = np.sort(ideal)[::-1]
    rays = extreme_rays(labels, exponent)
    gap = demand * (ideal - prices)
    largest = (gap @ rays * (prices[-1] / rays[-1])).max()
    missed = max(abs(gap @ prices), largest) / (demand * ideal * prices).sum()
    grown = growth(labels, exponent)
    assert polar_violation(ideal, demand, grown, prices) == pytest.approx(missed, abs=1e-12)


def test_prices_inside_the_cone_stay():
    labels, ideal = np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])
    assert np.array_equal(project(labels, ideal), ideal)


@pytest.mark.parametrize(("exponent", "prices"), [(1, [1.2, 2.4]), (2, [1.0, 2.0])])
def test_two_versions_by_hand(exponent, prices):
    # at m = 1 the price ratio 2 of labels 1, 2 binds: v = c (1, 2), c = (1 * 1 + 2 * 2.5) / 5
    ideal = [1.0, 2.5] if exponent == 1 else [1.0, 2.0]
    assert np.allclose(project([1.0, 2.0], ideal, exponent=exponent), prices)


def test_falling_ideal_prices_are_pooled():
    assert np.allclose(project([1.0, 2.0], [4.0, 1.0], demand=[1.0, 3.0]), [1.75, 1.75])


@pytest.mark.parametrize("labels", [np.geomspace(1e-6, 1e6, 9), 1 + 1e-12 * np.arange(9)])
def test_extreme_labels(labels):
    ideal = np.random.default_rng(0).uniform(0.1, 10.0, labels.size)
    solved = ms.PriceMenu(labels, ideal).project()
    assert solved.converged, solved.status
    assert solved.residual < 1e-12


def test_a_thousand_versions_are_certified():
    rng = np.random.default_rng(2)
    labels = np.sort(rng.uniform(0.1, 10.0, 1000))
    solved = ms.PriceMenu(labels, np.exp(rng.normal(size=1000))).project()
    assert solved.converged
    assert solved.check().method == "cone"


def test_a_wrong_projection_says_so(monkeypatch):
    monkeypatch.setattr("market_sim.pricing.price_menu.closest", lambda ideal, *_: 1.1 * ideal)
    solved = ms.PriceMenu([1.0, 2.0], [1.0, 1.5]).project()
    assert not solved.converged
    assert "lost accuracy" in solved.status
