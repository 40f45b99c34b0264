"""One round of a version market: what was asked, promised, chosen, sold and paid."""

from dataclasses import dataclass

from agents.versions.buyers import Purchases
from agents.versions.owners import Choice
from market_sim.pricing import Menu, Survey
from market_sim.shapes import Array
from market_sim.versions import ModelVersions, Quotes, SalePlan


@dataclass
class Season:
    """Everything about one round; filled step by step.

    Attributes
    ----------
    survey, quotes, buyers
        Who was asked and what the answers promise, and who buys.
    plan
        The broker's plan.
    choice
        What owners chose, and how often they were asked.
    noise, label
        Owners' noise, infinite for whoever stays out, and the label of the model.
    payment
        What owners got, in money.
    parameters
        The model; None without a learning task or trade.
    menu, cut, purchases
        What is sold in the end, the versions, and what buyers bought; None if nothing is sold.
    """

    survey: Survey
    quotes: Quotes
    buyers: Survey
    plan: SalePlan
    choice: Choice
    noise: Array
    label: float
    payment: Array
    parameters: Array | None = None
    menu: Menu | None = None
    cut: ModelVersions | None = None
    purchases: Purchases | None = None

    @property
    def epsilon(self) -> Array:
        """What owners chose, shape `(owners,)`; 0 for whoever stays out."""
        return self.choice.epsilon

    @property
    def pool(self) -> float:
        """What was promised to the owners, in money; 0 without trade."""
        return self.plan.offer.pool

    @property
    def revenue(self) -> float:
        """What buyers paid, in money."""
        return float(self.purchases.paid.sum()) if self.purchases else 0.0

    @property
    def status(self) -> str:
        """What became of the plan, a sentence."""
        planned, sold = self.plan.offer.labels.size, self.menu.versions if self.menu else 0
        if sold == planned:
            return self.plan.offer.status
        return (
            f"{sold} of {planned} planned versions sold: the model reaches {self.label:g}, "
            f"the top version needs {self.plan.offer.labels[-1]:g}"
        )
