"""Bad input: one clear sentence each, before anything has happened."""

import numpy as np
import pytest

import market_sim as ms
from agents import BestResponding, BuyerTerms, DataOwner, FLMarket, Scaled
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation


@pytest.mark.parametrize("field", ["budget", "endowment"])
@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (0.0, "greater than 0, got 0"),
        (-2.0, "greater than 0, got -2"),
        (np.nan, "must not be NaN"),
        ("much", "must be .*numbers.*, got 'much'"),
        (None, "must not be NaN|must be .*numbers"),
        ([1.0, 2.0], "one number each"),
    ],
)
def test_money_of_buyers(field, amount, sentence):
    with pytest.raises(ms.InvalidInput, match=sentence):
        BuyerTerms("ada", **({"budget": 1.0} | {field: amount}))


def test_a_budget_is_finite_but_an_endowment_need_not_be():
    with pytest.raises(ms.InvalidInput, match="budget must be finite"):
        BuyerTerms("ada", np.inf)
    assert BuyerTerms("ada", 1.0, endowment=np.inf).endowment == np.inf


@pytest.mark.parametrize("name", ["", "endowment", "escrow", "owner 3"])
def test_reserved_names(name):
    with pytest.raises(ms.InvalidInput, match=f"cannot be called {name!r}"):
        BuyerTerms(name, 1.0)


@pytest.mark.parametrize("name", [3, None, ("a",)])
def test_names_are_text(name):
    with pytest.raises(ms.InvalidInput, match="must be text"):
        BuyerTerms(name, 1.0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"buyers": []}, "at least one buyer, got none"),
        ({"buyers": [BuyerTerms("a", 1), BuyerTerms("a", 2)]}, r"different names.*\['a', 'a'\]"),
        ({"buyers": BuyerTerms("a", 1)}, "must be a list of BuyerTerms"),
        ({"buyers": [("a", 1.0)]}, "must be a list of BuyerTerms"),
        ({"owners": "columns"}, "'columns'"),
        ({"mechanism": ms.AllIn}, "mechanism must be an instance"),
        ({"mechanism": "all-in"}, "mechanism must be an instance.*'all-in'"),
        ({"aggregator": ms.DataSize}, "aggregator must be an instance"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"seed": None}, "seed must be a whole number"),
        ({"rng": np.random.default_rng(1)}, "seed must be a whole number"),
        ({"rounds": 0}, "rounds must be a whole number of at least 1, got 0"),
        ({"rounds": True}, "rounds must be a whole number"),
        ({"dim": 0}, "dim must be a whole number of at least 1, got 0"),
        ({"dim": 2.5}, "dim must be a whole number"),
        ({"exceptions": [(Scaled(), [8])]}, r"numbered 0 to 7, got \[8\]"),
        ({"exceptions": [(Scaled(), [-1])]}, r"numbered 0 to 7, got \[-1\]"),
        ({"exceptions": [(Scaled(), [0.5])]}, r"numbered 0 to 7, got \[0.5\]"),
        ({"exceptions": [(Scaled(), [True] * 8)]}, "numbered 0 to 7"),
        ({"exceptions": [(Scaled(), "all")]}, "numbered 0 to 7, got 'all'"),
        ({"owner_types": {9: DataOwner}}, r"numbered 0 to 7, got \[9\]"),
        ({"owner_types": {1: Scaled}}, "owner 1 must be of a subclass of DataOwner"),
        ({"owner_types": {1: None}}, "owner 1 must be of a subclass of DataOwner, got None"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else next(iter(value)),
)
def test_terms_of_a_market(population, market, given, sentence):
    with pytest.raises(ms.InvalidInput, match=sentence):
        market(population(), **given)


def test_leading_axes_of_the_population(market):
    law, rng = ms.fl_market_2021(5), np.random.default_rng(0)
    with pytest.raises(ms.InvalidInput, match=r"one population, got profiles \(3,\)"):
        market(law.sample(rng, (3,)))


def test_a_population_and_nothing_else(population, market):
    with pytest.raises(ms.InvalidInput, match=r"must be ms.Population, got Reports"):
        market(population().reports())


