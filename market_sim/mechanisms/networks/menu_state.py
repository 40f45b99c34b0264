"""What a menu may depend on: sizes, money, the prior, and the owners who were asked before."""

import itertools
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor

from market_sim.reports import Reports
from market_sim.shapes import Array, whole_number
from market_sim.valuation import Valuations

FEATURES = 17
_PSEUDO = 0.1  # of all samples: the weight of the prior beside what earlier owners reported
_SHORT = 0.04  # eps^2 at which a sale counts as half noise
_FADE = 10.0  # an owner counts as sold from about eps = 1 / _FADE on


@dataclass(frozen=True)
class Prior:
    """What is known of the owners beforehand, from the law of the training.

    Parameters
    ----------
    unit_value, half_value
        Means of s v(cap) and of s v(cap / 2) over the mean of s: money a sample.
    mean_size
        Mean data size; only needed where sizes are reported.
    """

    unit_value: float = 2.32
    half_value: float = 1.15
    mean_size: float = 42.6


@dataclass(frozen=True, eq=False)
class MenuMarket:
    """Reports and money as tensors `(rows, owners)`, the owners in the order of the visits.

    Attributes
    ----------
    kind, rate, cap
        The reported valuations and caps.
    size
        Data sizes, 1 where there are none.
    value, half
        s v(cap) and s v(cap / 2).
    money
        The budget, shape `(rows,)`.
    """

    kind: Int64[Tensor, "rows owners"]
    rate: Float[Tensor, "rows owners"]
    cap: Float[Tensor, "rows owners"]
    size: Float[Tensor, "rows owners"]
    value: Float[Tensor, "rows owners"]
    half: Float[Tensor, "rows owners"]
    money: Float[Tensor, " rows"]

    @classmethod
    def from_reports(
        cls, reports: Reports, money: Array, places: NDArray[np.intp], dtype: torch.dtype
    ) -> Self:
        """Return the market with each row's owners in the order `places`."""
        shape = (money.size, reports.owners)
        order = np.broadcast_to(places, shape)

        def ordered(array: NDArray[Any]) -> NDArray[Any]:
            return np.take_along_axis(array.reshape(shape), order, axis=1)

        kind, rate = ordered(reports.valuations.kind), ordered(reports.valuations.rate)
        cap = ordered(reports.cap)
        size = np.ones(shape)
        if reports.data_size is not None:
            size = ordered(reports.data_size)
        owners = Valuations(kind, rate)
        values = size * owners.cost(cap), size * owners.cost(cap / 2.0)
        tensors = (torch.tensor(array, dtype=dtype) for array in (rate, cap, size, *values, money))
        return cls(torch.tensor(kind, dtype=torch.int64), *tensors)

    @property
    def owners(self) -> int:
        """Number of owners."""
        return self.size.shape[1]


