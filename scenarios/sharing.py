"""Experiment "sharing": participants learn from each other's models, by every method and rule."""

import re
from collections.abc import Mapping
from io import BytesIO
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from market_sim import Streams
from market_sim.errors import InvalidInput, ScenarioError
from scenarios import registry
from scenarios.config import Scenario
from scenarios.items import Item
from scenarios.joining import joined
from scenarios.markets import load_data, one_thread
from scenarios.results import write_file
from scenarios.sharing_markets import SharingConfig
from scenarios.units import Unit

if TYPE_CHECKING:
    from agents.sharing import ModelMarket, Role, TradeRule
    from market_sim.learning import PersonalTask, SharingMethod

_SAMPLES, _CLASSES = 1_000_000, 100  # at least what any data set has
_TABLES = ("sharing_rounds", "sharing_participants", "sharing_edges", "sharing_ledger")
GRAPHS = "graphs"
"""Folder of a run with the graph of each market's last round, as GraphML."""


def run_sharing(
    scenario: Scenario, unit: Unit, path: Path, _: object = None
) -> dict[str, dict[str, Any]]:
    """Run the market that a unit names, once for each method and rule.

    Data, roles, initial models and batches depend on the seed only, so methods meet the same ones.
    The graph of the last round is written beside the tables.

    Returns
    -------
    The tables "sharing_rounds", "sharing_participants", "sharing_edges" and "sharing_ledger".
    """
    entry = next(each for each in scenario.sharing if each.name == unit.setting)
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    # Results do not depend on torch's threads here; several processes take one each.
    with one_thread(parent_process() is not None):
        for method, rule in entry.variants():
            market = market_of(scenario, entry, unit.seed, method, rule)
            market.run(entry.rounds)
            where = {
                "seed": unit.seed,
                "market": entry.name,
                "title": entry.title or entry.name,
                "method": method,
                "rule": rule,
            }
            tables = market.tables()
            for name in _TABLES:
                table = tables["ledger" if name == "sharing_ledger" else name]
                parts[name].append(where | table)
            _write_graph(path, f"{unit.id}-{method}-{rule}", market)
    return {name: joined(name, blocks) for name, blocks in parts.items()}


def check_sharing(scenario: Scenario, origin: str) -> None:
    """Refuse roles, rules, methods and partitions that cannot be set up, before anything runs.

    Data are not loaded for it: partitions are tried on made-up labels, more than there are.

    Raises
    ------
    ScenarioError
        Naming the file, the market and what is wrong with it.
    """
    for entry in scenario.sharing:
        try:
            _check_entry(scenario, entry)
        except (InvalidInput, TypeError) as problem:
            raise ScenarioError(f"{origin}: sharing.{entry.name}: {problem}") from problem


def _check_entry(scenario: Scenario, entry: SharingConfig) -> None:
    """Set up what needs no data, once."""
    roles = roles_of(entry)
    for role in roles:
        _check_reports(role)
    for method, rule in entry.variants():
        method_of(entry, method)
        _trade(entry, rule)
    item = entry.partition or (scenario.learning.partition if scenario.learning else None)
    if item is not None:
        registry.check("partition", item)
        _check_partition(item, len(roles))


def _check_reports(role: "Role") -> None:
    """Refuse lies so large that they are no numbers."""
    said = role.says(role.truth(float(_SAMPLES)), 0)
    for name, value in vars(said).items():
        if not np.isfinite(value):
            raise InvalidInput(
                f"a {role.kind} would report the {name} {value:g}: choose smaller factors"
            )


def _check_partition(item: Item, participants: int) -> None:
    """Refuse arguments that fit no data set, such as more clusters than participants."""
    labels = np.arange(_SAMPLES) % _CLASSES
    rng = np.random.default_rng(0)
    registry.build("partition", item, labels=labels, owners=participants, rng=rng)


