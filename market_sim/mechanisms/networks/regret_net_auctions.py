"""MURBA, M-RegretNet and DM-RegretNet: the published learned auctions as mechanisms."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import Guarantees
from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.checkpoints import StoredNetwork
from market_sim.mechanisms.networks.draws import market_uniforms
from market_sim.mechanisms.networks.regret_net import RegretNet
from market_sim.mechanisms.networks.regret_net_recipe import KIND, Auction
from market_sim.mechanisms.networks.stored_auction import (
    StoredAuction,
    in_blocks,
    joined,
    read_kind,
)
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, whole_number

# Shares of the budget are rounded down to this grid, so that the last digits of a product of
# matrices, which depend on how many markets it takes together, do not reach the outcome.
_GRID = 2.0**24
_LIE = 2.0 * (1.0 + 1e-9)  # a report of more than twice the largest cap is of another population


@dataclass(frozen=True)
class _RegretNetAuction(StoredAuction[RegretNet]):
    """What the auctions have in common; see `RegretNet` for the networks."""

    options: int | None = None

    def __post_init__(self) -> None:
        found = self.metadata["auction"]
        if found != self._auction:
            raise InvalidInput(
                f"the network {self.network_name} is a {found}: name a {self._auction} network"
            )
        count = self.module.settings.options
        if self.options is not None and whole_number("options", self.options, 1) != count:
            raise InvalidInput(
                f"the network {self.network_name} has M = {count} options an owner but "
                f"{self.options} were asked for: name a network trained with {self.options}"
            )

    @property
    @abstractmethod
    def _auction(self) -> Auction:
        """The recipe's name of this auction."""

    def _read(self) -> tuple[StoredNetwork, RegretNet]:
        return read_kind(self.network, KIND, RegretNet)

    @property
    def guarantees(self) -> Guarantees:
        """Never spends more than the budget; everything else is only trained for."""
        return Guarantees(budget_feasible=True, deterministic=self._auction == "dm-regret-net")

    def expected_outcome(self, bids: Bids, budget: Float[Tensor, "*profiles"]) -> ExpectedOutcome:
        """Return the law of the outcome in float64; see `DifferentiableMechanism`."""
        if type(bids.cap) is Tensor:  # the forms of `certify` hold many reports, not one to refuse
            self._check(bids.owners, bids.data_size is not None, float(bids.cap.detach().max()))
        size = None if bids.data_size is None else bids.data_size.double()
        bids = Bids(bids.kind, bids.rate.double(), bids.cap.double(), size)
        outcome = self.module(bids, budget.double())
        assert isinstance(outcome, ExpectedOutcome)
        return outcome

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors.

        Caps above the largest of the training count as that one.

        Raises
        ------
        InvalidInput
            If the network was trained for another number of owners, with sizes and there are none
            (or the other way round), or for much smaller caps.
        """
        money = as_budget(budget, reports.profiles)
        self._check(reports.owners, reports.data_size is not None, float(reports.cap.max()))
        chance, share = self._forward(reports, money)
        chosen = self._choose(chance, reports, money)
        sold = np.append(0.0, self.module.shares.numpy())[chosen]
        epsilon = sold * np.minimum(reports.cap, self.module.settings.max_cap)
        payment = share * money[..., None]
        # A sum of shares of exactly 1 may be one last digit more than 1 in money.
        over = payment.sum(axis=-1) > money
        payment = np.where(over[..., None], payment * (1.0 - 1e-14), payment)
        return Outcome(epsilon, payment, money, reports.data_size)

    def _forward(self, reports: Reports, money: Array) -> tuple[Array, Array]:
        """Return chances `(*profiles, owners, M + 1)` and shares of the budget."""
        outcomes = in_blocks(self.module, reports, money)
        chance = joined([o.probability for o in outcomes], (*reports.shape, -1))
        share = joined([o.payment for o in outcomes], reports.shape) / money[..., None]
        return chance, np.floor(share * _GRID) / _GRID

    @abstractmethod
    def _choose(self, chance: Array, reports: Reports, money: Array) -> np.ndarray:
        """Return which column of `chance` becomes true, shape `(*profiles, owners)`."""

    def _check(self, owners: int, sizes: bool, largest_cap: float) -> None:
        settings, name = self.module.settings, self.network_name
        if owners != settings.owners:
            raise InvalidInput(
                f"the network {name} serves {settings.owners} owners but {owners} report: "
                f"train one for {owners} owners"
            )
        if sizes != settings.sizes:
            given, trained = ("with", "without") if sizes else ("without", "with")
            raise InvalidInput(
                f"the owners report {given} data sizes but the network {name} was trained "
                f"{trained} them: name a network trained {given} data sizes"
            )
        if largest_cap > _LIE * settings.max_cap:
            raise InvalidInput(
                f"a cap of {largest_cap:g} is more than twice the largest, {settings.max_cap:g}, "
                f"that the network {name} was trained for: train one for such caps"
            )


@dataclass(frozen=True)
class RandomAuction(_RegretNetAuction):
    """Options are drawn, owner by owner, with the network's chances."""

    seed: int = 0

    def realize(self, seed: int) -> Self:
        """Return the deterministic rule of one draw of the luck: common random numbers.

        Two reports that differ in rates or caps alone meet the same luck (`market_uniforms`).
        """
        return replace(self, seed=seed)

    def _choose(self, chance: Array, reports: Reports, money: Array) -> np.ndarray:
        luck = market_uniforms(reports, money, whole_number("seed", self.seed, 0))
        below = np.cumsum(chance[..., :-1], axis=-1) <= luck[..., None]
        return np.asarray(below.sum(axis=-1))


