"""A recipe that trains nothing, in the form of those that do: for tests of runs and commands.

One number falls towards the number of owners; it is checkpointed every `every` iterations.
"""

import json
from dataclasses import dataclass
from typing import ClassVar

from market_sim import PopulationLaw
from market_sim.errors import InvalidInput


@dataclass(frozen=True)
class Trained:
    """What training gives: something that can be saved."""

    weight: float
    metadata: dict

    def save(self, path):
        path.write_bytes(json.dumps({"weight": self.weight, **self.metadata}).encode())


@dataclass(frozen=True)
class TinyRecipe:
    law: PopulationLaw
    budget: str
    budget_levels: tuple
    seed: int = 0
    iterations: int = 12
    every: int = 4
    decay: float = 0.5

    stop_at: ClassVar[int | None] = None  # Ctrl-C, as a test wants it

    def __post_init__(self):
        if not 0 < self.decay < 1:
            raise InvalidInput(f"decay must be between 0 and 1, got {self.decay}")

    def train(self, *, folder, progress, resume):
        file = folder / "state.json"
        first, weight = json.loads(file.read_text()) if resume else (0, 100.0 + self.seed)
        for iteration in range(first, self.iterations):
            if iteration == self.stop_at:
                raise KeyboardInterrupt
            weight = self.law.owners + self.decay * (weight - self.law.owners)
            row = {"iteration": iteration, "loss": weight, "error_bound": weight / 2}
            if iteration % 2:
                row["held_out_regret"] = weight / 3
            progress(row | {"seconds": 1.0})
            if (iteration + 1) % self.every == 0:
                file.write_text(json.dumps([iteration + 1, weight]))
        return Trained(weight, {"levels": list(self.budget_levels), "law": self.budget})
