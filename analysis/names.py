"""How the names in tables are written on figures, and which lines a table holds."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from market_sim.errors import ResultsError

_ALL_IN = "All-in ("
_OPTIONS = ", M = "
_MECHANISMS = {
    "all-in-critical": "All-in (critical)",
    "all-in-singer": "All-in (singer)",
    "all-in-published": "All-in (published)",
    "posted-price": "Posted price",
    "linear-price": "Linear price",
    "pac": "PAC",
    "pac-beyond-caps": "PAC, caps ignored",
    "vcg-truncated": "VCG (truncated)",
    "vcg-scaled": "VCG (scaled)",
    "vcg-exceeded": "VCG (over budget)",
    "budget-capped-threshold": "Budget-capped threshold",
    "budget-capped-threshold-beyond-caps": "Budget-capped threshold, caps ignored",
    "csra": "CSRA",
    "mfg-pricing": "MFG-Pricing",
    "first-price": "First price",
    "proportional-share": "Proportional share",
    "leave-one-out-soft": "Leave one out (soft)",
    "leave-one-out-hard": "Leave one out",
    "regret-net": "RegretNet",
    "published-mfg-regret-net": "MFG-RegretNet (published)",
    "no-privacy": "no privacy",
    "uniform-epsilon": "uniform epsilon",
    "murba": "MURBA",
    "m-regret-net": "M-RegretNet",
    "dm-regret-net": "DM-RegretNet",
    "equivariant-regret-net": "Equivariant RegretNet",
    "equivariant": "Equivariant RegretNet",
    "sequential-menu": "SequentialMenu",
    "mfg-regret-net": "MFG-RegretNet",
    "full-information": "full information",
    "full-information-bound": "full information, proved",
}
_AGGREGATORS = {
    "error-opt": "ErrorOpt",
    "var-opt": "VarOpt",
    "water-filling": "WaterFilling",
    "bias-opt": "BiasOpt",
    "data-size": "DataSize",
    "epsilon-share": "EpsilonShare",
}
_BUDGETS = {
    "fixed": "budget (money)",
    "proportional": "budget (share of the owners' total cost)",
    "per-owner": "budget (money an owner)",
}
_SETTINGS = {
    "low": "low sensitivity",
    "high": "high sensitivity",
    "default": "",
    "uniform": "uniform law",
    "bimodal": "bimodal law",
    "realistic": "realistic law",
}
_WRITTEN = {**_MECHANISMS, **_AGGREGATORS}
_ORDER = {name: place for place, name in enumerate(_WRITTEN.values())}


def written(name: object) -> str:
    """Write a mechanism's or an aggregator's name as figures do; unknown names stay.

    A number at the end of a known name is its number of options: "murba-10" has M = 10.
    """
    text = str(name)
    stem, _, number = text.rpartition("-")
    if stem == "uniform-epsilon":
        return f"{_WRITTEN[stem]} {number}"
    if text not in _WRITTEN and number.isdecimal() and stem in _WRITTEN:
        return f"{_WRITTEN[stem]}{_OPTIONS}{number}"
    return _WRITTEN.get(text, text)


def setting_text(name: object) -> str:
    """Write a setting's name as figures do; a scenario's only setting has none."""
    return _SETTINGS.get(str(name), str(name))


def budget_axis(law: object) -> str:
    """Return the axis label of a budget law's levels, with its unit."""
    return _BUDGETS.get(str(law), f"budget ({law})")


def budget_text(law: object, level: object) -> str:
    """Write one budget in words, such as "budget 5 (money)"."""
    amount = f"{level:g}" if isinstance(level, (int, float, np.number)) else str(level)
    return budget_axis(law).replace("budget", f"budget {amount}", 1)


def in_order(labels: Sequence[str]) -> list[str]:
    """Labels without repetition: known mechanisms and aggregators first, the others by name."""

    def rank(label: str) -> tuple[list[int], str]:
        return [_place(part) for part in label.split(" + ")], label

    return sorted(dict.fromkeys(labels), key=rank)


def _place(part: str) -> int:
    if part.startswith(_ALL_IN):
        part = f"{part.split(' = ', maxsplit=1)[0].rstrip(')')})"
    return _ORDER.get(part.split(_OPTIONS, maxsplit=1)[0], len(_ORDER))


def one_label(labels: Sequence[str]) -> str:
    """One label for several lines that coincide, such as "All-in (critical = published)"."""
    if len(labels) > 1 and all(label.startswith(_ALL_IN) for label in labels):
        inner = [label.removeprefix(_ALL_IN).rstrip(")") for label in labels]
        return f"{_ALL_IN}{' = '.join(inner)})"
    return " = ".join(labels)


def with_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Write the mechanisms and aggregators of a table as figures do."""
    named = {
        column: frame[column].map(written)
        for column in ("mechanism", "aggregator")
        if column in frame.columns
    }
    return frame.assign(**named)


def with_lines(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Add a column `line`: what tells its row's line from the others, among `columns`."""
    varying = [column for column in columns if frame[column].nunique() > 1]
    shown = varying or list(columns[:1])
    line = frame[shown[0]].astype(str)
    for column in shown[1:]:
        line = line + " + " + frame[column].astype(str)
    return frame.assign(line=line)


def shared_names(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Say in a sentence what all lines have in common, which is why their labels leave it out."""
    common = [
        f"{column}: {frame[column].iloc[0]}"
        for column in columns
        if frame[column].nunique() == 1 and frame[column].iloc[0] != ""
    ]
    text = ", ".join(common)
    return f"{text[0].upper()}{text[1:]}. " if text else ""


def merge_equal(
    summary: pd.DataFrame, column: str, by: Sequence[str], values: Sequence[str]
) -> pd.DataFrame:
    """Join entries of `column` whose `values` agree everywhere into one, named after them all.

    Two payments of the same allocation give the same errors; drawn apart, one line would hide the
    other. Values count as equal when their first twelve digits are.

    Parameters
    ----------
    summary
        One row for each (`by`, `column`).
    column
        The text column whose entries may coincide.
    by
        The other columns that name a row.
    values
        The numeric columns that must agree.

    Returns
    -------
    DataFrame
        The rows of the first of each coinciding set, `column` rewritten.
    """
    found: dict[tuple[object, ...], list[str]] = {}
    for name in in_order([str(name) for name in summary[column]]):
        rows = summary[summary[column] == name].sort_values(list(by))
        keys = tuple(map(tuple, rows[list(by)].to_numpy(dtype=object).tolist()))
        numbers = rows[list(values)].to_numpy(dtype=float).ravel()
        found.setdefault((keys, tuple(f"{number:.12g}" for number in numbers)), []).append(name)
    joined = {names[0]: one_label(names) for names in found.values()}
    kept = summary[summary[column].isin(list(joined))]
    return kept.assign(**{column: kept[column].map(joined)})


def keep(frame: pd.DataFrame, wanted: Mapping[str, object]) -> pd.DataFrame:
    """Keep the rows that have the wanted values; a value of None keeps all.

    Raises
    ------
    ResultsError
        When no row has a wanted value, listing what there is.
    """
    for column, value in wanted.items():
        if value is None:
            continue
        rows = frame[frame[column] == value]
        if rows.empty:
            present = ", ".join(str(entry) for entry in np.unique(frame[column]))
            raise ResultsError(f"No row has {column} = {value!r}; there are {present}.")
        frame = rows
    return frame


def middle(values: Iterable[float]) -> float:
    """Return the middle of the different values, the lower of two."""
    levels = sorted(set(values))
    return levels[(len(levels) - 1) // 2]
