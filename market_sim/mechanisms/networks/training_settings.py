"""How a network is trained: plain values, so that a scenario file can give them."""

from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.misreports import LieSearch
from market_sim.shapes import as_floats, whole_number

Unit = Literal["money", "budget"]


@dataclass(frozen=True)
class TrainingSettings:
    """Augmented Lagrangian: error + phi R + rho/2 R^2 + the same for violations of rationality.

    R is the sum over owners of the mean regret. The multipliers phi grow by rho R every
    `multiplier_every` iterations, the penalties rho by their steps every `penalty_every`.

    Parameters
    ----------
    iterations, batch
        Number of steps of the optimizer and profiles of each.
    learning_rate
        Of Adam; it falls along a cosine to a twentieth.
    owners_sampled
        Owners a profile who lie, drawn at random; 0 for all of them.
    lies
        Search for the lies of training.
    unit
        Regret and violations in "money" (2021), or as a share of the "budget", for laws whose
        budgets differ by orders of magnitude.
    multiplier_every, warm_up
        Q; and the iterations before the multipliers start to grow: the violations of an untrained
        network say nothing about what they are to cost in the end.
    regret_penalty, regret_penalty_step, rationality_penalty, rationality_penalty_step
        rho at the start and what is added every `penalty_every` iterations.
    penalty_every
        Iterations between two steps of the penalties.
    temperature
        Of the smoothed choice of a deterministic network at the end; it falls from 1.
    audit_every, audit_profiles, audit_lies
        The held-out audit: how often, on how many profiles, with which search.
    regret_target, rationality_target
        Mean over owners and profiles, in `unit`, above which the audit counts against a network.
    patience
        Audits without a better network after which training stops early.
    checkpoint_every
        Iterations between two training checkpoints.
    seed
        Seed of everything.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.

    Notes
    -----
    Source: FL-Market [S], training of MURBA and M-RegretNet: Q = 10, Adam 1e-3, rho 1 (+1) and
    4 (+3).
    """

    iterations: int = 2000
    batch: int = 512
    learning_rate: float = 1e-3
    owners_sampled: int = 2
    lies: LieSearch = field(default_factory=LieSearch)
    unit: Unit = "budget"
    relative_error: bool = False
    multiplier_every: int = 10
    warm_up: int = 200
    regret_penalty: float = 1.0
    regret_penalty_step: float = 1.0
    rationality_penalty: float = 4.0
    rationality_penalty_step: float = 3.0
    penalty_every: int = 200
    temperature: float = 0.1
    audit_every: int = 200
    audit_profiles: int = 256
    audit_lies: LieSearch = field(default_factory=lambda: LieSearch(steps=50, restarts=3))
    regret_target: float = 0.005
    rationality_target: float = 0.002
    patience: int = 10
    checkpoint_every: int = 200
    seed: int = 0

    @classmethod
    def of(cls, recipe: Any, **more: Any) -> Self:
        """Return the settings that a recipe holds under the same names, and more."""
        fields = {name for name in cls.__dataclass_fields__ if hasattr(recipe, name)}
        return cls(**{**{name: getattr(recipe, name) for name in fields}, **more})

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise InvalidInput(f"unknown unit {self.unit!r}, expected {list(get_args(Unit))}")
        counts = "iterations batch multiplier_every penalty_every audit_every audit_profiles"
        for name in (*counts.split(), "patience", "checkpoint_every"):
            whole_number(name, getattr(self, name), 1)
        for name in ("owners_sampled", "warm_up", "seed"):
            whole_number(name, getattr(self, name), 0)
        for name in ("learning_rate", "temperature", "regret_target", "rationality_target"):
            as_floats(name, getattr(self, name), positive=True)
        for part in ("regret", "rationality"):
            as_floats(f"{part}_penalty", getattr(self, f"{part}_penalty"), minimum=0.0)
            as_floats(f"{part}_penalty_step", getattr(self, f"{part}_penalty_step"), minimum=0.0)
