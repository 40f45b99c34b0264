"""A run's folder: written whole or not at all, merged in order, the same bytes each time."""

import errno
import os
from typing import get_args

import numpy as np
import pytest
from pyarrow import parquet

from market_sim.errors import ResultsError
from scenarios.config import Experiment
from scenarios.results import RunFolder, as_table, schema_of, write_file
from scenarios.schemas import TABLES, tables_of

LEDGER = {
    "seed": 1,
    "setting": "low",
    "budget_law": "fixed",
    "budget_level": 2.0,
    "mechanism": "m",
    "aggregator": "a",
    "round": np.array([0, 1]),
    "currency": np.array(["money", "privacy"]),
    "debit": np.array(["a", "b"], dtype=object),
    "credit": ["b", "c"],
    "amount": np.array([0.5, np.inf]),
}


@pytest.fixture
def folder(tmp_path):
    return RunFolder.create(tmp_path / "run", {"format": 1, "status": "running"}, "seed = 1\n")


def test_a_folder_can_be_opened_again(folder):
    assert RunFolder.open(folder.path).manifest == folder.manifest
    assert (folder.path / "scenario.toml").read_text() == "seed = 1\n"


def test_an_existing_folder_is_never_touched(tmp_path):
    with pytest.raises(ResultsError, match="exists already: give another --out"):
        RunFolder.create(tmp_path, {}, "")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be made: Not a directory"):
        RunFolder.create(tmp_path / "file" / "run", {}, "")


@pytest.mark.parametrize("text", ["", "[]", '{"format": 99}', "{"])
def test_a_manifest_that_is_none_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ResultsError, match=r"manifest\.json"):
        RunFolder.open(tmp_path)


def test_a_folder_without_manifest_is_no_run(tmp_path):
    with pytest.raises(ResultsError, match="so it is no run"):
        RunFolder.open(tmp_path)


def test_single_values_fill_their_column():
    table = as_table("ledger", LEDGER)
    assert table.num_rows == 2
    assert table.schema == schema_of("ledger")
    assert table.column("setting").to_pylist() == ["low", "low"]
    assert table.column("credit").to_pylist() == ["b", "c"]


def test_wrong_columns_are_named():
    with pytest.raises(ResultsError, match="check \\['amount', 'odd'\\]"):
        as_table("ledger", {k: v for k, v in LEDGER.items() if k != "amount"} | {"odd": 1})


def test_every_experiment_has_its_tables():
    kinds = get_args(Experiment)
    assert {name for kind in kinds for name in tables_of(kind)} == set(TABLES)
    assert tables_of("market", record_owners=False) == ("rounds", "ledger")
    for name in TABLES:
        assert schema_of(name).names == list(TABLES[name])


def test_parts_are_merged_in_the_order_given(folder):
    for unit, amount in (("2", 2.0), ("1", 1.0)):
        folder.write_part("ledger", unit, LEDGER | {"amount": np.full(2, amount)})
    folder.merge(["ledger"], ["2", "1"])
    merged = parquet.read_table(folder.path / "ledger.parquet", partitioning=None)
    assert merged.column("amount").to_pylist() == [2.0, 2.0, 1.0, 1.0]
    assert folder.table("ledger")["amount"].tolist() == [2.0, 2.0, 1.0, 1.0]
    folder.drop_parts()
    assert not (folder.path / "parts").exists()


def test_large_tables_are_merged_in_pieces(folder, monkeypatch):
    monkeypatch.setattr("scenarios.results._ROWS_AT_ONCE", 4)
    ids = [str(number) for number in range(5)]
    for unit in ids:
        folder.write_part("ledger", unit, LEDGER)
    folder.merge(["ledger"], ids)
    found = parquet.ParquetFile(folder.path / "ledger.parquet")
    assert (found.metadata.num_rows, found.num_row_groups) == (10, 3)


def test_the_same_rows_are_the_same_bytes(folder, tmp_path):
    other = RunFolder.create(tmp_path / "other", {}, "")
    for each in (folder, other):
        each.write_part("ledger", "1", LEDGER)
        each.merge(["ledger"], ["1"])
    first, second = ((each.path / "ledger.parquet").read_bytes() for each in (folder, other))
    assert first == second
    assert b"pandas" not in first


def test_a_unit_is_finished_when_all_its_tables_are_there(folder):
    folder.write_part("ledger", "1", LEDGER)
    assert folder.finished(["1", "2"], ["ledger"]) == ["1"]
    assert folder.finished(["1", "2"], ["ledger", "rounds"]) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(tmp_path, code):
    def fails(file):
        file.write(b"half")
        raise OSError(code, os.strerror(code))

    (tmp_path / "x").write_bytes(b"before")
    with pytest.raises(ResultsError, match="the disk is full; finished units are kept"):
        write_file(tmp_path / "x", fails)
    assert [file.name for file in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"before"


def test_other_failures_say_what_the_system_says(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "y").mkdir()
    with pytest.raises(ResultsError, match="x cannot be written: "):
        write_file(tmp_path / "x", lambda file: file.write(b""))


def test_leftovers_of_interrupted_writes_are_swept(folder):
    left = folder.path / "parts" / "ledger" / "1.parquet.77.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    folder.sweep()
    assert not left.exists()
