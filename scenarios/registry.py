"""What a scenario may name: mechanisms, aggregators, perturbations, strategies, partitions, data.

A name leads to a class or function by its place, `module:attribute`, which is imported on first
use; a scenario may give such a place itself, for classes of its user.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from market_sim.errors import InvalidInput, ScenarioError
from scenarios.config import Scenario
from scenarios.items import Item
from scenarios.overrides import nearest

Group = Literal[
    "mechanism",
    "aggregator",
    "perturbation",
    "strategy",
    "partition",
    "model",
    "dataset",
    "recipe",
]


@dataclass(frozen=True)
class Entry:
    """Where a registered class lies, and the arguments that its name implies."""

    place: str
    preset: Mapping[str, Any] = field(default_factory=dict)


_NETWORKS = "market_sim.mechanisms.networks"
_REGISTRY: dict[Group, dict[str, Entry]] = {
    "mechanism": {
        "all-in": Entry("market_sim:AllIn"),
        "all-in-critical": Entry("market_sim:AllIn", {"payment": "critical"}),
        "all-in-singer": Entry("market_sim:AllIn", {"payment": "singer"}),
        "all-in-published": Entry("market_sim:AllIn", {"payment": "published"}),
        "posted-price": Entry("market_sim:PostedPrice"),
        "linear-price": Entry("market_sim:LinearPrice"),
        "pac": Entry("market_sim:PAC"),
        "vcg": Entry("market_sim:VCG"),
        "budget-capped-threshold": Entry("market_sim:BudgetCappedThreshold"),
        "csra": Entry("market_sim:CSRA"),
        "mfg-pricing": Entry("market_sim:MFGPricing"),
        "first-price": Entry("market_sim:FirstPrice"),
        "proportional-share": Entry("market_sim:ProportionalShare"),
        "leave-one-out": Entry("market_sim:LeaveOneOut"),
        "no-privacy": Entry("market_sim:NoPrivacy"),
        "uniform-epsilon": Entry("market_sim:UniformEpsilon"),
        "murba": Entry("market_sim:MURBA"),
        "m-regret-net": Entry("market_sim:MRegretNet"),
        "dm-regret-net": Entry("market_sim:DMRegretNet"),
        "regret-net": Entry("market_sim:RegretNet"),
        "published-mfg-regret-net": Entry("market_sim:PublishedMFGRegretNet"),
        "mfg-regret-net": Entry("market_sim:MFGRegretNet"),
        "equivariant-regret-net": Entry("market_sim:EquivariantRegretNet"),
        "sequential-menu": Entry("market_sim:SequentialMenu"),
    },
    "aggregator": {
        "error-opt": Entry("market_sim:ErrorOpt"),
        "var-opt": Entry("market_sim:VarOpt"),
        "bias-opt": Entry("market_sim:BiasOpt"),
        "water-filling": Entry("market_sim:WaterFilling"),
        "data-size": Entry("market_sim:DataSize"),
        "epsilon-share": Entry("market_sim:EpsilonShare"),
    },
    "perturbation": {
        "laplace": Entry("market_sim.privacy:LaplacePerturbation"),
        "gaussian": Entry("market_sim.privacy:GaussianPerturbation"),
    },
    "strategy": {
        "truthful": Entry("agents.strategies:Truthful"),
        "scaled": Entry("agents.strategies:Scaled"),
        "best-responding": Entry("agents.strategies:BestResponding"),
        "inert-best-responding": Entry("agents.learners:InertBestResponding"),
        "no-regret": Entry("agents.learners:NoRegretReporting"),
        "price-taking": Entry("agents.following:PriceTaking"),
    },
    "partition": {
        "iid": Entry("market_sim.learning:iid"),
        "dirichlet": Entry("market_sim.learning:dirichlet"),
        "shards": Entry("market_sim.learning:shards"),
        "quantity-skew": Entry("market_sim.learning:quantity_skew"),
        "cluster": Entry("market_sim.learning:cluster"),
        "class-skew": Entry("market_sim.learning:class_skew"),
        "population-sizes": Entry("market_sim.learning:quantity_skew"),
    },
    "model": {
        "logistic": Entry("market_sim.learning:Logistic"),
        "mlp": Entry("market_sim.learning:MLP"),
        "cnn": Entry("market_sim.learning:CNN"),
    },
    "dataset": {},
    "recipe": {
        "murba": Entry(f"{_NETWORKS}.regret_net_recipe:RegretNetRecipe", {"auction": "murba"}),
        "m-regret-net": Entry(
            f"{_NETWORKS}.regret_net_recipe:RegretNetRecipe", {"auction": "m-regret-net"}
        ),
        "dm-regret-net": Entry(
            f"{_NETWORKS}.regret_net_recipe:RegretNetRecipe", {"auction": "dm-regret-net"}
        ),
        "regret-net": Entry(
            f"{_NETWORKS}.regret_net_recipe:RegretNetRecipe",
            {"auction": "regret-net", "options": 1},
        ),
        "published-mfg-regret-net": Entry(f"{_NETWORKS}.mfg_recipe:PublishedMFGRecipe"),
        "mean-field-auction": Entry(f"{_NETWORKS}.mean_field_recipe:MeanFieldRecipe"),
        "equivariant": Entry(f"{_NETWORKS}.equivariant_recipe:EquivariantRecipe"),
        "sequential-menu": Entry(f"{_NETWORKS}.menu_recipe:MenuRecipe"),
    },
}
_PLACE = ("setting", "law", "owners", "population")
# What the run itself passes, so that a scenario cannot.
_PASSED: dict[Group, tuple[str, ...]] = {
    "partition": ("labels", "owners", "rng", "sizes"),
    "dataset": ("name",),
}


def register(group: Group, name: str, place: str, **preset: Any) -> None:
    """Make `place` ("module:attribute") known under a name, with arguments that the name implies.

    Raises
    ------
    InvalidInput
        If the name is taken or the place is not of this form.
    """
    if name in _REGISTRY[group]:
        raise InvalidInput(f"the {group} {name!r} is registered already: choose another name")
    if place.count(":") != 1:
        raise InvalidInput(f"a place must read 'module:attribute', got {place!r}")
    _REGISTRY[group][name] = Entry(place, preset)


def names(group: Group) -> list[str]:
    """Names of a group, sorted."""
    return sorted(_entries(group))


def _entries(group: Group) -> dict[str, Entry]:
    if group != "dataset":
        return _REGISTRY[group]
    from market_sim.learning import dataset_names

    known = {
        name: Entry("market_sim.learning:load_dataset", {"name": name}) for name in dataset_names()
    }
    return known | _REGISTRY["dataset"]


def check(group: Group, item: Item) -> None:
    """Refuse a name that is not registered, and arguments that its class does not take.

    Raises
    ------
    ScenarioError
        With the nearest known name.
    """
    _target(group, item)


def build(group: Group, item: Item, **passed: Any) -> Any:
    """Return what an item describes.

    Parameters
    ----------
    group
        What kind of thing it is.
    item
        Its name and arguments.
    passed
        Further arguments, from the run.

    Raises
    ------
    ScenarioError
        If the name or an argument is unknown, or the class refuses a value.
    """
    target, preset = _target(group, item)
    given = {name: _frozen(value) for name, value in item.arguments.items()}
    try:
        return target(**{**preset, **given, **passed})
    except (InvalidInput, TypeError) as problem:
        raise ScenarioError(f"{group} {item.name!r}: {problem}") from problem


def build_aggregator(item: Item, clip: float, dim: int) -> Any:
    """Return an aggregator, told L and d if it asks for them and the scenario does not say."""
    target, _ = _target("aggregator", item)
    asked = inspect.signature(target).parameters
    constants = {"clip": clip, "dim": dim}
    left = {n: v for n, v in constants.items() if n in asked and n not in item.arguments}
    return build("aggregator", item, **left)


def label(group: Group, item: Item) -> str:
    """Return what tables call an item: its label, else the name its instance has."""
    if item.label is not None:
        return item.label
    return str(getattr(build(group, item), "name", item.name))


def labels(group: Group, items: Sequence[Item]) -> list[tuple[str, Item]]:
    """Return items with what tables call them."""
    return [(label(group, item), item) for item in items]


def parameters(group: Group, item: Item) -> Mapping[str, Any]:
    """Return the annotations of the arguments that the class of an item takes, by name."""
    found = inspect.signature(_target(group, item)[0]).parameters
    return {name: parameter.annotation for name, parameter in found.items()}


def _target(group: Group, item: Item) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the class or function of an item and the arguments that its name implies."""
    entry = Entry(item.name) if ":" in item.name else _entries(group).get(item.name)
    if entry is None:
        raise ScenarioError(f"there is no {group} {item.name!r}{nearest(item.name, names(group))}")
    target = _imported(entry.place)
    parameters = inspect.signature(target).parameters
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return target, dict(entry.preset)
    reserved = {*_PASSED.get(group, ()), *entry.preset}
    for argument in item.arguments:
        if argument not in parameters or argument in reserved:
            known = [name for name in parameters if name not in reserved]
            hint = nearest(argument, known) if known else "; it takes none."
            raise ScenarioError(f"{group} {item.name!r} has no argument {argument!r}{hint}")
    return target, dict(entry.preset)


