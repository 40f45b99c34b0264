"""Training of learned auctions on the error bound, with regret and rationality as constraints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import cos, pi
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from market_sim.errors import TrainingError
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.checkpoints import save_network
from market_sim.mechanisms.networks.laws import Markets
from market_sim.mechanisms.networks.training_audit import Audited, Shortfall, held_out, shortfall
from market_sim.mechanisms.networks.training_lies import find_lies, liars
from market_sim.mechanisms.networks.training_settings import TrainingSettings
from market_sim.streams import Streams

Progress = Callable[[Mapping[str, float]], None]
CHECKPOINT = "training.safetensors"


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """What training returns: the best network by the held-out audit, with its history.

    Attributes
    ----------
    kind
        Name of the class of networks, such as "regret-net".
    module
        The network.
    metadata
        Settings, law, recipe and the figures of the held-out audit, as plain values.
    """

    kind: str
    module: nn.Module
    metadata: Mapping[str, Any]

    def save(self, path: Path | str, half: bool = False) -> Path:
        """Write the network to a file; see `save_network`.

        With `half` the parameters (not the scale of the inputs) are rounded to float16, for files
        of half the size: about three digits of each.
        """
        parameters = {name for name, _ in self.module.named_parameters()}
        tensors = {
            name: value.half() if half and name in parameters else value
            for name, value in self.module.state_dict().items()
        }
        return save_network(path, self.kind, self.metadata, tensors)


@dataclass(eq=False)
class Trainer:
    """One training run: the network, its optimizer and the multipliers; each step changes them.

    A batch, its liars and the starts of their lies depend on the seed and the iteration alone, so
    that the state on disk needs no generators.

    Parameters
    ----------
    module
        Takes bids, budget and temperature and gives an `ExpectedOutcome`.
    law
        Where the markets come from.
    settings
        How to train.
    audit_law
        Where the markets of the held-out audit come from; `law` if omitted.
    """

    module: nn.Module
    law: Markets
    settings: TrainingSettings
    iteration: int = 0
    multipliers: list[float] = field(default_factory=lambda: [0.0, 0.0])
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0])
    best: dict[str, Tensor] = field(default_factory=dict)
    best_audit: Audited | None = None
    last_audit: Audited | None = None
    audits_since_best: int = 0
    audit_law: Markets | None = None

    def __post_init__(self) -> None:
        self.streams = Streams(self.settings.seed)
        self.optimizer: torch.optim.Optimizer = torch.optim.Adam(
            self.module.parameters(), lr=self.settings.learning_rate, foreach=False
        )

    @property
    def finished(self) -> bool:
        """Whether the iterations are done or the audit has not improved for long."""
        return (
            self.iteration >= self.settings.iterations
            or self.audits_since_best >= self.settings.patience
        )

    @property
    def penalties(self) -> tuple[float, float]:
        """The penalties rho of regret and of rationality at this iteration."""
        s = self.settings
        steps = self.iteration // s.penalty_every
        return (
            s.regret_penalty + steps * s.regret_penalty_step,
            s.rationality_penalty + steps * s.rationality_penalty_step,
        )

    @property
    def temperature(self) -> float:
        """Temperature of the smoothed choice, falling from 1."""
        return float(self.settings.temperature ** (self.iteration / self.settings.iterations))

    def step(self) -> dict[str, float]:
        """Train one batch and return the parts of the loss."""
        started = perf_counter()
        rho = self.penalties
        loss, figures = self._loss()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        numbers = {"loss": loss.item(), **{name: part.item() for name, part in figures.items()}}
        self._refuse_nan(list(numbers.values()))
        self.optimizer.step()
        self.iteration += 1
        self._raise_multipliers(numbers["regret"], numbers["ir_violation"], rho)
        return {
            "iteration": float(self.iteration),
            **numbers,
            "regret_multiplier": self.multipliers[0],
            "ir_multiplier": self.multipliers[1],
            "temperature": self.temperature,
            "seconds": perf_counter() - started,
        }

    def _loss(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and the parts of it that are shown, by name."""
        error, short = self._shortfall()
        loss = error.log() if self.settings.relative_error else error
        parts = (short.regret, short.violation)
        for part, phi, penalty in zip(parts, self.multipliers, self.penalties, strict=True):
            loss = loss + phi * part + 0.5 * penalty * part.square()
        return loss, {"error_bound": error, "regret": short.regret, "ir_violation": short.violation}

    def batch(self) -> tuple[Bids, Tensor]:
        """Return the markets of this iteration: true bids and budgets."""
        reports, money = self.law.sample(
            self.streams.generator("batch", self.iteration), self.settings.batch
        )
        dtype = next(self.module.parameters()).dtype
        return Bids.from_reports(reports, dtype), torch.tensor(money, dtype=dtype)

    def _shortfall(self) -> tuple[Tensor, Shortfall]:
        s = self.settings
        truth, budget = self.batch()
        rng = self.streams.generator("lies", self.iteration)
        rows = liars(rng, len(budget), truth.owners, s.owners_sampled)
        lies = find_lies(self.module, truth, budget, self.temperature, rows, s.lies, rng)
        return shortfall(self.module, truth, budget, lies, self.temperature, s.unit)

    def _learning_rate(self) -> float:
        done = self.iteration / self.settings.iterations
        return self.settings.learning_rate * (0.05 + 0.95 * 0.5 * (1.0 + cos(pi * done)))

    def _refuse_nan(self, values: list[float]) -> None:
        slopes = [p.grad for p in self.module.parameters() if p.grad is not None]
        if torch.isfinite(torch.tensor(values)).all() and all(
            bool(torch.isfinite(slope).all()) for slope in slopes
        ):
            return
        raise TrainingError(
            f"training stopped at iteration {self.iteration} of seed {self.settings.seed}: the "
            "loss or its slope is not finite"
        )

    def _raise_multipliers(self, regret: float, violation: float, rho: tuple[float, float]) -> None:
        if self.iteration <= self.settings.warm_up:
            return
        self.sums = [self.sums[0] + regret, self.sums[1] + violation]
        every = self.settings.multiplier_every
        if self.iteration % every == 0:
            self.multipliers = [
                phi + penalty * total / every
                for phi, penalty, total in zip(self.multipliers, rho, self.sums, strict=True)
            ]
            self.sums = [0.0, 0.0]

    def audit(self) -> Audited:
        """Attack the network on held-out profiles; keep its parameters if it is the best so far."""
        audited = held_out(self.module, self.audit_law or self.law, self.settings)
        self.last_audit = audited
        self.audits_since_best += 1
        if self.best_audit is None or audited.score < self.best_audit.score:
            self.best_audit, self.audits_since_best = audited, 0
            self.best = {k: v.detach().clone() for k, v in self.module.state_dict().items()}
        return audited
