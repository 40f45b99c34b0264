"""Training of a menu network: differentiate the error bound through the owners' choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import cos, log, pi
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from market_sim.errors import TrainingError
from market_sim.mechanisms.networks.checkpoints import load_network, save_network
from market_sim.mechanisms.networks.error import error_bound_of
from market_sim.mechanisms.networks.menu_net import (
    KIND,
    MenuNetwork,
    Sales,
    best_choice,
    soft_choice,
    visit_all,
)
from market_sim.mechanisms.networks.menu_recipe import MenuRecipe
from market_sim.mechanisms.networks.menu_state import MenuMarket
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

_STATE = "menu-training"
_FLOOR = 5e-3  # eps added to every sale, so that a market without a winner has a slope
_TAME = 40.0  # error bound above which the loss grows like its logarithm
_CELLS = 6  # ranges of the budget rate, each with a scale of its own
_SMOOTH = 0.03  # weight of the newest batch in those scales
_AVERAGE = 0.998


@dataclass(eq=False)
class MenuTrainer:
    """One training run; a batch depends on the seed and the iteration alone."""

    measure: ClassVar[str] = "held_out_error_bound"
    recipe: MenuRecipe
    iteration: int = 0
    held_out: float = float("nan")
    average: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.module = MenuNetwork(recipe.settings, recipe.seed)
        self.grid = recipe.settings.grid.with_options(recipe.options)
        self.streams = Streams(recipe.seed)
        self.optimizer = torch.optim.Adam(
            self.module.parameters(), lr=recipe.learning_rate, foreach=False
        )
        self.numbers = sorted(set(recipe.owners))
        self.scale = torch.full((len(self.numbers), _CELLS), float("nan"))

    @property
    def done(self) -> float:
        """Share of the training that is done."""
        return float(self.iteration / self.recipe.iterations)

    @property
    def temperature(self) -> float:
        """Temperature of the choice: it falls geometrically and then stays for the last eighth."""
        start, end = self.recipe.temperature_start, self.recipe.temperature_end
        return float(start * (end / start) ** min(1.0, 8.0 / 7.0 * self.done))

    def step(self) -> dict[str, float]:
        """Train one batch and return its figures."""
        started = perf_counter()
        rng = self.streams.generator("menu batch", self.iteration)
        owners = int(rng.choice(self.recipe.owners))
        population, money, place = self.recipe.sample(
            rng, max(6, self.recipe.rows // owners), owners
        )
        error = tamed(self.error(population, money))
        loss = (error * self._weights(error.detach(), owners, place)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        values = {"loss": loss.item(), "error_bound": error.detach().mean().item()}
        if not np.isfinite([*values.values(), norm.item()]).all():
            raise TrainingError(
                f"training stopped at iteration {self.iteration} of seed {self.recipe.seed}: the "
                "loss or its slope is not finite"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * (
                0.01 + 0.99 * 0.5 * (1 + cos(pi * self.done))
            )
        self.optimizer.step()
        self.iteration += 1
        self._average()
        return {
            "iteration": float(self.iteration),
            **values,
            "owners": float(owners),
            "temperature": self.temperature,
            "seconds": perf_counter() - started,
        }

    def error(self, population: Population, money: Array) -> Tensor:
        """Return the error bound of smoothed choices, one a market."""
        market = self._market(population, money, torch.float32)
        choose = soft_choice(self.temperature)
        sales = visit_all(self.module, market, self.grid, choose, exact=False)
        return error_bound_of(self._effective(sales, market) + _FLOOR, market.size)

    def _effective(self, sales: Sales, market: MenuMarket) -> Tensor:
        """Return eps; where a part of the samples may be used, eps times that part."""
        if self.module.settings.verified:
            return sales.epsilon
        return sales.epsilon * (sales.used / market.size)

    def _market(self, population: Population, money: Array, dtype: torch.dtype) -> MenuMarket:
        size = population.data_size
        places = np.arange(population.owners)[None]
        if self.module.settings.order == "size" and size is not None:
            places = np.argsort(-size, axis=1, kind="stable")
        return MenuMarket.from_reports(population.reports(), money, places, dtype)

    def _weights(self, error: Tensor, owners: int, place: Array) -> Tensor:
        """Return 1 / the running mean error of markets of the same kind, by range of the rate."""
        cell = torch.tensor((place * _CELLS).astype(np.int64)).clamp_max(_CELLS - 1)
        row = self.scale[self.numbers.index(owners)]
        for number in cell.unique():
            mean = error[cell == number].mean()
            old = row[number]
            row[number] = mean if old.isnan() else old + _SMOOTH * (mean - old)
        emphasis = torch.linspace(0.0, log(self.recipe.emphasis), _CELLS).exp()
        return (emphasis / emphasis.mean() / row)[cell]

    def _average(self) -> None:
        """Average the parameters over the later part of the training."""
        if self.done < self.recipe.average_from:
            return
        for name, value in self.module.state_dict().items():
            old = self.average.get(name)
            mean = value if old is None else _AVERAGE * old + (1.0 - _AVERAGE) * value
            self.average[name] = mean.detach().clone()

    @torch.no_grad()
    def score(self) -> float:
        """Return the mean error bound of exact choices on held-out markets; keep and return it."""
        recipe = self.recipe
        rng = self.streams.generator("menu held out")
        population, money, _ = recipe.sample(rng, recipe.held_out_profiles, recipe.owners[0])
        market = self._market(population, money, torch.float64)
        module = self._best().double()
        sales = visit_all(module, market, recipe.settings.grid, best_choice, exact=True)
        self.held_out = float(
            tamed(error_bound_of(self._effective(sales, market) + 1e-9, market.size)).mean()
        )
        return self.held_out

    def _best(self) -> MenuNetwork:
        module = MenuNetwork(self.module.settings)
        module.load_state_dict(self.average or self.module.state_dict())
        return module

    def trained(self) -> TrainedNetwork:
        """Return the averaged network."""
        figures = {"iterations": self.iteration, "held_out_error_bound": self.score()}
        metadata = {**self.recipe.metadata, "training": figures}
        return TrainedNetwork(KIND, self._best().eval(), metadata)

    def store(self, path: Path) -> None:
        """Write everything that the rest of the training depends on."""
        tensors = joined(
            network=self.module.state_dict(),
            average=self.average,
            optimizer=optimizer_tensors(self.optimizer),
        )
        tensors["scale"] = self.scale.nan_to_num(nan=-1.0)
        state: Mapping[str, Any] = {
            "of": self.recipe.metadata,
            "iteration": self.iteration,
            "held_out": repr(self.held_out),
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
        parts = parted(stored.tensors, "network", "average", "optimizer")
        self.module.load_state_dict(parts["network"])
        self.average = parts["average"]
        restore_optimizer(self.optimizer, parts["optimizer"])
        scale = stored.tensors["scale"]
        self.scale = torch.where(scale < 0, float("nan"), scale)
        self.iteration = stored.metadata["iteration"]
        self.held_out = float(stored.metadata["held_out"])


def tamed(error: Tensor) -> Tensor:
    """Return the error bound, growing only like its logarithm above a limit."""
    high = error.clamp_min(_TAME)
    return torch.where(error > _TAME, _TAME * (1.0 + (high / _TAME).log()), error)
