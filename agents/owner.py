"""Data owners: views on rows of a columnar population."""

from typing import TYPE_CHECKING

import numpy as np

from agents.rows import RowAgent
from agents.strategies import MarketView, Strategy
from market_sim import Population, Reports

if TYPE_CHECKING:
    from agents.market import Market


class DataOwner(RowAgent):
    """One owner: row `row` of the market's population. All state lives in the columns.

    Override `report` in a subclass to give single owners a behavior of their own; everyone else
    is served in one vectorised call.
    """

    market: "Market"

    @property
    def truth(self) -> Population:
        """What is true of this owner, a population of one."""
        return self.market.population.select(np.array([self.row]))

    @property
    def cap(self) -> float:
        """Largest privacy loss accepted in one round."""
        return float(self.market.population.cap[self.row])

    @property
    def data_size(self) -> float | None:
        """Samples held, if the population has sizes."""
        size = self.market.population.data_size
        return None if size is None else float(size[self.row])

    @property
    def money(self) -> float:
        """Money received so far."""
        ledger = self.market.ledger
        return float(ledger.balances["money"][ledger.owner_accounts(np.array([self.row]))[0]])

    @property
    def privacy_spent(self) -> float:
        """Composed epsilon lost so far."""
        loss = self.market.ledger.privacy_loss[self.row : self.row + 1]
        return float(self.market.ledger.perturbation.composed(loss)[0])

    @property
    def privacy_left(self) -> float:
        """Largest epsilon that can still be sold under the lifetime cap."""
        return float(self.market.privacy_left(np.array([self.row]))[0])

    @property
    def utility(self) -> float:
        """Sum over rounds of payment minus true cost."""
        return float(self.market.recorder.owner_utility[self.row])

    @property
    def strategy(self) -> Strategy:
        """The strategy that answers for this owner unless `report` is overridden."""
        return self.market.directory.strategy_of(self.row)

    def report(self, offer: Population, view: MarketView) -> Reports:
        """Return what this owner says.

        Parameters
        ----------
        offer
            The truth about her, a population of one; its cap is what she can still sell.
        view
            What she sees of the market.
        """
        return self.strategy.reports(offer, view)
