"""What a terminal shows while something runs, and how Ctrl-C ends it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.units import Unit

_MOST_NUMBERS = 5


class Place:
    """Where a run lies, as soon as it is known, and the command that continues it."""

    def __init__(self, path: Path | None, command: str = "run") -> None:
        self.path = path
        self.command = command

    def put(self, path: Path) -> None:
        """Note the folder of a new run."""
        self.path = path


class Interrupted(Exception):
    """Ctrl-C, with a sentence on how to go on."""


@contextmanager
def interruptible(place: Place) -> Iterator[None]:
    """Turn Ctrl-C into a sentence on how to go on.

    Raises
    ------
    Interrupted
        On Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        if place.path is None or not (place.path / "manifest.json").is_file():
            raise Interrupted("interrupted before the run began") from None
        raise Interrupted(
            f"interrupted; what is finished is kept, continue with: "
            f"market-sim {place.command} --resume {place.path}"
        ) from None


@dataclass(frozen=True)
class Told:
    """Whom a run tells how far it is; nobody where a value is None."""

    count: Callable[[int, int], None] | None = None
    log: "Callable[[Unit, Mapping[str, float]], None] | None" = None


@contextmanager
def shown(what: str, *, quiet: bool) -> Iterator[Told]:
    """Show a bar on a terminal's error stream, and what training logs beside it; else nothing."""
    if quiet or not sys.stderr.isatty():
        yield Told()
        return
    from rich.console import Console
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
    from rich.table import Table

    console = Console(stderr=True)
    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), what, TimeElapsedColumn())
    bar = Progress(*columns, console=console)
    task = bar.add_task("", total=None)
    with Live(bar, console=console, transient=True) as live:

        def log(_: object, row: Mapping[str, float]) -> None:
            """Show the row under the bar, on as many lines as it needs."""
            grid = Table.grid()
            grid.add_row(bar)
            grid.add_row(logged(row))
            live.update(grid)

        yield Told(lambda done, total: bar.update(task, completed=done, total=total), log)


def logged(row: Mapping[str, float]) -> str:
    """Write what training logs in one short line: the iteration and the first parts of the loss."""
    numbers = [item for item in row.items() if item[0] not in ("iteration", "seconds")]
    parts = [f"{name.replace('_', ' ')} {value:.3g}" for name, value in numbers[:_MOST_NUMBERS]]
    return ", ".join([f"iteration {row['iteration']:,.0f}", *parts])
