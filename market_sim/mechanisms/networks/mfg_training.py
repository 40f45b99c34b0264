"""Training of MFG-RegretNet as published: its loss in the steps of every trainer."""

from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.mfg_losses import (
    bellman_loss,
    lying_utility,
    mean_field_loss,
    mean_field_payments,
)
from market_sim.mechanisms.networks.mfg_net import MeanFieldNet
from market_sim.mechanisms.networks.plain_ascent import plain_ascent
from market_sim.mechanisms.networks.training import Trainer
from market_sim.mechanisms.networks.training_audit import Audited
from market_sim.mechanisms.networks.training_lies import liars
from market_sim.mechanisms.networks.training_settings import TrainingSettings
from market_sim.shapes import as_floats, whole_number

Objective = Literal["revenue", "cost", "privacy"]
Optimizer = Literal["adam", "sgd"]


@dataclass(frozen=True)
class MeanFieldTraining(TrainingSettings):
    """J = L_AL + lambda_MFG L_MFG + lambda_HJB L_HJB.

    L_AL = -E p (or E p, or -E eps) + w E max(0, -u) + lambda R + rho/2 R^2, all means over owners.
    Every `multiplier_every` iterations lambda grows by rho R, and rho by its factor up to a bound.

    Parameters
    ----------
    objective
        "revenue": pay as much as possible, as published; "cost": as little as possible;
        "privacy": buy as much as possible, as the published experiments did.
    optimizer
        "adam", as published, or "sgd", as the published experiments had it.
    ascent_steps, ascent_step, largest_value
        See `plain_ascent`.
    rationality_weight
        w, the weight of the hinge.
    penalty_growth, penalty_bound
        kappa and rho_max; rho_0 is `regret_penalty`.
    mean_field_weight, mean_field_opponents, value_exponent, total_weight
        lambda_MFG, to which the weight rises from 0, K, gamma and beta.
    mean_field_profiles
        Profiles of a batch for which L_MFG is computed; 0 for all.
    bellman_weight, discount, baseline_weight
        lambda_HJB, the discount of the critic, and zeta.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.
    """

    objective: Objective = "revenue"
    optimizer: Optimizer = "adam"
    ascent_steps: int = 25
    ascent_step: float = 0.01
    largest_value: float = 1.0
    rationality_weight: float = 10.0
    penalty_growth: float = 1.5
    penalty_bound: float = 100.0
    mean_field_weight: float = 0.1
    mean_field_opponents: int = 32
    mean_field_profiles: int = 0
    value_exponent: float = 1.0
    total_weight: float = 1.0
    bellman_weight: float = 0.1
    discount: float = 0.9
    baseline_weight: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("objective", Objective), ("optimizer", Optimizer)):
            if getattr(self, name) not in get_args(known):
                raise InvalidInput(
                    f"unknown {name} {getattr(self, name)!r}, expected {list(get_args(known))}"
                )
        for name in ("ascent_steps", "mean_field_opponents"):
            whole_number(name, getattr(self, name), 1)
        whole_number("mean_field_profiles", self.mean_field_profiles, 0)
        names = "ascent_step largest_value penalty_bound"
        for name in names.split():
            as_floats(name, getattr(self, name), positive=True)
        names = "rationality_weight mean_field_weight value_exponent total_weight bellman_weight"
        for name in (*names.split(), "baseline_weight"):
            as_floats(name, getattr(self, name), minimum=0.0)
        as_floats("penalty_growth", self.penalty_growth, minimum=1.0)
        if not 0.0 <= self.discount < 1.0:
            raise InvalidInput(f"discount must be in [0, 1), got {self.discount}")


class MeanFieldTrainer(Trainer):
    """The published loss and multipliers; the network is that of the last iteration.

    Notes
    -----
    Source: privacy auction game [S], MFG-RegretNet.
    """

    settings: MeanFieldTraining

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.settings.optimizer == "sgd":
            rate = self.settings.learning_rate
            self.optimizer = torch.optim.SGD(self.module.parameters(), lr=rate, foreach=False)

    @property
    def penalties(self) -> tuple[float, float]:
        """Return rho at this iteration, and the constant weight of the hinge."""
        s = self.settings
        grown = s.penalty_growth ** (self.iteration // s.multiplier_every)
        return min(s.regret_penalty * grown, s.penalty_bound), s.rationality_weight

    def _learning_rate(self) -> float:
        return self.settings.learning_rate

    def _loss(self) -> tuple[Tensor, dict[str, Tensor]]:
        s, network = self.settings, self.module
        assert isinstance(network, MeanFieldNet)
        seen = network.seen(*self.batch())
        money = network.settings.budget
        sold, share = network.rule(seen)
        utility = money * share - seen[..., 0] * sold * seen[..., 1]
        regret = self._regret(network, seen, utility)
        violation = (-utility).clamp_min(0.0).mean()
        field = self._mean_field(network, seen, share)
        bellman = bellman_loss(network, seen, sold, utility, s.discount, s.baseline_weight)
        paid = money * share.mean()
        rho, hinge = self.penalties
        bought = (sold * seen[..., 1]).mean()
        aims = {"revenue": -paid, "cost": paid, "privacy": -bought}
        loss = aims[s.objective] + hinge * violation
        loss = loss + self.multipliers[0] * regret + 0.5 * rho * regret.square()
        done = self.iteration / s.iterations
        loss = loss + done * s.mean_field_weight * field + s.bellman_weight * bellman
        return loss, {
            "payment": paid,
            "epsilon": bought,
            "regret": seen.shape[1] * regret,  # sums over owners, as for other auctions
            "ir_violation": seen.shape[1] * violation,
            "mean_field": field,
            "bellman": bellman,
        }

    def _regret(self, network: MeanFieldNet, seen: Tensor, utility: Tensor) -> Tensor:
        """Return the mean regret of the sampled liars, differentiable in the parameters."""
        s = self.settings
        rng = self.streams.generator("lies", self.iteration)
        drawn = liars(rng, len(seen), seen.shape[1], s.owners_sampled)
        rows = torch.from_numpy(drawn[0]), torch.from_numpy(drawn[1])
        gain = partial(lying_utility, network, seen[rows[0]], rows[1])
        told = plain_ascent(gain, seen[rows], s.ascent_steps, s.ascent_step, s.largest_value)
        return (gain(told) - utility[rows]).clamp_min(0.0).mean()

    def _mean_field(self, network: MeanFieldNet, seen: Tensor, share: Tensor) -> Tensor:
        s = self.settings
        some = min(s.mean_field_profiles or len(seen), len(seen))
        rng = self.streams.generator("opponents", self.iteration)
        aim = mean_field_payments(network, seen, some, s.mean_field_opponents, rng)
        value = seen[:some, :, 0]
        return mean_field_loss(share[:some], aim, value, s.value_exponent, s.total_weight)

    def _raise_multipliers(self, regret: float, violation: float, rho: tuple[float, float]) -> None:
        assert isinstance(self.module, MeanFieldNet)
        mean = regret / self.module.settings.owners
        self.sums = [self.sums[0] + mean, self.sums[1] + violation]
        every = self.settings.multiplier_every
        if self.iteration % every == 0:
            self.multipliers = [self.multipliers[0] + rho[0] * self.sums[0] / every, 0.0]
            self.sums = [0.0, 0.0]

    def audit(self) -> Audited:
        """Attack the network on held-out profiles; the latest network is kept, as published."""
        audited = super().audit()
        self.best_audit, self.audits_since_best = audited, 0
        self.best = {k: v.detach().clone() for k, v in self.module.state_dict().items()}
        return audited
