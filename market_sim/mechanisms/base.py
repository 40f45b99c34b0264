"""Mechanism: the rule by which a broker turns reports and money into privacy and payments."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget
from market_sim.valuation import KINDS

Minded = Literal["single-minded", "linear", "any", "none"]


@dataclass(frozen=True)
class Guarantees:
    """What a mechanism promises; the contract tests and the audit check each claim by attack.

    Attributes
    ----------
    truthful_in
        Parts of the report in which no lie pays: any of "value" and "cap".
    truthful_for
        For whom: "single-minded" owners (a fixed cost for any sale), "linear" owners (the same cost
        for each unit), "any" non-decreasing valuation, or "none".
    individually_rational
        No truthful owner is paid less than her cost.
    budget_feasible
        The payments never exceed the budget.
    deterministic
        The same reports always give the same outcome.
    caps_verified
        The promises hold for caps up to the true one: a larger report is taken to be impossible,
        since owners must be able to show what they offer. Otherwise they hold for any cap, where
        selling more than the true one is worth minus infinity.
    anonymous
        A permutation of the owners permutes the outcome (ties aside).
    within_caps
        Nobody sells more than the cap she reports; true of all but some rules kept as published.
    """

    truthful_in: tuple[str, ...] = ()
    truthful_for: Minded = "none"
    individually_rational: bool = False
    budget_feasible: bool = False
    deterministic: bool = True
    anonymous: bool = False
    within_caps: bool = True
    caps_verified: bool = False


class Mechanism(ABC):
    """A procurement auction: reports and a budget in, an `Outcome` out, for any leading axes.

    Attributes
    ----------
    perturbs
        Whether gradients are delivered with noise; false for the baseline without privacy alone.
    """

    perturbs: ClassVar[bool] = True

    @property
    @abstractmethod
    def guarantees(self) -> Guarantees:
        """What this rule promises."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name for tables and figures."""

    @property
    def families(self) -> tuple[str, ...]:
        """Families of valuations that the rule is defined for: all of `KINDS` unless it says so."""
        return KINDS

    def require_families(self, reports: Reports) -> None:
        """Refuse reports of a family that the rule is not defined for.

        Raises
        ------
        InvalidInput
            Naming the rule, what it takes and what it was given; or if these are no reports.
        """
        _require_reports(reports)
        known = np.isin(KINDS, self.families)
        fits = known[reports.valuations.kind]
        if not fits.all():
            strange = sorted({KINDS[code] for code in np.unique(reports.valuations.kind[~fits])})
            raise InvalidInput(
                f"{self.name} is defined for {' and '.join(self.families)} valuations only, got "
                f"{strange}: use a rule for any valuation, such as ms.AllIn"
            )

    @abstractmethod
    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return who sells how much privacy for what payment.

        Parameters
        ----------
        reports
            What the owners say, shape `(*profiles, owners)`; never changed.
        budget
            The buyer's money, > 0, one number or shape `profiles`.

        Raises
        ------
        InvalidInput
            If the budget is not positive and finite or does not fit the profiles, or a valuation
            is of a family that the rule is not defined for.
        """


class PiecewiseConstant(ABC):
    """A mechanism whose outcome for owner i, at a fixed cap, is constant between critical values.

    Such rules can be attacked exactly: one misreport in each piece and one on each border.
    """

    @property
    def is_piecewise_constant(self) -> bool:
        """Whether this holds with the settings chosen; always, unless a rule says otherwise."""
        return True

    @abstractmethod
    def critical_values(self, reports: Reports, budget: ArrayLike, owner: int) -> Array:
        """Return all total values V'_i at which the outcome of `owner` can change.

        Shape `(*profiles, candidates)`; entries need not be sorted and may repeat or be infinite
        (an infinite entry is no candidate). The others' reports and the owner's reported cap are
        taken from `reports`.
        """


class KnownExpectation(ABC):
    """A mechanism that knows its own expectations and finds lies by their slopes.

    The audit tries these lies beside its own, and judges a random rule by its expectations instead
    of by draws.
    """

    @abstractmethod
    def expectation(
        self, reports: Reports, budget: ArrayLike, truth: Reports
    ) -> tuple[Array, Array, Array]:
        """Return expected true utility, payment and epsilon, each `(*profiles, owners)`.

        The utility is minus infinity where an owner may sell more than her true cap.
        """

    @abstractmethod
    def strongest_lies(
        self, reports: Reports, budget: ArrayLike, deviation: str, seed: int
    ) -> Reports:
        """Return the best lies found, each owner lying on her own while the others are truthful.

        Parameters
        ----------
        reports
            The truth, shape `(*profiles, owners)`, which is that of the result.
        budget
            The buyer's money.
        deviation
            "value", "cap" or "both": which part of the report may lie. A lie in value may name
            another family.
        seed
            Seed of the search.
        """


def flat(reports: Reports, budget: ArrayLike) -> tuple[Array, Array, Array, Array]:
    """Return value, mass and cap of shape `(rows, owners)` and the budget of shape `(rows,)`."""
    _require_reports(reports)
    money = as_budget(budget, reports.profiles).reshape(-1)
    shape = (money.size, reports.owners)
    value, mass, cap = (a.reshape(shape) for a in (reports.value, reports.mass, reports.cap))
    return value, mass, cap, money


def _require_reports(reports: object) -> None:
    """Refuse anything that is no `Reports`."""
    if not isinstance(reports, Reports):
        raise InvalidInput(f"reports must be ms.Reports, got {type(reports).__name__}")
