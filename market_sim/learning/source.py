"""What is known about one data set: its files, how they are read, where they come from."""

from collections.abc import Callable
from dataclasses import dataclass

from market_sim.learning.datasets import TrainTest
from market_sim.learning.downloads import Download
from market_sim.learning.storage import DataFile

Read = Callable[[DataFile], bytes]


@dataclass(frozen=True)
class Layout:
    """A set of files that together hold a data set, and the function that reads them."""

    files: tuple[DataFile, ...]
    load: Callable[[Read, int], TrainTest]


@dataclass(frozen=True)
class Source:
    """A data set: either layouts of files with downloads, or embedded in scikit-learn."""

    name: str
    title: str
    licence: str
    citation: str
    notes: str
    layouts: tuple[Layout, ...] = ()
    downloads: tuple[Download, ...] = ()
    embedded: Callable[[int], TrainTest] | None = None


def direct(base: str, files: tuple[DataFile, ...]) -> tuple[Download, ...]:
    """One download a file, named as on the server."""
    return tuple(
        Download(base + file.path.split("/")[-1].replace("+", "%2B"), ((file, ()),))
        for file in files
    )
