"""The network behind a menu, and the visits: one code for training and for clearing."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.menu_grid import MenuGrid
from market_sim.mechanisms.networks.menu_state import FEATURES, MenuMarket, Prior, Visit, blocks
from market_sim.mechanisms.networks.stored import StoredModule
from market_sim.shapes import whole_number

KIND = "sequential-menu"
_TOGETHER = 8192  # owners whose menus are computed at once in a large block
_START = -0.3  # log of the first price of the largest cap, in units of money left a sample left


@dataclass(frozen=True)
class MenuSettings:
    """Form of a menu network and of its visits.

    Parameters
    ----------
    grid
        What is on sale.
    prior
        What is known of the owners beforehand.
    hidden
        Width of the two hidden layers.
    blocks
        Most menus a market: more owners than that share them.
    order
        Order of the visits of the training, "size" or "random".
    verified
        Whether sizes are verified.
    """

    grid: MenuGrid = field(default_factory=MenuGrid)
    prior: Prior = field(default_factory=Prior)
    hidden: int = 48
    blocks: int = 16
    order: str = "size"
    verified: bool = True

    def __post_init__(self) -> None:
        whole_number("hidden", self.hidden, 1)
        whole_number("blocks", self.blocks, 1)
        if self.order not in ("size", "random"):
            raise InvalidInput(f'a menu is trained for order "size" or "random", not {self.order}')
        if self.order == "size" and not self.verified:
            raise InvalidInput("owners who report their sizes cannot be visited in order of size")

    def plain(self) -> dict[str, Any]:
        """Return the settings as plain values, for the metadata of a network."""
        names = ("hidden", "blocks", "order", "verified")
        return {
            "grid": self.grid.plain(),
            "prior": dict(vars(self.prior)),
            **{name: getattr(self, name) for name in names},
        }

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """Return the settings of a network's metadata."""
        parts = {"grid": MenuGrid.from_plain(values["grid"]), "prior": Prior(**values["prior"])}
        return cls(**{**values, **parts})


