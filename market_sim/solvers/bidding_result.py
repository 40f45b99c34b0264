"""What the solvers of bidding games return: play, and the evidence that it is an equilibrium."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.games.bidding_strategy import Bidding
from market_sim.shapes import Array

Owners = Float[NDArray[np.float64], " owners"]
Steps = Float[NDArray[np.float64], " steps"]


@dataclass(frozen=True, eq=False)
class BiddingEquilibrium:
    """A symmetric strategy of a bidding game from which hardly anybody gains, and by how much.

    Attributes
    ----------
    strategy
        Maps true (value, cap) to reported (bid, cap), array by array.
    regret, regret_error
        Expected gain of an owner by the best other report found for her type, in money, with its
        standard error; by code that does not know the solver, on owners it never saw.
    worst_regret
        The largest gain of a type among those tried (an estimate: noise makes it larger).
    residual
        The solver's own measure: the mean gain that it still saw at its knots, or a price's error.
    price
        Unit price, for mean-field play; else NaN.
    converged
        Whether the regret, less two standard errors, is within the tolerance.
    status, steps, solver
        A sentence, steps made, and the method.
    history
        The residual after each step, shape `(steps,)`.
    """

    strategy: Bidding
    regret: float
    regret_error: float
    worst_regret: float
    residual: float
    price: float
    converged: bool
    status: str
    steps: int
    solver: str
    history: Steps

    def __str__(self) -> str:
        return f"{self.solver}: regret {self.regret:.2g} +- {self.regret_error:.1g}: {self.status}"


@dataclass(frozen=True, eq=False)
class BidProfile:
    """Reports of owners who know each other's types, and what nobody gains by another report.

    Attributes
    ----------
    bid, cap
        What each owner reports, shape `(owners,)`.
    epsilon, payment, utility
        What she sells, gets, and has of it, in money; same shape.
    gain
        The most that each owner gains by another report, found by code that does not know the
        solver; same shape.
    regret
        The largest of these.
    residual
        The largest gain on the solver's own grid.
    converged, status, steps, solver
        Whether nobody gains on the grid; a sentence; moves made; the method.
    history
        Sum of the gains of the moves in each round, shape `(rounds,)`.
    """

    bid: Owners
    cap: Owners
    epsilon: Owners
    payment: Owners
    utility: Owners
    gain: Owners
    regret: float
    residual: float
    converged: bool
    status: str
    steps: int
    solver: str
    history: Steps

    def __str__(self) -> str:
        return f"{self.solver}: regret {self.regret:.2g}: {self.status}"


@dataclass(frozen=True, eq=False)
class TypedEquilibrium:
    """A symmetric mixed equilibrium of a game with few types and few reports.

    Attributes
    ----------
    strategy
        Probability of each report of each type, shape `(types, reports)`.
    mean_bid
        Mean bid of each type, shape `(types,)`.
    regret
        The most that a type gains by one of the listed reports, enumerated by other code.
    residual
        The same by the solver's own payoffs.
    converged, status, steps, solver
        As in `BiddingEquilibrium`.
    history
        Residual at the solver's checks, shape `(checks,)`.
    """

    strategy: Float[NDArray[np.float64], "types reports"]
    mean_bid: Array
    regret: float
    residual: float
    converged: bool
    status: str
    steps: int
    solver: str
    history: Steps

    def __str__(self) -> str:
        return f"{self.solver}: regret {self.regret:.2g}: {self.status}"
