"""Eq. (26): the minimum, its identity and bounds, from tiny to huge weights and label ratios."""

import numpy as np
import pytest
from scipy.optimize import minimize

import market_sim as ms
from market_sim.pricing import newton, project
from market_sim.pricing.cone import growth, in_cone
from market_sim.pricing.newton import fit

LABELS = np.array([0.5, 1.0, 1.6, 2.4])
IDEAL = np.array([5.0, 30.0, 28.0, 95.0])
WEIGHTS = (1e-2, 1.0, 1e2, 1e5)


def objective(prices, menu, weight):
    """Eq. (26) as it is printed."""
    power = menu.labels**menu.exponent
    ratio = prices[:-1] * power[1:] - prices[1:] * power[:-1]
    rise = np.diff(prices)
    if min(ratio.min(), rise.min(), prices[0]) <= 0:
        return np.inf
    loss = (menu.demand * (prices - menu.ideal_prices) ** 2).sum()
    return weight * loss - np.log(ratio).sum() - np.log(rise).sum() - np.log(prices[0])


def identity_error(prices, ideal, demand, weight):
    """The identity from the published prices alone, in double precision."""
    left = (demand * prices * (prices - ideal)).sum()
    return abs(left * 2 * weight / (2 * prices.size - 1) - 1)


@pytest.mark.parametrize("exponent", [1, 2])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_identity_holds_in_the_prices_themselves(exponent, weight):
    ideal = IDEAL / IDEAL.mean()
    for demand in (np.ones(4), np.array([0.1, 0.4, 0.3, 0.2])):
        solved = ms.PriceMenu(LABELS, ideal, demand, exponent).solve(weight)
        assert identity_error(solved.prices, ideal, demand, weight) < 1e-9
        assert solved.identity_error < 1e-9
        assert solved.converged


@pytest.mark.parametrize("exponent", [1, 2])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_identity_is_certified_in_any_currency(exponent, weight):
    for unit in (1e-3, 1.0, 1000.0):
        solved = ms.PriceMenu(LABELS, unit * IDEAL, exponent=exponent).solve(weight)
        assert solved.identity_error < 1e-9 or unit**2 * weight > 1e5
        assert solved.converged, solved.status


@pytest.mark.parametrize("exponent", [1, 2])
@pytest.mark.parametrize("weight", [1e-3, 1.0, 30.0])
def test_a_general_minimizer_finds_nothing_better(exponent, weight):
    menu = ms.PriceMenu(LABELS, IDEAL / IDEAL.mean(), [1.0, 2.0, 0.5, 1.0], exponent)
    solved = menu.solve(weight)
    here = objective(solved.prices, menu, weight)
    found = minimize(
        objective,
        solved.prices * np.array([1.01, 0.99, 1.0, 1.02]),
        (menu, weight),
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20_000, "maxfev": 20_000},
    )
    assert found.fun >= here - 1e-10
    assert np.allclose(found.x, solved.prices, rtol=1e-4)


def test_the_loss_is_within_the_bound_of_the_projection():
    menu = ms.PriceMenu(LABELS, IDEAL)
    least = menu.project().loss
    for weight in WEIGHTS:
        solved = menu.solve(weight)
        assert solved.gap_bound == pytest.approx(7 / weight)
        assert 0 < solved.loss - least <= solved.gap_bound


def test_small_weights_inflate_prices_like_their_inverse_root():
    menu = ms.PriceMenu(LABELS, IDEAL / IDEAL.mean())
    less, least = menu.solve(1e-6).prices, menu.solve(1e-8).prices
    assert np.allclose(least / less, 10.0, rtol=0.01)


def test_infinite_weight_is_the_projection():
    menu = ms.PriceMenu(LABELS, IDEAL)
    solved = menu.solve(np.inf)
    assert solved.rule == "projection"
    assert np.allclose(solved.prices, project(LABELS, IDEAL), rtol=1e-14)
    assert np.allclose(menu.solve(1e9).prices, solved.prices, rtol=1e-6)


