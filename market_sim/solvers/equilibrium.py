"""Equilibrium: what a solver found, with the evidence that it is one."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Num
from numpy.typing import NDArray

from market_sim.shapes import Array

Strategy = Num[NDArray[Any], "*axes"]


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Play from which nobody gains by moving alone, and by how much it misses that.

    Attributes
    ----------
    strategy
        Pure play: the level number of each user, shape `(users,)`. Symmetric mixed play: the
        probability of each level, shape `(levels,)`. Mixed play of two users: shape
        `(users, levels)`.
    regret
        The most that any user gains by moving alone, computed afterwards by code that does not
        know the solver; rounding leaves it around 1e-15 of the utility.
    residual
        The solver's own measure of what is left to do, in the unit of payoffs.
    status
        How the solver ended, a sentence.
    steps
        Moves made, states looked at or subdivisions, as the solver counts.
    solver
        Its name.
    alpha
        Share of the value that is paid out.
    utility
        U of the play (its expectation if mixed); the platform keeps (1 - alpha) of it.
    represents
        How many profiles it stands for: equilibria that differ by who, among users who are alike
        in the data, is at which level.
    witness
        The potential before the first move and after each, for dynamics; else None.
    """

    strategy: Strategy
    regret: float
    residual: float
    status: str
    steps: int
    solver: str
    alpha: float
    utility: float
    represents: int = 1
    witness: Array | None = None

    @property
    def value(self) -> float:
        """What the platform keeps, (1 - alpha) U."""
        return (1.0 - self.alpha) * self.utility

    def __str__(self) -> str:
        play = ", ".join(f"{x:.6g}" for x in self.strategy.reshape(-1)[:12])
        more = ", ..." if self.strategy.size > 12 else ""
        return f"({play}{more}), regret {self.regret:.2g}: {self.status}"
