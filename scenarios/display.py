"""Tables on a terminal: columns that say one thing are told once, rows that grow too wide stack."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from market_sim import AuditReport

_MOST_ROWS = 40
_REPORT_WIDTH = 80
_SHORT = {
    "budget_level": "budget",
    "budget_law": "law",
    "error_bound": "error",
    "spent_share": "spent",
    "balanced_accuracy": "balanced",
    "regret_mean": "regret",
    "regret_max": "max",
    "gain_share": "gainers",
    "regret_share": "of pay",
    "published_test": "published",
    "ir_violation": "IR",
    "ratio_to_possible": "ratio",
}


def print_summary(
    path: Path, summary: "pd.DataFrame", figures: Sequence[Path], networks: Sequence[Path] = ()
) -> None:
    """Print what a run found and where it lies."""
    rows = [{str(key): value for key, value in row.items()} for row in summary.to_dict("records")]
    print_rows(str(summary.attrs.get("what", "means over seeds")), rows)
    console = Console(soft_wrap=True)
    console.print(f"tables   {path}", highlight=False)
    if figures:
        names = sorted({figure.stem for figure in figures})
        console.print(f"figures  {figures[0].parent}: {', '.join(names)}", highlight=False)
    for network in networks:
        console.print(f"network  {network}", highlight=False)


def print_audits(reports: Sequence["AuditReport"]) -> None:
    """Print what audits found: each report where the terminal is wide enough, then a table."""
    console = Console()
    for report in reports:
        if console.width >= _REPORT_WIDTH:
            console.print(f"{report}\n", highlight=False, markup=False, soft_wrap=True)
    keys = ("mechanism", "population", "deviation", "regret_mean", "regret_max", "gain_share")
    rows = [{key: getattr(row, key) for key in keys} for found in reports for row in found.rows]
    print_rows("gains from lying, in money; gainers: share who gain more than 1 % of pay", rows)
    for report in reports:
        for verdict in report.violations:
            line = (
                f"VIOLATED by {report.mechanism}, {report.population} owners: {verdict.guarantee}"
            )
            console.print(line, highlight=False, markup=False)


def print_rows(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table that fits the terminal.

    What is the same in all rows stands above the table; a key that alone does not fit the width
    becomes a heading between the rows.
    """
    console = Console()
    if not rows:
        console.print(f"{title}: nothing")
        return
    keys = list(rows[0])
    texts = [{key: _text(row[key]) for key in keys} for row in rows]
    fixed = [key for key in keys if len(rows) > 1 and len({row[key] for row in texts}) == 1]
    free = [key for key in keys if key not in fixed]
    if fixed:
        said = ", ".join(f"{_SHORT.get(key, key)} {texts[0][key]}" for key in fixed)
        console.print(f"{title} ({said})", highlight=False, markup=False)
    else:
        console.print(title, highlight=False, markup=False)
    heading = _headings(free, texts, console.width)
    _print_blocks(console, texts[:_MOST_ROWS], heading, [k for k in free if k not in heading])
    if len(rows) > _MOST_ROWS:
        console.print(f"... and {len(rows) - _MOST_ROWS} more rows", highlight=False)


def print_entries(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of text one below the other: the first two values in a line, the rest under it.

    Empty values and problems are left out; a problem is told as an error.
    """
    console = Console()
    for row in rows:
        shown = [_text(value) for key, value in row.items() if value and key != "problem"]
        console.print("  ".join(shown[:2]), highlight=False, markup=False, soft_wrap=True)
        for text in shown[2:]:
            console.print(Padding(Text(text), (0, 0, 0, 4)))


def _headings(keys: Sequence[str], texts: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """Take keys from the left until the others fit the width."""
    heading: list[str] = []
    while len(keys) > len(heading) + 1:
        if sum(_width(key, texts) + 2 for key in keys[len(heading) :]) <= width:
            break
        heading.append(keys[len(heading)])
    return heading


def _width(key: str, texts: Sequence[Mapping[str, str]]) -> int:
    return max(len(_SHORT.get(key, key)), *(len(row[key]) for row in texts))


def _print_blocks(
    console: Console,
    texts: Sequence[Mapping[str, str]],
    heading: Sequence[str],
    keys: Sequence[str],
) -> None:
    groups: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in texts:
        groups.setdefault(tuple(row[key] for key in heading), []).append(row)
    for said, rows in groups.items():
        if heading:
            pairs = zip(heading, said, strict=True)
            line = ", ".join(f"{_SHORT.get(key, key)} {value}" for key, value in pairs)
            console.print(line, highlight=False, markup=False)
        console.print(_table(keys, rows, {key: _width(key, texts) for key in keys}))


def _table(
    keys: Sequence[str], rows: Sequence[Mapping[str, str]], widths: Mapping[str, int]
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for key in keys:
        numeric = all(_is_number(row[key]) for row in rows)
        table.add_column(
            _SHORT.get(key, key),
            justify="right" if numeric else "left",
            min_width=widths[key],
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(row[key] for key in keys))
    return table


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == "-"
    return True


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "-" if value != value else f"{value:.4g}"  # noqa: PLR0124 - nan alone differs
    return "-" if value is None else str(value)
