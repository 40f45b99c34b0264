"""What the benchmarks share: best and median time of repeats, and a narrow table or JSON."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the best and the median of the repeats."""

    best: float
    median: float
    repeats: int


@dataclass(frozen=True)
class Row:
    """One line of a benchmark: what was timed, beside its aim.

    Attributes
    ----------
    case
        What was timed.
    seconds, median
        Best and median time.
    aim
        What the figure is to be, in words.
    measured
        What it is, in the unit of the aim.
    reached
        Whether the aim was met; None where there is none.
    """

    case: str
    seconds: float
    median: float
    aim: str = ""
    measured: str = ""
    reached: bool | None = None


def timed(call: Callable[[], object], repeats: int = 15) -> Timing:
    """Return best and median time of `repeats` calls after one that is not counted."""
    call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return Timing(min(seconds), statistics.median(seconds), repeats)


def at_most(case: str, timing: Timing, limit: float) -> Row:
    """Return a row whose aim is a time in seconds."""
    return Row(
        case,
        timing.best,
        timing.median,
        f"<= {limit:.3g} s",
        f"{timing.best:.3g} s",
        timing.best <= limit,
    )


def faster(case: str, timing: Timing, other: float, factor: float | None, than: str) -> Row:
    """Return a row whose aim, if any, is to be `factor` times faster than `other` seconds."""
    ratio = other / timing.best
    if factor is None:
        return Row(case, timing.best, timing.median, f"(x {than})", f"{ratio:.1f} x")
    return Row(
        case,
        timing.best,
        timing.median,
        f">= {factor:g} x {than}",
        f"{ratio:.1f} x",
        ratio >= factor,
    )


def plain(case: str, timing: Timing) -> Row:
    """Return a row without an aim."""
    return Row(case, timing.best, timing.median)


def report(title: str, rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
    """Print the rows as a table of at most 80 columns, or as JSON if `--json` was given."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if parser.parse_args().json:
        table = {"title": title, "rows": [asdict(row) for row in rows], "notes": list(notes)}
        print(json.dumps(table, indent=2))
        return
    print(title)
    print(f"{'milliseconds':24} {'best':>8} {'median':>8}  {'aim':13} {'measured':9}")
    verdicts = {True: "reached", False: "not reached", None: ""}
    for row in rows:
        print(
            f"{row.case:24} {1e3 * row.seconds:8.2f} {1e3 * row.median:8.2f}"
            f"  {row.aim:13} {row.measured:8} {verdicts[row.reached]}".rstrip()
        )
    for note in notes:
        print(note)
