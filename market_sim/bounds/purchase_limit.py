"""purchase_limit: what any truthful rule can buy from very many owners of a law."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.laws import ScalarLaw
from market_sim.population import PopulationLaw
from market_sim.shapes import Array, as_number

_CELLS = 2**14
_TAIL = 30  # halvings of the last cell: how far an unbounded law is followed


@dataclass(frozen=True)
class PurchaseLimit:
    """Privacy an owner sells on average, with costs known and with costs to be elicited.

    Attributes
    ----------
    full_information
        Epsilon per owner that the money buys at cost.
    truthful
        Epsilon per owner that the best truthful rule buys.
    prices, shares
        That rule: each owner meets a posted unit price, with these probabilities; one price for
        regular laws, else one or two.
    """

    full_information: float
    truthful: float
    prices: tuple[float, ...]
    shares: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Truthful over full information."""
        return self.truthful / self.full_information


def purchase_limit(law: PopulationLaw, budget: float) -> PurchaseLimit:
    r"""Return the Bayes limit of sum eps / N for a budget of `budget` money per owner.

    With F the law of v, v(q) its quantile and e the mean cap, a posted price that a share q of the
    owners accepts costs R(q) e per owner, R(q) = q v(q), and buys q e. Truthful rules mix posted
    prices, so the limit is q e with conv R(q) e = budget, conv R the lower convex hull of R. With
    known costs it is q e with (integral of v from 0 to q) e = budget.

    Parameters
    ----------
    law
        Linear valuations without data sizes; values and caps are independent.
    budget
        B / N, > 0.

    Raises
    ------
    InvalidInput
        If the budget is outside its domain, or the law has no unit value of its own.

    Examples
    --------
    >>> import market_sim as ms
    >>> limit = ms.purchase_limit(ms.privacy_auction_law("uniform"), 0.5)
    >>> round(limit.ratio, 9), round(limit.prices[0], 6)
    (0.707106781, 0.442807)

    Notes
    -----
    For N to infinity the budget binds on average only, which is why it stands as an expectation.
    Only the mean of the caps matters: what v says about the cap is nothing, as they are
    independent, and a posted price is truthful in caps that are private.

    Source: privacy auction game, [D]; Myerson (1981), virtual costs v + F / f and their ironing:
    the slope of R at q is the virtual cost of v(q).
    """
    if not isinstance(law, PopulationLaw):
        raise InvalidInput(f"law must be a PopulationLaw, got {type(law).__name__}")
    value, cap = law.unit_value_law, law.cap_law.mean
    money = as_number("budget", budget, positive=True) / cap
    shares, prices = _best_mixture(value, money)
    sold = float(sum(share * value.cdf(price) for share, price in zip(shares, prices, strict=True)))
    return PurchaseLimit(
        full_information=_known_share(value, money) * cap,
        truthful=sold * cap,
        prices=prices,
        shares=shares,
    )


def _known_share(value: ScalarLaw, money: float) -> float:
    """Return q with integral of v(s) over 0 <= s <= q equal to `money`, at most 1."""
    from scipy.integrate import quad

    if money >= value.mean:
        return 1.0

    def spent(price: float) -> float:
        """Return E[v; v <= price] by parts, as a part of the price times the share: no units."""
        share = float(value.cdf(price))
        if share == 0:
            return 0.0
        part = quad(
            lambda x: float(value.cdf(x * price)) / share,
            0.0,
            1.0,
            limit=500,
            epsabs=1e-13,
            epsrel=1e-12,
        )[0]
        return float(price * share * (1.0 - part))

    price = _price_of(spent, money, value)
    # Where the law has a gap the price is any in it; the share follows from the money spent.
    return float(value.cdf(price))


def _best_mixture(value: ScalarLaw, money: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return probabilities and prices of the posted prices that buy most for the money."""
    share = np.linspace(0.0, 1.0, _CELLS + 1)
    tail = 1.0 - 0.5 ** np.arange(1, _TAIL) / _CELLS
    top = value.support[1]
    share = np.concatenate([share[:-1], tail, [1.0] if np.isfinite(top) else []])
    spent = share * value.quantile(share)
    hull = _lower_hull(share, spent)
    place = int(np.searchsorted(spent[hull], money, side="right"))
    if place == len(hull):
        return (1.0,), (float(value.quantile(share[-1])),)
    ends = hull[place - 1], hull[place]
    low, high = (float(share[end]) for end in ends)
    weight = float((money - spent[ends[0]]) / (spent[ends[1]] - spent[ends[0]]))
    mixed = low + weight * (high - low)
    if ends[1] == ends[0] + 1:
        price = _price_of(lambda price: price * float(value.cdf(price)), money, value)
        if value.cdf(price) >= mixed:  # else the law has a gap in this cell
            return (1.0,), (float(price),)
    prices = value.quantile([low, high])
    return (1.0 - weight, weight), (float(prices[0]), float(prices[1]))


def _price_of(spent: Callable[[float], float], money: float, value: ScalarLaw) -> float:
    """Return the price at which `spent`, which grows from 0 with it, reaches the money.

    Sought by its logarithm and in parts of the money, so that no unit of money matters.
    """
    from scipy.optimize import brentq

    start = float(value.quantile(0.5)) or value.mean
    low = high = 0.0  # in halvings and doublings of the start
    while spent(start * 2.0**high) < money:
        high += 1.0
    while spent(start * 2.0**low) >= money:
        low = 2.0 * low - 1.0
    found = brentq(lambda x: spent(start * 2.0**x) / money - 1.0, low, high, xtol=1e-15)
    return float(start * 2.0**found)


def _lower_hull(x: Array, y: Array) -> NDArray[np.intp]:
    """Return the indices of the lower convex hull of points with ascending x."""
    hull: list[int] = []
    xs, ys = x.tolist(), y.tolist()
    for i, (at, height) in enumerate(zip(xs, ys, strict=True)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            turn = (xs[b] - xs[a]) * (height - ys[a]) - (ys[b] - ys[a]) * (at - xs[a])
            if turn > 0:
                break
            hull.pop()
        hull.append(i)
    return np.asarray(hull)
