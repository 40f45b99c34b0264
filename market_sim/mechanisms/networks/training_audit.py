"""Regret and rationality of a batch as a differentiable loss, and the held-out audit."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.error import error_bound_of
from market_sim.mechanisms.networks.laws import Markets
from market_sim.mechanisms.networks.regret_net import RegretNet
from market_sim.mechanisms.networks.training_lies import Lies, find_lies, liars
from market_sim.mechanisms.networks.training_settings import TrainingSettings, Unit
from market_sim.streams import Streams

_OWNERS_AUDITED = 20  # of larger populations the audit attacks that many owners a profile


@dataclass(frozen=True, eq=False)
class Shortfall:
    """Sums over owners of mean regret and of mean violation of rationality, both >= 0."""

    regret: Tensor
    violation: Tensor


@dataclass(frozen=True)
class Audited:
    """Figures of a held-out audit.

    Attributes
    ----------
    error_bound
        Mean error bound of truthful profiles.
    regret, ir_violation
        Mean over owners and profiles, in the unit of the training.
    score
        What training minimizes over audits: the error bound, times 1 + how far, relatively, each
        of the two lies above its target.
    """

    error_bound: float
    regret: float
    ir_violation: float
    score: float

    def plain(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def shortfall(
    module: nn.Module,
    truth: Bids,
    budget: Tensor,
    lies: Lies,
    temperature: float,
    unit: Unit,
) -> tuple[Tensor, Shortfall]:
    """Return the mean error bound at the truth, and regret and violations, differentiable.

    Utilities are expectations, never two independent draws. The error bound is that of the
    expected privacy losses, as published.
    """
    outcome = module(truth, budget, temperature=temperature)
    sold = outcome.epsilon
    finite = bool(torch.isfinite(sold).all())  # what is not has no weights; training stops at it
    error = error_bound_of(sold, truth.data_size).mean() if finite else sold.sum()
    scale = torch.ones_like(budget) if unit == "money" else budget
    utility = outcome.utility(truth) / scale.unsqueeze(-1)
    violation = (-utility).clamp_min(0.0).mean(dim=0).sum()
    honest = utility[lies.profile, lies.owner]
    gain = (_lying_utility(module, truth, budget, lies, temperature) / scale[lies.profile]) - honest
    return error, Shortfall(truth.owners * gain.clamp_min(0.0).mean(), violation)


def _lying_utility(
    module: nn.Module, truth: Bids, budget: Tensor, lies: Lies, temperature: float
) -> Tensor:
    """Return the liars' expected true utilities, `(rows,)`."""
    money = budget[lies.profile]
    alone: ExpectedOutcome
    if isinstance(module, RegretNet):
        alone = module(lies.told, money, temperature=temperature, owner=lies.owner)
    else:
        outcome = module(lies.told, money, temperature=temperature)
        where = (torch.arange(len(lies.owner)), lies.owner)
        chance, options = (x[where].unsqueeze(-2) for x in (outcome.probability, outcome.options))
        alone = ExpectedOutcome(chance, options, outcome.payment[where].unsqueeze(-1))
    who = (lies.profile, lies.owner)
    kind, rate, cap = (part[who].unsqueeze(-1) for part in (truth.kind, truth.rate, truth.cap))
    size = None if truth.data_size is None else truth.data_size[who].unsqueeze(-1)
    return alone.utility(Bids(kind, rate, cap, size))[:, 0]


def held_out(module: nn.Module, law: Markets, settings: TrainingSettings) -> Audited:
    """Return the audit of the rule itself on profiles that are never trained on."""
    streams = Streams(settings.seed)
    reports, money = law.sample(streams.generator("held-out"), settings.audit_profiles)
    dtype = next(module.parameters()).dtype
    truth, budget = Bids.from_reports(reports, dtype), torch.tensor(money, dtype=dtype)
    rng = streams.generator("held-out lies")
    sampled = 0 if truth.owners <= _OWNERS_AUDITED else _OWNERS_AUDITED
    rows = liars(rng, len(money), truth.owners, sampled)
    lies = find_lies(module, truth, budget, 0.0, rows, settings.audit_lies, rng)
    with torch.no_grad():
        error, short = shortfall(module, truth, budget, lies, 0.0, settings.unit)
    regret, violation = (x.item() / truth.owners for x in (short.regret, short.violation))
    over = max(0.0, regret / settings.regret_target - 1.0)
    over += max(0.0, violation / settings.rationality_target - 1.0)
    # An infinite error (a profile in which nobody sells) is worse than any other.
    bound = error.item()
    return Audited(bound, regret, violation, bound * (1.0 + over) if np.isfinite(bound) else np.inf)