@dataclass(frozen=True)
class MURBA(RandomAuction):
    """The first published learned auction: options are drawn, all of the budget is paid out.

    p_i = B softmax_i, and owner i sells option m with chance z_im; she is paid whatever is drawn.

    Parameters
    ----------
    network
        A shipped name ("murba-low-10", ... , "murba-high-20") or the path of a network file.
    options
        M, checked against the network's if given.
    seed
        Seed of the draws.

    Raises
    ------
    InvalidInput
        If there is no such network, or it is of another auction or another M.

    Notes
    -----
    Source: FL-Market [S], MURBA (arXiv 2106.04384).
    """

    network: str | Path = "murba-low-10"

    @property
    def _auction(self) -> Auction:
        return "murba"


@dataclass(frozen=True)
class MRegretNet(RandomAuction):
    """The later learned auction: options are drawn, a share of the budget may stay unspent.

    Parameters
    ----------
    network
        A shipped name or the path of a network file.
    options
        M, checked against the network's if given.
    seed
        Seed of the draws.

    Raises
    ------
    InvalidInput
        If there is no such network, or it is of another auction or another M.

    Notes
    -----
    Source: FL-Market [S], M-RegretNet (IEEE BigData 2022).
    """

    network: str | Path = "m-regret-net"

    @property
    def _auction(self) -> Auction:
        return "m-regret-net"


@dataclass(frozen=True)
class DMRegretNet(_RegretNetAuction):
    """The deterministic learned auction: each owner's likeliest option, or none, is taken.

    Who sells nothing is paid nothing.

    Parameters
    ----------
    network
        A shipped name or the path of a network file.
    options
        M, checked against the network's if given.

    Raises
    ------
    InvalidInput
        If there is no such network, or it is of another auction or another M.

    Notes
    -----
    Source: FL-Market [S], DM-RegretNet (IEEE BigData 2022); [D] an owner can lose.
    """

    network: str | Path = "dm-regret-net"

    @property
    def _auction(self) -> Auction:
        return "dm-regret-net"

    def _choose(self, chance: Array, reports: Reports, money: Array) -> np.ndarray:
        return np.asarray(chance.argmax(axis=-1))
