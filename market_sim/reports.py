"""Reports: what the owners tell the broker."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import (
    Array,
    as_floats,
    broadcast_owners,
    frozen,
    require_fit,
    require_owners,
)
from market_sim.valuation import Valuations


@dataclass(frozen=True, eq=False, init=False)
class Reports:
    """(v'_i, eps_bar'_i[, s'_i]): each owner's reported valuation, cap and, if used, data size.

    Parameters
    ----------
    valuations
        Reported valuation functions, shape `(*profiles, owners)`.
    cap
        Largest privacy loss the owner offers, eps_bar'_i > 0, same shape (leading axes broadcast).
    data_size
        Reported number of samples s'_i > 0. With sizes, the cost of selling eps is
        `data_size * v(eps)` (the later version of FL-Market); without, it is `v(eps)`.

    Raises
    ------
    InvalidInput
        If a cap or a size is zero, negative or not finite, or the shapes do not fit.

    Notes
    -----
    Source: FL-Market [S], bids (v'_i, eps_bar'_i); [S] 2022, bids (s'_i, v'_i, eps_bar'_i).
    """

    valuations: Valuations
    cap: Float[NDArray[np.float64], "*profiles owners"]
    data_size: Float[NDArray[np.float64], "*profiles owners"] | None

    def __init__(
        self, valuations: Valuations, cap: ArrayLike, data_size: ArrayLike | None = None
    ) -> None:
        if not isinstance(valuations, Valuations):
            raise InvalidInput(f"valuations must be ms.Valuations, got {type(valuations).__name__}")
        arrays = {"rate": valuations.rate, "cap": as_floats("cap", cap, positive=True)}
        if data_size is not None:
            arrays["data_size"] = as_floats("data_size", data_size, positive=True)
        rate, caps, *sizes = broadcast_owners(**arrays)
        if rate.shape != valuations.shape:
            valuations = Valuations(valuations.kind, rate)
        object.__setattr__(self, "valuations", valuations)
        object.__setattr__(self, "cap", frozen(caps))
        object.__setattr__(self, "data_size", frozen(sizes[0]) if sizes else None)

    @classmethod
    def single_minded(
        cls, *, value: ArrayLike, cap: ArrayLike, data_size: ArrayLike | None = None
    ) -> Self:
        """Return the reports of owners who ask `value` in total for selling anything up to `cap`.

        `value` is the whole sum V_i, also when sizes are given (it is not multiplied by them).

        Raises
        ------
        InvalidInput
            As the class; `value` must be finite and not negative.
        """
        values = as_floats("value", value, minimum=0.0)
        require_owners("value", values)
        if data_size is not None:
            values = values / as_floats("data_size", data_size, positive=True)
        return cls(Valuations("step", values), cap, data_size)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape `(*profiles, owners)`."""
        return self.cap.shape

    @property
    def profiles(self) -> tuple[int, ...]:
        """Shape of the leading axes; `()` for a single profile."""
        return self.cap.shape[:-1]

    @property
    def owners(self) -> int:
        """Number of owners."""
        return int(self.cap.shape[-1])

    @cached_property
    def value(self) -> Array:
        """V_i = [s_i] v_i(eps_bar_i): the money asked for selling the whole cap, same shape."""
        return frozen(self.cost(self.cap))

    @property
    def mass(self) -> Array:
        """[s_i] eps_bar_i: what the owner puts on sale, in units of privacy (times samples)."""
        return self.cap if self.data_size is None else self.cap * self.data_size

    @property
    def unit_value(self) -> Array:
        """u_i = V_i / mass_i: the money asked per unit on sale."""
        return self.value / self.mass

    def cost(self, epsilon: ArrayLike) -> Array:
        """Return the reported cost `[data_size *] v(eps)` of selling eps, same shapes as v."""
        cost = self.valuations.cost(epsilon)
        return cost if self.data_size is None else self.data_size * cost

    def scaled(self, value: ArrayLike = 1.0, cap: ArrayLike = 1.0) -> Self:
        """Return reports with valuations times `value` and caps times `cap` (broadcast)."""
        factor = as_floats("cap factor", cap, positive=True)
        require_fit("cap factor", factor, self.shape)
        return type(self)(self.valuations.scaled(value), self.cap * factor, self.data_size)

    def select(self, owners: NDArray[np.intp] | slice) -> Self:
        """Return the reports of some owners, in the order given; leading axes are kept."""
        index = (..., owners)
        size = None if self.data_size is None else self.data_size[index]
        return type(self)(self.valuations[index], self.cap[index], size)

    def replace(
        self,
        owner: int,
        *,
        kind: ArrayLike | None = None,
        rate: ArrayLike | None = None,
        cap: ArrayLike | None = None,
    ) -> Self:
        """Return reports in which one owner says something else.

        Replacements broadcast with the profiles: new leading axes come first, so 50 misreports of
        one owner against 1,000 profiles are `rate` of shape `(50, 1)` or `(50, 1000)`.
        """
        new = [np.asarray(x) for x in (kind, rate, cap) if x is not None]
        profiles = np.broadcast_shapes(self.profiles, *(x.shape for x in new))
        shape = (*profiles, self.owners)
        kinds = np.array(np.broadcast_to(self.valuations.kind, shape))
        rates = np.array(np.broadcast_to(self.valuations.rate, shape))
        caps = np.array(np.broadcast_to(self.cap, shape))
        for array, value in ((kinds, kind), (rates, rate), (caps, cap)):
            if value is not None:
                array[..., owner] = value
        size = None if self.data_size is None else np.broadcast_to(self.data_size, shape)
        return type(self)(Valuations(kinds, rates), caps, size)
