"""Small markets and small learning tasks, made anew for each test."""

from collections.abc import Callable

import numpy as np
import pytest

import market_sim as ms
from agents import BuyerTerms, Market
from market_sim.privacy import LaplacePerturbation, Perturbation


@pytest.fixture(scope="session")
def population() -> Callable[..., ms.Population]:
    """Draw a population: `population(owners, seed, sizes=, lifetime_cap=, single_minded=)`."""

    def draw(owners: int = 8, seed: int = 0, **law) -> ms.Population:
        rng = ms.Streams(seed).generator("population")
        return ms.PopulationLaw(owners=owners, **law).sample(rng)

    return draw


@pytest.fixture(scope="session")
def market() -> Callable[..., Market]:
    """Build a market with one buyer, All-in and ErrorOpt, whatever is not given otherwise."""

    def build(population: ms.Population, budget: float = 10.0, **given) -> Market:
        buyers = given.pop("buyers", [BuyerTerms("buyer", budget)])
        rules = {"mechanism": ms.AllIn(), "aggregator": ms.ErrorOpt()}
        return Market(population, buyers, **(rules | given))

    return build


@pytest.fixture(scope="session")
def digits():
    """Return handwritten digits, a few hundred of them."""
    from sklearn.datasets import load_digits

    from market_sim.learning import Dataset, TrainTest

    images = load_digits()
    features = images.data / 16.0
    train, test = slice(0, 600), slice(1000, 1400)
    return TrainTest(
        "few digits",
        Dataset(features[train], images.target[train], 10),
        Dataset(features[test], images.target[test], 10),
    )


@pytest.fixture(scope="session")
def task(digits):
    """Build a task of logistic regression: `task(owners, perturbation, seed=, **given)`."""
    from market_sim.learning import FederatedTask, iid

    def build(
        owners: int, perturbation: Perturbation | None = None, seed: int = 0, **given
    ) -> FederatedTask:
        streams = ms.Streams(seed)
        partition = iid(digits.train.labels, owners, streams.generator("partition"))
        rate = given.pop("learning_rate", 1.0)
        noise = LaplacePerturbation() if perturbation is None else perturbation
        return FederatedTask(
            digits, "logistic", partition, noise, learning_rate=rate, streams=streams, **given
        )

    return build


@pytest.fixture(scope="session")
def assert_same_tables() -> Callable[..., None]:
    """Compare all columns of all tables, byte by byte."""

    def compare(one: Market, other: Market) -> None:
        first, second = one.tables(), other.tables()
        assert first.keys() == second.keys()
        for name, table in first.items():
            assert table.keys() == second[name].keys()
            for column, values in table.items():
                same = second[name][column]
                assert values.dtype == same.dtype, (name, column)
                assert values.shape == same.shape, (name, column)
                equal = (
                    values.tolist() == same.tolist()
                    if values.dtype == object
                    else (values.tobytes() == same.tobytes())
                )
                assert equal, f"{name}.{column} differs: {values} and {same}"

    return compare


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., np.ndarray]:
    """Select a column of a table where other columns have given values."""

    def select(table: dict[str, np.ndarray], column: str, **where) -> np.ndarray:
        keep = np.ones(len(table[column]), dtype=bool)
        for name, value in where.items():
            keep &= table[name] == value
        return table[column][keep]

    return select
