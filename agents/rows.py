"""Views: an agent that is a row of its market's columns and holds no state of its own."""

from typing import Any

import mesa


class RowAgent(mesa.Agent):
    """Row `row` of the columns of `market`, where all its state lives."""

    market: Any

    def __init__(self, model: Any, row: int) -> None:
        super().__init__(model)
        self.market = model
        self.row = row
