"""Learned auctions for tests: one whose best lies are known by formula, and random networks."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from scipy.special import lambertw
from torch import nn

import market_sim as ms
from market_sim.mechanisms.networks.base import (
    Bids,
    DifferentiableMechanism,
    ExpectedOutcome,
)


@dataclass(frozen=True)
class FirstPrice(DifferentiableMechanism):
    """One softmax over all owners' asks and a reserve; the winner is paid her ask for her cap.

    P_i = exp(-V_i / T) / (exp(-reserve / T) + sum_j exp(-V_j / T)), payment P_i V_i. One number,
    `luck`, decides who wins; it is drawn unless given.
    """

    heat: float = 0.5
    reserve: float = 3.0
    luck: float | None = None
    name = "first-price"

    @property
    def guarantees(self):
        return ms.Guarantees(deterministic=self.luck is not None)

    def realize(self, seed):
        return replace(self, luck=float(np.random.default_rng(seed).random()))

    def expected_outcome(self, bids, budget):
        asked = bids.cost(bids.cap)
        outside = torch.full_like(asked[..., :1], self.reserve)
        won = torch.softmax(-torch.cat([asked, outside], dim=-1) / self.heat, dim=-1)[..., :-1]
        chance = torch.stack([1 - won, won], dim=-1)
        return ExpectedOutcome(chance, bids.cap.unsqueeze(-1), won * asked)

    def clear(self, reports, budget):
        expected = self.expected_outcome(Bids.from_reports(reports), torch.tensor(budget))
        luck = np.random.default_rng().random() if self.luck is None else self.luck
        after = expected.probability[..., 1].cumsum(dim=-1).numpy()
        before = np.concatenate([np.zeros((*reports.profiles, 1)), after[..., :-1]], axis=-1)
        won = (before <= luck) & (luck < after)
        return ms.Outcome(won * reports.cap, won * reports.value, budget, reports.data_size)

    def best_regret(self, reports, value=None):
        """Regret of the best ask if selling costs `value` (the truth if omitted).

        Of max_x (x - V) / (1 + exp((x - b) / T)), with b the soft minimum of the others' asks, the
        maximum is T W(exp((b - V) / T - 1)), W of Lambert.
        """
        true = reports.value if value is None else value
        asked = np.exp(-reports.value / self.heat)
        others = asked.sum(axis=-1, keepdims=True) - asked + np.exp(-self.reserve / self.heat)
        below = -self.heat * np.log(others)
        # A truthful owner is paid her cost and gains nothing.
        return self.heat * lambertw(np.exp((below - true) / self.heat - 1.0)).real


@dataclass(frozen=True)
class RandomNetwork(DifferentiableMechanism):
    """A random network of tanh layers: values, caps and rates in, chances and payments out.

    Option m of M sells m eps_bar' / M; the budget is shared by a softmax with an unspent share.
    With `choose` the likeliest option is taken, with the slopes of the softmax.
    """

    owners: int = 3
    options: int = 3
    width: int = 16
    seed: int = 0
    gain: float = 3.0
    choose: bool = False
    name = "random-network"

    @property
    def guarantees(self):
        return ms.Guarantees(budget_feasible=True, deterministic=self.choose)

    def realize(self, seed):
        return replace(self, choose=True)

    @cached_property
    def networks(self):
        generator = torch.Generator().manual_seed(self.seed)
        allocate = self._network(self.owners * (self.options + 1), generator)
        return allocate, self._network(self.owners + 1, generator)

    def _network(self, out, generator):
        widths = [self.owners * 3, self.width, self.width, out]
        layers = []
        for inner, outer in pairwise(widths):
            layer = nn.Linear(inner, outer, dtype=torch.float64).requires_grad_(requires_grad=False)
            bound = self.gain / inner**0.5
            for part in (layer.weight, layer.bias):
                part.copy_(torch.rand(part.shape, generator=generator).double() * 2 * bound - bound)
            layers += [layer, nn.Tanh()]
        return nn.Sequential(*layers[:-1])

    def expected_outcome(self, bids, budget):
        allocate, pay = self.networks
        value = bids.cost(bids.cap)
        inputs = torch.cat([value / budget.unsqueeze(-1), bids.cap, bids.rate], dim=-1)
        logits = allocate(inputs).unflatten(-1, (self.owners, self.options + 1))
        chance = torch.softmax(logits, dim=-1)
        if self.choose:
            best = torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
            chance = best + (chance - chance.detach())
        grid = torch.arange(1, self.options + 1, dtype=torch.float64) / self.options
        payment = torch.softmax(pay(inputs), dim=-1)[..., :-1] * budget.unsqueeze(-1)
        return ExpectedOutcome(chance, bids.cap.unsqueeze(-1) * grid, payment)

    def clear(self, reports, budget):
        money = np.broadcast_to(budget, reports.profiles)
        expected = self.expected_outcome(Bids.from_reports(reports), torch.tensor(money))
        chosen = expected.probability.argmax(dim=-1, keepdim=True)
        grid = torch.cat([torch.zeros_like(expected.options[..., :1]), expected.options], dim=-1)
        sold = grid.gather(-1, chosen).squeeze(-1).numpy()
        sold = np.minimum(sold, reports.cap)
        return ms.Outcome(sold, expected.payment.numpy(), budget, reports.data_size)
