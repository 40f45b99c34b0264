"""Outcome: what every owner sells and what she is paid, with its accounting identities."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_budget, as_floats, broadcast_owners, frozen, require_fit
from market_sim.valuation import Valuations


@dataclass(frozen=True, eq=False, init=False)
class Outcome:
    """(eps_i, p_i): the privacy that each owner sells and the money that she receives.

    Identities, up to rounding: `spent + unspent == budget`, and the sum over owners of
    `utility + cost == payment`, hence `sum(utility) + sum(cost) == spent`.

    Parameters
    ----------
    epsilon
        Privacy loss sold, >= 0, shape `(*profiles, owners)`; 0 for who sells nothing.
    payment
        Money received, >= 0, same shape.
    budget
        Money the buyer brought, > 0, shape `profiles` or broadcastable to it.
    data_size
        Sizes that multiply the owners' costs, if sizes are used.

    Raises
    ------
    InvalidInput
        If a number is negative or not finite, or the shapes do not fit.
    """

    epsilon: Float[NDArray[np.float64], "*profiles owners"]
    payment: Float[NDArray[np.float64], "*profiles owners"]
    budget: Float[NDArray[np.float64], "*profiles"]
    data_size: Float[NDArray[np.float64], "*profiles owners"] | None

    def __init__(
        self,
        epsilon: ArrayLike,
        payment: ArrayLike,
        budget: ArrayLike,
        data_size: ArrayLike | None = None,
    ) -> None:
        arrays = {
            "epsilon": as_floats("epsilon", epsilon, minimum=0.0),
            "payment": as_floats("payment", payment, minimum=0.0),
        }
        if data_size is not None:
            arrays["data_size"] = as_floats("data_size", data_size, positive=True)
        sold, paid, *sizes = broadcast_owners(**arrays)
        object.__setattr__(self, "epsilon", frozen(sold))
        object.__setattr__(self, "payment", frozen(paid))
        object.__setattr__(self, "budget", frozen(as_budget(budget, sold.shape[:-1])))
        object.__setattr__(self, "data_size", frozen(sizes[0]) if sizes else None)

    @property
    def spent(self) -> Float[NDArray[np.float64], "*profiles"]:
        """Money paid out, sum of p_i over owners."""
        return np.asarray(self.payment.sum(axis=-1))

    @property
    def unspent(self) -> Float[NDArray[np.float64], "*profiles"]:
        """Money that goes back to the buyer, B - sum p_i (negative where a rule overspends)."""
        return np.asarray(self.budget - self.spent)

    @property
    def winners(self) -> Bool[NDArray[np.bool_], "*profiles owners"]:
        """Who sells: eps_i > 0."""
        return self.epsilon > 0

    def cost(
        self, true_valuations: Valuations, data_size: ArrayLike | None = None
    ) -> Float[NDArray[np.float64], "*profiles owners"]:
        """Return what the sale truly costs each owner, `[s_i] v_i(eps_i)`.

        `data_size` gives the true sizes where they differ from the reported ones.
        """
        cost = true_valuations.cost(self.epsilon)
        size = self.data_size
        if data_size is not None:
            size = as_floats("data_size", data_size, positive=True)
            require_fit("data_size", size, cost.shape)
        return cost if size is None else np.asarray(size * cost)

    def utility(
        self,
        true_valuations: Valuations,
        cap: ArrayLike | None = None,
        data_size: ArrayLike | None = None,
    ) -> Float[NDArray[np.float64], "*profiles owners"]:
        """Return p_i - [s_i] v_i(eps_i), minus infinity where eps_i exceeds the true `cap`.

        Source: FL-Market [S], the owner's utility.

        Raises
        ------
        InvalidInput
            If the shapes do not fit.
        """
        if true_valuations.shape[-1] != self.epsilon.shape[-1]:
            raise InvalidInput(
                f"the outcome has {self.epsilon.shape[-1]} owners but the true valuations have "
                f"{true_valuations.shape[-1]}"
            )
        utility = self.payment - self.cost(true_valuations, data_size)
        if cap is None:
            return utility
        limit = as_floats("cap", cap, minimum=0.0)
        require_fit("cap", limit, utility.shape)
        return np.where(exceeds(self.epsilon, limit), -np.inf, utility)


def exceeds(epsilon: Array, cap: Array) -> NDArray[np.bool_]:
    """Return where eps is above the cap by more than rounding (relative 1e-12)."""
    return np.asarray(epsilon > cap * (1.0 + 1e-12))
