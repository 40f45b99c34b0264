"""The command: what it prints, where, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from market_sim.errors import MarketSimError
from scenarios import cli, scenario_names

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "mesa", "pandas", "matplotlib", "scipy")


@pytest.fixture
def command(monkeypatch, capsys):
    """Return a function that runs the command here: exit code, output, errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["market-sim", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return run


def _sentence(errors):
    assert errors.startswith("market-sim: ")
    assert len(errors.strip().splitlines()) == 1
    return errors


def test_list_names_every_scenario(command):
    code, out, _ = command("list")
    assert code == 0
    assert all(name in out for name in scenario_names())
    code, out, _ = command("list", "--json")
    assert [entry["name"] for entry in json.loads(out)] == scenario_names()


def test_list_loads_nothing_heavy():
    script = (
        "import sys; sys.argv = ['market-sim', 'list']\n"
        "from scenarios.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('LOADED', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "LOADED []"


def test_version(command):
    import market_sim

    assert command("--version") == (0, f"market-sim {market_sim.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["data", "--help"], ["audit", "-h"], ["plot", "-h"]],
)
def test_help_is_there(command, arguments):
    code, out, _ = command(*arguments)
    assert code == 0
    assert "--help" in out


def test_run_prints_tables_and_draws(command, auctions, tmp_path):
    out = tmp_path / "run"
    code, printed, errors = command("run", auctions, "--seeds", 1, "--workers", 1, "--out", out)
    assert (code, errors) == (0, "")
    assert "all-in-singer" in printed
    assert str(out) in printed
    assert list((out / "figures").glob("*.pdf"))
    assert json.loads((out / "manifest.json").read_text())["seeds"] == [3]


def test_json_is_all_that_is_printed(command, auctions, tmp_path):
    out = tmp_path / "run"
    code, printed, errors = command("run", auctions, "--out", out, "--json", "--no-plot")
    found = json.loads(printed)
    assert (code, errors, found["run"], found["figures"]) == (0, "", str(out), [])
    assert len(found["summary"]) == 2 * 2 * 2 * 2
    assert not (out / "figures").exists()


def test_infinite_numbers_are_spelt_out_in_json(command, auctions, tmp_path):
    change = "--set=budget.levels=1e-9"
    _, printed, _ = command("run", auctions, change, "--json", "--no-plot", "--out", tmp_path / "r")
    assert {row["error_bound"] for row in json.loads(printed)["summary"]} == {"inf"}


def test_plot_draws_again(command, auctions, tmp_path):
    out = tmp_path / "run"
    command("run", auctions, "--out", out, "--no-plot")
    code, printed, _ = command("plot", out, "--json")
    found = json.loads(printed)
    assert code == 0
    assert all(Path(file).is_file() for file in found["figures"])
    code, printed, _ = command("plot", out)
    assert printed.split() == found["figures"]


def test_resume_needs_only_the_folder(command, auctions, tmp_path):
    out = tmp_path / "run"
    command("run", auctions, "--out", out, "--no-plot")
    code, printed, _ = command("run", "--resume", out, "--no-plot")
    assert code == 0
    assert str(out) in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run"], "name a scenario (market-sim list shows them) or --resume a run"),
        (["run", "demo", "--out", "a", "--resume", "b"], "give one of them"),
        (["audit", "all-in", "--budget", "-3"], "budget"),
        (["run", "dmeo"], "there is no scenario 'dmeo'; did you mean 'demo'?"),
        (
            ["run", "error-bound-against-owners", "--set", "population.ownrs=3"],
            "did you mean 'owners'?",
        ),
        (
            ["run", "error-bound-against-owners", "--set", "population.owners=-3"],
            "expected greater than or equal to 1",
        ),
        (
            ["run", "error-bound-against-owners", "--set", "profiles=nan"],
            "profiles is nan, expected a",
        ),
        (["run", "error-bound-against-owners", "--out", "."], "the output folder . exists already"),
        (["run", "--resume", "nowhere"], "has no manifest.json, so it is no run"),
        (["plot", "nowhere"], "nowhere"),
        (["audit", "all-inn"], "did you mean 'all-in'?"),
        (["data", "verify", "digts"], "there is no data set 'digts'; did you mean 'digits'?"),
        (["data", "fetch", "digts"], "there is no data set 'digts'; did you mean 'digits'?"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(command, arguments, sentence):
    code, out, errors = command(*arguments)
    assert (code, out) == (2, "")
    assert sentence in _sentence(errors)


@pytest.mark.parametrize(
    "arguments",
    [
        ["rnu"],
        ["run", "demo", "--wrong"],
        ["run", "demo", "--workers", "0"],
    ],
)
def test_wrong_usage_is_exit_code_2(command, arguments):
    code, out, errors = command(*arguments)
    assert (code, out) == (2, "")
    assert "Error" in errors
    assert "Traceback" not in errors


def test_debug_shows_where_it_happened(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["market-sim", "--debug", "run", "dmeo"])
    with pytest.raises(MarketSimError, match="dmeo"):
        cli.main()


def test_the_hidden_option_is_hidden():
    assert "--debug" not in CliRunner().invoke(cli.app, ["--help"]).output


def test_interrupts_before_anything_runs_are_quiet(command, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("scenarios.run.run_scenario", interrupted)
    assert command("run", "demo") == (
        130,
        "",
        "market-sim: interrupted before the run began\n",
    )


def test_audit_prints_a_table_or_json(command):
    code, out, _ = command("audit", "all-in-published", "--profiles", 3, "--json")
    assert code == 0
    assert [report["population"] for report in json.loads(out)] == ["single-minded", "multi-minded"]
    code, out, _ = command("audit", "all-in-published", "--profiles", 3)
    assert code == 0
    assert "gainers" in out


def test_data_is_listed_and_verified(command):
    _, out, _ = command("data", "list", "--json")
    where = {row["name"]: row["where"] for row in json.loads(out)}
    assert where["digits"] == "embedded in scikit-learn"
    assert "bank" in where
    code, out, _ = command("data", "verify", "digits", "--json")
    assert (code, [row["status"] for row in json.loads(out)]) == (0, ["ok"])
    code, out, _ = command("data", "fetch", "digits")
    assert code == 0
    assert "scikit-learn" in out


def test_a_data_set_asked_for_and_absent_is_a_problem(command, monkeypatch, tmp_path):
    monkeypatch.setenv("MARKET_SIM_DATA", str(tmp_path))
    monkeypatch.setattr("market_sim.learning.verify", lambda _: [("bank.csv", "absent")])
    code, out, errors = command("data", "verify", "bank")
    assert code == 2
    assert "bank.csv is absent" in _sentence(errors)
    assert "absent" in out
    assert command("data", "verify")[0] == 0


def test_sixty_columns_are_enough(auctions, tmp_path):
    commands = [
        ["list"],
        ["run", str(auctions), "--out", str(tmp_path / "r"), "--no-plot", "--workers", "1"],
        ["audit", "all-in", "--profiles", "2"],
        ["data", "list"],
    ]
    for arguments in commands:
        found = subprocess.run(
            [sys.executable, "-m", "market_sim._command", *arguments],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "60"},
            capture_output=True,
            text=True,
            check=True,
        )
        lines = found.stdout.splitlines()
        paths = [line for line in lines if str(tmp_path) in line]
        prose = [line for line in lines if line not in paths]
        if arguments[0] != "list":
            assert max(map(len, prose)) <= 60, arguments
        assert "…" not in found.stdout
        assert found.stderr == ""


def test_a_reader_that_has_enough_is_no_error():
    command = f"{sys.executable} -m market_sim._command list | head -1"
    found = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() in scenario_names()
    assert found.stderr == ""


def test_data_sets_are_listed_one_below_the_other(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = command("data", "list")
    lines = out.splitlines()
    assert "digits  embedded in scikit-learn" in lines
    assert all(len(line.rstrip()) <= 60 for line in lines if line.startswith(" "))
    assert not any(line.startswith("problem") for line in lines)
