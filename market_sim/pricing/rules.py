"""From a survey to a menu: the rules by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.pricing.complete_space import best_complete_prices
from market_sim.pricing.menu import Menu
from market_sim.pricing.price_menu import PriceMenu
from market_sim.pricing.survey import Survey

Rule = Callable[[Survey, int, float], Menu]


def price_versions(
    survey: Survey, rule: str = "complete-space", *, exponent: int = 2, weight: float = 1e5
) -> Menu:
    """Return a menu for what buyers said: without arbitrage, except for "ideal".

    Parameters
    ----------
    survey
        What buyers said.
    rule
        "fit": Eq. (26) on the ideal prices, weighted by demand. "fit-scaled": the same, all prices
        times the factor that earns most. "complete-space": the menu in the cone that earns most.
        "flat": one price for all versions, the one that earns most. "ideal": the best price of each
        version by itself; for comparison, since combinations of versions may undercut it.
    exponent
        2: precisions add when versions are combined; 1: budgets add.
    weight
        lambda of the fit, in units of 1 / (mean ideal price)^2; infinity for the projection.

    Raises
    ------
    InvalidInput
        If the rule is unknown, exponent or weight cannot be used, or a version that the rule needs
        an ideal price for has no buyer (see `Survey.only_wanted`).
    """
    if rule not in PRICING_RULES:
        raise InvalidInput(f"rule must be one of {', '.join(PRICING_RULES)}, got {rule!r}")
    return PRICING_RULES[rule](survey, exponent, weight)


def _fit(survey: Survey, exponent: int, weight: float) -> Menu:
    menu = PriceMenu(survey.labels, survey.ideal_prices, survey.demand, exponent)
    return menu.solve(weight, normalized=True)


def _fit_scaled(survey: Survey, exponent: int, weight: float) -> Menu:
    menu = _fit(survey, exponent, weight)
    return menu.scaled(survey.best_scale(menu.prices))


def _complete_space(survey: Survey, exponent: int, _weight: float) -> Menu:
    return best_complete_prices(survey, exponent)


def _flat(survey: Survey, exponent: int, _weight: float) -> Menu:
    ones = np.ones(survey.versions)
    price = survey.best_scale(ones)
    status = f"One price for all versions, the best for the survey: {price:.6g}."
    return Menu(survey.labels, ones * price, exponent, "flat", status)


def _ideal(survey: Survey, exponent: int, _weight: float) -> Menu:
    status = "The best price of each version by itself; arbitrage is not kept out."
    return Menu(survey.labels, survey.ideal_prices, exponent, "ideal", status)


PRICING_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "fit": _fit,
        "fit-scaled": _fit_scaled,
        "complete-space": _complete_space,
        "flat": _flat,
        "ideal": _ideal,
    }
)
