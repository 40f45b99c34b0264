"""Buyers of versions: honest ones, and arbitrageurs who look for a cheaper combination."""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.rows import RowAgent
from market_sim.pricing import Menu, Survey
from market_sim.shapes import Array
from market_sim.versions import ModelVersions

if TYPE_CHECKING:
    from agents.versions.market import VersionMarket

Flags = NDArray[np.bool_]
_REACHED = 1e-9  # a label counts as reached up to this part of it
_MOST = 3  # different versions that an arbitrageur averages


@dataclass(frozen=True)
class Purchases:
    """What each buyer of a round bought: columns with one entry a buyer.

    Attributes
    ----------
    copies
        Copies of each version, shape `(buyers, versions)`.
    paid
        Money, shape `(buyers,)`.
    reached
        Label of what she made of them, 0 for nothing.
    surplus
        Her value if the label she wanted is reached, less what she paid.
    tried, worked
        Who saw a cheaper combination on the price list, and who bought one because it holds.
    saved
        By how much it was cheaper than the version she wanted, in money.
    status
        In words.
    """

    copies: NDArray[np.int64]
    paid: Array
    reached: Array
    surplus: Array
    tried: Flags
    worked: Flags
    saved: Array
    status: NDArray[np.object_]

    def text(self, row: int) -> str:
        """Return what a buyer bought, such as "1 x version 1 + 1 x version 3"."""
        bought = np.flatnonzero(self.copies[row])
        return " + ".join(f"{self.copies[row, j]} x version {j + 1}" for j in bought)


@dataclass(frozen=True)
class Detour:
    """A way to a version's label other than buying it.

    Attributes
    ----------
    listed
        Whether labels on the price list add up to it for less, copies included.
    numbers
        Different versions that truly average to it for less, the cheapest such set; empty if none.
    cost, label
        What these cost in money, and the label of their average.
    """

    listed: bool
    numbers: tuple[int, ...]
    cost: float
    label: float


def detours(menu: Menu, cut: ModelVersions) -> tuple[Detour, ...]:
    """Return the best detour to each version of a menu.

    On the price list an arbitrageur adds up labels of copies of one version, or of up to three
    different ones. But copies of a version are the same bytes, so only sets of different versions
    average to something better: all of up to three are tried, with the weights that leave the least
    noise.
    """
    sets = [
        numbers
        for size in range(1, min(_MOST, menu.versions) + 1)
        for numbers in combinations(range(menu.versions), size)
    ]
    cost = np.array([menu.prices[list(numbers)].sum() for numbers in sets])
    label = np.array([cut.combine(*numbers).label for numbers in sets])
    mass = menu.labels**menu.exponent
    listed = np.array([mass[list(numbers)].sum() for numbers in sets])
    found = []
    for version in range(menu.versions):
        price = float(menu.prices[version]) * (1.0 - _REACHED)
        holds = (label >= menu.labels[version] * (1.0 - _REACHED)) & (cost < price)
        best = int(np.where(holds, cost, np.inf).argmin())
        if holds[best]:
            found.append(Detour(True, sets[best], float(cost[best]), float(label[best])))
            continue
        goal = float(mass[version]) * (1.0 - _REACHED)
        copies = float((np.ceil(goal / mass) * menu.prices).min())
        different = np.where(listed >= goal, cost, np.inf).min()
        found.append(Detour(bool(min(copies, different) < price), (), 0.0, 0.0))
    return tuple(found)


def buy(
    buyers: Survey, strategic: Flags, menu: Menu, kept: NDArray[np.int64], cut: ModelVersions
) -> Purchases:
    """Let everybody buy what is best for her.

    An honest buyer takes the version she wants if it is worth its price to her. An arbitrageur
    takes the cheapest set of different versions instead if their average truly reaches the label.

    Parameters
    ----------
    buyers
        Which version each wants (of all that were surveyed) and its worth.
    strategic
        Who is an arbitrageur, shape `(buyers,)`.
    menu
        The versions that are sold, with prices.
    kept
        Their indices among all versions.
    cut
        The versions as cut.
    """
    place = np.full(buyers.versions, -1)
    place[kept] = np.arange(kept.size)
    own = place[buyers.wanted]
    offered = np.asarray(own >= 0)
    price = np.where(offered, menu.prices[np.maximum(own, 0)], np.inf)
    copies = np.zeros((buyers.buyers, kept.size), dtype=np.int64)
    honest = offered & (buyers.value >= price)
    copies[np.flatnonzero(honest), own[honest]] = 1
    paid = np.where(honest, price, 0.0)
    reached = np.where(honest, menu.labels[np.maximum(own, 0)], 0.0)
    tried, worked = np.zeros_like(strategic), np.zeros_like(strategic)
    saved = np.zeros(buyers.buyers)
    for version, detour in enumerate(detours(menu, cut) if strategic.any() else ()):
        here = strategic & (own == version)
        tried |= here & detour.listed
        if not detour.numbers:
            continue
        takes = here & (buyers.value >= detour.cost)
        copies[takes] = np.bincount(detour.numbers, minlength=kept.size)
        paid[takes], reached[takes] = detour.cost, detour.label
        worked |= takes
        saved[takes] = menu.prices[version] - detour.cost
    traded = np.asarray(copies.any(axis=1))
    surplus = np.where(traded, buyers.value - paid, 0.0)
    return Purchases(
        copies,
        paid,
        reached,
        surplus,
        tried,
        worked,
        saved,
        _status(traded, offered, tried, worked),
    )


def _status(traded: Flags, offered: Flags, tried: Flags, worked: Flags) -> NDArray[np.object_]:
    """Return in words what became of each buyer."""
    status = np.where(traded, "bought", np.where(offered, "too dear", "not offered"))
    status = np.where(tried & traded, "bought, combination foiled", status)
    return np.where(worked, "arbitrage", status).astype(object)


class VersionBuyer(RowAgent):
    """One buyer of the last round: row `row` of the market's columns."""

    market: "VersionMarket"

    @property
    def wanted(self) -> int:
        """Index of the version she wants."""
        return int(self.market.last.buyers.wanted[self.row])

    @property
    def value(self) -> float:
        """What it is worth to her, in money."""
        return float(self.market.last.buyers.value[self.row])

    @property
    def paid(self) -> float:
        """What she paid, in money; 0 without trade."""
        bought = self.market.last.purchases
        return float(bought.paid[self.row]) if bought else 0.0

    @property
    def surplus(self) -> float:
        """Value less payment; 0 if she bought nothing."""
        bought = self.market.last.purchases
        return float(bought.surplus[self.row]) if bought else 0.0
