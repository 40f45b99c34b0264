"""Valuations: what each unit of privacy loss costs its owner, for whole populations at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int8
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats, broadcast_owners, frozen, require_fit

KINDS = ("linear", "quadratic", "sqrt", "exponential", "step")
"""Names of the families; a kind's code is its place in this tuple."""

_BASES: tuple[Callable[[Array], Array], ...] = (
    lambda epsilon: 2.0 * epsilon,
    np.square,
    lambda epsilon: 2.0 * np.sqrt(epsilon),
    np.expm1,
    lambda epsilon: (epsilon > 0).astype(np.float64),
)


def kind_codes(kind: object) -> NDArray[np.int8]:
    """Return the codes of kinds given by name or by code.

    Raises
    ------
    InvalidInput
        If a name or a code is unknown.
    """
    array = np.asarray(kind)
    if array.dtype.kind in "iu":
        if array.size and (array.min() < 0 or array.max() >= len(KINDS)):
            raise InvalidInput(f"kind codes run from 0 to {len(KINDS) - 1}, got {array}")
        return array.astype(np.int8)
    names = np.asarray(array, dtype=str)
    codes = np.full(names.shape, -1, dtype=np.int8)
    for code, name in enumerate(KINDS):
        codes[names == name] = code
    if (codes < 0).any():
        unknown = sorted({str(name) for name in names[codes < 0]})
        raise InvalidInput(f"unknown kind {unknown}, expected one of {list(KINDS)}")
    return codes


@dataclass(frozen=True, eq=False, init=False)
class Valuations:
    r"""v_i(eps) = rate_i * base_i(eps): the money that losing eps of privacy costs owner i.

    The bases are linear 2 eps, quadratic eps^2, sqrt 2 sqrt(eps), exponential e^eps - 1 and step
    1{eps > 0} (a single-minded owner, who minds only whether she sells at all). All are 0 at 0 and
    non-decreasing.

    Parameters
    ----------
    kind
        Names of families (or their codes), shape `(*profiles, owners)` or broadcastable to it.
    rate
        Multiplier alpha_i >= 0, same shape.

    Raises
    ------
    InvalidInput
        If a kind is unknown, a rate negative or not finite, or the shapes do not fit.

    Notes
    -----
    Source: FL-Market [S] (arXiv 2106.04384), section on the simulation setting; the step family is
    the single-minded owner of its All-in auction.
    """

    kind: Int8[NDArray[np.int8], "*profiles owners"]
    rate: Float[NDArray[np.float64], "*profiles owners"]

    def __init__(self, kind: object, rate: ArrayLike) -> None:
        codes = kind_codes(kind)
        rates = np.atleast_1d(as_floats("rate", rate, minimum=0.0))
        if codes.ndim == 0:
            codes = np.full(rates.shape[-1:], codes, dtype=np.int8)
        broad_kind, broad_rate = broadcast_owners(kind=codes.astype(np.float64), rate=rates)
        object.__setattr__(self, "kind", _frozen_codes(broad_kind))
        object.__setattr__(self, "rate", frozen(broad_rate))

    @classmethod
    def linear(cls, unit_value: ArrayLike) -> Self:
        """Return v_i(eps) = unit_value_i eps: owners to whom each unit of privacy costs the same.

        The rate is half the unit value, as the linear base is 2 eps.

        Raises
        ------
        InvalidInput
            If a unit value is negative or not finite.

        Notes
        -----
        Source: privacy auction game [S], cost v_i eps.
        """
        return cls("linear", 0.5 * as_floats("unit_value", unit_value, minimum=0.0))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape `(*profiles, owners)`."""
        return self.rate.shape

    @property
    def names(self) -> NDArray[np.str_]:
        """Family of each owner by name, same shape."""
        return np.asarray(KINDS)[self.kind]

    def base(self, epsilon: ArrayLike) -> Array:
        """Return base_i(eps), the valuation at rate 1; same shapes and errors as `cost`."""
        amount = as_floats("epsilon", epsilon, minimum=0.0)
        require_fit("epsilon", amount, self.shape)
        kind, amount = np.broadcast_arrays(self.kind, amount)
        if not self._present:
            return np.zeros(amount.shape)
        first, *others = self._present
        if not others:
            return np.asarray(_BASES[first](amount))
        kinds, amounts = kind.reshape(-1), amount.reshape(-1)
        result = np.empty(amounts.shape)
        for code in self._present:  # gathering by index is several times faster than by mask
            members = np.flatnonzero(kinds == code)
            result[members] = _BASES[code](amounts.take(members))
        return result.reshape(amount.shape)

    @cached_property
    def _present(self) -> list[int]:
        """Codes of the families that occur."""
        return [code for code in range(len(KINDS)) if (self.kind == code).any()]

    def cost(self, epsilon: ArrayLike) -> Float[NDArray[np.float64], "..."]:
        """Return v(eps) for privacy losses eps >= 0 that broadcast with `(*profiles, owners)`.

        Raises
        ------
        InvalidInput
            If epsilon is negative or not finite, or a cost overflows double precision.
        """
        with np.errstate(over="ignore"):
            cost = np.asarray(self.rate * self.base(epsilon))
        if not np.isfinite(cost).all():
            raise InvalidInput(
                f"the cost of epsilon up to {np.max(epsilon):g} exceeds double precision: "
                "give smaller privacy losses (an exponential valuation overflows near 709)"
            )
        return cost

    def scaled(self, factor: ArrayLike) -> Self:
        """Return the valuations multiplied by `factor` >= 0 (broadcast over owners)."""
        factors = as_floats("factor", factor, minimum=0.0)
        require_fit("factor", factors, self.shape)
        return type(self)(self.kind, self.rate * factors)

    def __getitem__(self, index: Any) -> Self:
        """Return part of the valuations; the result must keep an axis of owners."""
        return type(self)(self.kind[index], self.rate[index])

    def __len__(self) -> int:
        """Length of the first axis."""
        return self.shape[0]


def _frozen_codes(codes: Array) -> NDArray[np.int8]:
    compact = codes.astype(np.int8)
    compact.flags.writeable = False
    return compact
