"""The recorder: turns what happened in an auction into rows of the market's tables."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.broker import Delivery
from agents.records import OWNER_COLUMNS, ROUND_COLUMNS, Columns, Table, ledger_table
from agents.strategies import Rows
from market_sim import Outcome, Population, Reports
from market_sim.shapes import Array

if TYPE_CHECKING:
    from agents.buyer import ModelBuyer
    from agents.market import Market

QUALITY = ("accuracy", "balanced_accuracy", "auc", "loss")


@dataclass(frozen=True)
class Trade:
    """One cleared auction: who took part, what was true, said, sold and delivered."""

    rows: Rows
    offer: Population
    reports: Reports
    outcome: Outcome
    delivery: Delivery


def scatter(owners: int, rows: Rows, values: Array, fill: float = 0.0) -> Array:
    """Return a column of all owners with `values` at `rows` and `fill` elsewhere."""
    column = np.full(owners, fill)
    column[rows] = values
    return column


class Recorder:
    """Rows of the tables "rounds", "owners" and "ledger" of one market."""

    def __init__(self, market: "Market", record_owners: bool) -> None:
        self._market = market
        self._rounds = Columns(ROUND_COLUMNS)
        self._owners = Columns(OWNER_COLUMNS) if record_owners else None
        self._quality: dict[int, dict[str, float]] = {}
        self.owner_utility = np.zeros(market.population.owners)
        self._numbers = np.arange(market.population.owners)
        self._kinds = market.population.valuations.names

    def model_changed(self, buyer: "ModelBuyer") -> None:
        """Have the buyer's model evaluated again at the next record."""
        self._quality.pop(buyer.index, None)

    def quality(self, buyer: "ModelBuyer") -> dict[str, float]:
        """Return the quality of the buyer's model, NaN if she has no task."""
        task = buyer.terms.task
        if task is None:
            return dict.fromkeys(QUALITY, np.nan)
        if buyer.index not in self._quality:
            quality = task.evaluate()
            self._quality[buyer.index] = {name: getattr(quality, name) for name in QUALITY}
        return self._quality[buyer.index]

    def record(
        self,
        buyer: "ModelBuyer",
        budget: float,
        status: NDArray[np.object_],
        event: str,
        trade: Trade | None = None,
    ) -> None:
        """Enter one auction; `trade` is missing where none was held."""
        market = self._market
        block = self._owner_block(trade)
        self.owner_utility += block["utility"]
        outcome = None if trade is None else trade.outcome
        self._rounds.append(
            {
                "round": market.round,
                "buyer": buyer.name,
                "status": event,
                "participants": 0 if trade is None else trade.rows.size,
                "departed": int(market.departed.sum()),
                "winners": 0 if outcome is None else int(outcome.winners.sum()),
                "budget": budget,
                "spent": 0.0 if outcome is None else float(outcome.spent),
                "returned": budget if outcome is None else max(0.0, float(outcome.unspent)),
                "epsilon_sold": 0.0 if outcome is None else float(outcome.epsilon.sum()),
                "error_bound": np.inf if trade is None else trade.delivery.error_bound,
                "owner_utility": float(block["utility"].sum()),
                **self.quality(buyer),
            }
        )
        if self._owners is not None:
            self._owners.append(
                {
                    "round": market.round,
                    "buyer": buyer.name,
                    "owner": self._numbers,
                    "kind": self._kinds,
                    "privacy_spent": market.ledger.owner_privacy,
                    "status": status,
                    **block,
                }
            )

    def _owner_block(self, trade: Trade | None) -> dict[str, Array]:
        """Return the owners' columns of one auction; NaN where an owner took no part."""
        owners = self._market.population.owners
        if trade is None:
            unknown, zero = np.full(owners, np.nan), np.zeros(owners)
            block = dict.fromkeys(("reported_value", "reported_cap", "cap"), unknown)
            return block | dict.fromkeys(("epsilon", "payment", "cost", "utility", "weight"), zero)
        offer, outcome = trade.offer, trade.outcome
        said = {
            "reported_value": trade.reports.value,
            "reported_cap": trade.reports.cap,
            "cap": offer.cap,
        }
        sold = {
            "epsilon": outcome.epsilon,
            "payment": outcome.payment,
            "cost": outcome.cost(offer.valuations, offer.data_size),
            "utility": outcome.utility(offer.valuations, offer.cap, offer.data_size),
        }
        return {
            **{name: scatter(owners, trade.rows, column, np.nan) for name, column in said.items()},
            **{name: scatter(owners, trade.rows, column) for name, column in sold.items()},
            "weight": np.array(trade.delivery.weights),
        }

    def tables(self) -> dict[str, Table]:
        """Return "rounds", "ledger" and, if recorded, "owners" as columns."""
        tables = {"rounds": self._rounds.table(), "ledger": ledger_table(self._market.ledger)}
        if self._owners is not None:
            tables["owners"] = self._owners.table()
        return tables