def _trade(entry: SharingConfig, rule: str) -> "TradeRule":
    from agents.sharing import TradeRule

    return TradeRule(rule, entry.graph if rule != "free" else None, entry.penalty)


def roles_of(entry: SharingConfig) -> list["Role"]:
    """Return the participants' roles, dealt out in turn so that no group gets one kind only.

    Raises
    ------
    InvalidInput
        If a role refuses a number.
    """
    from agents.sharing import ROLES

    stacks = [
        [ROLES[config.role](**config.settings()) for _ in range(config.number)]
        for config in entry.participants
    ]
    places = [
        ((place + 0.5) / len(stack), order, role)
        for order, stack in enumerate(stacks)
        for place, role in enumerate(stack)
    ]
    return [role for _, _, role in sorted(places, key=lambda each: each[:2])]


def market_of(
    scenario: Scenario, entry: SharingConfig, seed: int, method: str, rule: str
) -> "ModelMarket":
    """Return the market of a record under a method and a rule."""
    from agents.sharing import ModelMarket

    roles = roles_of(entry)
    task, clusters = task_of(scenario, entry, roles, seed)
    return ModelMarket(
        roles,
        task,
        method=method_of(entry, method),
        trade=_trade(entry, rule),
        clusters=clusters,
        seed=seed,
    )


def method_of(entry: SharingConfig, name: str) -> "SharingMethod":
    """Return a way to learn from each other, by name."""
    from market_sim.learning import IPFL, Ditto, FedAvg, FedProx, Local, PFedGraph

    if name == "ipfl":
        return IPFL(penalty=entry.penalty, step=entry.step)
    plain = {"local": Local, "fedavg": FedAvg, "fedprox": FedProx, "ditto": Ditto}
    method: SharingMethod = (plain | {"pfedgraph": PFedGraph})[name]()
    return method


def task_of(
    scenario: Scenario, entry: SharingConfig, roles: list["Role"], seed: int
) -> tuple["PersonalTask", Any]:
    """Return what participants learn, and the group of each."""
    from market_sim.learning import PersonalTask

    learning = scenario.learning
    assert learning is not None  # required by the scenario
    streams = Streams(seed)
    data = load_data(learning.dataset)
    item = entry.partition or learning.partition
    partition = registry.build(
        "partition",
        item,
        labels=data.train.labels,
        owners=len(roles),
        rng=streams.generator("partition"),
    )
    task = PersonalTask(
        data,
        registry.build("model", learning.model),
        partition,
        learning_rate=learning.learning_rate,
        momentum=entry.momentum,
        weight_decay=entry.weight_decay,
        batch=entry.batch,
        local_steps=entry.local_steps,
        streams=streams,
        attacks=_attacks(entry, roles),
    )
    return task, groups_of(item, len(roles))


def groups_of(item: Item, participants: int) -> Any:
    """Return the group of each participant under a partition; one group if it knows none."""
    if item.name != "cluster":
        return np.zeros(participants, dtype=np.int64)
    from inspect import signature

    from market_sim.learning import cluster, cluster_of

    default = signature(cluster).parameters["clusters"].default
    return cluster_of(participants, item.arguments.get("clusters", default))


def _attacks(entry: SharingConfig, roles: list["Role"]) -> Mapping[int, Any]:
    from market_sim.learning import ConstantParameters, GaussianParameters, LabelShuffle, SignFlip

    made = {
        "sign-flip": SignFlip(),
        "label-shuffle": LabelShuffle(),
        "gaussian": GaussianParameters(),
        "constant": ConstantParameters(entry.constant),
    }
    return {row: made[role.attack] for row, role in enumerate(roles) if role.attack is not None}


def _write_graph(path: Path, name: str, market: "ModelMarket") -> None:
    import networkx as nx

    buffer = BytesIO()
    nx.write_graphml(market.graph, buffer)
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    write_file(path / GRAPHS / f"{safe}.graphml", lambda file: file.write(buffer.getvalue()))
