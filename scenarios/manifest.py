"""What a run notes about itself, and whether another run is the same."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import market_sim
from market_sim.errors import ResultsError
from scenarios.config import Scenario, plain
from scenarios.results import FORMAT

_PACKAGES = ("numpy", "scipy", "torch", "mesa", "pandas", "pyarrow", "dp-accounting")
_DECISIVE = ("market_sim", "numpy", "torch")  # a run continued with others is another run
_WORDS = ("title", "description", "source", "figures")  # may change: no result depends on them


def new_manifest(
    scenario: Scenario, overrides: Sequence[str], units: Sequence[object]
) -> dict[str, Any]:
    """Return the manifest of a run that begins now."""
    return {
        "format": FORMAT,
        "scenario": resolved(scenario),
        "overrides": list(overrides),
        "experiment": scenario.experiment,
        "title": scenario.title,
        "figures": list(scenario.figures),
        "status": "running",
        "seeds": scenario.seed_list,
        "units": {"total": len(units), "done": []},
        "versions": versions(),
        "git_commit": git_commit(),
        "created": now(),
        "finished": None,
    }


def resolved(scenario: Scenario) -> dict[str, Any]:
    """Return everything that a scenario says, defaults included, as JSON can hold it."""
    found: dict[str, Any] = plain(scenario.model_dump(exclude_none=True))
    return found


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Return the versions of Python, of this library and of what it computes with."""
    found = {"python": sys.version.split()[0], "market_sim": market_sim.__version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def git_commit() -> str | None:
    """Return the commit of the source tree that runs; None if this is an installed package."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def require_same(started: Scenario, given: Scenario, path: Path) -> None:
    """Refuse to continue a run with a scenario whose results would differ.

    Raises
    ------
    ResultsError
        Naming the first key that differs, and both values.
    """
    before, after = _flat(resolved(started)), _flat(resolved(given))
    for key in sorted(before.keys() | after.keys()):
        if key.split(".")[0] not in _WORDS and before.get(key) != after.get(key):
            raise ResultsError(
                f"{path} was started with {key} = {before.get(key, 'nothing')}, now it is "
                f"{after.get(key, 'nothing')}: continue it unchanged or start a new run"
            )


def require_versions(manifest: dict[str, Any], path: Path) -> None:
    """Refuse to continue a run with other versions of what decides its numbers.

    Raises
    ------
    ResultsError
        Naming the first package that differs, and both versions.
    """
    before, here = manifest["versions"], versions()
    for package in _DECISIVE:
        if before.get(package) != here[package]:
            raise ResultsError(
                f"{path} was started with {package} {before.get(package)}, here is "
                f"{here[package]}: install that version to continue or start a new run"
            )


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    """Return nested tables and lists as one level with dotted keys."""
    entries: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        entries = [(str(name), entry) for name, entry in value.items()]
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        entries = [(str(place), entry) for place, entry in enumerate(value)]
    if not entries:
        return {key: value}
    flat: dict[str, Any] = {}
    for name, entry in entries:
        flat |= _flat(entry, f"{key}.{name}" if key else name)
    return flat
