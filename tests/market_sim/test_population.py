import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms

DRAWS = 20_000


def sample(law, seed=0, profiles=(DRAWS,)):
    return law.sample(np.random.default_rng(seed), profiles)


def assert_mean(values, expected, deviation):
    """Within five standard errors."""
    assert abs(np.mean(values) - expected) < 5 * deviation / np.sqrt(np.size(values))


@pytest.mark.parametrize("max_cap", [2.0, 5.0])
def test_moments_of_the_published_law(max_cap):
    population = sample(ms.fl_market_2021(4, max_cap))
    rate, cap = population.valuations.rate, population.cap
    assert rate.min() >= 0.5
    assert rate.max() <= 1.5
    assert cap.min() >= 0.5
    assert cap.max() <= max_cap
    assert_mean(rate, 1.0, 1 / np.sqrt(12))
    assert_mean(cap, (0.5 + max_cap) / 2, (max_cap - 0.5) / np.sqrt(12))
    counts = np.bincount(population.valuations.kind.reshape(-1), minlength=5) / rate.size
    assert_allclose(counts, [0.25, 0.25, 0.25, 0.25, 0.0], atol=5 * 0.433 / np.sqrt(rate.size))
    assert population.data_size is None


def test_the_reference_law_of_sizes():
    size = sample(ms.fl_market_2022(4)).data_size
    z = np.log((size - 10.0) * np.exp(2.0) / 32.636) / 2.0
    assert_mean(z, 0.0, 1.0)
    assert_mean(z**2, 1.0, np.sqrt(2.0))
    assert size.min() > 10.0


def test_owners_are_drawn_independently():
    population = sample(ms.fl_market_2022(3))
    columns = np.concatenate(
        [population.cap, population.valuations.rate, population.data_size.clip(max=200)], axis=1
    )
    correlation = np.corrcoef(columns.T) - np.eye(9)
    assert np.abs(correlation).max() < 5 / np.sqrt(DRAWS)


@pytest.mark.parametrize("sizes", ["none", "reference"])
def test_same_seed_same_population(sizes):
    law = ms.PopulationLaw(owners=5, sizes=sizes)
    one, two, other = (sample(law, seed, (7, 2)) for seed in (3, 3, 4))
    assert one.shape == (7, 2, 5)
    assert_array_equal(one.cap, two.cap)
    assert_array_equal(one.reports().value, two.reports().value)
    assert not np.array_equal(one.cap, other.cap)


def test_single_minded_owners_ask_the_same_for_their_cap():
    many = sample(ms.PopulationLaw(owners=5, sizes="reference"), 1, (9,))
    single = sample(ms.PopulationLaw(owners=5, sizes="reference", single_minded=True), 1, (9,))
    assert set(single.valuations.names.reshape(-1)) == {"step"}
    assert_array_equal(single.cap, many.cap)
    assert_allclose(single.reports().value, many.reports().value, rtol=1e-14)
    assert_array_equal(single.cost(single.cap / 2), single.cost(single.cap))


def test_budget_laws():
    population = sample(ms.fl_market_2022(6), 2, (4,))
    assert_array_equal(ms.budgets(population, 3.0), np.full(4, 3.0))
    asked = (population.data_size * population.valuations.cost(population.cap)).sum(axis=1)
    assert_allclose(ms.budgets(population, 0.5, "proportional"), 0.5 * asked, rtol=1e-14)
    single = sample(ms.fl_market_2021(6), 2, ())
    assert ms.budgets(single, 3.0).shape == ()
    assert ms.budgets(single, 1.0, "proportional") == pytest.approx(single.reports().value.sum())


def test_truthful_reports():
    population = sample(ms.fl_market_2022(3), 5, (2,))
    told = population.reports()
    assert_array_equal(told.cap, population.cap)
    assert_array_equal(told.data_size, population.data_size)
    assert_array_equal(told.valuations.rate, population.valuations.rate)


def test_lifetime_caps():
    valuations = ms.Valuations("linear", [1.0, 2.0, 3.0])
    assert_array_equal(ms.Population(valuations, [1, 1, 1]).lifetime_cap, np.full(3, np.inf))
    population = ms.Population(valuations, [1, 1, 1], lifetime_cap=[3.0, 4.0, 5.0])
    part = population.select(np.array([2, 0]))
    assert_array_equal(part.lifetime_cap, [5.0, 3.0])
    assert_array_equal(part.valuations.rate, [3.0, 1.0])
    assert ms.PopulationLaw(lifetime_cap=9.0).sample(np.random.default_rng(0)).lifetime_cap[0] == 9


def test_columns_cannot_be_changed():
    population = sample(ms.fl_market_2022(3), 0, ())
    for column in (population.cap, population.data_size, population.lifetime_cap):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1.0
