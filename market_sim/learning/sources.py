"""The data sets by name: where they come from, whether they are here, and how to load them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from market_sim.errors import ChecksumMismatch, DataUnavailable, InvalidInput
from market_sim.learning.catalog import SOURCES
from market_sim.learning.datasets import TrainTest
from market_sim.learning.source import Source
from market_sim.learning.storage import DataFile, cache_folder, roots

_EMBEDDED = "embedded in scikit-learn"


@dataclass(frozen=True)
class Description:
    """What a data set is and where it was found.

    Attributes
    ----------
    name, title, licence, citation
        As published.
    notes
        What the loader does with it: split, encoding, scaling.
    where
        A folder, "embedded in scikit-learn", "derived from NAME", or "absent".
    """

    name: str
    title: str
    licence: str
    citation: str
    notes: str
    where: str


def dataset_names() -> tuple[str, ...]:
    """Return the names that `load_dataset` knows, sorted."""
    return tuple(sorted(SOURCES))


def describe(name: str) -> Description:
    """Return title, licence, citation and place of a data set.

    Raises
    ------
    InvalidInput
        If the name is unknown.
    """
    source = _source(name)
    return Description(
        name, source.title, source.licence, source.citation, source.notes, _where(source)
    )


def verify(name: str) -> list[tuple[str, str]]:
    """Compare every file of a data set with its published checksum.

    Returns
    -------
    list of (file, status)
        Status "ok", "absent" or "checksum mismatch"; of a data set with two layouts the one that
        is more complete on this machine is judged.

    Raises
    ------
    InvalidInput
        If the name is unknown.
    """
    source = _source(name)
    if not source.layouts:
        return [(_EMBEDDED, "ok")]
    files = max(source.layouts, key=lambda layout: _present(layout.files)).files
    return [(file.path, file.status(roots())) for file in files]


def fetch(name: str, progress: bool = False) -> Path | None:
    """Download a data set from its publishers unless it is on this machine already.

    Parameters
    ----------
    name
        A name of `dataset_names`.
    progress
        Show a progress bar (needs tqdm).

    Returns
    -------
    pathlib.Path or None
        The folder that holds it; nothing if it is embedded in scikit-learn.

    Raises
    ------
    InvalidInput
        If the name is unknown.
    DataUnavailable
        If it cannot be downloaded.
    ChecksumMismatch
        If files here or what was downloaded are not the published ones.
    """
    source = _source(name)
    if not source.layouts:
        return None
    place = _place(source)
    if place is None:
        for download in source.downloads:
            download.into_cache(progress)
        place = cache_folder()
    _refuse_wrong_files(name)
    return place


def load_dataset(name: str, *, seed: int = 0, download: bool = True) -> TrainTest:
    """Return a data set: from $MARKET_SIM_DATA, the cache, or its publishers, in this order.

    Parameters
    ----------
    name
        A name of `dataset_names`.
    seed
        Seed of the stratified test split, for data sets that come without a test set.
    download
        Whether to try the network if the files are not on this machine.

    Raises
    ------
    InvalidInput
        If the name is unknown.
    DataUnavailable
        If the data set is nowhere; the message says what to do.
    ChecksumMismatch
        If a file is not the published one. Checksums are compared on every load.
    """
    source = _source(name)
    if source.layouts and download and _place(source) is None:
        _fetch_or_explain(source)
    for layout in source.layouts:
        if _present(layout.files) == len(layout.files):
            return layout.load(_reader(), seed)
    if source.layouts:
        raise DataUnavailable(_advice(source))
    assert source.embedded is not None
    return source.embedded(seed)


def _source(name: str) -> Source:
    if name in SOURCES:
        return SOURCES[name]
    near = get_close_matches(name, SOURCES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(dataset_names())}"
    raise InvalidInput(f"there is no data set {name!r}: {hint}")


def _reader() -> Callable[[DataFile], bytes]:
    places = roots()
    return lambda file: file.read(places)


def _present(files: Sequence[DataFile]) -> int:
    places = roots()
    return sum(file.locate(places) is not None for file in files)


def _place(source: Source) -> Path | None:
    """Folder of the first complete layout."""
    for layout in source.layouts:
        found = [file.locate(roots()) for file in layout.files]
        if None not in found and found[0] is not None:
            return found[0].parent
    return None


def _where(source: Source) -> str:
    if not source.layouts:
        return _EMBEDDED
    place = _place(source)
    return "absent" if place is None else str(place)


def _refuse_wrong_files(name: str) -> None:
    wrong = [file for file, status in verify(name) if status != "ok"]
    if wrong:
        raise ChecksumMismatch(
            f"{', '.join(wrong)} of {name!r} is not as published: remove it and fetch it again"
        )


def _fetch_or_explain(source: Source) -> None:
    try:
        fetch(source.name)
    except ChecksumMismatch:
        raise
    except DataUnavailable as error:
        raise DataUnavailable(f"{_advice(source)} ({error})") from error


def _advice(source: Source) -> str:
    return (
        f"the data set {source.name!r} is not on this machine: set MARKET_SIM_DATA to a folder "
        f"that holds {source.layouts[0].files[0].path}, or run `market-sim data fetch "
        f"{source.name}` where there is a network"
    )
