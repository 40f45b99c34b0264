"""From money to accuracy: a model learns from what was bought, and only from that."""

import numpy as np
import pytest

import market_sim as ms
from agents import BuyerTerms
from market_sim.learning import iid
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation


def owners(number, cap=40.0):
    """Owners who ask little for much."""
    return ms.Population(
        ms.Valuations("linear", np.linspace(0.5, 1.5, number)), np.full(number, cap)
    )


@pytest.mark.parametrize(
    ("noise", "rate"),
    [(LaplacePerturbation(clip=5.0), 1.0), (GaussianPerturbation(), 2.0)],
    ids=["laplace", "gaussian"],
)
def test_accuracy_rises_with_a_generous_budget(market, task, noise, rate):
    job = task(12, noise, seed=1, learning_rate=rate)
    start = job.evaluate()
    one = market(owners(12, 80.0), buyers=[BuyerTerms("ada", 1e5, job)], perturbation=noise, seed=1)
    one.run(25)
    rounds = one.tables()["rounds"]
    assert start.accuracy < 0.3
    assert rounds["accuracy"][-1] > 0.7
    assert rounds["balanced_accuracy"][-1] > 0.7
    assert rounds["auc"][-1] > 0.95
    assert rounds["loss"][-1] < rounds["loss"][0] < start.loss
    assert rounds["accuracy"][20:].mean() > rounds["accuracy"][:5].mean() + 0.1
    assert rounds["accuracy"][-1] == job.evaluate().accuracy


def test_without_sales_the_model_stays_at_chance(market, task):
    job = task(12, seed=1)
    start = job.evaluate()
    one = market(owners(12), buyers=[BuyerTerms("ada", 1e-3, job)], seed=1)
    one.run(10)
    rounds = one.tables()["rounds"]
    assert set(rounds["status"]) == {"no winner"}
    assert set(rounds["accuracy"]) == {start.accuracy}
    assert start.accuracy < 0.3


def test_more_money_buys_better_models(market, task):
    accuracy, noise = [], LaplacePerturbation(clip=5.0)
    for budget in (5.0, 1e5):
        job = task(12, noise, seed=2)
        terms = [BuyerTerms("ada", budget, job)]
        one = market(owners(12, 80.0), buyers=terms, perturbation=noise, seed=2)
        one.run(15)
        accuracy.append(one.tables()["rounds"]["accuracy"][10:].mean())
    assert accuracy[0] < 0.4
    assert accuracy[1] > accuracy[0] + 0.3


def test_two_buyers_learn_two_models_with_their_own_money(market, task, rows_of):
    rich, poor = task(12, seed=3, name="rich"), task(12, seed=3, name="poor")
    terms = [BuyerTerms("rich", 300.0, rich), BuyerTerms("poor", 1e-3, poor)]
    one = market(owners(12), buyers=terms, seed=3)
    one.run(8)
    rounds = one.tables()["rounds"]
    assert len(set(rows_of(rounds, "loss", buyer="poor"))) == 1
    assert len(set(rows_of(rounds, "loss", buyer="rich"))) == 8
    assert rows_of(rounds, "accuracy", buyer="rich")[-1] == rich.evaluate().accuracy


def test_the_model_is_moved_by_what_the_weights_and_the_noise_say(market, task):
    job, twin = task(5, seed=4), task(5, seed=4)
    one = market(owners(5, 3.0), buyers=[BuyerTerms("ada", 12.0, job)], seed=4)
    one.run(2)
    table = one.tables()["owners"]
    for round_ in range(2):
        block = slice(5 * round_, 5 * round_ + 5)
        assert 0 < (table["weight"][block] > 0).sum() < 5
        twin.update(twin.deliver(table["epsilon"][block], table["weight"][block], round_))
    assert twin.parameters().tobytes() == job.parameters().tobytes()


def test_models_are_evaluated_only_when_they_changed(market, task, monkeypatch):
    job, times = task(5), []
    evaluate = job.evaluate
    monkeypatch.setattr(job, "evaluate", lambda: times.append(1) or evaluate())
    terms = [BuyerTerms("ada", 9.0, job, endowment=17.0)]
    one = market(owners(5, 3.0), buyers=terms, mechanism=ms.AllIn("published"))
    one.run(6)
    rounds = one.tables()["rounds"]
    assert rounds["status"].tolist() == ["traded"] * 2 + ["no money"] * 4
    assert len(times) == 2
    assert len(set(rounds["loss"][1:])) == 1


def test_sizes_of_the_data_reach_the_weights(market, task, digits):
    from market_sim.learning import FederatedTask, quantity_skew

    streams, noise = ms.Streams(1), LaplacePerturbation()
    sizes = np.array([10, 30, 60])
    parts = quantity_skew(digits.train.labels, 3, streams.generator("parts"), sizes=sizes)
    job = FederatedTask(digits, "logistic", parts, noise, learning_rate=1.0, streams=streams)
    one = market(owners(3), buyers=[BuyerTerms("ada", 1e4, job)], aggregator=ms.DataSize())
    one.step()
    assert one.tables()["owners"]["weight"] == pytest.approx(sizes / 100)
    even = iid(digits.train.labels, 3, streams.generator("parts"))
    assert even.data_size.tolist() == [200.0] * 3
