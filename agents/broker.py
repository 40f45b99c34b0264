"""The broker: runs the auction, aggregates what was bought, settles."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.ledger import ENDOWMENT, ESCROW
from market_sim import Aggregator, DataSize, Mechanism, Outcome, Reports
from market_sim.aggregation import error_bound
from market_sim.errors import InvalidInput
from market_sim.outcome import exceeds
from market_sim.shapes import Array

if TYPE_CHECKING:
    from agents.buyer import ModelBuyer
    from agents.market import Market

_NOISELESS = 1e170  # the noise of so large an epsilon is 0 in doubles


@dataclass(frozen=True)
class Delivery:
    """What a round delivers to the buyer: weights of all owners and the bound on the error."""

    weights: Array
    error_bound: float


class Broker(mesa.Agent):
    """The intermediary between buyers and owners.

    Parameters
    ----------
    model
        The market.
    mechanism
        Rule of the auction.
    aggregator
        Rule of the weights.
    clip, dim
        Parameters of the recorded error bound: L and d of `market_sim.error_bound`.
    """

    def __init__(
        self, model: Any, mechanism: Mechanism, aggregator: Aggregator, clip: float, dim: int
    ) -> None:
        super().__init__(model)
        self.mechanism = mechanism
        self.aggregator = aggregator
        self.clip = clip
        self.dim = dim

    @property
    def market(self) -> "Market":
        """The market this broker serves."""
        market: Market = self.model
        return market

    def admits(self, reports: Reports, privacy_left: Array) -> NDArray[np.bool_]:
        """Return whose offer is within the lifetime privacy that the ledger says is left."""
        return ~exceeds(reports.cap, privacy_left)

    def tossed(self, buyer: "ModelBuyer") -> Mechanism:
        """Return the mechanism of this round: a random one with its coins tossed anew."""
        realize = getattr(self.mechanism, "realize", None)
        if self.mechanism.guarantees.deterministic or not callable(realize):
            return self.mechanism
        market = self.market
        rule: Mechanism = realize(market.streams.seed("mechanism", market.round, buyer.index))
        return rule

    def clear(self, buyer: "ModelBuyer", reports: Reports, budget: float) -> Outcome:
        """Run the buyer's auction.

        Raises
        ------
        InvalidInput
            If the mechanism changes the shape or sells more of an owner than she offers.
        """
        outcome = self.tossed(buyer).clear(reports, budget)
        if outcome.epsilon.shape != reports.shape:
            raise InvalidInput(
                f"mechanism {self.mechanism.name} must return an outcome of shape "
                f"{reports.shape}, got {outcome.epsilon.shape}"
            )
        if exceeds(outcome.epsilon, reports.cap).any():
            worst = int(np.argmax(outcome.epsilon - reports.cap))
            raise InvalidInput(
                f"mechanism {self.mechanism.name} sold epsilon {outcome.epsilon[worst]:g} of an "
                f"owner whose reported cap is {reports.cap[worst]:g}: it must sell at most the cap"
            )
        return outcome

    def collect(self, buyer: "ModelBuyer", budget: float) -> None:
        """Take the buyer's money into escrow."""
        ledger, account = self.market.ledger, self.market.ledger.buyer_account(buyer.index)
        ledger.transfer(self.market.round, "money", ENDOWMENT, account, budget)
        ledger.transfer(self.market.round, "money", account, ESCROW, budget)

    def refund(self, buyer: "ModelBuyer", amount: float) -> None:
        """Return money from escrow to the buyer, and from there to her endowment."""
        ledger, account = self.market.ledger, self.market.ledger.buyer_account(buyer.index)
        ledger.transfer(self.market.round, "money", ESCROW, account, amount)
        ledger.transfer(self.market.round, "money", account, ENDOWMENT, amount)

    def aggregate(self, epsilon: Array, data_size: Array | None) -> Delivery:
        """Return the weights and the error bound, infinite where nobody sold.

        Rules that weigh noise, and the bound, are told the epsilon of Laplace noise of the same
        variance. Without noise, weights follow the data sizes and only the bias is left.
        """
        if not self.mechanism.perturbs:
            weights = DataSize().weights(epsilon, data_size)
            noise = epsilon * _NOISELESS
        else:
            noise = self.market.ledger.perturbation.laplace_epsilon(epsilon)
            seen = noise if self.aggregator.weighs_noise else epsilon
            weights = self.aggregator.weights(seen, data_size)
        bound = error_bound(weights, noise, data_size, clip=self.clip, dim=self.dim)
        return Delivery(weights, float(bound))

    def settle(self, buyer: "ModelBuyer", rows: NDArray[np.intp], outcome: Outcome) -> None:
        """Pay the winners out of escrow, enter their privacy, return what is left."""
        ledger, round_ = self.market.ledger, self.market.round
        spent, unspent = float(outcome.spent), float(outcome.unspent)
        if unspent < 0:  # a rule that is not budget feasible: the buyer covers the rest
            self.collect(buyer, -unspent)
        ledger.transfer(round_, "money", ESCROW, ledger.owner_accounts(rows), outcome.payment)
        ledger.sell_privacy(round_, buyer.index, rows, np.array(outcome.epsilon))
        if not self.mechanism.perturbs:
            ledger.expose(rows[outcome.winners])
        self.refund(buyer, max(unspent, 0.0))
        buyer.spent += spent
