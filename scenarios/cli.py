"""The command `market-sim`. Heavy packages are imported only by what needs them."""

import json
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from market_sim.errors import MarketSimError, MarketSimWarning, ScenarioError
from scenarios.progress import Interrupted, Place, interruptible, shown
from scenarios.solve import solve_app

if TYPE_CHECKING:
    from scenarios.results import RunFolder

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="market-sim",
    help="Simulate markets in which federated learning buys privacy and models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="List, download and check the data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(solve_app, name="solve")

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Processes; results do not depend on it. [default: one a core]", min=1
    ),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        import market_sim

        typer.echo(f"market-sim {market_sim.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", hidden=True)] = False,
) -> None:
    """Simulate markets in which federated learning buys privacy and models."""


@app.command("list")
def list_scenarios(
    networks: Annotated[
        bool, typer.Option("--networks", help="List the trained networks instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the scenarios that come with market-sim, or its trained networks."""
    if networks:
        from scenarios.networks import listing

        _show_data(listing(), as_json)
        return
    from scenarios.loading import LIBRARY, read_document, scenario_names

    keys = ("title", "experiment", "source")
    found = [
        {"name": name} | {key: str(document.get(key, "")) for key in keys}
        for name in scenario_names()
        for document in [read_document(LIBRARY / f"{name}.toml")]
    ]
    if as_json:
        _print_json(found)
        return
    for entry in found:
        typer.echo(entry["name"])
        source = f" ({entry['source']})" if entry["source"] else ""
        typer.echo(f"    {entry['experiment']}: {entry['title']}{source}")
    typer.echo("\nRun one with: market-sim run NAME")


@app.command()
def run(
    scenario: Annotated[
        str | None, typer.Argument(metavar="NAME_OR_FILE", help="A name of `list` or a TOML file.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key; may be given repeatedly."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Number of seeds.", min=1)] = None,
    workers: Workers = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to make. [default: runs/NAME/TIME-HASH]"),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue the run in this folder.", metavar="DIR")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot/--no-plot", help="Draw the figures.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run a scenario: tables, a manifest and figures in a new folder.

    Ctrl-C keeps what is finished; --resume DIR continues it.
    """
    changes = [*(settings or []), *([f"seeds={seeds}"] if seeds else [])]
    asked = _Asked(scenario, changes, out, resume)
    folder = asked.run(workers or os.cpu_count() or 1, quiet=as_json)
    figures = _draw(folder.path) if plot else []
    _report(folder, figures, as_json)


@app.command()
def train(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="NAME_OR_FILE", help="A scenario of experiment 'training'."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key; may be given repeatedly."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to make. [default: runs/NAME/TIME-HASH]"),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue the training in this folder.", metavar="DIR")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot/--no-plot", help="Draw the figures.")] = True,
    as_json: AsJson = False,
) -> None:
    """Train a learned auction: a network, its training curves and a manifest in a new folder.

    Ctrl-C keeps the last checkpoint; --resume DIR continues from it, bit for bit. The same
    scenario may be given to `run`, too.
    """
    asked = _Asked(scenario, settings or [], out, resume)
    asked.require("training")
    folder = asked.run(1, quiet=as_json, command="train")
    _report(folder, _draw(folder.path) if plot else [], as_json)


@app.command()
def plot(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="The folder of a run.")],
    as_json: AsJson = False,
) -> None:
    """Draw the figures of a run, as PDF and PNG."""
    files = _draw(run_dir)
    if as_json:
        _print_json({"run": str(run_dir), "figures": [str(file) for file in files]})
        return
    for file in files:
        typer.echo(str(file))


@app.command()
def audit(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO_OR_MECHANISM]...", help="Default: All-in, all payments."),
    ] = None,
    profiles: Annotated[
        int | None, typer.Option(metavar="N", help="Profiles to attack. [default: 100]", min=1)
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            metavar="MONEY", help="Money of the buyer. [default: half of what owners ask]"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Seed of the profiles. [default: 0]", min=0)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Attack mechanisms with lies: who gains, in value, in cap, in both.

    A target is a mechanism, such as all-in-singer or your own module:Class, or a scenario, whose
    mechanisms and owners are then taken.
    """
    from scenarios.audits import audit_targets

    with shown("audits", quiet=as_json) as told:
        reports = audit_targets(
            targets or [], profiles=profiles, budget=budget, seed=seed, progress=told.count
        )
    if as_json:
        _print_json([report.to_dict() for report in reports])
        return
    from scenarios.display import print_audits

    print_audits(reports)


@data_app.command("list")
def data_list(as_json: AsJson = False) -> None:
    """List the data sets: where each comes from and whether it is on this machine."""
    from scenarios.data import listing

    _show_data(listing(), as_json)


@data_app.command("fetch")
def data_fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets. [default: all]")] = None,
    as_json: AsJson = False,
) -> None:
    """Download data sets that are not here yet, and check them."""
    from scenarios.data import fetch

    _show_data(fetch(names or []), as_json)


@data_app.command("verify")
def data_verify(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets. [default: all]")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the files of data sets on this machine against their published checksums."""
    from scenarios.data import verify

    _show_data(verify(names or []), as_json)


def _show_data(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        _print_json(rows)
    else:
        from scenarios.display import print_entries

        print_entries(rows)
    problems = [row for row in rows if row.get("problem")]
    if problems:
        raise MarketSimError(str(problems[0]["problem"]))


def _print_json(value: Any) -> None:
    from scenarios.config import plain

    typer.echo(json.dumps(plain(value), indent=2, allow_nan=False))


def _draw(path: Path) -> list[Path]:
    from analysis import plot_run

    return plot_run(path)


def _report(folder: "RunFolder", figures: list[Path], as_json: bool) -> None:
    """Say what a run found and where it lies."""
    from scenarios.display import print_summary
    from scenarios.summary import summarize

    summary = summarize(folder.path)
    networks = sorted(folder.path.glob("*.safetensors"))
    if as_json:
        found: dict[str, Any] = {
            "run": str(folder.path),
            "figures": [str(file) for file in figures],
            "summary": summary.to_dict("records"),
        }
        _print_json(found | ({"networks": [str(file) for file in networks]} if networks else {}))
        return
    print_summary(folder.path, summary, figures, networks)


@dataclass(frozen=True)
class _Asked:
    """What `run` and `train` are asked for: a new run of a scenario, or to continue one."""

    scenario: str | None
    changes: list[str]
    out: Path | None
    resume: Path | None

    def __post_init__(self) -> None:
        if self.resume is not None and self.out is not None:
            raise ScenarioError("--out is for a new run, --resume for an old one: give one of them")
        if self.scenario is None and self.resume is None:
            raise ScenarioError("name a scenario (market-sim list shows them) or --resume a run")

    def require(self, experiment: str) -> None:
        """Refuse a scenario or run of another kind of experiment."""
        from scenarios.loading import find_scenario, read_document
        from scenarios.results import RunFolder

        if self.resume is not None:
            found = RunFolder.open(self.resume).manifest.get("experiment")
        else:
            found = read_document(find_scenario(self.scenario or "")).get("experiment")
        if found != experiment:
            name = self.resume or self.scenario
            raise ScenarioError(
                f"{name} is of experiment {found!r}, not {experiment!r}: use market-sim run"
            )

    def run(self, workers: int, *, quiet: bool, command: str = "run") -> "RunFolder":
        """Run or continue, with a bar on a terminal; Ctrl-C ends in a sentence on how to go on."""
        from scenarios.run import resume_run, run_scenario

        place = Place(self.resume or self.out, command)
        with interruptible(place), shown("units", quiet=quiet) as told:
            if self.resume is not None:
                return resume_run(
                    self.resume,
                    self.scenario,
                    self.changes,
                    workers=workers,
                    progress=told.count,
                    log=told.log,
                )
            return run_scenario(
                self.scenario or "",
                self.changes,
                out=self.out,
                workers=workers,
                progress=told.count,
                started=place.put,
                log=told.log,
            )


def main() -> None:
    """Run the command and exit: 0 if all went well, 2 with one sentence if not, 130 on Ctrl-C."""
    warnings.showwarning = _note  # type: ignore[assignment] # it takes where, too, and drops it
    try:
        app()
    except MarketSimError as problem:
        if "--debug" in sys.argv:
            raise
        sys.exit(_say(str(problem), EXIT_BAD_INPUT))
    except Interrupted as problem:
        sys.exit(_say(str(problem), EXIT_INTERRUPTED))


def _say(sentence: str, code: int) -> int:
    """Write one line to the error stream and return the exit code."""
    typer.echo(f"market-sim: {' '.join(sentence.split())}", err=True)
    return code


def _note(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Write a caution as one line; a warning of a library under its name."""
    about = "" if issubclass(category, MarketSimWarning) else f"{category.__name__}: "
    _say(f"note: {about}{message}", 0)
