"""Every public name and every command, figure and scenario stands in the reference."""

import ast
import importlib
import re
import sys
from pathlib import Path
from typing import get_args

import pytest
import typer
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PACKAGES = (
    "market_sim",
    "market_sim.games",
    "market_sim.learning",
    "market_sim.pricing",
    "market_sim.sharing",
    "market_sim.solvers",
    "market_sim.versions",
    "agents",
    "agents.acquisition",
    "agents.versions",
    "scenarios",
    "analysis",
)


def text() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in sorted(REFERENCE.glob("*.md")))


def page(package: str) -> str:
    return (REFERENCE / f"{package.split('.', maxsplit=1)[0]}.md").read_text(encoding="utf-8")


def mentioned(name: str, package: str) -> bool:
    """Tell whether the package's page shows `name`, as a heading of its own or in code marks."""
    shown = rf"(^::: [\w.]+\.{re.escape(name)}$)|`{re.escape(name)}`"
    return re.search(shown, page(package), re.M) is not None


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_the_reference(package: str) -> None:
    module = importlib.import_module(package)
    assert not [name for name in module.__all__ if not mentioned(name, package)]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_exists_and_is_documented(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        if callable(value):
            assert (value.__doc__ or "").strip(), f"{package}.{name} has no docstring"


def test_the_reference_names_nothing_that_is_gone() -> None:
    for path in re.findall(r"^::: ([\w.]+)$", text(), re.M):
        *modules, name = path.split(".")
        module = importlib.import_module(".".join(modules))
        assert hasattr(module, name), path


def test_every_scenario_is_in_the_reference() -> None:
    for scenario in sorted((ROOT / "scenarios" / "library").glob("*.toml")):
        assert f"`{scenario.stem}`" in text(), scenario.name


def parts(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model of pydantic and all models in its fields."""
    found = [model]
    for field in model.model_fields.values():
        inner = [field.annotation, *get_args(field.annotation)]
        for kind in [*inner, *(part for each in inner for part in get_args(each))]:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += parts(kind)
    return found


def test_every_scenario_key_is_in_the_reference() -> None:
    keys = (REFERENCE / "scenario-keys.md").read_text(encoding="utf-8")
    models = {
        model.__name__: model for model in parts(importlib.import_module("scenarios").Scenario)
    }
    assert {"Scenario", "PopulationConfig", "BuyerConfig", "AuditConfig"} <= set(models)
    for name, model in models.items():
        for field in set(model.model_fields) - {"arguments"}:
            assert f"`{field}`" in keys or f"[{field}]" in keys, f"{name}.{field}"


def test_every_registered_name_is_in_the_reference() -> None:
    registry = importlib.import_module("scenarios.registry")
    keys = (REFERENCE / "scenario-keys.md").read_text(encoding="utf-8")
    groups = ("mechanism", "aggregator", "perturbation", "strategy", "partition", "model", "recipe")
    for group in groups:
        assert not [name for name in registry.names(group) if f"`{name}`" not in keys]


def test_every_command_and_option_is_in_the_reference() -> None:
    command = typer.main.get_command(importlib.import_module("scenarios.cli").app)
    shown = (REFERENCE / "command.md").read_text(encoding="utf-8")
    todo = [("market-sim", command)]
    while todo:
        path, group = todo.pop()
        for name, inner in getattr(group, "commands", {}).items():
            assert f"market-sim {name}" in shown or f"{path} {name}" in shown
            todo.append((f"{path} {name}", inner))
        options = [o for p in group.params if not getattr(p, "hidden", False) for o in p.opts]
        assert not [o for o in options if o.startswith("--") and f"`{o}" not in shown], path


def test_every_table_column_is_in_the_reference() -> None:
    schemas = importlib.import_module("scenarios.schemas")
    shown = (REFERENCE / "tables.md").read_text(encoding="utf-8")
    for table, columns in schemas.TABLES.items():
        assert f"{table}.parquet" in shown
        missing = [name for name in columns if f"`{name}`" not in shown]
        assert not missing, table


def test_every_module_says_what_it_is() -> None:
    for package in {name.split(".")[0] for name in PACKAGES}:
        for file in sorted((ROOT / package).rglob("*.py")):
            assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file


def test_a_missing_name_is_noticed() -> None:
    assert "market_sim" in sys.modules or importlib.import_module("market_sim")
    assert not mentioned("NoSuchName", "market_sim")
