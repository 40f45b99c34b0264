"""Records of the experiment "versions": markets for versions of one model, and what is swept."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from scenarios.parts import Count, Name, NonNegative, Part, Positive

Share = Annotated[float, Field(ge=0, le=1)]
Swept = Literal[
    "surveyed",
    "buyers",
    "cut",
    "pool",
    "owners",
    "cost_scale",
    "low",
    "high",
    "lie",
    "arbitrageurs",
]
_WHOLE = ("surveyed", "buyers", "owners")


class SweepConfig(Part):
    """A parameter that is swept: a key of the market with a number, or "cost_scale"."""

    parameter: Swept
    values: tuple[NonNegative, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"different values, got {list(self.values)}")
        if self.parameter in _WHOLE and any(value != round(value) for value in self.values):
            raise ValueError(f"whole numbers of {self.parameter}")
        return self


class VersionBuyersConfig(Part):
    """Who buys: the versions' labels, what each is worth on average, and who wants which."""

    labels: tuple[Positive, ...] = Field(min_length=1)
    worth: tuple[Positive, ...] = Field(min_length=1)
    demand: tuple[Positive, ...] = ()
    spread: Literal["uniform", "exponential", "lognormal"] = "uniform"
    surveyed: Count = 100
    number: Count = 200
    arbitrageurs: Share = 0.0


class VersionOwnersConfig(Part):
    """Who sells data: costs are drawn uniformly; samples are those of the learning task.

    Without a learning task every owner has `samples` of them. `liars` is the share of owners who
    report `lie` times their cost. `high` is left out where epsilon has no ceiling.
    """

    number: Count = 50
    cost: tuple[Positive, Positive] = (0.5, 1.5)
    samples: Count = 30
    q: Positive = 1.0
    p: Positive = 1.0
    low: NonNegative = 0.0
    high: Positive | None = None
    liars: Share = 0.0
    lie: Positive = 1.0
    choice: Literal["equilibrium", "in-turn"] = "equilibrium"
    assignment: Literal["chosen", "reported"] = "chosen"


class VersionBrokerConfig(Part):
    """How the broker prices, what she promises, and how she settles; see `SaleTerms`."""

    pricing: tuple[str, ...] = ("complete-space",)
    exponent: Literal[1, 2] = 2
    weight: Positive = 1e5
    cut: Annotated[float, Field(ge=0, lt=1)] = 0.2
    pool: Positive | None = None
    best_pool: bool = False
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    lowest: Literal["refuse", "lower"] = "refuse"
    settlement: Literal["fixed", "shared"] = "fixed"
    draws: Literal["independent", "nested"] = "independent"


class VersionNoiseConfig(Part):
    """How epsilon becomes noise; see `OwnerNoise`. `rounds` is also how long is trained."""

    clip: Positive = 1.0
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-5
    rounds: Count = 1
    method: Literal["zcdp", "analytic", "classic"] = "zcdp"


class VersionMarketConfig(Part):
    """One market: buyers, owners, broker, noise; how many rounds; what is swept, if anything.

    Attributes
    ----------
    learns
        Whether models are trained and judged, which the section [learning] describes.
    choices
        List, for each number of versions, the smallest pool that pays for it and its profit.
    """

    name: Name
    title: str = ""
    rounds: Count = 1
    buyers: VersionBuyersConfig
    owners: VersionOwnersConfig = VersionOwnersConfig()
    broker: VersionBrokerConfig = VersionBrokerConfig()
    noise: VersionNoiseConfig = VersionNoiseConfig()
    sweep: SweepConfig | None = None
    learns: bool = True
    choices: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.owners.high is not None and self.owners.low > self.owners.high:
            raise ValueError(f"low at most high, got {self.owners.low:g} and {self.owners.high:g}")
        if self.owners.cost[0] > self.owners.cost[1]:
            raise ValueError("the two costs in ascending order")
        if not self.broker.pricing:
            raise ValueError("at least one rule of pricing")
        return self

    def at(self, value: float | None) -> "VersionMarketConfig":
        """Return the market with the swept parameter at a value."""
        if self.sweep is None or value is None:
            return self
        name = self.sweep.parameter
        number: Any = int(value) if name in _WHOLE else value
        if name == "cost_scale":
            scaled = tuple(value * bound for bound in self.owners.cost)
            return self._with("owners", {"cost": scaled})
        if name in ("owners", "low", "high", "lie"):
            return self._with("owners", {"number" if name == "owners" else name: number})
        if name in ("cut", "pool"):
            return self._with("broker", {name: number})
        return self._with("buyers", {"number" if name == "buyers" else name: number})

    def _with(self, part: str, changes: dict[str, Any]) -> "VersionMarketConfig":
        fresh = getattr(self, part).model_dump() | changes
        return type(self).model_validate(self.model_dump() | {part: fresh, "sweep": None})
