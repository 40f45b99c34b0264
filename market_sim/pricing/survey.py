"""A survey: which version each buyer wants and what it is worth to her."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.pricing.cone import PerVersion, check_labels
from market_sim.shapes import Array, as_floats, frozen

PerBuyer = Float[NDArray[np.float64], "buyers"]


@dataclass(frozen=True, eq=False, init=False)
class Survey:
    """What surveyed buyers said; they do not buy afterwards and so have no reason to shade.

    Attributes
    ----------
    labels
        Privacy labels of the versions, increasing, shape `(versions,)`.
    wanted
        Index of the version that each buyer is interested in, shape `(buyers,)`.
    value
        The most she would pay for it, theta >= 0, in money, shape `(buyers,)`.

    Raises
    ------
    InvalidInput
        If labels do not increase, a wanted version does not exist, a value is negative, the lengths
        differ, or there are fewer buyers than versions.

    Notes
    -----
    Source: PIECE [S] step 1; [D] the survey's form and that surveyed buyers do not buy.
    """

    labels: PerVersion
    wanted: Int[NDArray[np.int64], "buyers"]
    value: PerBuyer

    def __init__(self, labels: ArrayLike, wanted: ArrayLike, value: ArrayLike) -> None:
        checked = check_labels(labels)
        worth = as_floats("value", value, minimum=0.0)
        if worth.ndim != 1:
            raise InvalidInput(f"value must be one number a buyer, got shape {worth.shape}")
        if worth.size < checked.size:
            raise InvalidInput(
                f"a survey needs at least as many answers as versions, got {worth.size} answers "
                f"for {checked.size} versions: ask more buyers or offer fewer versions"
            )
        object.__setattr__(self, "labels", frozen(checked))
        object.__setattr__(self, "wanted", _check_wanted(wanted, worth.size, checked.size))
        object.__setattr__(self, "value", frozen(worth))

    @property
    def versions(self) -> int:
        """Number of versions."""
        return int(self.labels.size)

    @property
    def buyers(self) -> int:
        """Number of surveyed buyers."""
        return int(self.value.size)

    @property
    def counts(self) -> Int[NDArray[np.int64], "versions"]:
        """How many buyers want each version."""
        return np.bincount(self.wanted, minlength=self.versions)

    @property
    def demand(self) -> PerVersion:
        """Return q_j: the share of buyers who want each version."""
        return np.asarray(self.counts / self.buyers)

    @property
    def ideal_prices(self) -> PerVersion:
        """Return P_j = argmax_p p #{theta >= p}, the lowest if several earn the same.

        Raises
        ------
        InvalidInput
            If nobody wants a version, or all who want it would pay nothing.
        """
        return np.array([_ideal(self, j)[0] for j in range(self.versions)])

    @property
    def revenue_bound(self) -> float:
        """Return sum_j P_j #{theta >= P_j} / buyers: what no menu exceeds on these buyers."""
        earned = (_ideal(self, j)[1] for j in range(self.versions))
        return float(sum(earned) / self.buyers)

    def revenue(self, prices: ArrayLike) -> Float[NDArray[np.float64], "*menus"]:
        """Return what the surveyed buyers would pay, per buyer: mean of v_j where theta >= v_j.

        Parameters
        ----------
        prices
            One menu or several, shape `(*menus, versions)`.

        Raises
        ------
        InvalidInput
            If a price is negative or the number of prices is not that of versions.
        """
        menus = as_floats("prices", prices, minimum=0.0)
        if menus.ndim == 0 or menus.shape[-1] != self.versions:
            raise InvalidInput(
                f"prices need a last axis of {self.versions} versions, got shape {menus.shape}"
            )
        sold = np.stack([_sold(self, j, menus[..., j]) for j in range(self.versions)], axis=-1)
        return np.asarray((menus * sold).sum(axis=-1) / self.buyers)

    def best_scale(self, prices: ArrayLike) -> float:
        """Return the factor s that maximizes the revenue of s v, exactly.

        Revenue grows with s until s v_j passes a valuation, so the best s is one of theta / v_j.

        Raises
        ------
        InvalidInput
            If a price is not positive or the number of prices is not that of versions.
        """
        menu = as_floats("prices", prices, positive=True)
        if menu.shape != (self.versions,):
            raise InvalidInput(
                f"prices must be one number for each of the {self.versions} versions, got shape "
                f"{menu.shape}"
            )
        paid = menu[self.wanted]
        ratio = self.value / paid
        order = np.argsort(-ratio, kind="stable")
        earned = ratio[order] * np.cumsum(paid[order])
        best = float(ratio[order][int(earned.argmax())])
        return best * (1.0 - 2.0**-51)  # rounding must not lose the buyer at the border

    def subset(self, chosen: Bool[NDArray[np.bool_], "buyers"]) -> "Survey":
        """Return the answers of some buyers.

        Raises
        ------
        InvalidInput
            If they are fewer than the versions.
        """
        return Survey(self.labels, self.wanted[chosen], self.value[chosen])

    def only_wanted(self) -> tuple["Survey", Int[NDArray[np.int64], "kept"]]:
        """Return the survey without versions for which nobody would pay, and the indices kept.

        Raises
        ------
        InvalidInput
            If nobody would pay anything.
        """
        worth = np.bincount(self.wanted, weights=self.value, minlength=self.versions)
        kept = np.flatnonzero(worth > 0)
        if not kept.size:
            raise InvalidInput("no surveyed buyer would pay anything: there is nothing to price")
        place = np.searchsorted(kept, self.wanted)
        stays = worth[self.wanted] > 0
        labels = self.labels[kept]
        return Survey(labels, place[stays], self.value[stays]), kept.astype(np.int64)


def _check_wanted(wanted: ArrayLike, buyers: int, versions: int) -> Int[NDArray[np.int64], "_"]:
    """Return indices of versions, refused unless whole, in range and one a buyer."""
    given = as_floats("wanted", wanted)
    if given.shape != (buyers,):
        raise InvalidInput(
            f"wanted must be one index of a version for each of the {buyers} buyers, got shape "
            f"{given.shape}"
        )
    index = given.astype(np.int64)
    bad = (index != given) | (index < 0) | (index >= versions)
    if bad.any():
        raise InvalidInput(
            f"wanted must hold indices of versions, 0 to {versions - 1}, got "
            f"{given[bad][0]:g} at index {int(np.flatnonzero(bad)[0])}"
        )
    index.flags.writeable = False
    return index


def _ideal(survey: Survey, version: int) -> tuple[float, float]:
    """Return the best price of one version and what it earns from those who want it."""
    worth = np.sort(survey.value[survey.wanted == version])
    earned = worth * np.arange(worth.size, 0, -1)
    if not worth.size or earned.max() <= 0:
        raise InvalidInput(
            f"no surveyed buyer would pay for the version of label {survey.labels[version]:g}: "
            "survey more buyers or drop it with only_wanted()"
        )
    best = int(earned.argmax())
    return float(worth[best]), float(earned[best])


def _sold(survey: Survey, version: int, price: Array) -> Array:
    """Return how many of those who want a version buy it at each price."""
    worth = np.sort(survey.value[survey.wanted == version])
    return np.asarray(worth.size - np.searchsorted(worth, price, side="left"), dtype=np.float64)
