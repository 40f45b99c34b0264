"""Buyers: they bring money and a learning task, and announce an auction each round."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from market_sim.errors import InvalidInput
from market_sim.shapes import as_floats

if TYPE_CHECKING:
    from market_sim.learning import FederatedTask

_LEAST_MONEY = 1e-12  # of her budget: what rounding leaves of a spent endowment is no money


@dataclass(frozen=True, eq=False)
class BuyerTerms:
    """What a buyer brings to the market.

    Parameters
    ----------
    name
        Unique name, for tables.
    budget
        Money for each round, > 0.
    task
        The model to train with what is bought; without one the market trades but learns nothing.
    endowment
        Money for all rounds together, > 0; unlimited if omitted. The last rounds get what is left.

    Raises
    ------
    InvalidInput
        If a number is not positive or not finite, or the name is empty or a reserved account.
    """

    name: str
    budget: float
    task: "FederatedTask | None" = None
    endowment: float = np.inf

    def __post_init__(self) -> None:
        budget = as_floats("budget", self.budget, positive=True)
        endowment = as_floats("endowment", self.endowment, positive=True, finite=False)
        if budget.ndim or endowment.ndim:
            raise InvalidInput(f"budget and endowment of {self.name!r} must be one number each")
        if not isinstance(self.name, str):
            raise InvalidInput(f"the name of a buyer must be text, got {self.name!r}")
        if not self.name or self.name in ("endowment", "escrow") or self.name.startswith("owner "):
            raise InvalidInput(
                f"a buyer cannot be called {self.name!r}: give a name that is not empty and not "
                "that of another account"
            )


class ModelBuyer(mesa.Agent):
    """A buyer in the market.

    Attributes
    ----------
    terms
        Money and task.
    index
        Her place among the buyers.
    spent
        Money paid to owners so far.
    """

    def __init__(self, model: Any, terms: BuyerTerms, index: int) -> None:
        super().__init__(model)
        self.terms = terms
        self.index = index
        self.spent = 0.0

    @property
    def name(self) -> str:
        """Name, as in the tables."""
        return self.terms.name

    @property
    def money_left(self) -> float:
        """Money left of the endowment."""
        return self.terms.endowment - self.spent

    def announce(self) -> float:
        """Return the money offered this round; 0 if there is none left."""
        offer = min(self.terms.budget, self.money_left)
        return offer if offer > _LEAST_MONEY * self.terms.budget else 0.0
