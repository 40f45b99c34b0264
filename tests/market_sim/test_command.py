"""The command refuses to start when another distribution's packages would be imported for ours."""

import base64
import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from market_sim import _command

ROOT = Path(__file__).resolve().parents[2]
START = "from market_sim._command import main; main()"


def start(*before: Path, home: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `market-sim list` in a fresh interpreter that looks into the folders `before` first."""
    path = os.pathsep.join(str(folder) for folder in (*before, home))
    flags = ["-P"] if home == ROOT else ["-P", "-S"]  # -S: nothing else is installed there
    return subprocess.run(
        [sys.executable, *flags, "-c", START, "list"],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def package(folder: Path, name: str, text: str = "") -> Path:
    """Write a package whose import tells on itself."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text or "print('the foreign code ran')\n")
    return folder


def assert_refused(done: subprocess.CompletedProcess[str], name: str) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"the package '{name}'" in done.stderr
    assert "virtual environment" in done.stderr
    assert done.stderr.count("\n") == 1, "one sentence and no traceback"


def test_starts_with_our_own_packages() -> None:
    done = start()
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


@pytest.mark.parametrize("name", ["agents", "analysis", "scenarios"])
def test_refuses_a_foreign_package(tmp_path: Path, name: str) -> None:
    done = start(package(tmp_path, name))
    assert_refused(done, name)
    assert str(tmp_path / name) in done.stderr


def test_refuses_a_foreign_module(tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text("print('the foreign code ran')\n")
    assert_refused(start(tmp_path), "agents")


def test_a_folder_without_init_does_not_hide_ours(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    assert start(tmp_path).returncode == 0


def test_names_the_distribution(tmp_path: Path) -> None:
    package(tmp_path, "agents")
    information = tmp_path / "openai_agents-0.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: openai-agents\nVersion: 0\n"
    )
    (information / "RECORD").write_text("agents/__init__.py,,\n")
    assert "'openai-agents'" in start(tmp_path).stderr


def installed(folder: Path) -> Path:
    """Lay out a site-packages with market-sim and a record of its files, as pip does."""
    package(folder, "market_sim")
    source = (ROOT / "market_sim" / "_command.py").read_bytes()
    (folder / "market_sim" / "__init__.py").write_text("")
    (folder / "market_sim" / "_command.py").write_bytes(source)
    for name in ("agents", "analysis"):
        package(folder, name, '"""Ours."""\n')
    package(folder, "scenarios", '"""Ours."""\n')
    (folder / "scenarios" / "cli.py").write_text("def main():\n    print('ours ran')\n")
    information = folder / "market_sim-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: market-sim\nVersion: 0\n")
    lines = []
    for file in sorted(folder.glob("*/*.py")):
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()
        lines.append(f"{file.relative_to(folder).as_posix()},sha256={digest.rstrip('=')},\n")
    (information / "RECORD").write_text("".join(lines))
    return folder


def test_an_untouched_installation_starts(tmp_path: Path) -> None:
    done = start(home=installed(tmp_path))
    assert (done.returncode, done.stdout) == (0, "ours ran\n"), done.stderr


@pytest.mark.parametrize("name", ["agents", "analysis", "scenarios"])
def test_refuses_when_pip_wrote_another_package_over_ours(tmp_path: Path, name: str) -> None:
    home = installed(tmp_path)
    (home / name / "__init__.py").write_text("print('the foreign code ran')\n")
    assert_refused(start(home=home), name)


def test_says_what_is_missing(tmp_path: Path) -> None:
    home = installed(tmp_path)
    (home / "analysis" / "__init__.py").unlink()
    (home / "analysis").rmdir()
    done = start(home=home)
    assert done.returncode == 2
    assert "'analysis' is missing" in done.stderr


def test_all_is_well_in_this_process() -> None:
    assert _command.foreign_package() is None


def test_where_a_package_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "plain_one.py").touch()
    (tmp_path / "spread_one").mkdir()
    monkeypatch.setitem(sys.modules, "odd_one", ModuleType("odd_one"))
    assert _command._location("plain_one") == (tmp_path / "plain_one.py").resolve()
    assert _command._location("spread_one") == (tmp_path / "spread_one/__init__.py").resolve()
    assert _command._location("no_such_one") is None
    assert _command._location("odd_one") == Path("<odd_one>/__init__.py")


@pytest.mark.parametrize("lost", [None, "agents"])
def test_each_problem_is_one_sentence(monkeypatch: pytest.MonkeyPatch, lost: str | None) -> None:
    place = None if lost else Path("elsewhere/__init__.py")
    monkeypatch.setattr(_command, "_location", lambda _: place)
    sentence = _command.foreign_package()
    assert sentence is not None
    assert ("is missing" if lost else "belongs to another project") in sentence


def test_the_record_of_an_installation_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = installed(tmp_path)
    ours = importlib.metadata.Distribution.at(home / "market_sim-0.1.0.dist-info")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: ours)
    file = (home / "agents" / "__init__.py").resolve()
    assert not _command._overwritten(file)
    assert not _command._overwritten((home / "no_such_file.py").resolve())
    file.write_text("print('foreign')\n")
    assert _command._overwritten(file)


def test_a_checkout_has_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert not _command._overwritten(ROOT / "agents" / "__init__.py")


def test_main_says_the_problem_and_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_command, "foreign_package", lambda: "this is wrong")
    with pytest.raises(SystemExit) as ending:
        _command.main()
    assert ending.value.code == 2
    assert capsys.readouterr().err == "this is wrong\n"


def test_main_hands_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["market-sim", "--version"])
    with pytest.raises(SystemExit) as ending:
        _command.main()
    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith("market-sim ")
