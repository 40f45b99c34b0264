"""Recipe of MFG-RegretNet as published, as plain values that a scenario can give."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.laws import Budget, MarketLaw, OwnerLaw
from market_sim.mechanisms.networks.mfg_net import Form, MeanFieldNet, MeanFieldNetSettings
from market_sim.mechanisms.networks.mfg_training import (
    MeanFieldTrainer,
    MeanFieldTraining,
    Objective,
    Optimizer,
)
from market_sim.mechanisms.networks.misreports import LieSearch
from market_sim.mechanisms.networks.stored import as_plain
from market_sim.mechanisms.networks.training import Progress, TrainedNetwork
from market_sim.mechanisms.networks.training_run import run
from market_sim.population import privacy_auction_law
from market_sim.shapes import as_floats

KIND = "published-mfg-regret-net"
_TAIL = 0.999  # of the unit values, where they have no largest one


@dataclass(frozen=True)
class PublishedMFGRecipe:
    """How to train a `PublishedMFGRegretNet`; plain values only.

    Published: three hidden layers of 128, Adam 1e-3, batches of 64, 200 x 25 iterations, 25 steps
    of 0.01, rho from 1 by factors of 1.5 to 100, hinge 10, K = 32. What the paper leaves open:
    gamma, beta and zeta, the discount and lambda_HJB; and lambda_MFG, which it anneals to between
    0.01 and 0.1.

    Parameters
    ----------
    owners
        N; one network for each.
    owner_law
        A law of the privacy auction game, see `privacy_auction_law`.
    budget
        "fixed": the network is told of no other money.
    budget_low, budget_high
        Bounds of B, uniform in between; equal ones fix it.
    form, items, hidden, layers
        See `MeanFieldNetSettings`.
    iterations, batch, learning_rate, multiplier_every, regret_penalty
        See `TrainingSettings`.
    owners_sampled
        Owners a profile whose regret is in the loss; 0 for all.
    regret_multiplier
        lambda at the start.
    objective, optimizer, ascent_steps, ascent_step
        See `MeanFieldTraining`.
    rationality_weight, penalty_growth, penalty_bound
        See `MeanFieldTraining`.
    mean_field_weight, mean_field_opponents, mean_field_profiles, value_exponent, total_weight
        See `MeanFieldTraining`.
    bellman_weight, discount, baseline_weight
        See `MeanFieldTraining`.
    audit_every, audit_profiles, checkpoint_every, seed
        See `TrainingSettings`.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or a name unknown.
    """

    owners: int = 10
    owner_law: OwnerLaw = "uniform"
    budget: Budget = "fixed"
    budget_low: float = 50.0
    budget_high: float = 50.0
    form: Form = "text"
    items: int = 1
    hidden: int = 128
    layers: int = 3
    iterations: int = 5000
    batch: int = 64
    learning_rate: float = 1e-3
    multiplier_every: int = 25
    regret_penalty: float = 1.0
    owners_sampled: int = 0
    regret_multiplier: float = 1.0
    objective: Objective = "revenue"
    optimizer: Optimizer = "adam"
    ascent_steps: int = 25
    ascent_step: float = 0.01
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
    audit_every: int = 500
    audit_profiles: int = 64
    checkpoint_every: int = 250
    seed: int = 0

    def __post_init__(self) -> None:
        if self.budget != "fixed":
            raise InvalidInput(
                f"MFG-RegretNet is trained for fixed budgets, got {self.budget!r}: name a budget "
                "or the bounds of one"
            )
        as_floats("regret_multiplier", self.regret_multiplier, minimum=0.0)
        _ = self.network, self.law, self.training

    @classmethod
    def as_run(cls, **changes: Any) -> Self:
        """Return the training of the published experiments, with changes.

        Their code differs from the paper: each owner's own sigmoid in place of the softmax, shares
        of the budget in place of shares of the bid, as much privacy as possible, plain gradient
        descent, regret and violations in units of the mean payment, and neither L_MFG nor L_HJB.

        Raises
        ------
        InvalidInput
            As the class.
        """
        share = cls(**changes).owners / cls(**changes).budget_high
        usual: dict[str, Any] = {
            "form": "code",
            "objective": "privacy",
            "optimizer": "sgd",
            "regret_multiplier": share,
            "regret_penalty": share**2,
            "penalty_growth": 1.0,
            "rationality_weight": share,
            "mean_field_weight": 0.0,
            "bellman_weight": 0.0,
        }
        return cls(**{**usual, **changes})

    @property
    def law(self) -> MarketLaw:
        """Law of the markets."""
        return MarketLaw.of_game(self.owner_law, self.owners, self.budget_low, self.budget_high)

    @property
    def network(self) -> MeanFieldNetSettings:
        """Form of the network."""
        return MeanFieldNetSettings(
            owners=self.owners,
            budget=0.5 * (self.budget_low + self.budget_high),
            max_cap=self.law.max_cap,
            form=self.form,
            items=self.items,
            hidden=self.hidden,
            layers=self.layers,
        )

    @property
    def largest_value(self) -> float:
        """Largest unit value of the law, or its 0.999-quantile."""
        values = privacy_auction_law(self.owner_law).unit_value_law
        top = values.support[1]
        return top if np.isfinite(top) else float(values.quantile(_TAIL))

    @property
    def training(self) -> MeanFieldTraining:
        """Settings of the trainer."""
        return MeanFieldTraining.of(
            self,
            unit="money",
            warm_up=0,
            largest_value=self.largest_value,
            lies=LieSearch(),
            audit_lies=LieSearch(steps=25, restarts=2, step=0.2),
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """What is kept with the network, as plain values."""
        content = {
            "auction": "published-mfg-regret-net",
            "settings": asdict(self.network),
            "law": self.law.plain(),
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
        module = MeanFieldNet(self.network, self.seed)
        trainer = MeanFieldTrainer(
            module, self.law, self.training, multipliers=[self.regret_multiplier, 0.0]
        )
        return run(trainer, KIND, self.metadata, folder=folder, progress=progress, resume=resume)
