"""Baselines without an auction: what a model learns if nobody is asked for a price."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from market_sim.mechanisms.base import Guarantees, Mechanism
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import as_budget, as_number

_UNPAID = Guarantees(
    truthful_in=("value",), truthful_for="any", budget_feasible=True, anonymous=True
)


@dataclass(frozen=True)
class UniformEpsilon(Mechanism):
    """Every owner gives min(epsilon, cap_i) and is paid nothing.

    Parameters
    ----------
    epsilon
        Privacy loss asked of everybody, > 0; infinite asks everybody for her whole cap.

    Raises
    ------
    InvalidInput
        If epsilon is not one positive number.

    Notes
    -----
    Outside the money: no report of a value matters, so no lie in it pays, but an owner loses
    what her privacy costs and would rather offer less.

    Source: privacy auction game [S], federated learning with one privacy level for all.
    """

    epsilon: float = 1.0

    def __post_init__(self) -> None:
        as_number("epsilon", self.epsilon, positive=True, finite=False)

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value, since nothing depends on it; nobody is paid for her loss."""
        return _UNPAID

    @property
    def name(self) -> str:
        """`uniform-epsilon`, with the level where it is not 1."""
        return "uniform-epsilon" if self.epsilon == 1.0 else f"uniform-epsilon-{self.epsilon:g}"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        self.require_families(reports)
        money = as_budget(budget, reports.profiles)
        given = np.minimum(reports.cap, self.epsilon)
        return Outcome(given, np.zeros(reports.shape), money, reports.data_size)


@dataclass(frozen=True)
class NoPrivacy(Mechanism):
    """Every owner gives her gradient as it is, and is paid nothing.

    The outcome states her cap, the largest loss that a report admits. `perturbs` is false: a
    market adds no noise, weighs by data size, and its ledger enters an infinite loss for everybody.
    With finite lifetime caps this happens once, after which nobody has privacy left.

    Notes
    -----
    Source: privacy auction game [S], federated averaging without privacy.
    """

    perturbs: ClassVar[bool] = False

    @property
    def guarantees(self) -> Guarantees:
        """Truthful in value, since nothing depends on it; nobody is paid for her loss."""
        return _UNPAID

    @property
    def name(self) -> str:
        """`no-privacy`."""
        return "no-privacy"

    def clear(self, reports: Reports, budget: ArrayLike) -> Outcome:
        """Return the outcome; see `Mechanism.clear` for shapes and errors."""
        return UniformEpsilon(np.inf).clear(reports, budget)
