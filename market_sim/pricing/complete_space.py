"""The menu of largest survey revenue within the cone, by dynamic programming.

A menu that earns most cannot raise a price without losing a buyer or leaving the cone. Each price
is then a valuation of its own version, or one carried over: from a lower label along the steepest
rise, p (eps' / eps)^m, or unchanged from a higher label. These candidates are Dealer's complete
price space (published for m = 1); one pass over versions and candidates finds the best chain.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.pricing.cone import check_exponent, growth
from market_sim.pricing.menu import Menu
from market_sim.pricing.survey import Survey
from market_sim.shapes import Array

ROUNDING = 1e-12  # by which a candidate may miss the steepest rise from its origin
Indices = NDArray[np.intp]


def best_complete_prices(survey: Survey, exponent: int = 2) -> Menu:
    """Return the menu in the cone that earns most from the surveyed buyers.

    Parameters
    ----------
    survey
        What buyers said.
    exponent
        m of the cone: 2 (precisions add) or 1 (budgets add, as published).

    Raises
    ------
    InvalidInput
        If the exponent is not 1 or 2, or nobody would pay anything.

    Notes
    -----
    Source: Dealer (Liu et al., VLDB 2021) [S] for m = 1, with at least half of the revenue of the
    arbitrage-free optimum; [D] m = 2 in the same way. Time and memory grow as versions times
    buyers.
    """
    ratio = 1.0 + growth(survey.labels, check_exponent(exponent))
    if not (survey.value > 0).any():
        raise InvalidInput("no surveyed buyer would pay anything: there is nothing to price")
    spaces = list(_candidates(survey, ratio))
    earned = _own_revenue(survey, 0, spaces[0])
    origins: list[Indices] = []
    for j in range(1, survey.versions):
        before = spaces[j - 1]
        low = np.searchsorted(before, spaces[j] / ratio[j - 1] * (1.0 - ROUNDING), side="left")
        high = np.searchsorted(before, spaces[j], side="right")
        origin = _best_in_windows(earned, low, high)
        origins.append(origin)
        earned = earned[origin] + _own_revenue(survey, j, spaces[j])
    prices = _trace(spaces, origins, int(earned.argmax()))
    revenue = float(survey.revenue(prices))
    status = (
        f"The menu of largest survey revenue in the complete price space: {revenue:.6g} a buyer, "
        f"{revenue / _unconstrained(survey):.4f} of what no menu exceeds."
    )
    return Menu(survey.labels, prices, exponent, "complete-space", status)


def _candidates(survey: Survey, ratio: Array) -> Iterator[Array]:
    """Yield the candidate prices of each version, increasing."""
    real = survey.value > 0
    wanted, value = survey.wanted[real], survey.value[real]
    carried = value.copy()  # valuations of lower labels, raised as far as they go
    for j in range(survey.versions):
        if j:
            carried[wanted < j] *= ratio[j - 1]
        yield np.unique(carried)


def _own_revenue(survey: Survey, version: int, price: Array) -> Array:
    """Return what the buyers of one version pay at each price, in total."""
    worth = np.sort(survey.value[survey.wanted == version])
    return np.asarray(price * (worth.size - np.searchsorted(worth, price, side="left")))


def _best_in_windows(earned: Array, low: Indices, high: Indices) -> Indices:
    """Return where `earned` is largest within [low, high), for windows that are not empty."""
    tables = [np.arange(earned.size)]
    span = 1
    while 2 * span <= earned.size:
        first, second = tables[-1][: earned.size - 2 * span + 1], tables[-1][span:]
        second = second[: first.size]
        tables.append(np.where(earned[second] > earned[first], second, first))
        span *= 2
    level = np.frexp((high - low).astype(np.float64))[1] - 1
    result = np.empty(low.size, dtype=np.intp)
    for depth, table in enumerate(tables):
        here = level == depth
        left, right = table[low[here]], table[high[here] - (1 << depth)]
        result[here] = np.where(earned[right] > earned[left], right, left)
    return result


def _trace(spaces: list[Array], origins: list[Indices], last: int) -> Array:
    """Return the prices of the best chain, from its last candidate back."""
    prices = [spaces[-1][last]]
    for space, origin in zip(spaces[-2::-1], origins[::-1], strict=True):
        last = int(origin[last])
        prices.append(space[last])
    return np.array(prices[::-1])


def _unconstrained(survey: Survey) -> float:
    """Return the revenue that no menu exceeds, versions without buyers left out."""
    return survey.only_wanted()[0].revenue_bound * survey.only_wanted()[0].buyers / survey.buyers
