"""Arbitrage: a version that a combination of other versions gives for less.

Who averages versions with independent Gaussian noises adds their precisions, eps^2 each; under
basic composition budgets add, eps each. Version j is undercut if some multiset of versions with
sum eps_i^m >= eps_j^m costs less than v_j.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput, MarketSimError
from market_sim.pricing.cone import (
    PerVersion,
    check_exponent,
    check_labels,
    check_prices,
    in_cone,
    precision,
)
from market_sim.pricing.cover import Search, homogeneous_costs
from market_sim.shapes import whole_number

TOLERANCE = 1e-9  # of the price: what rounding may leave between a price and its cheapest cover
MAX_NODES = 2_000_000


@dataclass(frozen=True, eq=False)
class Arbitrage:
    """A version that is undercut, and by what.

    Attributes
    ----------
    version
        Index of the version that is undercut.
    price
        Its price.
    copies
        How many of each version to buy instead, shape `(versions,)`.
    cost
        What these cost together, less than `price`.
    reach
        The label that they give together, at least that of the version (up to rounding).
    labels
        Labels of all versions, shape `(versions,)`.
    cheapest
        Whether no combination is cheaper; otherwise the search was cut short.
    """

    version: int
    price: float
    copies: Int[NDArray[np.int64], "versions"]
    cost: float
    reach: float
    labels: PerVersion
    cheapest: bool = True

    @property
    def saving(self) -> float:
        """What the combination saves."""
        return self.price - self.cost

    def __str__(self) -> str:
        parts = [
            f"{self.copies[i]} of label {self.labels[i]:g}" for i in np.flatnonzero(self.copies)
        ]
        return (
            f"The version of label {self.labels[self.version]:g} at {self.price:.6g} is undercut: "
            f"{' and '.join(parts)} cost {self.cost:.6g} and give label {self.reach:.6g}."
        )


@dataclass(frozen=True, eq=False)
class ArbitrageCheck:
    """The answer to whether a menu admits arbitrage.

    Attributes
    ----------
    free
        True: no arbitrage. False: there is a witness. None: not decided within the limit.
    method
        "cone" if the sufficient condition held, "search" if combinations were looked at.
    witness
        An `Arbitrage` if there is one.
    nodes
        Combinations that the search looked at.
    status
        The answer, a sentence.
    """

    free: bool | None
    method: str
    witness: Arbitrage | None
    nodes: int
    status: str

    def decided(self) -> Arbitrage | None:
        """Return the witness, or None if the menu is free of arbitrage.

        Raises
        ------
        MarketSimError
            If the search did not come to an end.
        """
        if self.free is None:
            raise MarketSimError(self.status)
        return self.witness


def arbitrage(labels: ArrayLike, prices: ArrayLike, exponent: int = 2) -> Arbitrage | None:
    """Return a version that a combination of others undercuts, or None if there is none.

    Parameters
    ----------
    labels
        Privacy labels, increasing, shape `(versions,)`.
    prices
        Prices, shape `(versions,)`.
    exponent
        2: precisions eps^2 add; 1: budgets eps add.

    Raises
    ------
    InvalidInput
        If labels, prices or exponent cannot be used.
    MarketSimError
        If a large menu outside the cone is not decided within the limit of the search.
    """
    return check_arbitrage(labels, prices, exponent).decided()


def check_arbitrage(
    labels: ArrayLike, prices: ArrayLike, exponent: int = 2, max_nodes: int = MAX_NODES
) -> ArbitrageCheck:
    """Decide whether a menu admits arbitrage, and say how it was decided.

    First the cone: if prices rise and price per eps^m falls, there is none. If not, a lower bound
    clears single versions: the cheapest that covers one alone, and the best price per eps^m below
    it. What is left is searched: unbounded covering knapsacks by branch and bound, exact unless
    `max_nodes` combinations do not suffice, and then it says so.

    Parameters
    ----------
    labels, prices, exponent
        As in `arbitrage`.
    max_nodes
        Combinations to look at, at most.

    Raises
    ------
    InvalidInput
        If labels, prices, exponent or limit cannot be used.

    Notes
    -----
    A price counts as undercut from a billionth of itself on, because a menu on the border of the
    cone meets the conditions with equality. [D] of the lemma; the search does not use it.
    """
    checked = check_labels(labels)
    paid = check_prices("prices", prices, checked.size)
    power = check_exponent(exponent)
    limit = whole_number("max_nodes", max_nodes, 1)
    if in_cone(checked, paid, power, 0.1 * TOLERANCE):
        why = "No arbitrage: prices rise and price per unit of precision falls."
        return ArbitrageCheck(True, "cone", None, 0, why)
    search = Search(precision(checked, power), paid, limit)
    doubtful = _doubtful(search)
    return _searched(search, doubtful, checked, power)


def cheapest_cover(
    labels: ArrayLike, prices: ArrayLike, version: int, exponent: int = 2
) -> Arbitrage:
    """Return the cheapest multiset of versions that gives at least the label of one of them.

    Its `saving` is zero where nothing is cheaper than the version itself, up to a billionth.

    Parameters
    ----------
    labels, prices, exponent
        As in `arbitrage`.
    version
        Index of the version to replace.

    Raises
    ------
    InvalidInput
        If labels, prices or exponent cannot be used, or there is no such version.
    MarketSimError
        If the search did not come to an end.
    """
    checked = check_labels(labels)
    paid = check_prices("prices", prices, checked.size)
    power = check_exponent(exponent)
    target = whole_number("version", version, 0)
    if target >= checked.size:
        raise InvalidInput(f"version must be an index below {checked.size}, got {target}")
    search = Search(precision(checked, power), paid, MAX_NODES)
    copies = search.cheapest(target, paid[target] * (1.0 - TOLERANCE))
    if search.exhausted:
        raise MarketSimError(_gave_up(search))
    if copies is None:
        copies = np.eye(checked.size, dtype=np.int64)[target]
    return _witness(search, target, copies, checked, power)


def _doubtful(search: Search) -> NDArray[np.intp]:
    """Return the versions whose price a lower bound of their covers does not reach."""
    price, mass = search.price, search.mass
    alone = np.minimum.accumulate(price[::-1])[::-1]
    best = np.minimum.accumulate(price / mass)
    bound = np.minimum(alone[1:], best[:-1] * mass[1:])
    bound = np.append(alone[0], bound)
    return np.flatnonzero(bound < price * (1.0 - 0.1 * TOLERANCE))


def _searched(
    search: Search, doubtful: NDArray[np.intp], labels: PerVersion, power: int
) -> ArbitrageCheck:
    """Look at the versions in doubt, those first that copies of one other version undercut."""
    ratio = homogeneous_costs(search, doubtful) / search.price[doubtful]
    for target in doubtful[np.argsort(ratio, kind="stable")]:
        copies = search.cheapest(int(target), search.price[target] * (1.0 - TOLERANCE))
        if copies is not None:
            witness = _witness(search, int(target), copies, labels, power)
            return ArbitrageCheck(False, "search", witness, search.nodes, str(witness))
        if search.exhausted:
            return ArbitrageCheck(None, "search", None, search.nodes, _gave_up(search))
    why = f"No arbitrage: none of {search.nodes} combinations is cheaper than what it replaces."
    return ArbitrageCheck(True, "search", None, search.nodes, why)


def _witness(
    search: Search, target: int, copies: NDArray[np.int64], labels: PerVersion, power: int
) -> Arbitrage:
    mass = float(search.mass @ copies)
    return Arbitrage(
        version=target,
        price=float(search.price[target]),
        copies=copies,
        cost=float(search.price @ copies),
        reach=float(labels[-1] * mass ** (1.0 / power)),
        labels=labels,
        cheapest=not search.exhausted,
    )


def _gave_up(search: Search) -> str:
    return (
        f"arbitrage was not decided: the search stopped after {search.nodes} combinations of "
        f"{search.price.size} versions; allow more with max_nodes or price within the cone"
    )
