"""Files of the data sets on this machine: where they may lie, and whether they are genuine."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from market_sim.errors import ChecksumMismatch, DataUnavailable

Status = Literal["ok", "absent", "checksum mismatch"]


@dataclass(frozen=True)
class DataFile:
    """A published file and the checksum that identifies it.

    Parameters
    ----------
    path
        Path below the folder of data sets. A text or IDX file may also lie there packed, with
        `.gz` added.
    digest
        "algorithm:hexadecimal", of the unpacked content; of the file as it is if `path` itself
        ends in `.gz` (its publisher states no other).
    """

    path: str
    digest: str

    def locate(self, roots: Sequence[Path]) -> Path | None:
        """Return the first place where the file lies, or nothing."""
        for root in roots:
            for candidate in (root / self.path, root / f"{self.path}.gz"):
                if candidate.is_file():
                    return candidate
        return None

    def read(self, roots: Sequence[Path]) -> bytes:
        """Return the unpacked content, verified.

        Raises
        ------
        DataUnavailable
            If the file is nowhere or cannot be read.
        ChecksumMismatch
            If its content is not the published one.
        """
        place = self.locate(roots)
        if place is None:
            raise DataUnavailable(f"the data file {self.path} is not on this machine")
        try:
            raw = place.read_bytes()
        except OSError as error:
            raise DataUnavailable(f"the data file {place} cannot be read: {error}") from error
        return self.verified(raw, place)

    def verified(self, raw: bytes, place: Path | str) -> bytes:
        """Return the unpacked content of bytes that came from `place`.

        Raises
        ------
        ChecksumMismatch
            If the content is not the published one.
        """
        packed = raw[:2] == b"\x1f\x8b"
        if self.path.endswith(".gz"):
            self._compare(raw, place)
        content = _unpack(raw, place) if packed else raw
        if not self.path.endswith(".gz"):
            self._compare(content, place)
        return content

    def status(self, roots: Sequence[Path]) -> Status:
        """Return whether the file is there and is the published one."""
        if self.locate(roots) is None:
            return "absent"
        try:
            self.read(roots)
        except ChecksumMismatch:
            return "checksum mismatch"
        return "ok"

    def _compare(self, content: bytes, place: Path | str) -> None:
        algorithm, expected = self.digest.split(":")
        found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
        if found != expected:
            raise ChecksumMismatch(
                f"{place} is not the published {self.path}: {algorithm} {found[:12]}..., expected "
                f"{expected[:12]}...; remove it and fetch the data set again"
            )


def cache_folder() -> Path:
    """Return where fetched files are kept: $MARKET_SIM_CACHE, else the user's cache folder."""
    import pooch

    return Path(os.environ.get("MARKET_SIM_CACHE") or pooch.os_cache("market_sim"))


def roots() -> tuple[Path, ...]:
    """Return the folders that are searched: $MARKET_SIM_DATA first, then the cache."""
    given = os.environ.get("MARKET_SIM_DATA")
    return ((Path(given),) if given else ()) + (cache_folder(),)


def _unpack(raw: bytes, place: Path | str) -> bytes:
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ChecksumMismatch(
            f"{place} is a damaged gzip file: remove it and fetch the data set again"
        ) from error