@cache
def _imported(place: str) -> Callable[..., Any]:
    module, _, attribute = place.partition(":")
    if not all(module.split(".")):
        raise ScenarioError(
            f"{place!r} cannot be imported: {module!r} is no module; write 'module:attribute', "
            "such as my_rules:Mine for a file my_rules.py in this folder"
        )
    try:
        target = getattr(_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as problem:
        raise ScenarioError(f"{place!r} cannot be imported: {problem}") from problem
    if not callable(target):
        raise ScenarioError(f"{place!r} is no class or function, got {type(target).__name__}")
    called: Callable[..., Any] = target
    return called


def _module(name: str) -> ModuleType:
    """Import a module; one that is nowhere else is looked for in the present folder."""
    try:
        return import_module(name)
    except ModuleNotFoundError as problem:
        here = str(Path.cwd())
        if problem.name != name.partition(".")[0] or here in sys.path:
            raise
        sys.path.append(here)  # at the end, so that it hides nothing
        return import_module(name)


def _frozen(value: Any) -> Any:
    """Turn lists into tuples, which frozen classes can hold."""
    return tuple(_frozen(entry) for entry in value) if isinstance(value, list | tuple) else value


def check_items(scenario: Scenario, origin: str) -> None:
    """Refuse a scenario that names something unknown or wrong, before anything runs.

    Raises
    ------
    ScenarioError
        Naming the file, the key and what is wrong with it.
    """
    for key, group, item in _items(scenario):
        try:
            if group in ("partition", "dataset", "recipe"):
                check(group, item)
            else:
                build(group, item)
        except InvalidInput as problem:
            raise ScenarioError(f"{origin}: {key}: {problem}") from problem
    _check_own(scenario, origin)
    if scenario.training is not None:
        return
    _require_known_places(scenario, origin)
    _require_distinct_labels("mechanism", scenario.mechanisms, origin)
    _require_known_labels(scenario, origin)
    if scenario.experiment not in ("audit", "attack", "bidding"):
        _require_distinct_labels("aggregator", scenario.aggregators, origin)


_CHECKS = {
    "fair-value": "fair_value:check_fair",
    "platform": "fair_value:check_fair",
    "training": "training:check_training",
    "versions": "versions:check_versions",
    "sharing": "sharing:check_sharing",
    "mean-field": "mean_fields:check_mean_field",
    "bidding": "bidding:check_bidding",
}
"""Module and function that check what only one kind of experiment has."""


def _check_own(scenario: Scenario, origin: str) -> None:
    """Check what only this kind of experiment has."""
    if (place := _CHECKS.get(scenario.experiment)) is not None:
        module, _, name = place.partition(":")
        getattr(import_module(f"scenarios.{module}"), name)(scenario, origin)


def _require_distinct_labels(group: Group, items: tuple[Item, ...], origin: str) -> None:
    for (first, item), (second, other) in combinations(labels(group, items), 2):
        if first == second and _may_meet(item, other):
            raise ScenarioError(
                f"{origin}: two {group}s are called {first!r}: give one of them a label"
            )


def _require_known_labels(scenario: Scenario, origin: str) -> None:
    """Refuse to certify a mechanism that the scenario does not have."""
    known = [name for name, _ in labels("mechanism", scenario.mechanisms)]
    for name in scenario.attack.certify if scenario.attack is not None else ():
        if name not in known:
            raise ScenarioError(f"{origin}: attack.certify names {name!r}{nearest(name, known)}")


def _may_meet(item: Item, other: Item) -> bool:
    """Tell whether two items take part in one place."""
    if item.where is None or other.where is None:
        return True
    pairs = ((getattr(item.where, key), getattr(other.where, key)) for key in _PLACE)
    return all(not one or not two or set(one) & set(two) for one, two in pairs)


def _require_known_places(scenario: Scenario, origin: str) -> None:
    """Refuse a mechanism that takes part where the scenario never is."""
    known: dict[str, list[str]] = {
        "setting": [entry.name for entry in scenario.settings],
        "law": [entry.law for entry in scenario.budget],
    }
    for place, item in enumerate(scenario.mechanisms):
        for key, there in known.items():
            for name in getattr(item.where, key, ()):
                if name not in there:
                    raise ScenarioError(
                        f"{origin}: mechanisms.{place}.where.{key} is {name!r}, which the "
                        f"scenario does not have{nearest(name, there)}"
                    )


def _items(scenario: Scenario) -> list[tuple[str, Group, Item]]:
    """List every item that the scenario uses, with its key and group."""
    found: list[tuple[str, Group, Item]] = [
        (f"mechanisms.{place}", "mechanism", item) for place, item in enumerate(scenario.mechanisms)
    ]
    if scenario.training is not None:
        return [("training.recipe", "recipe", scenario.training.recipe)]
    if scenario.experiment in ("audit", "attack", "bidding"):
        return found
    found += [
        (f"aggregators.{place}", "aggregator", item)
        for place, item in enumerate(scenario.aggregators)
    ]
    if scenario.experiment == "market":
        found.append(("perturbation", "perturbation", scenario.perturbation))
        found.append(("market.strategy", "strategy", scenario.rules.strategy))
    if scenario.learning is not None:
        found += [
            ("learning.dataset", "dataset", scenario.learning.dataset),
            ("learning.model", "model", scenario.learning.model),
            ("learning.partition", "partition", scenario.learning.partition),
        ]
        for place, buyer in enumerate(scenario.rules.buyers):
            key = f"market.buyers.{place}"
            if buyer.dataset is not None:
                found.append((f"{key}.dataset", "dataset", buyer.dataset))
            if buyer.model is not None:
                found.append((f"{key}.model", "model", buyer.model))
    return found
