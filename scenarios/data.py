"""What `market-sim data` shows: the data sets, where they are, whether they are intact."""

from collections.abc import Callable, Sequence
from typing import Any

from market_sim.errors import MarketSimError, ScenarioError
from scenarios.overrides import nearest

Row = dict[str, Any]


def listing() -> list[Row]:
    """Return each data set's name, title and place on this machine."""
    from market_sim.learning import dataset_names, describe

    rows = []
    for name in dataset_names():
        found = describe(name)
        rows.append(
            {"name": name, "where": found.where, "title": found.title, "licence": found.licence}
        )
    return rows


def fetch(names: Sequence[str]) -> list[Row]:
    """Download what is absent; one row a data set, with `problem` where that failed."""
    from market_sim.learning import fetch as download

    def place(name: str) -> Row:
        folder = download(name)
        return {"where": "embedded in scikit-learn" if folder is None else str(folder)}

    return _each(names, place)


def verify(names: Sequence[str]) -> list[Row]:
    """Compare files with their checksums; one row a file, with `problem` where it differs.

    A data set that is absent is a problem only if it was asked for by name.
    """
    from market_sim.learning import verify as compare

    rows: list[Row] = []
    for name in _known(names):
        for file, status in compare(name):
            bad = status != "ok" and not (status == "absent" and not names)
            problem = f"{name}: {file} is {status}: market-sim data fetch {name}" if bad else ""
            rows.append({"name": name, "file": file, "status": status, "problem": problem})
    return rows


def _known(names: Sequence[str]) -> list[str]:
    from market_sim.learning import dataset_names

    known = dataset_names()
    for name in names:
        if name not in known:
            raise ScenarioError(f"there is no data set {name!r}{nearest(name, known)}")
    return list(names or known)


def _each(names: Sequence[str], do: Callable[[str], Row]) -> list[Row]:
    rows: list[Row] = []
    for name in _known(names):
        try:
            rows.append({"name": name, **do(name), "problem": ""})
        except MarketSimError as problem:
            rows.append({"name": name, "where": "absent", "problem": str(problem)})
    return rows
