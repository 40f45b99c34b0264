"""What is run: scenarios, their registry, runs and sweeps, results on disk, the command."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenarios.config import Scenario
    from scenarios.loading import load_scenario, scenario_names
    from scenarios.registry import register
    from scenarios.results import RunFolder
    from scenarios.run import resume_run, run_scenario

_HOME = {
    "RunFolder": "results",
    "Scenario": "config",
    "load_scenario": "loading",
    "register": "registry",
    "resume_run": "run",
    "run_scenario": "run",
    "scenario_names": "loading",
}

__all__ = [
    "RunFolder",
    "Scenario",
    "load_scenario",
    "register",
    "resume_run",
    "run_scenario",
    "scenario_names",
]


def __getattr__(name: str) -> Any:
    """Import what is public on first use: the command answers before anything heavy is loaded."""
    if name not in _HOME:
        raise AttributeError(f"module 'scenarios' has no attribute {name!r}")
    return getattr(import_module(f"scenarios.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, lazy ones included."""
    return sorted(__all__)
