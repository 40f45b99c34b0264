"""Experiment "training": a learned auction, from a recipe to a network that scenarios name."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from market_sim.errors import InvalidInput, ScenarioError
from scenarios import registry
from scenarios.config import Scenario
from scenarios.markets import one_thread
from scenarios.populations import PopulationConfig
from scenarios.schemas import TABLES
from scenarios.units import Unit, law_of, plan, setting_of

Row = dict[str, float]
Log = Callable[[Unit, Mapping[str, float]], None]
NETWORK = "network.safetensors"
_CHECKPOINTS = "checkpoints"
_UNUSUAL = {
    "kinds": "population.kinds",
    "rate": "population.rate",
    "min_cap": "the smallest cap",
    "single_minded": "population.single_minded",
    "clip": "error.clip",
    "dim": "error.dim",
    "budget": "budget.law",
}
_OF_THE_LAW = ("kinds", "rate", "min_cap")
_PLAIN = {"owners": int, "single_minded": bool}
_TIMES = ("seconds",)  # differ from run to run: same seed, same bytes


def run_training(
    scenario: Scenario, unit: Unit, path: Path, log: Log | None = None
) -> dict[str, dict[str, Any]]:
    """Train the network of a unit, or go on where an interrupted run of it stopped.

    Parameters
    ----------
    scenario, unit
        The recipe, the owners and the money.
    path
        The run's folder; the network is written into it, checkpoints beside it until it is done.
    log
        Called with the named numbers of every logged iteration.

    Returns
    -------
    The table "training" with a row for each logged iteration and measure.
    """
    place = path / _CHECKPOINTS / unit.id
    history = History(place.with_suffix(".jsonl"))
    place.mkdir(parents=True, exist_ok=True)

    def note(row: Mapping[str, float]) -> None:
        history.add(row)
        if log is not None:
            log(unit, row)

    with one_thread(wanted=True):
        trained = recipe_of(scenario, unit).train(
            folder=place, progress=note, resume=any(place.iterdir())
        )
        trained.save(network_file(scenario, unit, path))
    return {"training": _columns(scenario, unit, history.rows)}


def network_file(scenario: Scenario, unit: Unit, path: Path) -> Path:
    """Return where the network of a unit is kept: one a run is called `network.safetensors`."""
    if scenario.seeds == 1 and len(scenario.settings) == 1:
        return path / NETWORK
    return path / f"network-{unit.setting}-{unit.seed}.safetensors"


def network_files(scenario: Scenario, path: Path) -> list[Path]:
    """Return the networks of a run that are finished."""
    files = [network_file(scenario, unit, path) for unit in plan(scenario)]
    return [file for file in files if file.is_file()]


def recipe_of(scenario: Scenario, unit: Unit) -> Any:
    """Return the recipe of a unit, told those of the scenario's facts that it asks for.

    Raises
    ------
    ScenarioError
        If the recipe refuses them, or cannot be told how the owners differ from the usual ones.
    """
    assert scenario.training is not None
    item = scenario.training.recipe
    asked = registry.parameters("recipe", item)
    owners = scenario.population_of(setting_of(scenario, unit), scenario.budget[0])
    facts = _owner_facts(owners) | _money_facts(scenario) | {"seed": unit.seed}
    usual = _owner_facts(PopulationConfig()) | {"clip": 1.0, "dim": 1, "budget": "proportional"}
    # A law by name says all that differs; a recipe that takes the name needs not be told more.
    named = owners.law != "fl-market" and "owner_law" in asked
    for name, key in _UNUSUAL.items():
        if named and name in _OF_THE_LAW:
            continue
        if not asked.keys() & {name, "law"} and facts[name] != usual[name]:
            raise ScenarioError(
                f"recipe {item.name!r} trains for {key} {usual[name]} only, got "
                f"{facts[name]}: name another recipe"
            )
    # A recipe for several numbers of owners, or for a mixture of them, says so itself.
    own = {name for name, kind in _PLAIN.items() if asked.get(name, kind) is not kind}
    own |= item.arguments.keys()
    told = {name: value for name, value in facts.items() if name in asked and name not in own}
    return registry.build("recipe", item, **told)


def _owner_facts(config: PopulationConfig) -> dict[str, Any]:
    """Return what a recipe may ask about the owners."""
    law = law_of(config)
    names = ("owners", "kinds", "rate", "sizes", "single_minded")
    low, high = law.cap if isinstance(law.cap, tuple) else law.cap.support
    return {name: getattr(law, name) for name in names} | {
        "law": law,
        "owner_law": config.law,
        "cap": law.cap,
        "min_cap": low,
        "max_cap": high,
    }


def _money_facts(scenario: Scenario) -> dict[str, Any]:
    """Return what a recipe may ask about the money and the error bound."""
    budget = scenario.budget[0]
    return {
        "budget": budget.law,
        "budget_low": min(budget.levels),
        "budget_high": max(budget.levels),
        "budget_levels": budget.levels,
        "rate_low": min(budget.levels),
        "rate_high": max(budget.levels),
        "clip": scenario.error.clip,
        "dim": scenario.error.dim,
    }


def check_training(scenario: Scenario, origin: str) -> None:
    """Refuse a recipe that cannot be followed, before anything runs.

    Raises
    ------
    ScenarioError
        Naming the file and what is wrong.
    """
    for unit in plan(scenario):
        try:
            recipe_of(scenario, unit)
        except InvalidInput as problem:
            raise ScenarioError(f"{origin}: training.recipe: {problem}") from problem


class History:
    """The rows logged so far, on disk line by line: an interrupted training keeps them.

    A training that goes on from a checkpoint logs iterations again that came after it; their first
    rows are forgotten.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: list[Row] = []
        if file.is_file():
            lines = file.read_text(encoding="utf-8").split("\n")[:-1]  # the last may be half a line
            self.rows = [json.loads(line) for line in lines]

    def add(self, row: Mapping[str, float]) -> None:
        """Keep a row; what is later than it is forgotten."""
        kept = {name: float(value) for name, value in row.items() if name not in _TIMES}
        before = [old for old in self.rows if old["iteration"] < kept["iteration"]]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if len(before) == len(self.rows) and self._file.is_file():
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(kept) + "\n")
        else:
            text = "".join(json.dumps(old) + "\n" for old in [*before, kept])
            self._file.write_text(text, encoding="utf-8")
        self.rows = [*before, kept]


def _columns(scenario: Scenario, unit: Unit, rows: list[Row]) -> dict[str, Any]:
    """Return the rows in long form: a line for each iteration and measure."""
    assert scenario.training is not None
    lines = [
        (int(row["iteration"]), name, value)
        for row in rows
        for name, value in row.items()
        if name != "iteration"
    ]
    where = {
        "seed": unit.seed,
        "setting": unit.setting,
        "recipe": scenario.training.recipe.label or scenario.training.recipe.name,
    }
    table = [
        where | dict(zip(("iteration", "measure", "value"), line, strict=True)) for line in lines
    ]
    return {name: [line[name] for line in table] for name in TABLES["training"]}
