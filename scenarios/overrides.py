"""Settings of the command line, `key=value`, put into a scenario's document."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from market_sim.errors import ScenarioError
from scenarios.config import BuyerConfig, Scenario
from scenarios.items import Item
from scenarios.populations import BudgetConfig, SettingConfig


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" or, if nothing is near, what there is."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}."


def record_of(annotation: Any) -> type[BaseModel] | None:
    """Return the record that a field holds: itself, or nothing else, or as entries of a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (record_of(inner) for inner in get_args(annotation))
    return next((record for record in found if record is not None), None)


def _is_list(annotation: Any) -> bool:
    return any(get_origin(kind) is tuple for kind in (annotation, *get_args(annotation)))


def annotation_at(path: Sequence[str | int]) -> Any:
    """Return the type of the field that a path leads to; None inside items and beyond fields.

    Raises
    ------
    ScenarioError
        If a record on the way has no such key.
    """
    annotation: Any = Scenario
    for part in map(str, path):
        record = record_of(annotation)
        if record is None or (record is Item and not _is_list(annotation)):
            return str if record is Item and part in ("name", "label") else None
        if part in record.model_fields and record is not Item:
            annotation = record.model_fields[part].annotation
        elif _is_list(annotation):
            annotation = record
        else:
            raise ScenarioError(f"unknown key {part!r}{nearest(part, record.model_fields)}")
    return annotation


def as_texts(overrides: Sequence[str] | Mapping[str, Any]) -> tuple[str, ...]:
    """Return overrides as `key=value` texts."""
    if not isinstance(overrides, Mapping):
        return tuple(overrides)
    return tuple(f"{key}={_as_text(value)}" for key, value in overrides.items())


def _as_text(value: Any) -> str:
    """Write a Python value as `--set` would be given it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        entries = (f'"{entry}"' if isinstance(entry, str) else _as_text(entry) for entry in value)
        return f"[{', '.join(entries)}]"
    return str(value)


def override(document: dict[str, Any], text: str) -> None:
    """Put one `key=value` into the document, in place."""
    key, equals, value = text.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        raise ScenarioError(f"--set {text}: expected key=value, such as population.owners=20")
    try:
        annotation = annotation_at(path)
    except ScenarioError as problem:
        raise ScenarioError(f"--set {text}: {problem}") from None
    place: Any = document
    for depth, part in enumerate(path[:-1], 1):
        place = _enter(place, part, path[depth], text)
    _put(place, path[-1], _parsed(annotation, value.strip()), annotation, text)


def _enter(place: Any, part: str, following: str, text: str) -> Any:
    """Go one step down; a list is entered by position, by name, or, if it has one entry, freely."""
    if isinstance(place, dict):
        inner = place.setdefault(part, {})
        if isinstance(inner, str):  # an item given by its name alone
            inner = place[part] = {"name": inner}
        if isinstance(inner, list) and _entry_of(inner, following) is None:
            return inner if following.isdigit() else _only(inner, part, text)
        return inner
    index = _entry_of(place, part)
    if index is None:
        raise ScenarioError(
            f"--set {text}: there is no entry {part!r}{nearest(part, _names(place))}"
        )
    if isinstance(place[index], str):
        place[index] = {"name": place[index]}
    return place[index]


def _names(entries: Sequence[Any]) -> list[str]:
    """Return what each entry is called: its name or law, its position if it shares that."""
    found = [
        str(entry.get("name", entry.get("law", place))) if isinstance(entry, dict) else str(entry)
        for place, entry in enumerate(entries)
    ]
    return [name if found.count(name) == 1 else str(place) for place, name in enumerate(found)]


def _entry_of(entries: Sequence[Any], part: str) -> int | None:
    if part.isdigit():
        return int(part) if int(part) < len(entries) else None
    names = _names(entries)
    return names.index(part) if part in names else None


def _only(entries: list[Any], group: str, text: str) -> Any:
    """Return the one entry of a list, for a key that does not say which."""
    if len(entries) == 1:
        if isinstance(entries[0], str):
            entries[0] = {"name": entries[0]}
        return entries[0]
    names = ", ".join(f"{group}.{name}" for name in _names(entries))
    raise ScenarioError(f"--set {text}: {group} has {len(entries)} entries, say which: {names}")


def _put(place: Any, key: str, value: Any, annotation: Any, text: str) -> None:
    if isinstance(place, dict):
        place[key] = _chosen(place.get(key), value, annotation, text)
        return
    index = _entry_of(place, key)
    if index is None:
        raise ScenarioError(f"--set {text}: there is no entry {key!r}{nearest(key, _names(place))}")
    place[index] = value


def _chosen(entries: Any, value: Any, annotation: Any, text: str) -> Any:
    """Let names stand for the entries of a list of tables that have them: `settings=low`."""
    wanted = value if isinstance(value, list) else [value]
    named = record_of(annotation) in (SettingConfig, BudgetConfig, BuyerConfig)
    if not named or not all(isinstance(entry, str) for entry in wanted):
        return value
    tables = entries if isinstance(entries, list) else [entries] if entries else []
    names = _names(tables)
    for name in wanted:
        if name not in names:
            raise ScenarioError(f"--set {text}: there is no {name!r}{nearest(name, names)}")
    return [tables[names.index(name)] for name in wanted]


def _parsed(annotation: Any, value: str) -> Any:
    """Read a value as TOML would, commas as a list where one is expected, else as text."""
    if annotation is str:
        return value
    many = _is_list(annotation)
    parsed = _scalar(value)
    if parsed == value and (many or "," in value):
        parsed = [_scalar(part.strip()) for part in value.split(",") if part.strip()]
    return [parsed] if many and not isinstance(parsed, list | dict) else parsed


def _scalar(text: str) -> Any:
    """Return what a text means in TOML, and the text itself if it means nothing."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
