"""What a menu will earn from buyers who were not surveyed: an estimate and a lower bound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.pricing.menu import Menu
from market_sim.pricing.rules import price_versions
from market_sim.pricing.survey import Survey
from market_sim.shapes import Array, as_floats, whole_number

MENU_SPREAD = 1.2  # by how much menus that vary with the survey widen the error; measured 1.15-1.18


@dataclass(frozen=True, eq=False)
class RevenueBound:
    """Revenue per buyer of a menu that was made from a survey.

    Attributes
    ----------
    menu
        The menu: made from all surveyed buyers, or from half of them if the other half is held out.
    surveyed
        What those it is made from would pay, a buyer: too high, because the menu fits them.
    expected
        What buyers would pay at menus that were made without them, a buyer.
    lower
        Lower confidence bound of the revenue, a buyer.
    confidence
        Its level.
    method
        "cross-fitted" or "held-out".
    """

    menu: Menu
    surveyed: float
    expected: float
    lower: float
    confidence: float
    method: str

    def pool(self, buyers: int, cut: float) -> float:
        """Return R_a = (1 - phi) x bound: what the broker can promise the owners.

        Parameters
        ----------
        buyers
            How many buyers will come.
        cut
            phi, the share that the broker keeps, from 0 to below 1.

        Raises
        ------
        InvalidInput
            If the cut is not in [0, 1) or the buyers are not a whole number.
        """
        share = as_floats("cut", cut, minimum=0.0)
        if share.ndim or float(share) >= 1.0:
            raise InvalidInput(f"cut must be one share from 0 to below 1, got {cut}")
        return (1.0 - float(share)) * self.lower * whole_number("buyers", buyers, 0)


def revenue_bound(
    survey: Survey,
    rule: str = "complete-space",
    *,
    exponent: int = 2,
    weight: float = 1e5,
    confidence: float = 0.95,
    method: str = "cross-fitted",
    folds: int = 5,
    seed: int = 0,
) -> RevenueBound:
    """Return a menu made from a survey and a lower confidence bound of what it will earn.

    "cross-fitted": buyers are split into folds, each fold pays the prices that the others lead to,
    and the mean of these payments gets a one-sided Student interval. Nobody meets a price that she
    influenced, so the estimate is not flattered by the fit, as the survey's own revenue is. The
    interval is 1.2 times as wide as that of a mean, because the menu itself varies with the survey.

    "held-out": one half of the buyers makes the menu, the other half pays it, and the mean gets
    Hoeffding's bound, mean - (largest price) sqrt(ln(1 / (1 - confidence)) / (2 n)). It holds for
    every law of buyers and every size; menu and bound are made from half of the answers each.

    Parameters
    ----------
    survey
        What buyers said.
    rule, exponent, weight
        As in `price_versions`.
    confidence
        Level of the bound, between 0.5 and 1.
    method
        As above.
    folds
        Number of folds if cross-fitted, at least 2; with fewer buyers, one fold for each.
    seed
        Of the split.

    Raises
    ------
    InvalidInput
        If a setting is outside its range, or the survey cannot be priced by the rule.

    Notes
    -----
    [D] of the price menu, item 7. A version that only one fold wants counts as unsold there. The
    cross-fitted bound is approximate, because payments are not normal and the width is a measured
    one; the explanation of version prices shows how often it held.
    """
    level = as_floats("confidence", confidence)
    if level.ndim or not 0.5 <= float(level) < 1.0:
        raise InvalidInput(f"confidence must be one number from 0.5 to below 1, got {confidence}")
    if method not in ("cross-fitted", "held-out"):
        raise InvalidInput(f'method must be "cross-fitted" or "held-out", got {method!r}')
    parts = min(whole_number("folds", folds, 2), survey.buyers)
    if survey.buyers < 2:
        raise InvalidInput("a revenue bound needs at least 2 surveyed buyers, got 1: ask more")
    rng = np.random.default_rng(seed)
    if method == "held-out":
        kept_out = _folds(survey, 2, rng) == 1
        menu = price_versions(survey.subset(~kept_out), rule, exponent=exponent, weight=weight)
        return _held_out(survey, menu, kept_out, float(level))
    menu = price_versions(survey, rule, exponent=exponent, weight=weight)
    fold = _folds(survey, parts, rng)
    paid = np.empty(survey.buyers)
    for part in range(parts):
        out = fold == part
        prices = _prices_without(survey, ~out, rule, exponent, weight)[survey.wanted[out]]
        paid[out] = np.where(survey.value[out] >= prices, prices, 0.0)
    return RevenueBound(
        menu=menu,
        surveyed=float(survey.revenue(menu.prices)),
        expected=float(paid.mean()),
        lower=_student(paid, float(level)),
        confidence=float(level),
        method=method,
    )


def _held_out(
    survey: Survey, menu: Menu, kept_out: NDArray[np.bool_], level: float
) -> RevenueBound:
    """Bound the revenue of a menu by what buyers pay who had no part in it."""
    prices = menu.prices[survey.wanted]
    paid = np.where(survey.value >= prices, prices, 0.0)
    expected = float(paid[kept_out].mean())
    width = np.sqrt(np.log(1.0 / (1.0 - level)) / (2.0 * kept_out.sum()))
    lower = max(0.0, expected - float(menu.prices.max() * width))
    surveyed = float(paid[~kept_out].mean())
    return RevenueBound(menu, surveyed, expected, lower, level, "held-out")


def _folds(survey: Survey, parts: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return each buyer's fold, those who want the same version spread over the folds."""
    order = np.lexsort((rng.random(survey.buyers), survey.wanted))
    fold = np.empty(survey.buyers, dtype=np.intp)
    fold[order] = np.arange(survey.buyers) % parts
    return fold


def _prices_without(
    survey: Survey, chosen: NDArray[np.bool_], rule: str, exponent: int, weight: float
) -> Array:
    """Return the prices that some buyers lead to, infinite where none of them would pay."""
    worth = np.bincount(survey.wanted[chosen], survey.value[chosen], minlength=survey.versions)
    kept = np.flatnonzero(worth > 0)
    prices = np.full(survey.versions, np.inf)
    if kept.size:
        stays = chosen & (worth[survey.wanted] > 0)
        place = np.searchsorted(kept, survey.wanted[stays])
        rest = Survey(survey.labels[kept], place, survey.value[stays])
        prices[kept] = price_versions(rest, rule, exponent=exponent, weight=weight).prices
    return prices


def _student(paid: Array, level: float) -> float:
    """Return the one-sided lower bound of a mean, not below zero."""
    from scipy.special import stdtrit

    error = MENU_SPREAD * float(paid.std(ddof=1)) / float(np.sqrt(paid.size))
    return max(0.0, float(paid.mean()) - float(stdtrit(paid.size - 1, level)) * error)