@dataclass(eq=False)
class Visit:
    """Where the visits stand: each block of owners is shown a menu made of these numbers alone.

    Attributes
    ----------
    market
        All owners; a menu uses the sizes of all and the reports of those asked before.
    prior
        What is known beforehand.
    verified
        Whether sizes are verified; otherwise an owner's own reported size is replaced, in her own
        menu, by the mean of the others' and the prior.
    """

    market: MenuMarket
    prior: Prior
    verified: bool

    def __post_init__(self) -> None:
        size = self.market.size
        self.others = without_own(size)
        mean = (self.others + self.prior.mean_size) / self.market.owners
        self.believed = size if self.verified else mean
        self.total = self.others + self.believed
        zero = torch.zeros_like(self.market.money)
        self.money = self.market.money
        self.seen, self.seen_half, self.seen_size = zero, zero, zero
        self.unsold, self.missing, self.noise = zero, zero, zero
        self.after = size.flip(1).cumsum(1).flip(1)
        self.after_square = size.square().flip(1).cumsum(1).flip(1)

    def left(self, start: int, stop: int) -> Float[Tensor, "rows block"]:
        """Return the size not yet asked, each owner's own as believed."""
        return self._rest(self.market.size, self.after, start, stop) + self._block(
            self.believed, start, stop
        )

    def _rest(self, size: Tensor, after: Tensor, start: int, stop: int) -> Tensor:
        """Return the sum over all from `start` on but the owner herself."""
        tail = after[:, stop : stop + 1] if stop < size.shape[1] else 0.0
        return without_own(self._block(size, start, stop)) + tail

    @staticmethod
    def _block(array: Tensor, start: int, stop: int) -> Tensor:
        return array[:, start:stop]

    def features(self, start: int, stop: int) -> Float[Tensor, "rows block features"]:
        """Return what the network sees for each owner of a block; all are free of scale in n.

        Own share and relative size; size, owners and money left; money a sample; how the sizes left
        are spread; what earlier owners reported, pulled to the prior; what they did not sell.
        """
        owners, prior = self.market.owners, self.prior
        own, total = self._block(self.believed, start, stop), self._block(self.total, start, stop)
        left = self.left(start, stop)
        square = own.square() + self._rest(
            self.market.size.square(), self.after_square, start, stop
        )
        share, open_ = own / total, left / total
        spread = square.sqrt() / total
        count = float(owners - start)
        money = self.money[:, None]
        prior_size = _PSEUDO * total
        seen_size = self.seen_size[:, None] + prior_size
        value = self.seen[:, None] / prior.unit_value + prior_size
        half = self.seen_half[:, None] / prior.half_value + prior_size
        columns = [
            share,
            (share * owners).log(),
            own / left,
            open_,
            spread,
            _log(money / left / prior.unit_value),
            _log(self.market.money[:, None] / total / prior.unit_value),
            money / self.market.money[:, None],
            (value / seen_size).log(),
            (half / seen_size).log(),
            self.unsold[:, None] / total,
            self.noise[:, None].sqrt() / total,
            self.missing[:, None] / total,
            spread / open_ * count**0.5,
            torch.full_like(own, np.log(owners) / 5.0),
            torch.full_like(own, owners**-0.5),
            torch.full_like(own, count / owners),
        ]
        return torch.stack(torch.broadcast_tensors(*columns), dim=-1)

    def record(
        self, start: int, stop: int, epsilon: Tensor, payment: Tensor, max_cap: float
    ) -> None:
        """Take note of what a block of owners reported, sold and were paid."""
        market = self.market
        size = self._block(market.size, start, stop)
        self.money = (self.money - payment.sum(dim=1)).clamp_min(0.0)
        self.seen = self.seen + self._block(market.value, start, stop).sum(dim=1)
        self.seen_half = self.seen_half + self._block(market.half, start, stop).sum(dim=1)
        self.seen_size = self.seen_size + size.sum(dim=1)
        self.unsold = self.unsold + (size * torch.exp(-_FADE * epsilon)).sum(dim=1)
        self.missing = self.missing + (size * (1.0 - epsilon / max_cap)).sum(dim=1)
        self.noise = self.noise + (size.square() / (epsilon.square() + _SHORT)).sum(dim=1)


def without_own(size: Float[Tensor, "rows owners"]) -> Float[Tensor, "rows owners"]:
    """Return for each entry the sum of the others in its row; its own value has no part in it."""
    before = torch.zeros_like(size)
    behind = torch.zeros_like(size)
    before[:, 1:] = size[:, :-1].cumsum(dim=1)
    behind[:, :-1] = size[:, 1:].flip(1).cumsum(dim=1).flip(1)
    return before + behind


def _log(ratio: Tensor) -> Tensor:
    """Return log(ratio), held within what training meets."""
    return ratio.clamp(1e-3, 1e3).log()


def blocks(owners: int, most: int, *, growing: bool) -> list[tuple[int, int]]:
    """Return at most `most` ranges of visits that share a menu; one owner each if there is room.

    `growing` makes the first blocks single owners and the later ones larger by a common factor,
    for orders that begin with the largest sizes; otherwise the blocks are equally long.
    """
    whole_number("blocks", most, 1)
    if owners <= most:
        edges = np.arange(owners + 1)
    elif growing:
        edges = np.minimum(np.cumsum(_lengths(owners, most)), owners)
        edges = np.concatenate([[0], edges])
        edges[-1] = owners
    else:
        edges = np.round(np.linspace(0, owners, most + 1)).astype(np.int64)
    edges = np.unique(edges)
    return [(int(a), int(b)) for a, b in itertools.pairwise(edges)]


def _lengths(owners: int, most: int) -> NDArray[np.int64]:
    """Return floor(q^j), j = 0, 1, ..., for the smallest q (by bisection) whose sum is enough."""
    low, high = 1.0, float(owners)
    powers = np.arange(most)
    for _ in range(60):
        middle = (low * high) ** 0.5
        if np.floor(middle**powers).sum() < owners:
            low = middle
        else:
            high = middle
    return np.asarray(np.floor(high**powers), dtype=np.int64)
