"""Scalar laws against scipy, by integration and by draws; and the privacy auction's populations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

import market_sim as ms
from market_sim.laws import LogNormal, Mixture, ScalarLaw, Uniform

LAWS: list[ScalarLaw] = [
    Uniform(0.0, 1.0),
    Uniform(0.1, 5.0),
    LogNormal(0.0, 0.5),
    LogNormal(-1.0, 1.5),
    Mixture((Uniform(0.1, 0.5), Uniform(2.0, 5.0))),
    Mixture((Uniform(1.0, 2.0), LogNormal(0.0, 0.5)), (0.25, 0.75)),
]
law = pytest.mark.parametrize("law", LAWS, ids=str)


@law
def test_the_density_adds_up_to_the_probability(law: ScalarLaw) -> None:
    for x in law.quantile([0.1, 0.4, 0.9]):
        breaks = [end for end in (0.1, 0.5, 1.0, 2.0, 5.0) if end < x]
        mass, _ = quad(lambda y: float(law.density(y)), 0.0, x, points=breaks or None)
        assert mass == pytest.approx(float(law.cdf(x)), abs=1e-7)


@law
@given(share=st.floats(0.0, 0.999))
def test_the_quantile_is_the_least_point_of_its_probability(law: ScalarLaw, share: float) -> None:
    x = float(law.quantile(share))
    assert float(law.cdf(x)) >= share - 1e-12
    assert float(law.cdf(x * (1.0 - 1e-9) - 1e-12)) <= share + 1e-7


@law
def test_draws_follow_the_law(law: ScalarLaw) -> None:
    drawn = law.sample(np.random.default_rng(1), (4000,))
    assert drawn.shape == (4000,)
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-3
    assert drawn.mean() == pytest.approx(law.mean, abs=5 * drawn.std() / np.sqrt(drawn.size))
    low, high = law.support
    assert (drawn >= low).all()
    assert (drawn <= high).all()


def test_known_laws_agree_with_scipy() -> None:
    x = np.array([-1.0, 0.0, 0.3, 1.0, 7.0])
    pairs = (
        (Uniform(0.1, 5.0), stats.uniform(0.1, 4.9)),
        (LogNormal(0.2, 0.5), stats.lognorm(s=0.5, scale=np.exp(0.2))),
    )
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours.cdf(x), theirs.cdf(x), atol=1e-15)
        np.testing.assert_allclose(ours.density(x), theirs.pdf(x), atol=1e-15)
        assert ours.mean == pytest.approx(theirs.mean(), rel=1e-14)


def test_a_gap_in_a_mixture_belongs_to_its_lower_end() -> None:
    gap = Mixture((Uniform(0.1, 0.5), Uniform(2.0, 5.0)))
    assert float(gap.quantile(0.5)) == pytest.approx(0.5, abs=1e-12)
    assert float(gap.density(1.0)) == 0.0
    assert gap.support == (0.1, 5.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Uniform(1.0, 1.0), "low < high"),
        (lambda: Uniform(-1.0, 1.0), "bounds"),
        (lambda: Uniform(0.0, np.inf), "bounds"),
        (lambda: LogNormal(0.0, 0.0), "log_scale"),
        (lambda: LogNormal(np.nan, 1.0), "log_mean"),
        (lambda: Mixture(()), "at least one law"),
        (lambda: Mixture((Uniform(),), (0.5,)), "add up to 1"),
        (lambda: Mixture((Uniform(),), (0.5, 0.5)), "add up to 1"),
        (lambda: Uniform().quantile(1.5), "at most 1"),
        (lambda: ms.privacy_auction_law("unifrom"), "unifrom"),
        (lambda: ms.privacy_auction_law("uniform", 0), "owners"),
        (lambda: LogNormal().scaled(0.0), "factor"),
        (lambda: ms.PopulationLaw().unit_value_law, "linear valuations"),
        (lambda: ms.PopulationLaw(rate=(1.0, 1.0)).rate_law, "low < high"),
    ],
)
def test_bad_laws_are_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ms.InvalidInput, match=message):
        make()


@pytest.mark.parametrize("name", ["uniform", "bimodal", "realistic"])
def test_populations_of_the_privacy_auction(name: str) -> None:
    law = ms.privacy_auction_law(name, owners=2000)
    owners = law.sample(np.random.default_rng(3), (2,))
    assert owners.shape == (2, 2000)
    value, cap = owners.reports().unit_value.ravel(), owners.cap.ravel()
    assert stats.kstest(value, law.unit_value_law.cdf).pvalue > 1e-3
    assert stats.kstest(cap, law.cap_law.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(value, cap)[0, 1]) < 0.06


def test_the_linear_law_of_values_is_the_published_one() -> None:
    assert ms.privacy_auction_law("uniform").unit_value_law == Uniform(0.0, 1.0)
    realistic = ms.privacy_auction_law("realistic").unit_value_law
    assert float(realistic.quantile(0.5)) == pytest.approx(1.0, rel=1e-14)


def test_linear_valuations_cost_their_unit_value() -> None:
    cost = ms.Valuations.linear([0.25, 3.0]).cost([2.0, 0.5])
    np.testing.assert_array_equal(cost, [0.5, 1.5])


@law
def test_scaling_a_law_scales_its_numbers(law: ScalarLaw) -> None:
    scaled, x = law.scaled(2.5), law.quantile([0.2, 0.7])
    np.testing.assert_allclose(scaled.cdf(2.5 * x), law.cdf(x), rtol=1e-12)
    assert scaled.mean == pytest.approx(2.5 * law.mean, rel=1e-12)


def test_bounds_are_a_uniform_law() -> None:
    by_bounds = ms.PopulationLaw(5, rate=(0.5, 1.5)).sample(np.random.default_rng(0))
    by_law = ms.PopulationLaw(5, rate=Uniform(0.5, 1.5)).sample(np.random.default_rng(0))
    np.testing.assert_array_equal(by_bounds.valuations.rate, by_law.valuations.rate)
    assert ms.PopulationLaw(5).cap_law == Uniform(0.5, 5.0)
