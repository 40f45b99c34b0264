"""Reading a run's folder: whole, in parts, and broken in every way a disk can break it."""

import json

import pandas as pd
import pytest

from analysis import load_run, plot_run
from market_sim.errors import ResultsError


def test_a_whole_run_gives_its_tables_back(make_auctions):
    run = load_run(make_auctions())
    assert run.experiment == "auctions"
    assert run.complete
    assert run.tables == ("auctions",)
    table = run.table("auctions")
    assert len(table) == 3 * 2 * 9 * 2 * 2
    assert set(table["setting"]) == {"low", "high"}


def test_parts_of_an_unfinished_run_read_as_one_table(make_auctions):
    whole = load_run(make_auctions()).table("auctions")
    path = make_auctions(name="parts", parts=4, manifest={"status": "interrupted"})
    run = load_run(path)
    assert not run.complete
    assert run.tables == ("auctions",)
    pd.testing.assert_frame_equal(run.table("auctions"), whole)


def test_only_asked_columns_and_rows_are_read(make_market):
    run = load_run(make_market())
    table = run.table("owners", columns=["owner", "payment"], where={"seed": 1, "round": 2})
    assert list(table.columns) == ["owner", "payment"]
    whole = run.table("owners")
    kept = whole[(whole["seed"] == 1) & (whole["round"] == 2)]
    assert table["payment"].tolist() == kept["payment"].tolist()


def test_a_folder_called_like_a_partition_adds_no_column(make_auctions):
    run = load_run(make_auctions(name="setting=odd"))
    assert set(run.table("auctions")["setting"]) == {"low", "high"}


def test_settings_are_found_in_the_manifest_then_in_its_scenario(make_audit):
    manifest = {"scenario": {"profiles": 7, "title": "inner"}, "title": "outer"}
    run = load_run(make_audit(manifest=manifest))
    assert run.setting("profiles") == 7
    assert run.setting("title") == run.title == "outer"
    assert run.setting("nothing", 3) == 3


def test_a_missing_folder_and_a_missing_manifest_are_told_apart(tmp_path):
    with pytest.raises(ResultsError, match="no run folder"):
        load_run(tmp_path / "nowhere")
    with pytest.raises(ResultsError, match=r"no manifest\.json"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[1]", "holds a list"),
        ("{}", "format None"),
        ('{"format": 2}', "format 2, this version reads up to 1"),
        ('{"format": "1"}', "format '1'"),
    ],
)
def test_a_broken_or_newer_manifest_is_refused(tmp_path, text, message):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ResultsError, match=message):
        load_run(tmp_path)


def test_a_missing_table_names_those_there_are(make_market):
    with pytest.raises(ResultsError, match=r"no table 'audit'; it has ledger, owners, rounds"):
        load_run(make_market()).table("audit")


def test_a_run_that_has_finished_nothing_yet_says_so(tmp_path):
    manifest = {"format": 1, "experiment": "market", "status": "running"}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ResultsError, match="no table yet"):
        load_run(tmp_path).table("rounds")
    with pytest.raises(ResultsError, match="No figure fits"):
        plot_run(tmp_path)


def test_a_missing_column_is_named(make_auctions):
    with pytest.raises(ResultsError, match="lacks column 'colour'"):
        load_run(make_auctions()).table("auctions", columns=["seed", "colour"])
    with pytest.raises(ResultsError, match="lacks column 'colour'"):
        load_run(make_auctions(name="b")).table("auctions", where={"colour": 1})


def test_an_empty_table_and_an_empty_choice_are_errors(make_auctions, tmp_path):
    path = make_auctions()
    with pytest.raises(ResultsError, match="no rows with seed = 99"):
        load_run(path).table("auctions", where={"seed": 99})
    frame = pd.read_parquet(path / "auctions.parquet")
    frame.iloc[:0].to_parquet(path / "auctions.parquet")
    with pytest.raises(ResultsError, match=r"has no rows\."):
        load_run(path).table("auctions")


def test_a_torn_file_is_named(make_auctions):
    path = make_auctions()
    file = path / "auctions.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ResultsError, match=r"auctions\.parquet cannot be read as Parquet"):
        load_run(path).table("auctions")
