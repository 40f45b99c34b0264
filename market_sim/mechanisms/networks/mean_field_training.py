"""Training of the mean-field auction: differentiate what is bought through the falling price."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from market_sim.bounds.purchase import purchase_bound
from market_sim.errors import TrainingError
from market_sim.mechanisms.networks.checkpoints import load_network, save_network
from market_sim.mechanisms.networks.mean_field_clock import Clock, ClockSale
from market_sim.mechanisms.networks.mean_field_net import KIND, MeanFieldNetwork
from market_sim.mechanisms.networks.mean_field_recipe import MeanFieldRecipe
from market_sim.mechanisms.networks.training import TrainedNetwork
from market_sim.mechanisms.networks.training_state import (
    joined,
    optimizer_tensors,
    parted,
    require_same_training,
    restore_optimizer,
)
from market_sim.population import Population
from market_sim.shapes import Array
from market_sim.streams import Streams

_STATE = "mean-field-training"


@dataclass(eq=False)
class MeanFieldTrainer:
    """One training run; a batch depends on the seed and the iteration alone."""

    measure: ClassVar[str] = "held_out_purchase_share"
    recipe: MeanFieldRecipe
    iteration: int = 0
    held_out: float = float("nan")
    best_score: float = -1.0

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.module = MeanFieldNetwork(recipe.settings, recipe.seed)
        self.streams = Streams(recipe.seed)
        self.optimizer = torch.optim.Adam(
            self.module.parameters(), lr=recipe.learning_rate, foreach=False
        )
        self.best = self._copy()

    def step(self) -> dict[str, float]:
        """Train one batch and return its figures."""
        started = perf_counter()
        recipe = self.recipe
        rng = self.streams.generator("mean field batch", self.iteration)
        owners, law = int(rng.choice(recipe.owners)), str(rng.choice(recipe.laws))
        rows = max(8, recipe.rows // owners)
        share, held = self.shares(*recipe.sample(rng, rows, owners, law))
        loss = 1.0 - share.mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        if not np.isfinite([loss.item(), norm.item()]).all():
            raise TrainingError(
                f"training stopped at iteration {self.iteration} of seed {recipe.seed}: the loss "
                "or its slope is not finite"
            )
        done = self.iteration / recipe.iterations
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate * (0.02 + 0.98 * 0.5 * (1.0 + cos(pi * done)))
        self.optimizer.step()
        self.iteration += 1
        return {
            "iteration": float(self.iteration),
            "loss": loss.item(),
            "purchase_share": share.detach().mean().item(),
            "held_back": held,
            "owners": float(owners),
            "seconds": perf_counter() - started,
        }

    def shares(self, population: Population, money: Array) -> tuple[Tensor, float]:
        """Return purchases over the full-information bound, and the mean share held at first."""
        reports = population.reports()
        bound = torch.tensor(purchase_bound(reports, money), dtype=torch.float32)
        value, cap, purse = (
            torch.tensor(column, dtype=torch.float32)
            for column in (reports.unit_value, reports.cap, money)
        )
        spacing = self.recipe.spacing
        clock = Clock.of(value, cap, purse, step=spacing, reserve=None)
        net = self.module
        told = net.told(value.shape[-1], clock.unit)
        seen: list[Tensor] = []

        def release(price: Tensor, pooled: Tensor) -> Tensor:
            held = net.held(told, price, pooled)
            seen.append(held.detach())
            return held

        sold, _ = ClockSale(clock, net.marks(value, cap, clock.unit), release).run()
        return sold.sum(dim=1) / bound, seen[0].mean().item() if seen else 0.0

    @torch.no_grad()
    def score(self) -> float:
        """Return the mean share on held-out markets of all laws; the best parameters are kept."""
        recipe = self.recipe
        shares = []
        for place, law in enumerate(recipe.laws):
            rng = self.streams.generator("mean field held out", place)
            drawn = recipe.sample(rng, recipe.held_out_profiles, recipe.owners[0], law)
            shares.append(self.shares(*drawn)[0].mean().item())
        self.held_out = float(np.mean(shares))
        if self.held_out > self.best_score:
            self.best_score, self.best = self.held_out, self._copy()
        return self.held_out

    def _copy(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.module.state_dict().items()}

    def trained(self) -> TrainedNetwork:
        """Return the network with the best held-out share."""
        self.score()
        module = MeanFieldNetwork(self.module.settings)
        module.load_state_dict(self.best)
        figures = {"iterations": self.iteration, "held_out_purchase_share": self.best_score}
        return TrainedNetwork(KIND, module.eval(), {**self.recipe.metadata, "training": figures})

    def store(self, path: Path) -> None:
        """Write everything that the rest of the training depends on."""
        tensors = joined(
            network=self.module.state_dict(),
            best=self.best,
            optimizer=optimizer_tensors(self.optimizer),
        )
        state: Mapping[str, Any] = {
            "of": self.recipe.metadata,
            "iteration": self.iteration,
            "held_out": repr(self.held_out),
            "best_score": self.best_score,
        }
        save_network(path, _STATE, state, tensors)

    def restore(self, path: Path) -> None:
        """Go on from a stored state.

        Raises
        ------
        InvalidInput
            If the checkpoint is damaged or belongs to another training.
        """
        stored = load_network(path, _STATE)
        require_same_training(path, stored.metadata["of"], self.recipe.metadata)
        parts = parted(stored.tensors, "network", "best", "optimizer")
        self.module.load_state_dict(parts["network"])
        self.best = parts["best"]
        restore_optimizer(self.optimizer, parts["optimizer"])
        self.iteration = stored.metadata["iteration"]
        self.held_out = float(stored.metadata["held_out"])
        self.best_score = float(stored.metadata["best_score"])
