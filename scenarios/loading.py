"""From a name or a file, and settings of the command line, to a checked `Scenario`."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from market_sim.errors import ScenarioError
from scenarios.config import Scenario
from scenarios.overrides import annotation_at, as_texts, nearest, override, record_of

LIBRARY = Path(__file__).parent / "library"
_WORDS = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "string_pattern_mismatch": "a name of letters, digits, '-' and '_'",
}


@dataclass(frozen=True)
class Loaded:
    """A scenario with where it comes from: its text as written and the settings put on top."""

    scenario: Scenario
    text: str
    overrides: tuple[str, ...]


def scenario_names() -> list[str]:
    """Names of the scenarios that come with the library, sorted."""
    return sorted(file.stem for file in LIBRARY.glob("*.toml"))


def load_scenario(
    name_or_path: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> Scenario:
    """Return a scenario of the library by name, or of a TOML file, with settings changed.

    Parameters
    ----------
    name_or_path
        A name of `scenario_names()`, or the path of a file that ends in `.toml`.
    overrides
        `"population.owners=20"` texts, or a mapping of such keys to values.

    Raises
    ------
    ScenarioError
        Naming the file, the key and the nearest known one, or the value and what was expected.
    """
    return load(name_or_path, overrides).scenario


def load(name_or_path: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Loaded:
    """Do what `load_scenario` does, and keep the text; same parameters and errors."""
    file = find_scenario(name_or_path)
    text, document = _read(file)
    document.setdefault("name", file.stem)
    texts = as_texts(overrides)
    for entry in texts:
        override(document, entry)
    scenario = validated(document, file.name, texts)
    from scenarios.registry import check_items

    check_items(scenario, file.name)
    return Loaded(scenario, text, texts)


def find_scenario(name_or_path: str | Path) -> Path:
    """Return the file of a scenario.

    Raises
    ------
    ScenarioError
        If there is no such name or file.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if path.is_file():
            return path
        raise ScenarioError(f"there is no scenario file {path}: give the path of a TOML file")
    file = LIBRARY / f"{name_or_path}.toml"
    if path.name != str(name_or_path) or not file.is_file():
        raise ScenarioError(
            f"there is no scenario {str(name_or_path)!r}{nearest(str(path), scenario_names())}"
        )
    return file


def read_document(file: Path) -> dict[str, Any]:
    """Return a TOML file as it is, unchecked.

    Raises
    ------
    ScenarioError
        If it cannot be read or is no TOML.
    """
    return _read(file)[1]


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ScenarioError(f"{file} cannot be read as TOML: {problem}") from problem


def validated(document: Mapping[str, Any], origin: str, overrides: Sequence[str] = ()) -> Scenario:
    """Return the scenario that a document describes.

    Raises
    ------
    ScenarioError
        One sentence on the first key or value that is wrong.
    """
    try:
        return Scenario.model_validate(dict(document))
    except ValidationError as problem:
        # A misspelt key is a missing one, too: what is there says more than what is not.
        first = min(problem.errors(), key=lambda error: error["type"] != "extra_forbidden")
        raise ScenarioError(_sentence(first, origin, overrides)) from problem


def _sentence(error: ErrorDetails, origin: str, overrides: Sequence[str]) -> str:
    """Say what is wrong with one key."""
    path = [part for part in error["loc"] if part != "Item"]
    key = ".".join(map(str, path))
    where = next((f"--set {text}" for text in overrides if _concerns(text, path)), origin)
    if error["type"] == "extra_forbidden":
        record = record_of(annotation_at(path[:-1]))
        known = () if record is None else record.model_fields
        return f"{where}: unknown key {key!r}{nearest(str(path[-1]), known)}"
    if error["type"] == "missing":
        return f"{where}: the key {key!r} is missing, add it"
    message = error["msg"]
    expected = _WORDS.get(error["type"]) or message.removeprefix("Value error, ").removeprefix(
        "Input should be "
    )
    if not key:
        return f"{where}: expected {expected}"
    return f"{where}: {key} is {_shown(error['input'])}, expected {expected}"


def _concerns(text: str, path: Sequence[str | int]) -> bool:
    """Tell whether an override has set what is at a path, entries of lists named or not."""
    key = text.partition("=")[0].split(".")
    names = [str(part) for part in path if not isinstance(part, int)]
    return key[0] == names[0] and key[-1] in (names[-1], str(path[-1])) if names else False


def _shown(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else text[:57] + "..."