def test_a_normalized_weight_means_the_same_in_every_currency():
    euros = ms.PriceMenu(LABELS, IDEAL).solve(10.0, normalized=True)
    cents = ms.PriceMenu(LABELS, 100 * IDEAL).solve(10.0, normalized=True)
    assert np.allclose(100 * euros.prices, cents.prices, rtol=1e-12)
    assert euros.weight == pytest.approx(10.0 / IDEAL.mean() ** 2)
    plain = ms.PriceMenu(LABELS, IDEAL).solve(euros.weight)
    assert np.allclose(plain.prices, euros.prices, rtol=1e-12)


def test_one_version_has_a_closed_form():
    for weight in WEIGHTS:
        solved = ms.PriceMenu([1.5], [8.0]).solve(weight)
        assert solved.prices[0] == pytest.approx((8 + np.sqrt(64 + 2 / weight)) / 2, rel=1e-12)
        assert solved.arbitrage() is None


@pytest.mark.parametrize("exponent", [1, 2])
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize(
    "labels",
    [
        np.geomspace(1e-6, 1e6, 8),
        np.array([1e-6, 1e6]),
        1.0 + 1e-9 * np.arange(6),
        1.0 + 2.0**-52 * np.arange(6),
        np.array([1e-6, 1e-6 * (1 + 1e-12), 1.0, 1e6]),
    ],
    ids=["wide", "two", "near", "adjacent", "mixed"],
)
def test_extreme_labels_converge(labels, weight, exponent):
    rng = np.random.default_rng(1)
    for ideal in (np.ones(labels.size), rng.uniform(0.1, 10, labels.size), 1 / labels):
        menu = ms.PriceMenu(labels, ideal / ideal.mean(), exponent=exponent)
        solved = menu.solve(weight)
        assert solved.converged, solved.status
        assert solved.identity_error < 1e-9
        assert in_cone(solved.labels, solved.prices, exponent, 1e-14)


@pytest.mark.parametrize("weight", [1e-3, 1e-2, 1e5])
def test_the_last_steps_converge_quadratically(monkeypatch, weight):
    seen, measure = [], newton._decrement

    def spy(*step):
        seen.append(measure(*step))
        return seen[-1]

    monkeypatch.setattr(newton, "_decrement", spy)
    ms.PriceMenu(LABELS, IDEAL / IDEAL.mean()).solve(weight)
    assert 1e-2 > seen[-2] > seen[-1]
    assert seen[-1] < 2 * seen[-2] ** 2
    assert len(seen) < 40


@pytest.mark.parametrize("weight", [1e-2, 1e5])
def test_a_thousand_versions(weight):
    rng = np.random.default_rng(3)
    labels = np.sort(rng.uniform(0.1, 10.0, 1000))
    ideal = labels * rng.uniform(0.5, 1.5, 1000)
    solved = ms.PriceMenu(labels, ideal / ideal.mean()).solve(weight)
    assert solved.converged
    assert solved.identity_error < 1e-9
    assert solved.check().method == "cone"


def test_a_fit_cut_short_says_so(monkeypatch):
    monkeypatch.setattr("market_sim.pricing.newton.STEPS", 2)
    solved = ms.PriceMenu(LABELS, IDEAL).solve()
    assert not solved.converged
    assert "not solved to full accuracy" in solved.status
    assert solved.residual > 1e-6
    assert solved.arbitrage() is None  # every step stays inside the cone


def test_rounding_is_reported_where_the_weight_is_beyond_it():
    solved = fit(IDEAL / IDEAL.mean(), np.ones(4), growth(LABELS, 2), 1e22)
    near = np.allclose(solved.prices, project(LABELS, IDEAL / IDEAL.mean()), rtol=1e-9)
    assert near or not solved.converged
