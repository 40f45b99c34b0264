"""What a market remembers: columns that grow round by round."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.ledger import Ledger

Table = dict[str, NDArray[Any]]

ROUND_COLUMNS = (
    "round",
    "buyer",
    "status",
    "participants",
    "departed",
    "winners",
    "budget",
    "spent",
    "returned",
    "epsilon_sold",
    "error_bound",
    "owner_utility",
    "accuracy",
    "balanced_accuracy",
    "auc",
    "loss",
)
OWNER_COLUMNS = (
    "round",
    "buyer",
    "owner",
    "kind",
    "reported_value",
    "reported_cap",
    "cap",
    "epsilon",
    "payment",
    "cost",
    "utility",
    "weight",
    "privacy_spent",
    "status",
)


@dataclass
class Columns:
    """A table that grows by blocks of columns of equal length.

    Parameters
    ----------
    names
        The columns, in order; every block must have exactly these.
    """

    names: tuple[str, ...]
    blocks: dict[str, list[NDArray[Any]]] = field(default_factory=lambda: defaultdict(list))

    def append(self, block: Mapping[str, Any]) -> None:
        """Add rows; scalars are repeated to the length of the longest column."""
        length = max((np.size(value) for value in block.values() if np.ndim(value)), default=1)
        for name in self.names:
            value = np.asarray(block[name])
            self.blocks[name].append(np.broadcast_to(value, (length,)))

    def table(self) -> Table:
        """Return the columns as arrays; an empty table has columns of length zero."""
        return {
            name: np.concatenate(self.blocks[name]) if self.blocks[name] else np.empty(0)
            for name in self.names
        }


def ledger_table(ledger: Ledger) -> Table:
    """Return the journal, one row an entry: round, currency, debit, credit, amount."""
    columns = Columns(("round", "currency", "debit", "credit", "amount"))
    for entries in ledger.journal:
        columns.append(
            {
                "round": entries.round,
                "currency": entries.currency,
                "debit": ledger.label(entries.debit),
                "credit": ledger.label(entries.credit),
                "amount": entries.amount,
            }
        )
    return columns.table()
