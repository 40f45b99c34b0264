"""Joining blocks of columns into the columns of a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scenarios.schemas import TABLES


def joined(table: str, blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return blocks of columns below each other, in the table's order.

    A number that stands for a column is repeated over the rows of its block; a block whose columns
    are all numbers is a row.
    """
    return {name: _column(blocks, name) for name in TABLES[table]}


def _column(blocks: Sequence[dict[str, Any]], name: str) -> list[Any]:
    found: list[Any] = []
    for block in blocks:
        lengths = [np.size(value) for value in block.values() if np.ndim(value)]
        rows = max(lengths) if lengths else 1
        found += np.broadcast_to(np.asarray(block[name], dtype=object), (rows,)).tolist()
    return found
