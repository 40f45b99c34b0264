"""Two markets that differ in their rules meet the same owners, the same order, the same noise."""

import numpy as np
import pytest

import market_sim as ms
from agents import BuyerTerms, FLMarket
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation

RULES = [
    (ms.AllIn("critical"), ms.ErrorOpt()),
    (ms.AllIn("singer"), ms.DataSize()),
    (ms.AllIn("published"), ms.WaterFilling()),
]


def deliveries(job):
    """Keep what a task is asked to deliver."""
    asked, deliver = [], job.deliver

    def spy(epsilon, weights, round_):
        asked.append((np.array(epsilon), round_))
        return deliver(epsilon, weights, round_)

    job.deliver = spy
    return asked


def noise_of(job, row, epsilon, round_):
    """Return the noise of one owner: what she delivers less what she would without noise."""
    alone = np.zeros(job.owners)
    alone[row] = 1.0
    noisy, clean = (
        job.deliver(np.where(alone > 0, amount, 0.0), alone, round_) for amount in (epsilon, np.inf)
    )
    return noisy.gradient - clean.gradient


def test_different_rules_meet_the_same_population(rows_of):
    markets = [FLMarket(12, payment=payment, seed=4) for payment in ("critical", "singer")]
    one, other = markets
    assert one.population.cap.tobytes() == other.population.cap.tobytes()
    assert one.population.valuations.rate.tobytes() == other.population.valuations.rate.tobytes()
    assert FLMarket(12, seed=5).population.cap.tobytes() != one.population.cap.tobytes()


def test_the_order_of_buyers_depends_on_the_seed_only(population, market):
    people = population(10)
    terms = [BuyerTerms(name, 7.0) for name in ("ada", "bob", "eve", "fay")]
    orders = {}
    for mechanism, aggregator in RULES:
        one = market(people, buyers=terms, mechanism=mechanism, aggregator=aggregator, seed=11)
        one.run(6)
        orders[one.broker.mechanism.name] = one.tables()["rounds"]["buyer"].tolist()
    assert len(orders) == 3
    assert len({tuple(order) for order in orders.values()}) == 1
    other = market(people, buyers=terms, seed=12)
    other.run(6)
    assert other.tables()["rounds"]["buyer"].tolist() != orders["all-in-critical"]
    rounds = np.array(orders["all-in-critical"]).reshape(6, 4)
    assert len({tuple(order) for order in rounds}) > 1


@pytest.mark.parametrize(
    "perturbation", [LaplacePerturbation(), GaussianPerturbation()], ids=lambda p: p.name
)
def test_an_owner_who_sells_the_same_delivers_the_same_noise(
    population, market, task, perturbation
):
    people = population(10, 3)
    budget = float(ms.budgets(people, 0.4, "proportional"))
    jobs, asked = [], []
    for mechanism, aggregator in RULES[:2]:
        job = task(10, perturbation, seed=3)
        asked.append(deliveries(job))
        jobs.append(job)
        rules = {"mechanism": mechanism, "aggregator": aggregator, "perturbation": perturbation}
        market(people, buyers=[BuyerTerms("buyer", budget, job)], **rules).run(2)
    assert jobs[0].parameters().tobytes() != jobs[1].parameters().tobytes()
    common = 0
    sales = [tuple(each) for each in asked]
    for (first, round_), (second, same_round) in zip(*sales, strict=True):
        assert round_ == same_round
        for row in np.flatnonzero((first > 0) & (first == second)):
            one, other = (noise_of(job, row, first[row], round_) for job in jobs)
            # the two models differ, so the clean gradients do: equal up to rounding of the sum
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
            common += 1
    assert common >= 2


def test_the_same_owners_bought_by_different_rules_give_the_same_gradient(population, market, task):
    people = population(6, 2)
    models = {}
    for payment in ("critical", "singer", "published"):
        job = task(6, seed=2)
        one = market(
            people,
            buyers=[BuyerTerms("buyer", 1e6, job)],
            mechanism=ms.AllIn(payment),
        )
        one.run(3)
        models[payment] = (one.tables()["rounds"]["winners"].tolist(), job.parameters().tobytes())
    assert models["critical"][0] == [6, 6, 6]
    assert len(set(map(str, models.values()))) == 1


def test_owners_rounds_and_seeds_have_noise_of_their_own(task):
    job, other = task(4, seed=0), task(4, seed=1)
    plain = noise_of(job, 0, 1.0, 0)
    for noise in (noise_of(job, 1, 1.0, 0), noise_of(job, 0, 1.0, 1), noise_of(other, 0, 1.0, 0)):
        assert abs(np.corrcoef(plain, noise)[0, 1]) < 0.2
    np.testing.assert_allclose(noise_of(job, 0, 4.0, 0), plain / 4.0, atol=1e-12)