class MenuNetwork(StoredModule):
    r"""Prices a sample at the knots: m e^{a} (q_1 + ... + q_j), q a softmax, m money left a sample.

    Two hidden layers; the prices never fall with eps, whatever the parameters are. Before training
    the price is linear in eps.

    Parameters
    ----------
    settings
        Form of the network.
    seed
        Of the first parameters.
    """

    @classmethod
    def read_settings(cls, values: dict[str, Any]) -> MenuSettings:
        """Return the settings that plain values describe."""
        return MenuSettings.from_plain(values)

    def __init__(self, settings: MenuSettings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        hidden, knots = settings.hidden, len(settings.grid.knots)
        sizes = (FEATURES, hidden, hidden, knots + 1)
        layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
        self._draw(layers, torch.Generator().manual_seed(seed))
        self.layers = nn.ModuleList(layers)

    @torch.no_grad()
    def _draw(self, layers: list[nn.Linear], generator: torch.Generator) -> None:
        for layer in layers:
            bound = layer.in_features**-0.5
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.uniform_(-bound, bound, generator=generator)
        last = layers[-1]
        last.weight.mul_(0.1)
        steps = np.diff([0.0, *self.settings.grid.knots])
        last.bias.copy_(torch.tensor([_START, *np.log(steps)]))

    def forward(self, features: Float[Tensor, "*rows features"]) -> Float[Tensor, "*rows knots"]:
        """Return prices at the knots in units of money left a sample left, ascending."""
        first, second, last = self.layers
        hidden = nn.functional.silu(first(features))
        out = last(nn.functional.silu(second(hidden)))
        price: Tensor = out[..., :1].exp() * out[..., 1:].softmax(dim=-1).cumsum(dim=-1)
        return price


@dataclass(frozen=True, eq=False)
class Offer:
    """The menus of a block of owners, and what the owners think of them.

    Attributes
    ----------
    epsilon
        Privacy losses on sale, ascending.
    gain
        Pay less reported cost of each, minus infinity above the owner's cap.
    pay
        Money for each.
    scale
        Money left a sample left: the natural unit of `gain` a sample.
    """

    epsilon: Float[Tensor, " options"]
    gain: Float[Tensor, "rows block options"]
    pay: Float[Tensor, "rows block options"]
    scale: Float[Tensor, "rows block"]


@dataclass(frozen=True, eq=False)
class Sales:
    """What was sold and paid, and the samples used, in the order of the visits."""

    epsilon: Float[Tensor, "rows owners"]
    payment: Float[Tensor, "rows owners"]
    used: Float[Tensor, "rows owners"]


Choice = Callable[[Offer, Tensor], tuple[Tensor, Tensor, Tensor]]
"""(offer, size used with each option) -> epsilon, payment and size used of each owner."""


def visit_all(
    network: MenuNetwork,
    market: MenuMarket,
    grid: MenuGrid,
    choose: Choice,
    *,
    exact: bool,
) -> Sales:
    """Show every block of owners its menu, one after the other, and let each owner choose.

    Parameters
    ----------
    network
        Sets the prices, in the floating type of the market.
    market
        The owners in the order of the visits.
    grid
        What is on sale.
    choose
        How an owner chooses.
    exact
        Round prices down to 24 bits, so that nothing depends on how many profiles are cleared
        together, and let no rounding make a price fall.
    """
    settings = network.settings
    shop = _Shop(network, market, grid, choose, exact)
    visit = Visit(market, settings.prior, settings.verified)
    parts = []
    growing = settings.order == "size"
    for start, stop in blocks(market.owners, settings.blocks, growing=growing):
        sales = shop.sell(visit, start, stop)
        visit.record(start, stop, sales.epsilon, sales.payment, grid.max_cap)
        parts.append(sales)
    return _joined(parts)


class _Shop:
    """Shows a block of owners its menus, some owners at a time."""

    def __init__(
        self, network: MenuNetwork, market: MenuMarket, grid: MenuGrid, choose: Choice, exact: bool
    ) -> None:
        dtype = market.size.dtype
        self.network, self.market, self.choose, self.exact = network, market, choose, exact
        self.bases = torch.tensor(grid.bases, dtype=dtype)
        self.interpolation = torch.tensor(grid.interpolation, dtype=dtype)
        self.epsilon = torch.tensor(grid.epsilon, dtype=dtype)

    def sell(self, visit: Visit, start: int, stop: int) -> Sales:
        """Return what the owners of a block sell; all see the same state."""
        features = visit.features(start, stop)
        unit = visit.money[:, None] / visit.left(start, stop)
        size = self.market.size[:, start:stop].sum(dim=1)
        # In verified markets money a sample, otherwise money an owner: the most a menu may promise.
        verified = self.network.settings.verified
        most = visit.money / (size if verified else float(stop - start))
        step = max(1, _TOGETHER // len(size))
        parts = []
        for place in range(0, stop - start, step):
            rows = slice(place, min(place + step, stop - start))
            owners = slice(start + place, start + rows.stop)
            parts.append(self._sell(features[:, rows], unit[:, rows], most[:, None, None], owners))
        return _joined(parts)

    def _sell(self, features: Tensor, unit: Tensor, most: Tensor, owners: slice) -> Sales:
        market = self.market
        size = market.size[:, owners, None]
        price = (self.network(features) @ self.interpolation) * unit[..., None]
        verified = self.network.settings.verified
        if verified:
            price = torch.minimum(price, most)
        if self.exact:
            price = _rounded_down(price.cummax(dim=-1).values)
        used = size.expand_as(price)
        if not verified:
            short = (
                used * price > most
            )  # the slope of the quotient is asked for only where it counts
            used = torch.where(short, most / torch.where(short, price, 1.0), used)
        pay = used * price
        cost = used * (market.rate[:, owners, None] * self.bases[market.kind[:, owners]])
        gain = (pay - cost).masked_fill(_above(self.epsilon, market.cap[:, owners]), -torch.inf)
        return Sales(*self.choose(Offer(self.epsilon, gain, pay, size[..., 0] * unit), used))


def _joined(parts: list[Sales]) -> Sales:
    """Return the sales of several groups of owners side by side."""
    if len(parts) == 1:
        return parts[0]
    return Sales(
        torch.cat([part.epsilon for part in parts], dim=1),
        torch.cat([part.payment for part in parts], dim=1),
        torch.cat([part.used for part in parts], dim=1),
    )


def _above(epsilon: Tensor, cap: Tensor) -> Bool[Tensor, "rows block options"]:
    return epsilon > cap[..., None]


def _rounded_down(price: Tensor) -> Tensor:
    """Return the largest 24-bit numbers at or below the prices, with the slopes of the prices."""
    whole = price.detach()
    single = whole.float()
    below = torch.nextafter(single, torch.zeros_like(single))
    rounded = torch.where(single.double() > whole, below, single).to(price.dtype)
    return rounded + (price - whole)


def best_choice(offer: Offer, used: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take the option with the greatest gain, the largest eps of equals, nothing if all lose."""
    options = offer.gain.shape[-1]
    best = options - 1 - offer.gain.flip(-1).argmax(dim=-1)
    place = best[..., None]
    samples = used.gather(-1, place)[..., 0]
    sells = (offer.gain.gather(-1, place)[..., 0] >= 0) & (samples > 0)
    sold = torch.where(sells, offer.epsilon[best], 0.0)
    paid = torch.where(sells, offer.pay.gather(-1, place)[..., 0], 0.0)
    return sold, paid, torch.where(sells, samples, 0.0)


def soft_choice(temperature: float) -> Choice:
    """Return a choice that mixes the options by exp(gain / temperature), with a slope."""

    def choose(offer: Offer, used: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        unit = (temperature * offer.scale.detach()).clamp_min(1e-9)[..., None]
        gain = nn.functional.pad(offer.gain / unit, (1, 0))
        chance = gain.softmax(dim=-1)[..., 1:]
        # Samples used if she sells: whether she does is in the chances already.
        samples = (chance * used).sum(dim=-1) / chance.sum(dim=-1).clamp_min(1e-9)
        return chance @ offer.epsilon, (chance * offer.pay).sum(dim=-1), samples

    return choose
