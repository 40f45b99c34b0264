"""Budgets that never bind: with more money than everybody's top price, nothing is compared."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput, MarketSimWarning
from market_sim.population import PopulationLaw
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, as_floats


def never_binds(source: Reports | PopulationLaw, budget: ArrayLike) -> NDArray[np.bool_]:
    """Return where B >= (sum of caps) (top unit value), so that money is never scarce.

    Parameters
    ----------
    source
        Reports, whose own caps and highest unit value count; or a law, whose greatest cap and unit
        value count (with linear valuations; never True where these are unbounded).
    budget
        Money, > 0: one number or shape `profiles` for reports, any shape for a law.

    Raises
    ------
    InvalidInput
        If the budget is outside its domain, or the law has no unit value of its own.
    """
    if isinstance(source, Reports):
        money = as_budget(budget, source.profiles)
        return np.asarray(money >= _most(source))
    if not isinstance(source, PopulationLaw):
        raise InvalidInput(
            f"source must be Reports or a PopulationLaw, got {type(source).__name__}"
        )
    return np.asarray(as_floats("budget", budget, positive=True) >= _most_of_law(source))


def warn_if_never_binds(source: Reports | PopulationLaw, budget: ArrayLike) -> bool:
    """Warn with the reason if the budget binds in no market of `source`, and tell whether it did.

    Arguments and errors as for `never_binds`; the warning is a `MarketSimWarning`.
    """
    loose = never_binds(source, budget)
    if not loose.all():
        return False
    most = _most(source) if isinstance(source, Reports) else np.asarray(_most_of_law(source))
    money = np.asarray(budget, dtype=np.float64)
    warnings.warn(
        f"the budget {money.min():g} never binds: it is at least {most.max():g}, the sum of all "
        "caps at the top unit value, so every rule can buy everything; give less money to compare "
        "mechanisms",
        MarketSimWarning,
        stacklevel=2,
    )
    return True


def _most(reports: Reports) -> Array:
    """Return the sum of all masses at the highest unit value."""
    return np.asarray(reports.mass.sum(axis=-1) * reports.unit_value.max(axis=-1))


def _most_of_law(law: PopulationLaw) -> float:
    """Return the largest sum of caps at the largest unit value."""
    return law.owners * law.cap_law.support[1] * law.unit_value_law.support[1]
