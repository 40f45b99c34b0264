"""What a run costs beside its computation: time for each unit and on top, bytes a row of a table.

Both sides run the same units: the bare experiment in a loop, and `run_scenario`, which also
validates, writes every unit to disk at once, and merges.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scenarios import load_scenario, run_scenario
from scenarios.auctions import run_auctions
from scenarios.units import plan

CHANGES = ["seeds=10", "profiles=10", "mechanisms=all-in", "aggregators=data-size"]
REPEATS = 5


def timed(action: Callable[[], None]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def bare() -> None:
    """Run all units and keep nothing."""
    scenario = load_scenario("error-bound-against-budget", CHANGES)
    for unit in plan(scenario):
        run_auctions(scenario, unit)


def whole(out: Path, workers: int = 1) -> None:
    """Run the same units as a run with its folder."""
    shutil.rmtree(out, ignore_errors=True)
    run_scenario("error-bound-against-budget", CHANGES, out=out, workers=workers)


def main() -> None:
    """Print the table."""
    units = len(plan(load_scenario("error-bound-against-budget", CHANGES)))
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "run"
        bare()
        computed = statistics.median(timed(bare) for _ in range(REPEATS))
        one = statistics.median(timed(lambda: whole(out)) for _ in range(REPEATS))
        two = statistics.median(timed(lambda: whole(out, 2)) for _ in range(REPEATS))
        size = (out / "auctions.parquet").stat().st_size
    print(f"{units} auction units of 10 profiles, medians of {REPEATS}")
    print(f"computation alone           {computed:8.3f} s")
    print(
        f"as a run, 1 worker          {one:8.3f} s  {1e3 * (one - computed) / units:.2f} ms a unit"
    )
    print(f"as a run, 2 workers         {two:8.3f} s")
    print(f"merged table                {size / units:8.1f} bytes a row")


if __name__ == "__main__":
    main()
