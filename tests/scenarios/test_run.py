"""Runs: the same bytes however they are run, and nothing lost however they end."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import market_sim
from market_sim import AllIn
from market_sim.errors import DataUnavailable, InvalidInput, ResultsError, ScenarioError
from scenarios import load_scenario, results, resume_run, run_scenario
from scenarios.units import plan

ROOT = Path(__file__).resolve().parents[2]


def _stop_after(count):
    def progress(done, total):
        if done == count:
            raise KeyboardInterrupt

    return progress


def test_a_run_leaves_tables_and_a_manifest(auctions, tmp_path):
    folder = run_scenario(auctions, ["seeds=1"], out=tmp_path / "run")
    manifest = json.loads((folder.path / "manifest.json").read_text())
    assert (manifest["format"], manifest["status"]) == (1, "complete")
    assert manifest["experiment"] == "auctions"
    assert manifest["title"] == "Small auctions"
    assert manifest["seeds"] == [3]
    assert manifest["overrides"] == ["seeds=1"]
    assert manifest["scenario"]["population"]["owners"] == 4
    assert manifest["versions"]["market_sim"] == market_sim.__version__
    assert len(manifest["units"]["done"]) == manifest["units"]["total"] == 4
    assert (folder.path / "scenario.toml").read_text() == auctions.read_text()
    assert sorted(file.name for file in folder.path.iterdir()) == [
        "auctions.parquet",
        "manifest.json",
        "scenario.toml",
    ]
    assert len(folder.table("auctions")) == 4 * 2 * 2


def test_the_folder_is_named_after_scenario_time_and_content(auctions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = run_scenario(auctions, ["seeds=1", "profiles=2"])
    assert re.fullmatch(r"runs/small-auctions/\d{8}-\d{6}-[0-9a-f]{6}", str(folder.path))


@pytest.mark.parametrize("file", ["auctions", "market"])
def test_workers_change_no_byte(file, request, tmp_path, tables):
    scenario = request.getfixturevalue(file)
    one = run_scenario(scenario, out=tmp_path / "one", workers=1)
    two = run_scenario(scenario, out=tmp_path / "two", workers=2)
    assert tables(one.path) == tables(two.path)
    assert tables(one.path)


def test_seeds_change_the_results(auctions, tmp_path, tables):
    one = run_scenario(auctions, ["seed=1"], out=tmp_path / "one")
    two = run_scenario(auctions, ["seed=2"], out=tmp_path / "two")
    assert tables(one.path) != tables(two.path)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_stopped_run_is_readable_and_ends_with_the_same_bytes(auctions, tmp_path, tables, count):
    whole = run_scenario(auctions, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_scenario(auctions, out=tmp_path / "run", progress=_stop_after(count))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    assert len(manifest["units"]["done"]) == count
    seen = []
    folder = resume_run(tmp_path / "run", progress=lambda done, _: seen.append(done))
    assert seen == list(range(count, 9))
    assert folder.status == "complete"
    assert tables(folder.path) == tables(whole.path)


def test_what_was_finished_can_be_read_before_it_goes_on(auctions, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_scenario(auctions, out=tmp_path / "run", progress=_stop_after(2))
    folder = results.RunFolder.open(tmp_path / "run")
    assert len(folder.table("auctions")) == 2 * 4


def test_a_complete_run_is_not_run_again(auctions, tmp_path, tables):
    folder = run_scenario(auctions, out=tmp_path / "run")
    before = tables(folder.path)
    resume_run(folder.path, progress=_stop_after(0))
    assert tables(folder.path) == before


def _start(scenario, out, *more):
    command = [sys.executable, "-m", "market_sim._command", "run", str(scenario), "--no-plot"]
    return subprocess.Popen(
        [*command, "--out", str(out), *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for_parts(process, out, count):
    for _ in range(1200):
        if len(list(out.glob("parts/auctions/*.parquet"))) >= count:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("no unit was finished in a minute")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_says_how_to_go_on_and_nothing_is_lost(auctions, tmp_path, tables, workers):
    changes = ["seeds=60", "profiles=20000"]
    out = tmp_path / "run"
    process = _start(auctions, out, "--workers", workers, *(f"--set={c}" for c in changes))
    _wait_for_parts(process, out, 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1].endswith(f"continue with: market-sim run --resume {out}")
    assert "Traceback" not in errors
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    assert 2 <= len(manifest["units"]["done"]) < manifest["units"]["total"]
    kept = {file.name: file.read_bytes() for file in out.glob("parts/auctions/*.parquet")}
    with pytest.raises(KeyboardInterrupt):
        resume_run(out, progress=_stop_after(len(kept) + 1))
    after = {file.name: file.read_bytes() for file in out.glob("parts/auctions/*.parquet")}
    assert len(after) == len(kept) + 1
    assert kept.items() <= after.items()


def test_a_killed_run_goes_on_too(auctions, tmp_path, tables):
    changes = ["seeds=4", "profiles=4000"]
    out = tmp_path / "run"
    process = _start(auctions, out, "--workers=1", *(f"--set={change}" for change in changes))
    _wait_for_parts(process, out, 1)
    process.kill()
    process.communicate(timeout=60)
    left = out / "parts" / "auctions" / "000015.parquet.1.tmp"
    left.write_bytes(b"half a unit")
    folder = resume_run(out)
    assert folder.status == "complete"
    whole = run_scenario(auctions, changes, out=tmp_path / "whole")
    assert tables(folder.path) == tables(whole.path)


def test_a_changed_scenario_is_not_continued(auctions, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_scenario(auctions, out=tmp_path / "run", progress=_stop_after(1))
    with pytest.raises(ResultsError, match=r"started with population\.owners = 4, now it is 5"):
        resume_run(tmp_path / "run", auctions, ["population.owners=5"])
    with pytest.raises(ResultsError, match=r"started with settings\.0\.cap = \[0\.5, 5\.0\], now"):
        resume_run(tmp_path / "run", auctions, ["settings.low.cap=1,2"])
    assert resume_run(tmp_path / "run", auctions, ["title=Other"]).status == "complete"


def test_other_versions_do_not_continue_a_run(auctions, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_scenario(auctions, out=tmp_path / "run", progress=_stop_after(1))
    file = tmp_path / "run" / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["versions"]["numpy"] = "0.1"
    file.write_text(json.dumps(manifest))
    with pytest.raises(ResultsError, match=r"was started with numpy 0\.1, here is"):
        resume_run(tmp_path / "run")


def test_an_existing_folder_is_refused(auctions, tmp_path):
    with pytest.raises(ResultsError, match="exists already"):
        run_scenario(auctions, out=tmp_path)


def test_a_disk_that_fills_keeps_what_is_finished(auctions, tmp_path, tables, monkeypatch):
    whole = run_scenario(auctions, out=tmp_path / "whole")
    sync, parts = os.fsync, tmp_path / "run" / "parts" / "auctions"

    def full_after_three(number):
        if parts.is_dir() and len(list(parts.glob("*.parquet"))) >= 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(number)

    monkeypatch.setattr(os, "fsync", full_after_three)
    with pytest.raises(ResultsError, match="the disk is full; finished units are kept"):
        run_scenario(auctions, out=tmp_path / "run")
    assert len(list(parts.glob("*"))) == 3
    monkeypatch.setattr(os, "fsync", sync)
    assert tables(resume_run(tmp_path / "run").path) == tables(whole.path)


def test_a_file_size_limit_ends_in_one_sentence(auctions, tmp_path):
    command = f"ulimit -f 8; exec {sys.executable} -m market_sim._command run {auctions} --no-plot"
    out = tmp_path / "run"
    # Measuring coverage in the child would write a file of its own that is too large as well.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    found = subprocess.run(
        ["bash", "-c", f"{command} --workers 1 --set profiles=5 --set seeds=400 --out {out}"],
        cwd=ROOT,
        env=plain,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 2, found.stderr
    assert "the disk is full; finished units are kept" in found.stderr
    assert "Traceback" not in found.stderr
    assert list(out.glob("parts/auctions/*.parquet"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unit_that_fails_is_named_and_the_others_are_kept(market, tmp_path, workers):
    changes = ["population.owners=3", "learning.partition=shards", "seeds=1"]
    changes += ["learning.partition.per_owner=1000", f"name=w{workers}"]
    sentence = r"unit 00000\d-seed5-default-3-fixed-4-all-in-\w+-error-opt failed: partition"
    with pytest.raises(ScenarioError, match=sentence):
        run_scenario(market, changes, out=tmp_path / "run", workers=workers)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    assert "1000 shards" in manifest["problem"]


def test_units_before_a_failure_are_kept(auctions, tmp_path, monkeypatch):
    clear, calls = AllIn.clear, []

    def breaks(self, reports, budget):
        calls.append(1)
        if len(calls) > 5:
            raise InvalidInput("broken")
        return clear(self, reports, budget)

    monkeypatch.setattr(AllIn, "clear", breaks)
    with pytest.raises(InvalidInput, match=r"^unit 000002-.* failed: broken$"):
        run_scenario(auctions, out=tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert [unit[:6] for unit in manifest["units"]["done"]] == ["000000", "000001"]


def test_missing_data_leave_no_folder(market, tmp_path, monkeypatch):
    def absent(item):
        raise DataUnavailable("bank is not here")

    monkeypatch.setattr("scenarios.markets.load_data", absent)
    with pytest.raises(DataUnavailable):
        run_scenario(market, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_scenario_object_runs_as_it_is(auctions, tmp_path, tables):
    scenario = load_scenario(auctions, ["seeds=1"])
    by_object = run_scenario(scenario, out=tmp_path / "object")
    by_file = run_scenario(auctions, ["seeds=1"], out=tmp_path / "file")
    assert tables(by_object.path) == tables(by_file.path)
    with pytest.raises(ScenarioError, match="overrides are for scenarios by name or file"):
        run_scenario(scenario, ["seeds=2"], out=tmp_path / "other")


def test_workers_must_be_a_number_of_processes(auctions, tmp_path):
    with pytest.raises(ScenarioError, match="workers must be at least 1"):
        run_scenario(auctions, out=tmp_path / "run", workers=0)


def test_finished_units_are_all_units(auctions, tmp_path):
    folder = run_scenario(auctions, out=tmp_path / "run")
    ids = [unit.id for unit in plan(load_scenario(auctions))]
    assert folder.manifest["units"]["done"] == ids
