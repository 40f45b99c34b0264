"""Same seed, same bytes; and nothing global is touched."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import agents
from agents import BestResponding, BuyerTerms
from market_sim.privacy import GaussianPerturbation


@pytest.fixture
def learning_market(population, market, task):
    def build(seed=0):
        noise = GaussianPerturbation()
        jobs = [task(6, noise, seed, name=name, local_samples=20) for name in ("ada", "bob")]
        terms = [BuyerTerms(job.name, 12.0, job) for job in jobs]
        people = population(6, seed, lifetime_cap=20.0)
        rules = {"strategy": BestResponding((0.5, 2.0), (1.0,)), "perturbation": noise}
        return market(people, buyers=terms, seed=seed, **rules), jobs

    return build


def test_the_same_seed_gives_the_same_bytes(learning_market, assert_same_tables):
    (one, jobs), (other, same) = learning_market(4), learning_market(4)
    for each in (one, other):
        each.run(3)
    assert_same_tables(one, other)
    for job, twin in zip(jobs, same, strict=True):
        assert job.parameters().tobytes() == twin.parameters().tobytes()


def test_another_seed_gives_another_market(learning_market):
    losses = []
    for seed in (4, 5):
        one, _ = learning_market(seed)
        one.run(2)
        losses.append(one.tables()["rounds"]["loss"].tolist())
    assert losses[0] != losses[1]


def test_rounds_run_at_once_or_one_by_one(learning_market, assert_same_tables):
    (one, _), (other, _) = learning_market(), learning_market()
    one.run(3)
    for _ in range(3):
        other.step()
    assert_same_tables(one, other)


ALONE = """
import random
import numpy as np
import torch
import market_sim as ms
from agents import BestResponding, BuyerTerms, FLMarket, Market
from market_sim.learning import Dataset, FederatedTask, TrainTest, iid
from market_sim.privacy import LaplacePerturbation

def states():
    kind, keys, *rest = np.random.get_state()
    return random.getstate(), (kind, keys.tolist(), *rest), torch.get_rng_state().tolist()

def run():
    streams, noise, labels = ms.Streams(1), LaplacePerturbation(), np.arange(60) % 3
    samples = Dataset(streams.generator("features").random((60, 4)), labels, 3)
    parts = iid(labels, 5, streams.generator("partition"))
    data, rate = TrainTest("few", samples, samples), {"learning_rate": 1.0}
    job = FederatedTask(data, "mlp", parts, noise, **rate, streams=streams, local_samples=3)
    rules = {"mechanism": ms.AllIn(), "aggregator": ms.ErrorOpt(), "strategy": BestResponding()}
    people = ms.fl_market_2021(5).sample(streams.generator("population"))
    market = Market(people, [BuyerTerms("ada", 9.0, job)], **rules, owners="objects")
    market.run(2)
    FLMarket(5).run(2)
    assert set(market.tables()["rounds"]["status"]) == {"traded"}

run()  # the first import of some libraries draws from Python's generator
before = states()
run()
assert states() == before
"""


def test_global_random_states_are_left_alone():
    """In a process of its own: the shape checks of these tests draw from Python's generator."""
    root = Path(agents.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=root, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_global_seeds_have_no_influence(learning_market, assert_same_tables):
    import torch

    random.seed(1)
    torch.manual_seed(1)
    one, _ = learning_market()
    one.run(2)
    random.seed(2)
    torch.manual_seed(2)
    other, _ = learning_market()
    other.run(2)
    assert_same_tables(one, other)


def test_a_market_leaves_its_population_as_it_was(population, market):
    people = population(lifetime_cap=5.0)
    before = [np.array(x) for x in (people.cap, people.lifetime_cap, people.valuations.rate)]
    market(people, 30.0).run(5)
    for column, same in zip(
        (people.cap, people.lifetime_cap, people.valuations.rate), before, strict=True
    ):
        assert column.tobytes() == same.tobytes()


def test_two_markets_on_one_population_do_not_disturb_each_other(
    population, market, assert_same_tables
):
    people = population(lifetime_cap=5.0)
    alone = market(people)
    alone.run(3)
    one, other = market(people), market(people, budget=30.0)
    for _ in range(3):
        one.step()
        other.step()
    assert_same_tables(alone, one)
