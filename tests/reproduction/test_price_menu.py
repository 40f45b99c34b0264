"""The reference menu, and what surveys of a documented law earn."""

import numpy as np
import pytest
from scipy import stats

import market_sim as ms
from market_sim.pricing import Survey, price_versions

LABELS, IDEAL = [0.5, 1.0, 1.6, 2.4], [5.0, 30.0, 28.0, 95.0]
VERSIONS = np.linspace(0.5, 2.5, 5)
WORTH = 10.0 * (1.0 - np.exp(-VERSIONS))


@pytest.mark.parametrize(
    ("exponent", "prices", "digits"),
    [(2, [7.353, 29.412, 39.876, 89.722], 1e-3), (1, [15.95, 31.90, 51.04, 76.56], 1e-2)],
)
def test_the_reference_menu(exponent, prices, digits):
    solved = ms.PriceMenu(LABELS, IDEAL, exponent=exponent).solve()
    assert np.allclose(solved.prices, prices, rtol=0, atol=digits / 2)
    assert solved.converged
    assert solved.identity_error < 1e-9
    assert solved.arbitrage() is None


def survey_of(buyers, spread, rng):
    wanted = rng.integers(0, 5, buyers)
    return Survey(VERSIONS, wanted, WORTH[wanted] * rng.lognormal(0.0, spread, buyers))


def test_revenue_against_the_bound_that_no_menu_exceeds():
    # published: .948, .982, .992; here 200 buyers of spread 0.5 a survey
    rng = np.random.default_rng(0)
    shares = {"fit": [], "fit-scaled": [], "complete-space": []}
    for _ in range(40):
        survey = survey_of(200, 0.5, rng)
        for rule, share in shares.items():
            share.append(survey.revenue(price_versions(survey, rule).prices) / survey.revenue_bound)
    means = [np.mean(share) for share in shares.values()]
    assert means == pytest.approx([0.957, 0.975, 0.990], abs=0.008)


@pytest.mark.parametrize(("buyers", "share"), [(40, 0.82), (200, 0.92), (1000, 0.97)])
def test_realized_against_expected_revenue(buyers, share):
    # spread 0.3; the menu that earns most from the survey
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(60):
        survey = survey_of(buyers, 0.3, rng)
        prices = price_versions(survey).prices
        realized = (prices * stats.norm.sf(np.log(prices / WORTH) / 0.3)).mean()
        ratios.append(realized / survey.revenue(prices))
    assert np.mean(ratios) == pytest.approx(share, abs=0.02)
