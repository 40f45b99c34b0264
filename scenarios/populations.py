"""Who owns what and what money there is: population, its settings, budgets."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from scenarios.parts import Count, Name, Part, Positive

Bounds = tuple[Positive, Positive]
Sizes = Literal["none", "reference", "partition"]
BudgetLaw = Literal["fixed", "proportional", "per-owner"]
OwnerLaw = Literal["fl-market", "uniform", "bimodal", "realistic"]
_OF_THE_LAW = ("kinds", "rate", "cap")


class PopulationConfig(Part):
    """The law of the owners; see `market_sim.PopulationLaw`.

    `law` names one of the privacy auction game, which says what kinds, rate and cap are; with
    "fl-market" these keys say it. `sizes = "partition"` takes the data sizes that the learning
    task's partition gives.
    """

    owners: Count = 10
    law: OwnerLaw = "fl-market"
    kinds: tuple[str, ...] = ("linear", "quadratic", "sqrt", "exponential")
    rate: Bounds = (0.5, 1.5)
    cap: Bounds = (0.5, 5.0)
    sizes: Sizes = "none"
    lifetime_cap: Positive | None = None
    single_minded: bool = False

    @model_validator(mode="after")
    def _one_law(self) -> Self:
        """Refuse kinds, rates and caps beside a law that says what they are."""
        for key in _OF_THE_LAW if self.law != "fl-market" else ():
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"no key {key!r}, since law = {self.law!r} says what it is")
        return self


class SettingConfig(Part):
    """A named change of the population, such as low or high sensitivity."""

    name: Name = "default"
    owners: Count | None = None
    law: OwnerLaw | None = None
    kinds: tuple[str, ...] | None = None
    rate: Bounds | None = None
    cap: Bounds | None = None
    sizes: Sizes | None = None
    lifetime_cap: Positive | None = None
    single_minded: bool | None = None

    def changes(self) -> dict[str, Any]:
        """Return what differs from the scenario's population."""
        return self.model_dump(exclude={"name"}, exclude_none=True)


class BudgetConfig(Part):
    """The buyer's money: a law and the levels of the sweep.

    `sizes` says whether owners have data sizes under this law, if not as in the population.
    """

    law: BudgetLaw = "fixed"
    levels: tuple[Positive, ...] = Field(min_length=1)
    sizes: Sizes | None = None
