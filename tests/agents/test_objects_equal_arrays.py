"""A market of owner objects and the same market on arrays agree, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from agents import BestResponding, BuyerTerms, DataOwner, Scaled, Truthful
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation

STRATEGIES = [Truthful(), Scaled(1.3, 0.8), Scaled(0.5, 1.5), BestResponding((0.5, 2.0), (0.5,))]
PERTURBATIONS = {"laplace": LaplacePerturbation(), "gaussian": GaussianPerturbation()}


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**40),
    owners=st.integers(1, 12),
    sizes=st.sampled_from(["none", "reference"]),
    lifetime=st.sampled_from([np.inf, 6.0, 1.0]),
    strategy=st.sampled_from(STRATEGIES),
    exceptions=st.lists(st.tuples(st.sampled_from(STRATEGIES), st.integers(0, 11)), max_size=3),
    perturbation=st.sampled_from(sorted(PERTURBATIONS)),
    mechanism=st.sampled_from(["critical", "singer", "published"]),
    aggregator=st.sampled_from([ms.DataSize(), ms.BiasOpt(), ms.WaterFilling(), ms.ErrorOpt()]),
    rates=st.lists(st.floats(0.02, 2.0), min_size=1, max_size=3),
)
def test_all_columns_of_all_tables(  # noqa: PLR0917 - hypothesis
    population,
    market,
    assert_same_tables,
    seed,
    owners,
    sizes,
    lifetime,
    strategy,
    exceptions,
    perturbation,
    mechanism,
    aggregator,
    rates,
):
    people = population(owners, seed, sizes=sizes, lifetime_cap=lifetime)
    money = float(ms.budgets(people, 1.0, "proportional"))
    buyers = [BuyerTerms(f"buyer {i}", rate * money) for i, rate in enumerate(rates)]
    given = {
        "buyers": buyers,
        "mechanism": ms.AllIn(mechanism),
        "aggregator": aggregator,
        "strategy": strategy,
        "exceptions": [(other, [row % owners]) for other, row in exceptions],
        "perturbation": PERTURBATIONS[perturbation],
        "seed": seed,
    }
    arrays, objects = (market(people, **given, owners=mode) for mode in ("arrays", "objects"))
    for one in (arrays, objects):
        one.run(3)
    assert_same_tables(arrays, objects)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)
def test_a_hundred_owners_over_many_rounds(population, market, assert_same_tables, strategy):
    people = population(100, 5, sizes="reference", lifetime_cap=9.0)
    money = float(ms.budgets(people, 0.3, "proportional"))
    buyers = [BuyerTerms("one", money), BuyerTerms("two", money / 2, endowment=2 * money)]
    arrays, objects = (
        market(people, buyers=buyers, strategy=strategy, owners=mode, seed=5)
        for mode in ("arrays", "objects")
    )
    for one in (arrays, objects):
        one.run(6)
    assert_same_tables(arrays, objects)
    assert set(arrays.tables()["rounds"]["status"]) >= {"traded"}


@pytest.mark.parametrize("perturbation", sorted(PERTURBATIONS))
def test_with_learning(population, market, task, assert_same_tables, perturbation):
    people, noise = population(6, 1, lifetime_cap=8.0), PERTURBATIONS[perturbation]
    models = []

    def run(mode):
        tasks = [task(6, noise, name=name) for name in ("one", "two")]
        buyers = [BuyerTerms(t.name, money, t) for t, money in zip(tasks, (9.0, 5.0), strict=True)]
        result = market(people, buyers=buyers, perturbation=noise, owners=mode, seed=2)
        result.run(4)
        models.append([t.parameters().tobytes() for t in tasks])
        return result

    assert_same_tables(run("arrays"), run("objects"))
    assert models[0] == models[1]


def test_a_mixed_market_with_objects_of_a_plain_type(population, market, assert_same_tables):
    people = population(9, 3)
    plain = market(people)
    mixed = market(people, owner_types={2: DataOwner, 5: DataOwner})
    for one in (plain, mixed):
        one.run(3)
    assert_same_tables(plain, mixed)


def test_objects_looked_at_between_rounds_change_nothing(population, market, assert_same_tables):
    people = population(9, 3, lifetime_cap=5.0)
    untouched, watched = market(people), market(people)
    untouched.run(4)
    for _ in range(4):
        watched.step()
        assert watched.owner(4).privacy_left >= 0
        watched.agents.shuffle_do("step")
    assert_same_tables(untouched, watched)
