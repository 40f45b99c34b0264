"""What a reward contest comes to: the equilibrium with its evidence, and a sentence about it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

Owners = Float[NDArray[np.float64], " owners"]
Mask = Bool[NDArray[np.bool_], " owners"]


@dataclass(frozen=True, eq=False)
class ContestEquilibrium:
    """Play of a contest from which nobody gains by moving alone, with the evidence.

    Attributes
    ----------
    epsilon
        Privacy loss that each owner chooses, shape `(owners,)`; 0 for whoever stays out.
    payment
        R z_i, in money; they sum to the pool unless nobody takes part.
    utility
        Payment less the cost of privacy, in money.
    share
        z_i = y_i / Y.
    regret
        The most that any owner who has not left gains by another epsilon (or by leaving, where she
        may), in money, computed afterwards by code that does not know the solver.
    entry_regret
        The most that an owner who left would gain by coming back while the others stay as they
        are, in money. It may be positive: they would not stay, and with them settled anew she
        would lose again.
    residual
        |sum z_i - 1| as the solver left it.
    pool, total
        R, and Y = sum of s_i epsilon_i^q.
    at_low, at_high
        Who stands at a positive floor, at a finite ceiling.
    dropped
        Numbers of the owners who left because the floor would cost them more than it pays, in the
        order in which they left.
    status, steps, solver
        A sentence, evaluations of the sum of shares, and the method.
    """

    epsilon: Owners
    payment: Owners
    utility: Owners
    share: Owners
    regret: float
    entry_regret: float
    residual: float
    pool: float
    total: float
    at_low: Mask
    at_high: Mask
    dropped: Int[NDArray[np.int64], " dropped"]
    status: str
    steps: int
    solver: str

    @property
    def cost(self) -> Owners:
        """What the chosen privacy costs each owner, in money."""
        return self.payment - self.utility

    @property
    def active(self) -> Mask:
        """Who has a share of the pool."""
        return np.asarray(self.share > 0)

    def __str__(self) -> str:
        return f"{self.active.sum()} owners share {self.pool:g}: {self.status}"


def describe(result_of: int, share: Owners, at_low: Mask, at_high: Mask, left: int) -> str:
    """Return the sentence of a play: who shares, who stands at a bound, who is not attracted."""
    sharing = int((share > 0).sum())
    if not sharing:
        return f"nobody takes part: the floor would cost each of {_owners(left)} more than it pays"
    parts = [f"{sharing} of {_owners(result_of)} share the pool"]
    parts += [f"{int(at_low.sum())} at the floor"] if at_low.any() else []
    parts += [f"{int(at_high.sum())} at the ceiling"] if at_high.any() else []
    parts += [f"{left} left because the floor would cost more than it pays"] if left else []
    idle = result_of - sharing - left
    parts += [f"{idle} not attracted at this pool's price"] if idle else []
    return ", ".join(parts)


def _owners(number: int) -> str:
    return f"{number} owner{'s' if number != 1 else ''}"
