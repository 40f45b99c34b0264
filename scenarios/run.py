"""Running a scenario: a new folder or one that is continued, to merged tables."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from market_sim.errors import ResultsError, ScenarioError
from scenarios.cautions import caution
from scenarios.config import Scenario
from scenarios.execution import Log, run_units
from scenarios.loading import Loaded, load, validated
from scenarios.manifest import new_manifest, now, require_same, require_versions, resolved
from scenarios.markets import majority_accuracy
from scenarios.results import RunFolder
from scenarios.schemas import tables_of
from scenarios.units import Unit, plan

Progress = Callable[[int, int], None]
_SECONDS_BETWEEN_SAVES = 1.0


def run_scenario(
    scenario: str | Path | Scenario,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    out: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    started: Callable[[Path], None] | None = None,
    log: Log | None = None,
) -> RunFolder:
    """Run a scenario and return its folder with the finished tables.

    Parameters
    ----------
    scenario
        A name of the library, the path of a TOML file, or a `Scenario`.
    overrides
        Settings changed, as in `load_scenario`.
    out
        The folder to make; `runs/<name>/<time>-<hash>` if omitted.
    workers
        Processes. The results do not depend on it. With more than one, a script needs the usual
        `if __name__ == "__main__":`.
    progress
        Called with the number of finished units and of all units.
    started
        Called with the folder once it is made.
    log
        Called with a unit and its named numbers while a network is trained.

    Raises
    ------
    MarketSimError
        If the scenario is wrong, its data are missing, the folder exists, or a unit fails. Units
        that were finished stay on disk, and `resume_run` continues.
    KeyboardInterrupt
        As usual; what was finished stays, likewise.
    """
    loaded = _as_loaded(scenario, overrides)
    units = plan(loaded.scenario)
    _check_workers(workers)
    _check_data(loaded.scenario)
    caution(loaded.scenario)
    manifest = new_manifest(loaded.scenario, loaded.overrides, units)
    if (majority := majority_accuracy(loaded.scenario)) is not None:
        manifest["majority_accuracy"] = majority
    path = Path(out) if out is not None else default_folder(loaded.scenario, manifest["created"])
    folder = RunFolder.create(path, manifest, loaded.text)
    if started is not None:
        started(path)
    _finish(folder, loaded.scenario, workers, progress, log)
    return folder


def resume_run(
    path: str | Path,
    scenario: str | Path | Scenario | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    workers: int = 1,
    progress: Progress | None = None,
    log: Log | None = None,
) -> RunFolder:
    """Run what is missing of a run; it ends with the same bytes as one that was never stopped.

    Parameters
    ----------
    path
        The run's folder.
    scenario, overrides
        If given, must be what the run was started with.
    workers, progress, log
        As in `run_scenario`.

    Raises
    ------
    MarketSimError
        If the scenario or the versions changed (the sentence says what), or as `run_scenario`.
    """
    folder = RunFolder.open(Path(path))
    origin = f"{folder.path / 'manifest.json'}"
    started = validated(folder.manifest["scenario"], origin)
    if scenario is not None or overrides:
        given = _as_loaded(
            folder.manifest["scenario"]["name"] if scenario is None else scenario, overrides
        )
        require_same(started, given.scenario, folder.path)
    _check_workers(workers)
    if folder.status == "complete":
        folder.drop_parts()
        return folder
    require_versions(folder.manifest, folder.path)
    _check_data(started)
    folder.sweep()
    folder.manifest |= {"status": "running", "finished": None}
    folder.manifest.pop("problem", None)
    folder.save()
    _finish(folder, started, workers, progress, log)
    return folder


def _as_loaded(
    scenario: str | Path | Scenario, overrides: Sequence[str] | Mapping[str, Any]
) -> Loaded:
    if not isinstance(scenario, Scenario):
        return load(scenario, overrides)
    if overrides:
        raise ScenarioError("overrides are for scenarios by name or file: change the Scenario")
    return Loaded(scenario, json.dumps(resolved(scenario), indent=2) + "\n", ())


def _check_workers(workers: int) -> None:
    if workers < 1:
        raise ScenarioError(f"workers must be at least 1, got {workers}")


def _check_data(scenario: Scenario) -> None:
    """Read the data before a folder is made, so that missing data leave nothing behind."""
    if scenario.learning is None:
        return
    from scenarios.markets import load_data

    for buyer in scenario.rules.buyers:
        load_data(buyer.dataset or scenario.learning.dataset)


def _finish(
    folder: RunFolder,
    scenario: Scenario,
    workers: int,
    progress: Progress | None,
    log: Log | None,
) -> None:
    """Run what is missing and merge; however it ends, the manifest says how far it came."""
    units = plan(scenario)
    tables = tables_of(scenario.experiment, record_owners=scenario.rules.record_owners)
    ids = [unit.id for unit in units]
    done = set(folder.finished(ids, tables))
    saved = time.monotonic()

    def note(unit: Unit | None) -> None:
        nonlocal saved
        if unit is not None:
            done.add(unit.id)
        if progress is not None:
            progress(len(done), len(ids))
        if unit is not None and time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
            saved = time.monotonic()
            _save(folder, ids, done)

    try:
        note(None)
        missing = [unit for unit in units if unit.id not in done]
        run_units(scenario, missing, folder.path, workers, note, log)
        folder.merge(tables, ids)
    except BaseException as problem:
        _save_interrupted(folder, ids, tables, problem)
        raise
    folder.manifest |= {"status": "complete", "finished": now()}
    _save(folder, ids, done)
    folder.drop_parts()


def _save(folder: RunFolder, ids: Sequence[str], done: set[str]) -> None:
    folder.manifest["units"] = {"total": len(ids), "done": [unit for unit in ids if unit in done]}
    folder.save()


def _save_interrupted(
    folder: RunFolder, ids: Sequence[str], tables: Sequence[str], problem: BaseException
) -> None:
    """Note how far the run came; a disk that is full may refuse even that, the parts suffice."""
    folder.manifest |= {"status": "interrupted", "problem": str(problem) or type(problem).__name__}
    try:
        _save(folder, ids, set(folder.finished(ids, tables)))
    except ResultsError:
        return


def default_folder(scenario: Scenario, created: str) -> Path:
    """Return `runs/<name>/<time>-<hash>`, the hash being of the scenario."""
    digest = hashlib.sha256(json.dumps(resolved(scenario), sort_keys=True).encode()).hexdigest()
    stamp = datetime.fromisoformat(created).strftime("%Y%m%d-%H%M%S")
    return Path("runs") / scenario.name / f"{stamp}-{digest[:6]}"
