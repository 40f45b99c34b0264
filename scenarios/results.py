"""A run's folder on disk: manifest, parts of finished units, merged tables."""

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np

from market_sim.errors import ResultsError
from scenarios.schemas import TABLES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORMAT = 1
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ROWS_AT_ONCE = 1 << 20  # rows of a merged table that are held in memory


class RunFolder:
    """The folder of one run: `manifest.json`, `scenario.toml`, one Parquet file a table.

    While the run goes on, each finished unit lies in `parts/<table>/<unit>.parquet`.

    Attributes
    ----------
    path
        The folder.
    manifest
        What `manifest.json` holds.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def create(cls, path: Path, manifest: dict[str, Any], text: str) -> Self:
        """Make a new folder with its manifest and the text of its scenario.

        Raises
        ------
        ResultsError
            If the folder exists, even empty, or cannot be written.
        """
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise ResultsError(
                f"the output folder {path} exists already: give another --out, or continue the "
                f"run in it with --resume {path}"
            ) from None
        except OSError as problem:
            raise ResultsError(f"{path} cannot be made: {_reason(problem)}") from problem
        folder = cls(path, manifest)
        write_file(path / "scenario.toml", lambda file: file.write(text.encode()))
        folder.save()
        return folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a folder that exists.

        Raises
        ------
        ResultsError
            If it holds no readable manifest of this format.
        """
        try:
            manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ResultsError(
                f"{path} has no manifest.json, so it is no run: give the folder of a run"
            ) from None
        except (OSError, ValueError) as problem:
            raise ResultsError(f"{path / 'manifest.json'} cannot be read: {problem}") from problem
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ResultsError(f"{path / 'manifest.json'} is not of format {FORMAT}")
        return cls(path, manifest)

    @property
    def status(self) -> str:
        """One of "running", "complete" and "interrupted"."""
        return str(self.manifest["status"])

    def table(self, name: str) -> "pd.DataFrame":
        """Return a table, of an unfinished run what there is of it.

        Raises
        ------
        ResultsError
            If there is no such table.
        """
        from analysis import load_run

        return load_run(self.path).table(name)

    def save(self) -> None:
        """Write the manifest as it is now.

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        text = json.dumps(self.manifest, indent=2, allow_nan=False) + "\n"
        write_file(self.path / "manifest.json", lambda file: file.write(text.encode()))

    def finished(self, ids: Sequence[str], tables: Sequence[str]) -> list[str]:
        """Return the units whose parts of all tables are on disk, in the order given."""
        present = [
            {file.name.removesuffix(".parquet") for file in self._parts(table).glob("*.parquet")}
            for table in tables
        ]
        return [unit for unit in ids if all(unit in found for found in present)]

    def sweep(self) -> None:
        """Remove what an interrupted write has left behind."""
        for file in self.path.glob("**/*.tmp"):
            file.unlink(missing_ok=True)

    def _parts(self, table: str) -> Path:
        return self.path / "parts" / table

    def write_part(self, table: str, unit: str, columns: Mapping[str, Any]) -> None:
        """Write a unit's rows of a table, whole or not at all.

        Raises
        ------
        ResultsError
            If a column is missing or unknown, or the disk is full.
        """
        content = _parquet_bytes([as_table(table, columns)], table)
        write_file(self._parts(table) / f"{unit}.parquet", lambda file: file.write(content))

    def merge(self, tables: Sequence[str], ids: Sequence[str]) -> None:
        """Join the parts of each table in the order of the units.

        Raises
        ------
        ResultsError
            If the disk is full; the parts stay.
        """
        for table in tables:
            files = [self._parts(table) / f"{unit}.parquet" for unit in ids]
            write_file(self.path / f"{table}.parquet", partial(_write_merged, table, files))

    def drop_parts(self) -> None:
        """Remove the parts, which the merged tables hold, and checkpoints of finished training."""
        import shutil

        for name in ("parts", "checkpoints"):
            shutil.rmtree(self.path / name, ignore_errors=True)


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all: beside its place, flushed to disk, then renamed.

    Raises
    ------
    ResultsError
        If it cannot be written; in particular if the disk is full.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as problem:
        beside.unlink(missing_ok=True)
        raise ResultsError(f"{path} cannot be written: {_reason(problem)}") from problem


def _reason(problem: OSError) -> str:
    if problem.errno in _FULL:
        return "the disk is full; finished units are kept, free some space and continue"
    return problem.strerror or str(problem)


def as_table(table: str, columns: Mapping[str, Any]) -> "pa.Table":
    """Return columns as an Arrow table of the schema; single values fill their column.

    Raises
    ------
    ResultsError
        If a column is missing or unknown.
    """
    import pyarrow as pa

    schema = schema_of(table)
    if set(schema.names) != set(columns):
        odd = sorted(set(schema.names) ^ set(columns))
        raise ResultsError(f"table {table!r} needs the columns {schema.names}, check {odd}")
    rows = max((len(value) for value in columns.values() if np.ndim(value)), default=1)
    arrays = [
        pa.array(columns[f.name], type=f.type)
        if np.ndim(columns[f.name])
        else pa.repeat(pa.scalar(columns[f.name], type=f.type), rows)
        for f in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def schema_of(table: str) -> "pa.Schema":
    """Return the Arrow schema of a table."""
    import pyarrow as pa

    types = {"int": pa.int64(), "float": pa.float64(), "text": pa.string()}
    return pa.schema([(name, types[kind]) for name, kind in TABLES[table].items()])


def _parquet_bytes(tables: Iterable["pa.Table"], name: str) -> bytes:
    """Return a Parquet file in memory: Python itself then writes it and knows why it cannot."""
    buffer = BytesIO()
    _write_parquet(tables, name, buffer)
    return buffer.getvalue()


def _write_parquet(tables: Iterable["pa.Table"], name: str, file: BinaryIO) -> None:
    from pyarrow import parquet

    with parquet.ParquetWriter(file, schema_of(name), compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)


def _write_merged(name: str, files: Sequence[Path], file: BinaryIO) -> None:
    """Write the rows of many files as one, some at a time."""
    _write_parquet(_gathered(files), name, file)


def _gathered(files: Sequence[Path]) -> Iterable["pa.Table"]:
    import pyarrow as pa
    from pyarrow import parquet

    waiting: list[pa.Table] = []
    rows = 0
    for file in files:
        waiting.append(parquet.read_table(file, partitioning=None, use_threads=False))
        rows += waiting[-1].num_rows
        if rows >= _ROWS_AT_ONCE:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()
