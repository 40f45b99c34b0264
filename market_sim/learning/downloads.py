"""Fetching published files from the places of their publishers, into the cache folder."""

import gzip
import io
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from market_sim.errors import ChecksumMismatch, DataUnavailable
from market_sim.learning.storage import DataFile, cache_folder

GZIP = "(the content of a gzip file)"


@dataclass(frozen=True)
class Download:
    """Something at an address that holds one or several files of a data set.

    Parameters
    ----------
    url
        Address.
    members
        Pairs of a file and the path to its content inside the archive: the names of the nested
        archives, then of the member, or `GZIP`; empty if the download is the file itself.
    digest
        "md5:..." or "sha256:..." of the download, where the publisher states one.
    """

    url: str
    members: tuple[tuple[DataFile, tuple[str, ...]], ...]
    digest: str | None = None

    def into_cache(self, progress: bool = False) -> None:
        """Download, verify every member, and only then write it below the cache folder.

        Raises
        ------
        DataUnavailable
            If the address cannot be reached, an archive lacks a member or the disk refuses.
        ChecksumMismatch
            If what arrived is not what was published.
        """
        folder = cache_folder()
        raw = self._retrieve(folder / "downloads", progress)
        for file, inside in self.members:
            content = _member(raw, inside, self.url)
            file.verified(content, self.url)
            _write(folder / file.path, content)

    def _retrieve(self, folder: Path, progress: bool) -> bytes:
        import pooch

        try:
            place = Path(pooch.retrieve(self.url, self.digest, path=folder, progressbar=progress))
            raw = place.read_bytes()
            place.unlink()  # its members are kept, and what failed must not be found next time
        except ValueError as error:
            raise ChecksumMismatch(
                f"what {self.url} sent is not what was published there: {error}"
            ) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DataUnavailable(f"{self.url} could not be fetched ({reason})") from error
        return raw


def _member(raw: bytes, path: tuple[str, ...], url: str) -> bytes:
    """Follow a path of names through nested zip and tar archives."""
    for name in path:
        try:
            raw = _extract(raw, name)
        except (
            KeyError,
            zipfile.BadZipFile,
            tarfile.TarError,
            EOFError,
            OSError,
            zlib.error,
        ) as error:
            raise DataUnavailable(f"the archive from {url} holds no readable {name}") from error
    return raw


def _extract(raw: bytes, name: str) -> bytes:
    if name == GZIP:
        return gzip.decompress(raw)
    stream = io.BytesIO(raw)
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive:
            return archive.read(name)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        member = archive.extractfile(name)
        if member is None:
            raise KeyError(name)
        return member.read()


def _write(place: Path, content: bytes) -> None:
    """Write beside and rename, so that a broken write leaves no half file."""
    beside = place.with_name(f"{place.name}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(place)
    except OSError as error:
        raise DataUnavailable(f"{place} cannot be written: {error}") from error
