"""What is run: scenarios, their registry, runs and sweeps, results on disk, the command."""

from typing import TYPE_CHECKING

from market_sim.lazy import lazy_names

if TYPE_CHECKING:
    from scenarios.config import Scenario
    from scenarios.loading import load_scenario, scenario_names
    from scenarios.registry import register
    from scenarios.results import RunFolder
    from scenarios.run import resume_run, run_scenario

_HOME = {
    "config": ("Scenario",),
    "loading": ("load_scenario", "scenario_names"),
    "registry": ("register",),
    "results": ("RunFolder",),
    "run": ("resume_run", "run_scenario"),
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

__getattr__, __dir__ = lazy_names(__name__, _HOME, __all__)
