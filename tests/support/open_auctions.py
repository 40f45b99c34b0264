"""A learned auction for tests of scenarios: untrained, its best lies known by formula."""

from dataclasses import dataclass

import numpy as np
import torch
from differentiable_auctions import FirstPrice

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids


@dataclass(frozen=True)
class OpenAuction(FirstPrice):
    """`FirstPrice` that clears: owners sell what they can expect to sell, within the budget."""

    name = "open"

    def clear(self, reports, budget):
        money = np.broadcast_to(np.asarray(budget, dtype=float), reports.profiles).copy()
        found = self.expected_outcome(Bids.from_reports(reports), torch.tensor(money))
        payment = found.payment.numpy()
        part = np.minimum(1.0, money / payment.sum(axis=-1))[..., None]
        return ms.Outcome(found.epsilon.numpy(), payment * part, money, reports.data_size)
