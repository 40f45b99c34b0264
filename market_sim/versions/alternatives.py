"""What else the broker could have done: one flat price, or an auction for the owners' privacy."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.mechanisms.all_in import AllIn
from market_sim.pricing import Survey, price_versions
from market_sim.reports import Reports
from market_sim.shapes import as_floats, require_owners
from market_sim.versions.owner_noise import OwnerNoise


@dataclass(frozen=True, eq=False)
class Procurement:
    """Privacy that was bought in an auction.

    Attributes
    ----------
    epsilon
        What each owner sold, shape `(owners,)`.
    payment
        What she got, in money.
    cost
        What it cost her, in money.
    label
        Label of the model that it buys.
    """

    epsilon: Float[NDArray[np.float64], " owners"]
    payment: Float[NDArray[np.float64], " owners"]
    cost: Float[NDArray[np.float64], " owners"]
    label: float

    @property
    def spent(self) -> float:
        """Sum of payments."""
        return float(self.payment.sum())


def auction_privacy(
    cost: ArrayLike,
    data_size: ArrayLike,
    *,
    p: float,
    cap: float,
    budget: float,
    noise: OwnerNoise,
) -> Procurement:
    """Buy privacy by All-in with critical payments instead of a contest, at the same budget.

    Every owner offers the whole cap for her true cost c_i cap^p, which is her best offer there.

    Parameters
    ----------
    cost
        c_i > 0, shape `(owners,)`.
    data_size
        n_i > 0, shape `(owners,)`.
    p
        Exponent of the cost.
    cap
        Epsilon that each of them offers, > 0 and finite.
    budget
        Money, > 0.
    noise
        How epsilon becomes noise.

    Raises
    ------
    InvalidInput
        If a number is out of its range or the shapes do not fit.

    Notes
    -----
    Source: FL-Market, All-in; [D] its use in place of the reward game.
    """
    costs = as_floats("cost", cost, positive=True)
    sizes = as_floats("data_size", data_size, positive=True)
    most = as_floats("cap", cap, positive=True)
    require_owners("cost", costs)
    if sizes.shape != costs.shape or costs.ndim != 1 or most.ndim:
        raise InvalidInput(
            "cost and data_size must be one number an owner and cap one number, got shapes "
            f"{costs.shape}, {sizes.shape} and {most.shape}"
        )
    asked = costs * float(most) ** p
    reports = Reports.single_minded(value=asked, cap=np.full(costs.shape, float(most)))
    outcome = AllIn().clear(reports, budget)
    won = outcome.epsilon > 0
    label = float(noise.global_label(outcome.epsilon, sizes))
    return Procurement(outcome.epsilon, outcome.payment, np.where(won, asked, 0.0), label)


def flat_price(survey: Survey) -> float:
    """Return the one price for all versions that earns most from the surveyed buyers.

    Raises
    ------
    InvalidInput
        If nobody would pay anything.
    """
    return float(price_versions(survey, "flat").prices[0])
