"""A menu: what each version of the model costs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.pricing.arbitrage import Arbitrage, ArbitrageCheck, check_arbitrage
from market_sim.pricing.cone import PerVersion, check_exponent, check_labels, check_prices
from market_sim.shapes import as_floats, frozen


@dataclass(frozen=True, eq=False, init=False)
class Menu:
    """Prices v_j of versions with privacy labels eps_1 < ... < eps_k.

    Attributes
    ----------
    labels
        Privacy label of each version, increasing, shape `(versions,)`. The larger, the less noise.
    prices
        Price of each version, in the currency of the valuations, shape `(versions,)`.
    exponent
        2: who combines versions adds precisions, eps^2; 1: budgets, eps, add.
    rule
        How the prices came about.
    status
        The same as a sentence, with what is to be said about it.

    Raises
    ------
    InvalidInput
        If labels do not increase, a price is not positive, or the exponent is not 1 or 2.
    """

    labels: PerVersion
    prices: PerVersion
    exponent: int
    rule: str
    status: str

    def __init__(
        self,
        labels: ArrayLike,
        prices: ArrayLike,
        exponent: int = 2,
        rule: str = "given",
        status: str = "The prices were given.",
    ) -> None:
        checked = check_labels(labels)
        object.__setattr__(self, "labels", frozen(checked))
        object.__setattr__(self, "prices", frozen(check_prices("prices", prices, checked.size)))
        object.__setattr__(self, "exponent", check_exponent(exponent))
        object.__setattr__(self, "rule", rule)
        object.__setattr__(self, "status", status)

    @property
    def versions(self) -> int:
        """Number of versions."""
        return int(self.labels.size)

    def check(self) -> ArbitrageCheck:
        """Return whether the menu admits arbitrage and how that was decided."""
        return check_arbitrage(self.labels, self.prices, self.exponent)

    def arbitrage(self) -> Arbitrage | None:
        """Return a version that others undercut, with the cheapest combination, or None.

        Raises
        ------
        MarketSimError
            If a large menu outside the cone is not decided within the limit of the search.
        """
        return self.check().decided()

    def scaled(self, factor: float) -> "Menu":
        """Return the menu with all prices times `factor`; no arbitrage stays no arbitrage.

        Raises
        ------
        InvalidInput
            If the factor is not one positive number.
        """
        number = as_floats("factor", factor, positive=True)
        if number.ndim:
            raise InvalidInput(f"factor must be one number, got shape {number.shape}")
        status = f"{self.status} All prices were multiplied by {float(number):.6g}."
        prices = np.asarray(self.prices * float(number))
        return Menu(self.labels, prices, self.exponent, f"{self.rule}, scaled", status)

    def __str__(self) -> str:
        shown = list(zip(self.labels, self.prices, strict=True))
        lines = ", ".join(f"{label:g} for {price:.6g}" for label, price in shown[:12])
        return f"{lines}{', ...' if len(shown) > 12 else ''}: {self.status}"
