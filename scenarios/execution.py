"""Running units: here or in worker processes, each finished unit written to disk at once."""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

from market_sim.errors import MarketSimError, ResultsError
from scenarios.config import Scenario
from scenarios.results import RunFolder
from scenarios.units import Unit

Done = Callable[[Unit], None]
Log = Callable[[Unit, Mapping[str, float]], None]
Experiment = Callable[..., dict[str, dict[str, Any]]]
_RUNNERS = {
    "auctions": "auctions:run_auctions",
    "market": "markets:run_market",
    "audit": "audits:run_audit",
    "fair-value": "fair_value:run_fair_value",
    "platform": "platform:run_platform",
    "attack": "attacks:run_attack",
    "versions": "versions:run_versions",
    "incentives": "incentives:run_incentives",
    "mean-field": "mean_fields:run_mean_field",
    "bidding": "bidding:run_bidding",
}
"""Module and function that run a unit of each kind of experiment and return its tables."""
_WRITERS = {
    "training": "training:run_training",
    "sharing": "sharing:run_sharing",
}
"""The same for experiments that leave more than tables: they are told the folder and the log."""


def run_units(
    scenario: Scenario,
    units: Sequence[Unit],
    path: Path,
    workers: int,
    done: Done,
    log: Log | None = None,
) -> None:
    """Run units and write their parts; `done` is called in this process after each.

    Parameters
    ----------
    scenario, units
        What to run.
    path
        The run's folder.
    workers
        1 runs here; more start so many processes of their own. The results are the same bytes.
    done
        Called with each finished unit.
    log
        Called with a unit and named numbers while it is trained; only where it runs in this
        process.

    Raises
    ------
    MarketSimError
        Naming the first unit that failed; the parts of finished ones stay.
    """
    if workers == 1 or len(units) <= 1:
        for unit in units:
            run_unit(scenario, unit, path, log)
            done(unit)
        return
    with _pool(min(workers, len(units))) as pool:
        waiting = {pool.submit(run_unit, scenario, unit, path): unit for unit in units}
        _collect(waiting, done)


def _collect(waiting: dict[Future[None], Unit], done: Done) -> None:
    pending = set(waiting)
    while pending:
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in sorted(finished, key=lambda f: waiting[f].index):
            try:
                future.result()
            except BrokenProcessPool as problem:
                raise ResultsError(
                    "a worker process died, perhaps for want of memory: "
                    "continue with --resume and fewer --workers"
                ) from problem
            done(waiting[future])


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes from scratch; whatever goes wrong, none of them outlives this block."""
    before = set(active_children())
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_ignore_interrupts
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(active_children()) - before:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started us: it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_unit(scenario: Scenario, unit: Unit, path: Path, log: Log | None = None) -> None:
    """Run one unit and write its part of every table.

    Raises
    ------
    MarketSimError
        The error of the unit, with its name in front.
    """
    folder = RunFolder(path, {})
    try:
        tables = _tables(scenario, unit, path, log)
    except MarketSimError as problem:
        raise type(problem)(f"unit {unit.id} failed: {problem}") from problem
    for table, columns in tables.items():
        folder.write_part(table, unit.id, columns)


def _tables(
    scenario: Scenario, unit: Unit, path: Path, log: Log | None
) -> dict[str, dict[str, Any]]:
    kind = scenario.experiment
    if kind in _WRITERS:
        return _called(_WRITERS[kind])(scenario, unit, path, log)
    return _called(_RUNNERS[kind])(scenario, unit)


def _called(place: str) -> Experiment:
    """Return what runs a unit; only what is needed is imported."""
    module, _, name = place.partition(":")
    run: Experiment = getattr(import_module(f"scenarios.{module}"), name)
    return run
