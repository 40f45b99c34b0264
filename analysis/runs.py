"""A run's folder on disk, read as it is: finished, interrupted or still running."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from market_sim.errors import ResultsError

FORMAT = 1
"""The newest layout of a run's folder that this version reads."""


def load_run(path: str | Path) -> "Run":
    """Open the run whose folder is `path`; its tables are read when asked for.

    Parameters
    ----------
    path
        A folder `runs/<scenario>/<id>` that holds a `manifest.json`.

    Raises
    ------
    ResultsError
        When the folder or its manifest is missing, broken, or written in a newer format.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ResultsError(f"There is no run folder {folder}; give the folder of a run.")
    return Run(folder, _read_manifest(folder / "manifest.json"))


def _read_manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(
            f"{file.parent} has no manifest.json, so it is no run; give the folder of a run."
        ) from None
    except (OSError, ValueError) as problem:
        raise ResultsError(f"{file} cannot be read as JSON: {problem}.") from problem
    if not isinstance(manifest, dict):
        raise ResultsError(f"{file} holds a {type(manifest).__name__}, expected a JSON object.")
    written = manifest.get("format")
    if not isinstance(written, int):
        raise ResultsError(f"{file} has format {written!r}, expected a whole number.")
    if written > FORMAT:
        raise ResultsError(
            f"{file} is written in format {written}, this version reads up to {FORMAT}; "
            "update market_sim to read it."
        )
    return manifest


@dataclass(frozen=True)
class Run:
    """One run: its folder, its manifest and its tables.

    Attributes
    ----------
    folder
        Where the run lies.
    manifest
        The manifest as written: scenario, seeds, units, versions.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def experiment(self) -> str:
        """The kind of the experiment: such as "auctions", "market", "audit" or "platform"."""
        return str(self.manifest.get("experiment", ""))

    @property
    def title(self) -> str:
        """The scenario's title, or the folder's name where it has none."""
        return str(self.manifest.get("title") or self.folder.name)

    @property
    def complete(self) -> bool:
        """Whether every unit of work was finished."""
        return self.manifest.get("status") == "complete"

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables with at least one file on disk, sorted."""
        whole = {file.stem for file in self.folder.glob("*.parquet")}
        parts = {file.parent.name for file in self.folder.glob("parts/*/*.parquet")}
        return tuple(sorted(whole | parts))

    def setting(self, name: str, default: Any = None) -> Any:
        """Look `name` up in the manifest, then at the top of its scenario."""
        scenario = self.manifest.get("scenario")
        inner = scenario.get(name, default) if isinstance(scenario, Mapping) else default
        return self.manifest.get(name, inner)

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        where: Mapping[str, object] | None = None,
    ) -> pd.DataFrame:
        """Read the table `name`: one file, or the parts of an unfinished run in file order.

        Parameters
        ----------
        name
            Such as "rounds"; `tables` lists what there is.
        columns
            The columns to read, all of them when None. Asking for a column that is not there is
            an error.
        where
            Column and value pairs; only rows that match them all are read.

        Raises
        ------
        ResultsError
            When the table, a column or every row is missing, or a file cannot be read.
        """
        frames = [self._read(file, columns, where) for file in self._files(name)]
        filled = [frame for frame in frames if len(frame)]
        if not filled:
            matching = f" with {_describe(where)}" if where else ""
            raise ResultsError(f"Table '{name}' of {self.folder} has no rows{matching}.")
        return pd.concat(filled, ignore_index=True)

    def rows(self, name: str) -> int:
        """Count the rows of a table; 0 where it is missing."""
        from pyarrow import parquet

        if name not in self.tables:
            return 0
        return sum(parquet.read_metadata(file).num_rows for file in self._files(name))

    def _files(self, name: str) -> list[Path]:
        whole = self.folder / f"{name}.parquet"
        if whole.is_file():
            return [whole]
        parts = sorted((self.folder / "parts" / name).glob("*.parquet"))
        if parts:
            return parts
        known = ", ".join(self.tables) or "no table yet"
        raise ResultsError(f"{self.folder} has no table '{name}'; it has {known}.")

    def _read(
        self, file: Path, columns: Sequence[str] | None, where: Mapping[str, object] | None
    ) -> pd.DataFrame:
        import pyarrow as pa
        from pyarrow import parquet

        filters = [(key, "==", value) for key, value in where.items()] if where else None
        try:
            present = parquet.read_schema(file).names
            self._check_columns(file, present, [*(columns or ()), *(where or ())])
            # A path such as "setting=low/" is the user's and names no partition.
            table = parquet.read_table(
                file,
                columns=None if columns is None else list(columns),
                filters=filters,
                partitioning=None,
            )
        except (pa.ArrowException, OSError) as problem:
            reason = str(problem).splitlines()[0]
            raise ResultsError(f"{file} cannot be read as Parquet: {reason}.") from problem
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def _check_columns(self, file: Path, present: Sequence[str], wanted: Sequence[str]) -> None:
        missing = [column for column in wanted if column not in present]
        if missing:
            raise ResultsError(
                f"{file} lacks column {', '.join(map(repr, missing))}; it has {', '.join(present)}."
            )


def _describe(where: Mapping[str, object]) -> str:
    return ", ".join(f"{column} = {value}" for column, value in where.items())
