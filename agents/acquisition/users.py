"""Users: views on the columns of an acquisition market."""

from typing import TYPE_CHECKING

import numpy as np

from agents.acquisition.behaviors import Behavior
from agents.rows import RowAgent
from market_sim.shapes import Array

if TYPE_CHECKING:
    from agents.acquisition.market import AcquisitionMarket


class DataUser(RowAgent):
    """One user: row `row` of the market's columns, where all her state lives."""

    market: "AcquisitionMarket"

    @property
    def level(self) -> int:
        """Level at which she stands; it counts only while she is present."""
        return int(self.market.levels[self.row])

    @property
    def present(self) -> bool:
        """Whether she was there in the last round."""
        return bool(self.market.present[self.row])

    @property
    def costs(self) -> Array:
        """What each level costs her a round."""
        return np.asarray(self.market.game.costs[self.row])

    @property
    def money(self) -> float:
        """Sum of all payments to her."""
        return float(self.market.received[self.row])

    @property
    def utility(self) -> float:
        """Sum over rounds of payment less cost."""
        return float(self.market.user_utility[self.row])

    @property
    def behavior(self) -> Behavior:
        """How she chooses."""
        return self.market.behavior_of(self.row)

    @property
    def chances(self) -> Array:
        """The mixture she last drew from, NaN if she does not draw from one."""
        return np.array(self.market.memory_of(self.row).chances[self.row])
