"""SequentialMenu: a learned auction in which no lie pays, whatever the network computes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms._visits import Order, by_owner, visits
from market_sim.mechanisms.base import Guarantees
from market_sim.mechanisms.networks.base import Bids, DifferentiableMechanism, ExpectedOutcome
from market_sim.mechanisms.networks.checkpoints import StoredNetwork, load_network
from market_sim.mechanisms.networks.menu_expectation import menu_expectation
from market_sim.mechanisms.networks.menu_net import (
    KIND,
    MenuNetwork,
    best_choice,
    visit_all,
)
from market_sim.mechanisms.networks.menu_state import MenuMarket
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, whole_number
from market_sim.valuation import Valuations

_CELLS = 4_000_000  # options looked at together: some arrays of 32 MB
_SHIPPED = {"size": "menu-size", "random": "menu-random", "given": "menu-random"}


@dataclass(frozen=True)
class SequentialMenu(DifferentiableMechanism):
    """Owner k sells argmax over eps in a grid, eps <= cap_k, of p_k(eps) - [s_k] v_k(eps).

    Owners are visited one after the other. The network prices owner k's menu from the sizes, the
    money left, the prior, and what the owners before her reported and sold; p_k never falls with
    eps and never exceeds the money left. She may always sell nothing for nothing. Of equally good
    options she sells the largest.

    Parameters
    ----------
    network
        A shipped name such as "menu-size" or the path of a file; by default the shipped network of
        the order.
    order
        - "size" (default): largest data size first; sizes are verified.
        - "random": a permutation from the seed, the same for every profile. `realize(seed)` gives
          the rule of another toss.
        - "given": the order of the owners.
    seed
        Seed of the random order.

    Raises
    ------
    InvalidInput
        If the order is unknown, the seed negative, the network missing, damaged or of another
        kind, or if it was trained for reported sizes and the order depends on sizes.

    Notes
    -----
    Taxation principle: nothing that an owner reports enters her own menu or her place in the order,
    so the truth is the best report, in value and in cap, for every non-decreasing valuation, up to
    nothing: the choice is exact, the regret 0. Paying at most the money left keeps the budget.

    A network trained with `verified=False` takes sizes as reported, s' <= s: her own reported size
    has no part in the price a sample, and of her samples the auction uses as many as pay best, so a
    larger report never hurts. `Outcome.data_size` holds the sizes used.

    The seventeen numbers a menu is made of do not include the buyer's rate B / sum s v(cap).

    Source: FL-Market, [D] exactly truthful learned auction; taxation principle: Guesnerie (1981),
    Hammond (1979).
    """

    network: str | Path | None = None
    order: Order = "size"
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("seed", self.seed, 0)
        if self.order not in get_args(Order):
            known = list(get_args(Order))
            raise InvalidInput(f"unknown order {self.order!r}, expected one of {known}")
        if self.order == "size" and not self.module.settings.verified:
            raise InvalidInput(
                f"the network {self._stored.name} takes reported sizes, by which owners could "
                'choose their place: use order="random" or "given"'
            )

    @cached_property
    def _stored(self) -> StoredNetwork:
        return load_network(self.network or _SHIPPED[self.order], KIND)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Settings, recipe and figures of the training."""
        return self._stored.metadata

    @cached_property
    def module(self) -> MenuNetwork:
        """The network, in double precision, parameters fixed."""
        module = MenuNetwork.from_stored(self.metadata, self._stored.tensors)
        return module.double().requires_grad_(False).eval()

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value and cap for any valuation, individually rational, within budget."""
        return Guarantees(
            truthful_in=("value", "cap"),
            truthful_for="any",
            individually_rational=True,
            budget_feasible=True,
            deterministic=self.order != "random",
        )

    @property
    def name(self) -> str:
        """`sequential-menu`, with the order if not by size and the network if not the default."""
        order = "" if self.order == "size" else f"-{self.order}"
        return f"sequential-menu{order}" + ("" if self.network is None else f"-{self._stored.name}")

    def realize(self, seed: int) -> "SequentialMenu":
        """Return the deterministic rule that one toss of the coins gives."""
        return replace(self, seed=seed)

    def expected_outcome(self, bids: Bids, budget: Float[Tensor, "*profiles"]) -> ExpectedOutcome:
        """Return the outcome with slopes; see `DifferentiableMechanism.expected_outcome`.

        Raises
        ------
        InvalidInput
            If the network takes reported sizes, of which a part may be used.
        """
        if not self.module.settings.verified:
            raise InvalidInput("expected outcomes are for verified sizes: use another network")
        told = [bids.kind, bids.rate.double(), bids.cap.double()]
        told += [] if bids.data_size is None else [bids.data_size.double()]
        shape = (*torch.broadcast_shapes(bids.rate.shape[:-1], budget.shape), bids.owners)
        flat = Bids(*(column.expand(shape).reshape(-1, bids.owners) for column in told))
        money = budget.double().expand(shape[:-1]).reshape(-1)
        size = None if flat.data_size is None else flat.data_size.detach().numpy()
        ones = Valuations("linear", np.ones(tuple(flat.rate.shape)))
        places = visits(self.order, self.seed, Reports(ones, flat.cap.detach().numpy(), size))
        found = menu_expectation(self.module, flat, money, places)
        return ExpectedOutcome(
            found.probability.reshape(*shape, -1),
            found.options.reshape(*shape, -1),
            found.payment.reshape(shape),
            None if found.option_payment is None else found.option_payment.reshape(*shape, -1),
        )

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        money = as_budget(budget, reports.profiles)
        flat, columns = _flat(reports), money.reshape(-1)
        places = visits(self.order, self.seed, flat)
        sold, paid, used = np.empty((3, *flat.shape))
        step = max(1, _CELLS // (self.module.settings.grid.options * flat.owners))
        for start in range(0, len(columns), step):
            rows = slice(start, start + step)
            place = places if len(places) == 1 else places[rows]
            part = self._sell(_rows(flat, rows), columns[rows], place)
            sold[rows], paid[rows], used[rows] = part
        size = reports.data_size
        if size is not None and not self.module.settings.verified:
            size = np.where(sold.reshape(size.shape) > 0, used.reshape(size.shape), size)
        return Outcome(sold.reshape(reports.shape), paid.reshape(reports.shape), money, size)

    def _sell(
        self, reports: Reports, money: Array, places: NDArray[np.intp]
    ) -> tuple[Array, Array, Array]:
        """Return sales, payments and sizes used of some profiles, in the order of the owners."""
        market = MenuMarket.from_reports(reports, money, places, torch.float64)
        grid = self.module.settings.grid
        with torch.no_grad():
            sales = visit_all(self.module, market, grid, best_choice, exact=True)
        columns = (sales.epsilon, sales.payment, sales.used)
        sold, paid, used = (by_owner(places, column.numpy()) for column in columns)
        return sold, paid, used


def _flat(reports: Reports) -> Reports:
    """Return the reports with all leading axes made into one."""
    shape = (-1, reports.owners)
    told = reports.valuations
    size = None if reports.data_size is None else reports.data_size.reshape(shape)
    valuations = Valuations(told.kind.reshape(shape), told.rate.reshape(shape))
    return Reports(valuations, reports.cap.reshape(shape), size)


def _rows(reports: Reports, rows: slice) -> Reports:
    """Return some profiles."""
    size = None if reports.data_size is None else reports.data_size[rows]
    return Reports(reports.valuations[rows], reports.cap[rows], size)
