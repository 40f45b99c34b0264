"""Experiment "training" and the command `train`, with a recipe that takes milliseconds."""

import json
import math
import sys

import pytest
from tiny_recipe import TinyRecipe

from analysis import load_run
from market_sim.errors import ResultsError, ScenarioError
from scenarios import cli, load_scenario, resume_run, run_scenario
from scenarios.progress import logged, shown
from scenarios.schemas import TABLES
from scenarios.training import History, network_files

TRAINING = """
title = "A tiny training"
experiment = "training"
seed = 2
[population]
owners = 3
[budget]
law = "proportional"
levels = [0.5, 1.0]
[training]
recipe = { name = "tiny_recipe:TinyRecipe", label = "tiny", decay = 0.75 }
"""


@pytest.fixture
def scenario(tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(TRAINING)
    return file


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


def test_the_recipe_is_told_owners_money_and_seed(scenario, tmp_path):
    folder = run_scenario(scenario, out=tmp_path / "run")
    network = json.loads((folder.path / "network.safetensors").read_bytes())
    weight = 102.0
    for _ in range(12):
        weight = 3 + 0.75 * (weight - 3)
    assert network == {"weight": weight, "levels": [0.5, 1.0], "law": "proportional"}
    assert not (folder.path / "checkpoints").exists()


def test_every_logged_number_is_a_row_and_time_is_none(scenario, tmp_path):
    table = run_scenario(scenario, out=tmp_path / "run").table("training")
    assert list(table.columns) == list(TABLES["training"])
    assert set(table["measure"]) == {"loss", "error_bound", "held_out_regret"}
    loss = table[table["measure"] == "loss"]
    assert loss["iteration"].tolist() == list(range(12))
    assert loss["value"].iloc[0] == pytest.approx(3 + 0.75 * 99)
    regret = table[table["measure"] == "held_out_regret"]
    assert regret["iteration"].tolist() == [1, 3, 5, 7, 9, 11]
    assert set(table["recipe"]) == {"tiny"}


@pytest.mark.parametrize("stop", [0, 3, 6, 11])
def test_an_interrupted_training_ends_with_the_same_bytes(scenario, tmp_path, monkeypatch, stop):
    whole = run_scenario(scenario, out=tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(TinyRecipe, "stop_at", stop)
        with pytest.raises(KeyboardInterrupt):
            run_scenario(scenario, out=tmp_path / "cut")
    manifest = json.loads((tmp_path / "cut" / "manifest.json").read_text())
    assert (manifest["status"], manifest["units"]["done"]) == ("interrupted", [])
    resumed = resume_run(tmp_path / "cut")
    assert resumed.status == "complete"
    for name in ("training.parquet", "network.safetensors"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_a_training_goes_on_from_its_checkpoint(scenario, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(TinyRecipe, "stop_at", 6)
        with pytest.raises(KeyboardInterrupt):
            run_scenario(scenario, out=tmp_path / "run")
    seen = []
    resume_run(tmp_path / "run", log=lambda unit, row: seen.append((unit.seed, row["iteration"])))
    assert seen == [(2, iteration) for iteration in range(4, 12)]


def test_seeds_and_settings_have_a_network_each(scenario, tmp_path):
    changes = ['settings=[{name = "few", owners = 2}, {name = "many", owners = 9}]', "seeds=2"]
    folder = run_scenario(scenario, changes, out=tmp_path / "run")
    files = network_files(load_scenario(scenario, changes), folder.path)
    assert [file.name for file in files] == [
        f"network-{setting}-{seed}.safetensors" for seed in (2, 3) for setting in ("few", "many")
    ]
    weights = [json.loads(file.read_bytes())["weight"] for file in files]
    assert len(set(weights)) == 4
    table = folder.table("training")
    assert len(table.groupby(["seed", "setting"])) == 4


def test_half_a_line_of_a_killed_training_is_forgotten(tmp_path):
    file = tmp_path / "log.jsonl"
    history = History(file)
    for iteration in range(3):
        history.add({"iteration": iteration, "loss": math.nan, "seconds": 3.0})
    with file.open("a") as lines:
        lines.write('{"iteration": 3, "lo')
    again = History(file)
    assert [row["iteration"] for row in again.rows] == [0, 1, 2]
    again.add({"iteration": 1, "loss": 0.5})
    assert [row["iteration"] for row in History(file).rows] == [0, 1]
    assert History(file).rows[1] == {"iteration": 1, "loss": 0.5}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("training.recipe.decay=2", "decay must be between 0 and 1, got 2"),
        ("training.recipe.dekay=2", "no argument 'dekay'; did you mean 'decay'?"),
        ("training.recipe=murbo", "there is no recipe 'murbo'"),
        ("experiment=auctions", "no section [training], which is only for experiment"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_begins(scenario, change, sentence):
    with pytest.raises(ScenarioError) as refused:
        load_scenario(scenario, [change])
    assert sentence in str(refused.value)


def test_a_training_needs_a_recipe_and_one_law(scenario, tmp_path):
    text = TRAINING.split("[training]", maxsplit=1)[0]
    scenario.write_text(text)
    with pytest.raises(ScenarioError, match=r"expected a section \[training\] with the recipe"):
        load_scenario(scenario)
    scenario.write_text(TRAINING.replace("[budget]", "[[budget]]\nlevels = [1.0]\n[[budget]]"))
    with pytest.raises(ScenarioError, match="one budget law"):
        load_scenario(scenario)


def test_the_command_says_what_was_learned_and_where_it_lies(command, scenario, tmp_path):
    out = tmp_path / "run"
    code, printed, errors = command("train", scenario, "--out", out, "--no-plot")
    assert (code, errors) == (0, "")
    assert "first and last logged values" in printed
    assert f"network  {out / 'network.safetensors'}" in printed
    code, printed, _ = command("train", "--resume", out, "--no-plot", "--json")
    found = json.loads(printed)
    assert found["networks"] == [str(out / "network.safetensors")]
    values = load_run(out).table("training", where={"measure": "loss"})["value"]
    loss = next(row for row in found["summary"] if row["measure"] == "loss")
    assert (loss["first"], loss["last"]) == (values.iloc[0], values.iloc[-1])
    assert loss["logged_until"] == 11


def test_ctrl_c_says_how_to_go_on(command, scenario, tmp_path, monkeypatch):
    monkeypatch.setattr(TinyRecipe, "stop_at", 5)
    code, _, errors = command("train", scenario, "--out", tmp_path / "run", "--no-plot")
    assert code == 130
    assert errors.strip().endswith(f"continue with: market-sim train --resume {tmp_path / 'run'}")
    monkeypatch.setattr(TinyRecipe, "stop_at", None)
    assert command("run", "--resume", tmp_path / "run", "--no-plot")[0] == 0


def test_what_is_no_training_is_left_to_run(command, auctions, tmp_path):
    code, _, errors = command("train", auctions)
    assert code == 2
    assert "is of experiment 'auctions', not 'training': use market-sim run" in errors
    folder = run_scenario(auctions, ["seeds=1", "settings=low"], out=tmp_path / "run")
    code, _, errors = command("train", "--resume", folder.path)
    assert (code, "use market-sim run" in errors) == (2, True)
    with pytest.raises(ResultsError):
        resume_run(folder.path, auctions, ["seeds=2"])


def test_a_line_of_progress_is_short():
    row = {"iteration": 1200, "seconds": 2, "loss": 3.14159, "error_bound": 2.5, "regret": 0.001}
    row |= {"ir": 0, "x": 1, "y": 2}
    assert logged(row) == "iteration 1,200, loss 3.14, error bound 2.5, regret 0.001, ir 0, x 1"


def test_a_terminal_shows_the_bar_and_the_numbers_under_it(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    with shown("units", quiet=False) as told:
        told.count(1, 2)
        told.log(None, {"iteration": 7, "loss": 1.5, "a_long_name_of_a_measure": 2, "another": 3})
    errors = " ".join(capsys.readouterr().err.split())
    assert "1/2" in errors
    assert "iteration 7, loss 1.5" in errors
    assert "another 3" in errors
    with shown("units", quiet=True) as told:
        assert (told.count, told.log) == (None, None)
