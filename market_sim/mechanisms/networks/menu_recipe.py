"""How a menu network is trained: plain values, so that a scenario file can give them."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.menu_grid import MenuGrid
from market_sim.mechanisms.networks.menu_net import MenuSettings
from market_sim.mechanisms.networks.menu_state import Prior
from market_sim.mechanisms.networks.stored import as_plain
from market_sim.mechanisms.networks.training_loop import JudgedRecipe, JudgedTrainer
from market_sim.population import Population, PopulationLaw, SizeLaw, budgets
from market_sim.shapes import Array, as_floats, whole_number
from market_sim.streams import Streams
from market_sim.valuation import KINDS, Valuations

_STEP = KINDS.index("step")
_PRIOR_OWNERS = 200_000
_OWNERS = (*(10,) * 10, 5, 5, 7, 7, 20, 20, 50, 50, 200, 200, 2000, 2000, 20_000)


@dataclass(frozen=True)
class MenuRecipe(JudgedRecipe):
    """Minimize E[ERR / mean ERR of its like] over the parameters of a menu network.

    The owners' choices are smoothed and the temperature falls until they are nearly exact; nothing
    else is relaxed, since menus are truthful and within the budget whatever the parameters are.

    Parameters
    ----------
    owners
        Numbers of owners, one drawn for each batch (repeat a number to have it more often).
    max_cap, sizes
        Law of the owners, see `PopulationLaw`.
    rate_low, rate_high
        B = rate * sum_i [s_i] v_i(cap_i), the rate log-uniform in between; the network is not told
        the rate.
    single_minded, mixed
        Shares of profiles whose owners are all single-minded, or each with a probability of the
        profile's own. The rest are multi-minded.
    order, verified, hidden, blocks
        See `MenuSettings`.
    options
        Privacy losses on sale during training; clearing has more.
    iterations, rows, learning_rate
        Steps of Adam, owners in a batch, and its rate, which falls along a cosine.
    temperature_start, temperature_end
        Of the smoothed choice, in units of money left a sample left.
    average_from
        Share of the training after which the parameters are averaged.
    emphasis
        Weight of the highest rates beside the lowest, log-linear in between.
    held_out_every, held_out_profiles
        How often the exact choice is scored, and on how many markets of the first number of owners.
    checkpoint_every
        Iterations between two checkpoints.
    seed
        Seed of everything.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.
    """

    owners: tuple[int, ...] = _OWNERS
    max_cap: float = 2.0
    sizes: SizeLaw = "reference"
    rate_low: float = 0.06
    rate_high: float = 3.0
    single_minded: float = 0.1
    mixed: float = 0.1
    order: str = "size"
    verified: bool = True
    hidden: int = 48
    blocks: int = 16
    options: int = 48
    iterations: int = 10_000
    rows: int = 7680
    learning_rate: float = 3e-3
    temperature_start: float = 0.15
    temperature_end: float = 0.01
    average_from: float = 0.7
    emphasis: float = 2.0
    held_out_every: int = 500
    held_out_profiles: int = 400
    checkpoint_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "owners", tuple(self.owners))
        if not self.owners:
            raise InvalidInput("owners is empty: give at least one number of owners to train with")
        for number in self.owners:
            whole_number("owners", number, 1)
        counts = "options iterations rows held_out_every held_out_profiles checkpoint_every"
        for name in counts.split():
            whole_number(name, getattr(self, name), 1)
        whole_number("seed", self.seed, 0)
        low, high = as_floats("rates", [self.rate_low, self.rate_high], positive=True)
        if low > high:
            raise InvalidInput(f"rates must be in ascending order, got {low:g}, {high:g}")
        for name in ("learning_rate", "temperature_start", "temperature_end", "emphasis"):
            as_floats(name, getattr(self, name), positive=True)
        minds = as_floats("single_minded and mixed", [self.single_minded, self.mixed], minimum=0.0)
        if minds.sum() > 1.0 or not 0.0 <= self.average_from < 1.0:
            raise InvalidInput(
                "single_minded + mixed must be at most 1 and average_from in [0, 1), got "
                f"{self.single_minded:g} + {self.mixed:g} and {self.average_from:g}"
            )
        _ = self.law(1), MenuSettings(MenuGrid(self.max_cap), Prior(), **self._form)

    @property
    def _form(self) -> dict[str, Any]:
        names = ("hidden", "blocks", "order", "verified")
        return {name: getattr(self, name) for name in names}

    def law(self, owners: int) -> PopulationLaw:
        """Return the law of multi-minded owners."""
        return PopulationLaw(owners=owners, cap=(0.5, self.max_cap), sizes=self.sizes)

    @property
    def settings(self) -> MenuSettings:
        """Form of the network, with the prior of the law measured on a sample."""
        pool = self.law(_PRIOR_OWNERS).sample(Streams(self.seed).generator("menu prior"))
        reports = pool.reports()
        size = np.ones(_PRIOR_OWNERS) if pool.data_size is None else pool.data_size
        mean = float(size.mean())
        value, half = (float(reports.cost(cap).mean()) for cap in (pool.cap, pool.cap / 2.0))
        prior = Prior(*(float(f"{x:.4g}") for x in (value / mean, half / mean, mean)))
        return MenuSettings(MenuGrid(self.max_cap), prior, **self._form)

    @property
    def metadata(self) -> dict[str, Any]:
        """What is kept with the network, as plain values."""
        content = {"settings": self.settings.plain(), "recipe": asdict(self)}
        return as_plain(content)

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """Return the recipe of a network's metadata."""
        return cls(**{**values, "owners": tuple(values["owners"])})

    def sample(
        self, rng: np.random.Generator, profiles: int, owners: int
    ) -> tuple[Population, Array, Array]:
        """Draw markets: owners, budgets, and where each rate lies between lowest and highest.

        The places, in [0, 1), are stratified: one in each of `profiles` equal parts.
        """
        population = self.law(owners).sample(rng, (profiles,))
        population = self._with_single_minds(rng, population)
        place = (np.arange(profiles) + rng.random()) / profiles
        rate = self.rate_low * (self.rate_high / self.rate_low) ** place
        return population, rate * budgets(population, 1.0, "proportional"), place

    def _with_single_minds(self, rng: np.random.Generator, population: Population) -> Population:
        """Return the owners with some valuations replaced by steps of the same value at the cap."""
        mind = rng.random(population.shape[0])
        chance = np.where(mind < self.single_minded, 1.0, rng.random(len(mind)))
        chance = np.where(mind < self.single_minded + self.mixed, chance, 0.0)
        step = rng.random(population.shape) < chance[:, None]
        true = population.valuations
        kind = np.where(step, _STEP, true.kind)
        rate = np.where(step, true.cost(population.cap), true.rate)
        return Population(Valuations(kind, rate), population.cap, population.data_size)

    def trainer(self) -> JudgedTrainer:
        """Return a fresh training by this recipe."""
        from market_sim.mechanisms.networks.menu_training import MenuTrainer

        return MenuTrainer(self)
