"""Experiment "market": one market of agents, round after round, with or without learning."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from market_sim import Population, Streams, budgets
from market_sim.errors import ScenarioError
from scenarios import registry
from scenarios.config import BuyerConfig, LearningConfig, Scenario
from scenarios.items import Item
from scenarios.units import Unit, law_of, mechanisms_at, population_of

if TYPE_CHECKING:
    from market_sim.learning import FederatedTask, Partition, TrainTest
    from market_sim.privacy import Perturbation

Columns = dict[str, Any]


def run_market(scenario: Scenario, unit: Unit) -> dict[str, Columns]:
    """Run the market of a unit.

    Owners, data, initial models and noise depend on the seed and the setting only, so units that
    differ in mechanism, aggregator or budget meet the same ones (common random numbers).

    Returns
    -------
    The tables "rounds", "owners" and "ledger".
    """
    with one_thread(scenario.learning is not None):
        return _run(scenario, unit)


def _run(scenario: Scenario, unit: Unit) -> dict[str, Columns]:
    from agents import BuyerTerms, Market

    rules = scenario.rules
    perturbation = registry.build("perturbation", scenario.perturbation)
    population, tasks = _prepare(scenario, unit, perturbation)
    money = float(budgets(population, unit.level, unit.law))  # type: ignore[arg-type]
    market = Market(
        population,
        [
            BuyerTerms(buyer.name, buyer.share * money, tasks.get(buyer.name))
            for buyer in rules.buyers
        ],
        mechanism=registry.build("mechanism", mechanisms_at(scenario, unit)[unit.mechanism]),
        aggregator=registry.build_aggregator(
            dict(registry.labels("aggregator", scenario.aggregators))[unit.aggregator],
            perturbation.clip,
            scenario.error.dim,
        ),
        perturbation=perturbation,
        strategy=registry.build("strategy", rules.strategy),
        owners=rules.owners,
        seed=unit.seed,
        dim=scenario.error.dim,
        record_owners=rules.record_owners,
    )
    market.run(rules.rounds)
    where = {
        "seed": unit.seed,
        "setting": unit.setting,
        "budget_law": unit.law,
        "budget_level": unit.level,
        "mechanism": unit.mechanism,
        "aggregator": unit.aggregator,
    }
    return {name: where | table for name, table in market.tables().items()}


def _prepare(
    scenario: Scenario, unit: Unit, perturbation: "Perturbation"
) -> tuple[Population, dict[str, "FederatedTask"]]:
    """Draw the owners and, if the market learns, the data that they hold."""
    config = population_of(scenario, unit)
    streams = Streams(unit.seed)
    population = law_of(config).sample(streams.generator("population"))
    learning = scenario.learning
    if learning is None:
        return population, {}
    tasks = {}
    for buyer in scenario.rules.buyers:
        data = load_data(buyer.dataset or learning.dataset)
        partition = _partition(learning, data, population, streams)
        if config.sizes == "partition":
            population = _with_sizes(population, partition.data_size)
        tasks[buyer.name] = _task(scenario, buyer, data, partition, perturbation, streams)
    return population, tasks


def _with_sizes(population: Population, sizes: Any) -> Population:
    """Return the population with data sizes, refused if an earlier task gave others."""
    if population.data_size is not None and not np.array_equal(population.data_size, sizes):
        raise ScenarioError(
            "sizes = 'partition' needs the same sizes for all buyers' data sets: "
            "use sizes = 'none' or one data set"
        )
    return Population(population.valuations, population.cap, sizes, population.lifetime_cap)


def _partition(
    learning: LearningConfig, data: "TrainTest", population: Population, streams: Streams
) -> "Partition":
    passed: dict[str, Any] = {}
    if learning.partition.name == "population-sizes":
        passed["sizes"] = _sizes_of(population, len(data.train))
    labels, rng = data.train.labels, streams.generator("partition")
    partition: Partition = registry.build(
        "partition",
        learning.partition,
        labels=labels,
        owners=population.owners,
        rng=rng,
        **passed,
    )
    return partition


def _sizes_of(population: Population, samples: int) -> NDArray[np.int64]:
    """Share all samples out in proportion to the owners' data sizes, at least one each."""
    size = population.data_size
    share = np.ones(population.owners) if size is None else size
    left = samples - population.owners
    more: NDArray[np.int64] = np.floor(max(left, 0) * share / share.sum()).astype(np.int64)
    return 1 + more


def _task(
    scenario: Scenario,
    buyer: BuyerConfig,
    data: "TrainTest",
    partition: "Partition",
    perturbation: "Perturbation",
    streams: Streams,
) -> "FederatedTask":
    from market_sim.learning import FederatedTask

    learning = scenario.learning
    assert learning is not None
    return FederatedTask(
        data,
        registry.build("model", buyer.model or learning.model),
        partition,
        perturbation,
        learning_rate=buyer.learning_rate or learning.learning_rate,
        momentum=learning.momentum,
        local_samples=learning.local_samples,
        streams=streams,
        name=buyer.name if len(scenario.rules.buyers) > 1 else "",
    )


def load_data(item: Item) -> "TrainTest":
    """Return a data set, read once a process.

    Raises
    ------
    DataUnavailable
        If it is not on this machine and cannot be fetched.
    """
    return _load(item.model_dump_json())


def majority_accuracy(scenario: Scenario) -> float | None:
    """Return the accuracy of always naming the largest class of the test set.

    None if nothing is learned, or if the buyers learn from different data sets.
    """
    learning = scenario.learning
    if learning is None:
        return None
    names = {(b.dataset or learning.dataset).model_dump_json() for b in scenario.rules.buyers}
    if len(names) > 1:
        return None
    labels = _load(names.pop()).test.labels
    return float(np.bincount(labels).max() / len(labels))


@lru_cache(maxsize=4)
def _load(item: str) -> "TrainTest":
    data: TrainTest = registry.build("dataset", Item.model_validate_json(item))
    return data


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """Let torch use one thread, so that sums have one order on every machine."""
    if not wanted:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
