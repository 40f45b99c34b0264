"""How the network of the mean-field auction is trained: plain values, for scenario files."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.mean_field_net import MeanFieldSettings
from market_sim.mechanisms.networks.stored import as_plain
from market_sim.mechanisms.networks.training_loop import JudgedRecipe, JudgedTrainer
from market_sim.population import Population, privacy_auction_law
from market_sim.shapes import Array, as_floats, whole_number

_OWNERS = (10, 10, 20, 50, 100)
_LAWS = ("uniform", "bimodal", "realistic")


@dataclass(frozen=True)
class MeanFieldRecipe(JudgedRecipe):
    """Maximize E[purchased privacy / full-information bound] over laws, budgets and owners.

    The prices of the clock do not depend on the parameters, so what is sold has slopes in them;
    nothing is smoothed or relaxed: truth, rationality and the budget hold for all parameters.

    Parameters
    ----------
    owners
        Numbers of owners, one drawn for each batch (repeat a number to have it more often).
    laws
        Names for `privacy_auction_law`, one drawn for each batch.
    money_low, money_high
        B / N, log-uniform in between.
    hidden, pooled
        See `MeanFieldSettings`.
    spacing
        Of the logarithms of two prices during training; clearing has finer ones.
    iterations, rows, learning_rate
        Steps of Adam, owners in a batch, and its rate, which falls along a cosine.
    held_out_every, held_out_profiles
        How often the network is scored, and on how many markets of each law.
    checkpoint_every
        Iterations between two checkpoints.
    seed
        Seed of everything.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or a law unknown.
    """

    owners: tuple[int, ...] = _OWNERS
    laws: tuple[str, ...] = _LAWS
    money_low: float = 0.2
    money_high: float = 3.0
    hidden: int = 16
    pooled: int = 4
    spacing: float = 0.02
    iterations: int = 700
    rows: int = 6000
    learning_rate: float = 3e-3
    held_out_every: int = 50
    held_out_profiles: int = 1000
    checkpoint_every: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("owners", "laws"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if not getattr(self, name):
                raise InvalidInput(f"{name} is empty: give at least one to train with")
        for number in self.owners:
            whole_number("owners", number, 1)
        for law in self.laws:
            privacy_auction_law(law)
        counts = "iterations rows held_out_every held_out_profiles checkpoint_every"
        for name in counts.split():
            whole_number(name, getattr(self, name), 1)
        whole_number("seed", self.seed, 0)
        for name in ("spacing", "learning_rate"):
            as_floats(name, getattr(self, name), positive=True)
        low, high = as_floats("B / N", [self.money_low, self.money_high], positive=True)
        if low > high:
            raise InvalidInput(f"B / N must be in ascending order, got {low:g}, {high:g}")
        _ = self.settings

    @property
    def settings(self) -> MeanFieldSettings:
        """Form of the network."""
        return MeanFieldSettings(self.hidden, self.pooled, max(self.owners))

    @property
    def metadata(self) -> dict[str, Any]:
        """What is kept with the network, as plain values."""
        return as_plain({"settings": self.settings.plain(), "recipe": asdict(self)})

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """Return the recipe of a network's metadata."""
        return cls(**values)

    def sample(
        self, rng: np.random.Generator, profiles: int, owners: int, law: str
    ) -> tuple[Population, Array]:
        """Draw markets and budgets; B / N lies once in each of `profiles` equal parts."""
        population = privacy_auction_law(law, owners).sample(rng, (profiles,))
        place = (np.arange(profiles) + rng.random()) / profiles
        money = self.money_low * (self.money_high / self.money_low) ** place
        return population, owners * money

    def trainer(self) -> JudgedTrainer:
        """Return a fresh training by this recipe."""
        from market_sim.mechanisms.networks.mean_field_training import MeanFieldTrainer

        return MeanFieldTrainer(self)
