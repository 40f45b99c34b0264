"""MFG-RegretNet as published, as a mechanism: kept for comparison."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import Guarantees
from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.checkpoints import StoredNetwork
from market_sim.mechanisms.networks.mfg_net import MeanFieldNet
from market_sim.mechanisms.networks.mfg_recipe import KIND
from market_sim.mechanisms.networks.stored_auction import (
    StoredAuction,
    in_blocks,
    joined,
    read_kind,
)
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import as_budget

_LIE = 2.0 * (1.0 + 1e-9)  # a report of more than twice the largest cap is of another population


@dataclass(frozen=True)
class PublishedMFGRegretNet(StoredAuction[MeanFieldNet]):
    """MFG-RegretNet as the paper states it: one dense network that sees all bids and their mean.

    Owner i sells eps_i = z_i eps_bar_i, z the softmax over the owners, for p_i = sigmoid_i v_i,
    projected on the budget: pbar = p / max(1, sum p / B). A network of the form "code" is that of
    the published experiments instead (see `MeanFieldNetSettings`).

    It is kept to be compared with. It is not truthful, and was not meant to be read as more than
    trained for it: an owner who offers next to no privacy is paid all the same.

    Parameters
    ----------
    network
        A shipped name ("mfg-regret-net-10-b50", "mfg-regret-net-10-b5",
        "mfg-regret-net-code-10-b50") or the path of a network file.

    Raises
    ------
    InvalidInput
        If there is no such network or it is of another kind.

    Notes
    -----
    Source: privacy auction game [S], MFG-RegretNet. [D] Money counts in units of the budget, so
    that an auction in cents is the auction in euros; a network serves one number of owners.
    """

    network: str | Path = "mfg-regret-net-10-b50"

    def _read(self) -> tuple[StoredNetwork, MeanFieldNet]:
        return read_kind(self.network, KIND, MeanFieldNet)

    def __post_init__(self) -> None:
        _ = self.module

    @property
    def guarantees(self) -> Guarantees:
        """Never spends more than the budget; everything else is only trained for."""
        return Guarantees(budget_feasible=True)

    @property
    def families(self) -> tuple[str, ...]:
        """Linear costs alone."""
        return ("linear",)

    def expected_outcome(self, bids: Bids, budget: Float[Tensor, "*profiles"]) -> ExpectedOutcome:
        """Return the outcome, which is certain, in float64; see `DifferentiableMechanism`."""
        if type(bids.cap) is Tensor:  # the forms of `certify` hold many reports, not one to refuse
            self._check(bids.owners, bids.data_size is not None, float(bids.cap.detach().max()))
        bids = Bids(bids.kind, bids.rate.double(), bids.cap.double())
        outcome = self.module(bids, budget.double())
        assert isinstance(outcome, ExpectedOutcome)
        return outcome

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors.

        Caps above the largest of the training count as that one.

        Raises
        ------
        InvalidInput
            If the network was trained for another number of owners or for much smaller caps, or
            the owners' costs are not linear or depend on data sizes.
        """
        self.require_families(reports)
        money = as_budget(budget, reports.profiles)
        self._check(reports.owners, reports.data_size is not None, float(reports.cap.max()))
        with torch.no_grad():
            outcomes = in_blocks(self.module, reports, money)
        epsilon = joined([outcome.epsilon for outcome in outcomes], reports.shape)
        payment = joined([outcome.payment for outcome in outcomes], reports.shape)
        # A sum of shares of exactly 1 may be one last digit more than 1 in money.
        over = payment.sum(axis=-1) > money
        payment = np.where(over[..., None], payment * (1.0 - 1e-14), payment)
        return Outcome(epsilon, payment, money)

    def _check(self, owners: int, sizes: bool, largest_cap: float) -> None:
        settings, name = self.module.settings, self.network_name
        if owners != settings.owners:
            raise InvalidInput(
                f"the network {name} serves {settings.owners} owners but {owners} report: "
                f"train one for {owners} owners"
            )
        if sizes:
            raise InvalidInput(
                f"the owners report with data sizes but the network {name} was trained without: "
                "leave them out"
            )
        if largest_cap > _LIE * settings.max_cap:
            raise InvalidInput(
                f"a cap of {largest_cap:g} is more than twice the largest, {settings.max_cap:g}, "
                f"that the network {name} was trained for: train one for such caps"
            )
