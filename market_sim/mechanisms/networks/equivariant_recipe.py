"""Recipe of the equivariant network: trained on markets of many sizes and many budgets at once."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.equivariant import KIND
from market_sim.mechanisms.networks.equivariant_net import (
    EquivariantNet,
    EquivariantSettings,
    Pools,
)
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.mechanisms.networks.misreports import LieSearch
from market_sim.mechanisms.networks.stored import as_plain
from market_sim.mechanisms.networks.training import Progress, TrainedNetwork
from market_sim.mechanisms.networks.training_run import train
from market_sim.mechanisms.networks.training_settings import TrainingSettings
from market_sim.population import SizeLaw
from market_sim.reports import Reports
from market_sim.shapes import Array, whole_number

_AUDITED = 10  # owners of the markets of the held-out audit


@dataclass(frozen=True)
class CrowdLaw:
    """Batches of markets of one size and one budget rate each, both drawn on a log scale.

    Parameters
    ----------
    law
        The owners, and the bounds of the budget rate; its number of owners is not used.
    least, most
        Bounds of the number of owners.

    Raises
    ------
    InvalidInput
        If the bounds are not whole numbers in ascending order.
    """

    law: MarketLaw
    least: int = 5
    most: int = 100

    def __post_init__(self) -> None:
        if whole_number("most owners", self.most, 1) < whole_number("least owners", self.least, 1):
            raise InvalidInput(
                f"numbers of owners must be in ascending order, got {self.least}, {self.most}"
            )

    def sample(self, rng: np.random.Generator, profiles: int) -> tuple[Reports, Array]:
        """Draw markets with as many owners together as `profiles` markets of the fewest have."""
        owners = round(float(np.exp(rng.uniform(np.log(self.least), np.log(self.most)))))
        rate = float(np.exp(rng.uniform(np.log(self.law.budget_low), np.log(self.law.budget_high))))
        one = replace(self.law, owners=owners, budget_low=rate, budget_high=rate)
        return one.sample(rng, max(1, profiles * self.least // owners))


@dataclass(frozen=True)
class EquivariantRecipe:
    """How to train an `EquivariantRegretNet`; plain values only.

    Parameters
    ----------
    least_owners, most_owners
        Bounds of n, drawn on a log scale a batch.
    options, encoded, hidden, pools, skips, smoothing
        See `EquivariantSettings`.
    max_cap, sizes, budget_low, budget_high
        The law of the markets; budgets are proportional, one rate a batch, see `MarketLaw`.
    iterations, batch, learning_rate, regret_penalty, regret_penalty_step, penalty_every
        See `TrainingSettings`; one random owner a profile lies. A batch has as many owners as
        `batch` profiles of the fewest owners.
    audit_every, audit_profiles, regret_target, patience, checkpoint_every, seed
        See `TrainingSettings`; the held-out audit is on markets of ten owners.
    temperature
        At the end, in units of `smoothing`; it falls from 1.
    lie_steps, lie_step
        Search for the lies in training, see `LieSearch`; the audit searches from two starts.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or a name unknown.
    """

    least_owners: int = 5
    most_owners: int = 1000
    options: int = 8
    encoded: int = 16
    hidden: int = 32
    pools: Pools = "sizes"
    skips: int = 1
    smoothing: float = 0.03
    max_cap: float = 2.0
    sizes: SizeLaw = "reference"
    budget_low: float = 0.05
    budget_high: float = 3.0
    iterations: int = 700
    batch: int = 700
    learning_rate: float = 3e-3
    temperature: float = 0.5
    lie_steps: int = 4
    lie_step: float = 0.2
    regret_penalty: float = 4.0
    regret_penalty_step: float = 0.0
    penalty_every: int = 200
    audit_every: int = 100
    audit_profiles: int = 100
    regret_target: float = 0.0015
    patience: int = 10
    checkpoint_every: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        _ = self.network, self.law, self.training

    @property
    def network(self) -> EquivariantSettings:
        """Form of the network."""
        names = EquivariantSettings.__dataclass_fields__
        return EquivariantSettings(**{name: getattr(self, name) for name in names})

    @property
    def law(self) -> CrowdLaw:
        """Law of the markets of training."""
        names = ("max_cap", "sizes", "budget_low", "budget_high")
        one = MarketLaw(owners=_AUDITED, **{name: getattr(self, name) for name in names})
        return CrowdLaw(one, self.least_owners, self.most_owners)

    @property
    def training(self) -> TrainingSettings:
        """Settings of the trainer."""
        return TrainingSettings.of(
            self,
            owners_sampled=1,
            relative_error=True,
            warm_up=0,
            rationality_penalty=0.0,  # the rule is rational by construction
            rationality_penalty_step=0.0,
            lies=LieSearch(self.lie_steps, 1, self.lie_step),
            audit_lies=LieSearch(2 * self.lie_steps, 2, self.lie_step),
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """What is kept with the network, as plain values."""
        content = {
            "settings": asdict(self.network),
            "law": asdict(self.law),
            "recipe": asdict(self),
        }
        return as_plain(content)

    def train(
        self,
        *,
        folder: Path | None = None,
        progress: Progress | None = None,
        resume: bool = False,
    ) -> TrainedNetwork:
        """Train the network; see `market_sim.mechanisms.networks.training_run.train`."""
        return train(
            KIND,
            EquivariantNet(self.network, self.seed),
            self.law,
            self.training,
            self.metadata,
            folder=folder,
            progress=progress,
            resume=resume,
            audit_law=self.law.law,
        )
