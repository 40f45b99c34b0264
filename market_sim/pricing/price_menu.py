"""The version menu of PIECE, Eq. (26): prices close to ideal ones that admit no arbitrage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.pricing.cone import (
    PerVersion,
    check_exponent,
    check_labels,
    check_prices,
    growth,
)
from market_sim.pricing.menu import Menu
from market_sim.pricing.newton import Fit, fit
from market_sim.pricing.projection import closest, polar_violation
from market_sim.shapes import Array, as_floats, frozen


@dataclass(frozen=True, eq=False, init=False)
class FittedMenu(Menu):
    """A menu fitted to ideal prices, with the evidence that it is the one of Eq. (26).

    Attributes
    ----------
    ideal_prices, demand
        P and q of the fit, shape `(versions,)`.
    weight
        lambda, in 1 / currency^2 as Eq. (26) has it; infinite for the projection.
    loss
        sum q (v - P)^2, in currency^2.
    gap_bound
        (2k - 1) / lambda: the loss is at most this above that of the projection.
    residual
        Newton decrement at the last step: the objective was within its square of the minimum. For
        the projection, by how much the optimality conditions are missed (`polar_violation`).
    identity_error
        Relative error of sum q v (v - P) = (2k - 1) / (2 lambda), which holds at the minimum only.
    steps
        Newton steps.
    converged
        Whether residual and identity are as small as rounding allows; `status` says it in words.
    """

    ideal_prices: PerVersion
    demand: PerVersion
    weight: float
    loss: float
    gap_bound: float
    residual: float
    identity_error: float
    steps: int
    converged: bool

    def __init__(self, menu: "PriceMenu", prices: Array, weight: float, fitted: Fit) -> None:
        finite = np.isfinite(weight)
        rule = "fit" if finite else "projection"
        status = _fit_status(fitted) if finite else _projection_status(fitted)
        super().__init__(menu.labels, prices, menu.exponent, rule, status)
        terms = 2 * self.versions - 1
        loss = (menu.demand * (prices - menu.ideal_prices) ** 2).sum()
        for name, value in {
            "ideal_prices": menu.ideal_prices,
            "demand": menu.demand,
            "weight": weight,
            "loss": float(loss),
            "gap_bound": terms / weight,
            "residual": fitted.decrement,
            "identity_error": fitted.identity_error,
            "steps": fitted.steps,
            "converged": fitted.converged,
        }.items():
            object.__setattr__(self, name, value)


class PriceMenu:
    r"""min over v of lambda sum q_i (v_i - P_i)^2 minus logarithms that keep arbitrage out.

    .. math::
       \min_v \lambda \sum_i q_i (v_i - P_i)^2
       - \sum_{j<k} [\log(v_j \epsilon_{j+1}^m - v_{j+1} \epsilon_j^m) + \log(v_{j+1} - v_j)]
       - \log v_1

    Prices rise and price per eps^m falls, so that no combination of versions is cheaper than the
    version it replaces.

    Parameters
    ----------
    labels
        Privacy labels eps_1 < ... < eps_k, positive, shape `(versions,)`.
    ideal_prices
        P > 0: what the broker would ask for each version alone, shape `(versions,)`.
    demand
        q > 0: the weight of each version in the loss, such as its share of buyers; ones if omitted.
    exponent
        m. 2: combining versions adds precisions; 1: budgets, which is stricter.

    Attributes
    ----------
    labels, ideal_prices, demand, exponent
        As given.

    Raises
    ------
    InvalidInput
        If labels do not increase or are not positive, an ideal price or demand is not positive, the
        lengths differ, or the exponent is not 1 or 2.

    Notes
    -----
    Source: PIECE [S] Eq. (26); [D] the quadratic loss, m, and what the weight does.
    """

    def __init__(
        self,
        labels: ArrayLike,
        ideal_prices: ArrayLike,
        demand: ArrayLike | None = None,
        exponent: int = 2,
    ) -> None:
        self.labels = frozen(check_labels(labels))
        self.ideal_prices = frozen(check_prices("ideal_prices", ideal_prices, self.labels.size))
        shares = np.ones(self.labels.size) if demand is None else demand
        self.demand = frozen(check_prices("demand", shares, self.labels.size))
        self.exponent = check_exponent(exponent)
        self._growth = growth(self.labels, self.exponent)

    def solve(self, weight: float = 1e5, *, normalized: bool = False) -> FittedMenu:
        """Solve Eq. (26) by Newton's method, the weight raised in stages.

        Parameters
        ----------
        weight
            lambda > 0. The larger, the closer to the ideal prices; infinity gives the projection.
        normalized
            Measure the weight in units of 1 / (mean ideal price)^2, so that the same menu results
            in every currency.

        Raises
        ------
        InvalidInput
            If the weight is not one positive number.

        Notes
        -----
        The loss is at most (2k - 1) / lambda above the projection's. Computed on ideal prices
        divided by their mean. [D] spec of the price menu, items 4 and 5.
        """
        number = as_floats("weight", weight, positive=True, finite=False)
        if number.ndim:
            raise InvalidInput(f"weight must be one number, got shape {number.shape}")
        unit = float(self.ideal_prices.mean())
        given = float(number) / unit**2 if normalized else float(number)
        if np.isinf(given):
            return self.project()
        relative = float(number) if normalized else given * unit**2
        if not 1e-150 < relative < 1e150:
            raise InvalidInput(
                f"weight {given:g} is {relative:g} in units of the mean ideal price, beyond "
                "floating point: give a weight nearer 1, or infinity for the projection"
            )
        fitted = fit(self.ideal_prices / unit, self.demand, self._growth, relative)
        return FittedMenu(self, fitted.prices * unit, given, fitted)

    def project(self) -> FittedMenu:
        """Return the limit of large weights: the closest prices in the closed cone, exactly."""
        unit = float(self.ideal_prices.mean())
        ideal = np.asarray(self.ideal_prices / unit)
        prices = closest(ideal, self.demand, self._growth)
        residual = polar_violation(ideal, self.demand, self._growth, prices)
        fitted = Fit(prices, residual, 0.0, 0, residual <= 1e-9)
        return FittedMenu(self, prices * unit, np.inf, fitted)


def _fit_status(fitted: Fit) -> str:
    evidence = (
        f"Newton decrement {fitted.decrement:.1g}, identity to {fitted.identity_error:.1g}, "
        f"{fitted.steps} steps"
    )
    if fitted.converged:
        return f"Eq. (26) solved: {evidence}."
    return (
        f"Eq. (26) was not solved to full accuracy ({evidence}): the prices are inside the cone, "
        "but use a smaller weight or the projection."
    )


def _projection_status(fitted: Fit) -> str:
    evidence = f"optimality conditions to {fitted.decrement:.1g}"
    if fitted.converged:
        return f"The closest prices in the closed cone: {evidence}."
    return f"The projection lost accuracy to rounding ({evidence}): move nearly equal labels apart."