@pytest.mark.parametrize("row", [-1, 8, 1.5])
def test_an_unknown_owner(population, market, row):
    with pytest.raises(ms.InvalidInput, match="numbered 0 to 7"):
        market(population()).owner(row)


@pytest.mark.parametrize("rounds", [0, -3, 2.5, True])
def test_numbers_of_rounds(population, market, rounds):
    one = market(population())
    with pytest.raises(ms.InvalidInput, match="rounds must be a whole number of at least 1"):
        one.run(rounds)
    assert one.round == 0


@pytest.mark.parametrize("given", [{"value": -1.0}, {"cap": 0.0}, {"cap": np.nan}, {"value": [1]}])
def test_factors_of_scaled(given):
    with pytest.raises(ms.InvalidInput, match=r"value|cap"):
        Scaled(**given)


@pytest.mark.parametrize(
    ("values", "caps", "sentence"),
    [
        ((), (1.0,), "at least one factor"),
        ((1.0,), (), "at least one factor"),
        ((-1.0,), (1.0,), "value_factors must be at least 0"),
        ((1.0,), (0.0,), "cap_factors must be greater than 0"),
        ((np.inf,), (1.0,), "value_factors must be finite"),
    ],
)
def test_factors_of_best_responding(values, caps, sentence):
    with pytest.raises(ms.InvalidInput, match=sentence):
        BestResponding(values, caps)


def test_a_task_for_other_owners(population, market, task):
    terms = [BuyerTerms("ada", 5.0, task(5))]
    with pytest.raises(ms.InvalidInput, match=r"task of ada has data of 5 owners .* has 8"):
        market(population(), buyers=terms)


@pytest.mark.parametrize(
    "noise", [GaussianPerturbation(), LaplacePerturbation(clip=2.0)], ids=lambda p: p.name
)
def test_a_task_with_other_noise_than_the_ledger_composes(population, market, task, noise):
    terms = [BuyerTerms("ada", 5.0, task(8, noise))]
    with pytest.raises(ms.InvalidInput, match=r"task of ada perturbs by .* give both the same"):
        market(population(), buyers=terms)
    assert market(population(), buyers=terms, perturbation=noise).round == 0


def test_two_buyers_of_one_model(population, market, task):
    job = task(8)
    terms = [BuyerTerms("ada", 5.0, job), BuyerTerms("bob", 5.0, job)]
    with pytest.raises(ms.InvalidInput, match="share one task"):
        market(population(), buyers=terms)


def test_a_mechanism_that_forgets_owners(population, market):
    class Forgetful(ms.AllIn):
        def clear(self, reports, budget):
            return super().clear(reports.select(np.arange(3)), budget)

    one = market(population(), mechanism=Forgetful())
    with pytest.raises(ms.InvalidInput, match=r"shape \(8,\), got \(3,\)"):
        one.step()


@pytest.mark.parametrize(
    "given",
    [
        {"number_of_owners": 0},
        {"budget": -1.0},
        {"payment": "fair"},
        {"max_cap": 0.1},
        {"rounds": 0},
        {"seed": -1},
        {"seed": "x"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_the_ready_made_market(given):
    with pytest.raises(ms.InvalidInput):
        FLMarket(**given)


def test_data_sizes_of_the_population_determine_weights_where_a_task_has_others(
    population, market, task
):
    """The market's own sizes are what is traded; without any, the task's sizes are used."""
    sold, drawn, job = np.ones(4), population(4, 0), task(4)
    sizes = np.array([1.0, 2.0, 3.0, 4.0])
    assert job.data_size.tolist() == [150.0] * 4
    sized = ms.Population(drawn.valuations, drawn.cap, sizes)
    for people, expected in ((sized, sizes / 10), (drawn, sold / 4)):
        one = market(people, buyers=[BuyerTerms("ada", 1e4, task(4))], aggregator=ms.DataSize())
        one.step()
        assert one.tables()["rounds"]["winners"].tolist() == [4]
        assert one.tables()["owners"]["weight"] == pytest.approx(expected)
