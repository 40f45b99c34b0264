"""MFGRegretNet: one network for any number of owners, and no lie that pays."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from market_sim.mechanisms._rounding import within_budget
from market_sim.mechanisms.base import Guarantees, Mechanism, flat
from market_sim.mechanisms.networks.checkpoints import StoredNetwork, load_network
from market_sim.mechanisms.networks.mean_field_clock import Clock, ClockSale, spacing
from market_sim.mechanisms.networks.mean_field_net import KIND, MeanFieldNetwork
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import as_budget, as_number

_SHIPPED = "mean-field-auction"
_CELLS = 200_000  # owners cleared together, over all markets
_GRAIN = 2.0**20  # shares are rounded, so that a market does not feel how many are cleared with it


@dataclass(frozen=True)
class MFGRegretNet(Mechanism):
    r"""A price falls; owner i keeps min(eps_i, rho) for sale and sells the rest for good.

    At each price p, whoever asks more leaves; of the owners left, rho falls to
    max(0, sum_j min(eps_j, rho) - M / p), M the money released and not spent. So each sells, at the
    prices of the clock, what the money pays for even if all the others sell everything. A network
    decides how much of the budget is released: by the price, N, B / N, and statistics that are
    pooled over the owners who left.

    Parameters
    ----------
    network
        A shipped name or the path of a file.
    reserve
        The highest price of a unit that may be paid; any if omitted. A lone owner, who has no
        rival, sells nothing without one.

    Raises
    ------
    InvalidInput
        If the network is missing, damaged or of another kind, or the reserve not positive.

    Notes
    -----
    With linear valuations truth is a dominant strategy in value and in cap, no owner loses, and the
    budget is kept in every market, whatever the parameters of the network are. Lies in cap are
    reports below the true one; owners must be able to show what they offer, since a report above it
    may pay (`LeaveOneOut("hard")` withstands those too and buys less). The share of her
    cap that an owner delivers falls with her value, and her payment is Myerson's,
    v x(v) + int_v^inf x(t) dt. With a network that releases everything at once, at most the
    spacing of the prices stays unspent unless everything is sold.

    Costs are O(N) a price, and prices lie as close as B / N allows: some hundred passes for ten
    owners, some ten for a million. Data sizes multiply what an owner offers.

    Source: privacy auction game, [D] the version that deserves the name; clinching: Ausubel (2004),
    with budgets Dobzinski, Lavi and Nisan (2012).
    """

    network: str | Path = _SHIPPED
    reserve: float | None = None

    def __post_init__(self) -> None:
        if self.reserve is not None:
            as_number("reserve", self.reserve, positive=True)

    @cached_property
    def _stored(self) -> StoredNetwork:
        return load_network(self.network, KIND)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Settings, recipe and figures of the training."""
        return self._stored.metadata

    @cached_property
    def module(self) -> MeanFieldNetwork:
        """The network, in double precision, parameters fixed."""
        module = MeanFieldNetwork.from_stored(self.metadata, self._stored.tensors)
        return module.double().requires_grad_(requires_grad=False).eval()

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value and cap for linear valuations, individually rational, in budget."""
        return Guarantees(
            truthful_in=("value", "cap"),
            truthful_for="linear",
            individually_rational=True,
            budget_feasible=True,
            anonymous=True,
            caps_verified=True,
        )

    @property
    def families(self) -> tuple[str, ...]:
        """Linear valuations only."""
        return ("linear",)

    @property
    def name(self) -> str:
        """`mfg-regret-net`, with the network if not the shipped one."""
        return "mfg-regret-net" + ("" if self.network == _SHIPPED else f"-{self._stored.name}")

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        self.require_families(reports)
        money = as_budget(budget, reports.profiles)
        value, mass, cap, purse = flat(reports, money)
        columns = [torch.tensor(column) for column in (value / mass, mass, purse)]
        step = max(1, _CELLS // reports.owners)
        parts = [self._sell(*part) for part in zip(*(c.split(step) for c in columns), strict=True)]
        sold, paid = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
        sold, paid = within_budget(purse, sold, paid)
        epsilon = np.minimum(sold / (mass / cap), cap).reshape(reports.shape)
        return Outcome(epsilon, paid.reshape(reports.shape), money, reports.data_size)

    @torch.no_grad()
    def _sell(self, value: Tensor, mass: Tensor, purse: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is sold and paid in some markets."""
        owners = value.shape[-1]
        step = spacing(owners)
        clock = Clock.of(value, mass, purse, step=step, reserve=self.reserve)
        net = self.module
        told = net.told(owners, clock.unit)

        def release(price: Tensor, pooled: Tensor) -> Tensor:
            return (net.held(told, price, pooled) * _GRAIN).round() / _GRAIN

        still = told.new_zeros(len(told), net.settings.pooled)
        if not release(clock.first_price(), still).any():  # the share never grows
            marks = value.new_zeros(*value.shape, 0)
            return ClockSale(clock, marks, lambda price, _: torch.zeros_like(price)).run()
        return ClockSale(clock, net.marks(value, mass, clock.unit), release).run()
