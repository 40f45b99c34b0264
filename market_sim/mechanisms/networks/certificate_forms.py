"""Affine forms: all values that a tensor takes over a small box of two inputs, kept as one tensor.

A form c + s_1 x_1 + s_2 x_2 + e y with x_1, x_2, y in [-1, 1] runs through the mechanism's own code
in place of a tensor: every operation of torch on it is replaced by one that encloses its result.
What is linear in the inputs is followed exactly, so the enclosure of a box of width h is off by
O(h^2). Every operation widens e by a bound of its rounding, so that the enclosure holds for the
exact result and for any evaluation in double precision. Profiles are boxes of their own: what mixes
them, as no mechanism does, is not enclosed.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Self, TypeVar

import torch
from torch import Tensor

from market_sim.errors import InvalidInput

ULP = 2.0**-53
Rule = TypeVar("Rule", bound=Callable[..., Any])
RULES: dict[Any, Callable[..., Any]] = {}
MOVERS: set[Any] = set()


class Parts(NamedTuple):
    """Center, two slopes and error of a form, all of its shape; the error is >= 0."""

    center: Tensor
    first: Tensor
    second: Tensor
    error: Tensor

    @property
    def linear(self) -> Tensor:
        """|s_1| + |s_2|."""
        return self.first.abs() + self.second.abs()

    @property
    def radius(self) -> Tensor:
        """Half of the width of the enclosure."""
        return self.linear + self.error

    @property
    def size(self) -> Tensor:
        """Largest absolute value of the enclosure."""
        return self.center.abs() + self.radius

    def bounds(self) -> tuple[Tensor, Tensor]:
        """Return the ends of the enclosure, rounded outward."""
        reach = self.radius + 8 * ULP * self.size
        return self.center - reach, self.center + reach

    def widened(self, more: Tensor) -> "Parts":
        """Return the parts with a larger error."""
        return self._replace(error=self.error + more)


class Form(Tensor):
    """A tensor of affine forms; see the module. Make one by `box_form` or `form_of`."""

    parts: Parts

    def __new__(cls, parts: Parts, dtype: torch.dtype = torch.float64) -> Self:
        """Return a tensor without memory of its own, of the parts' shape."""
        form: Self = torch.Tensor._make_wrapper_subclass(cls, parts.center.shape, dtype=dtype)
        form.parts = parts
        return form

    def __repr__(self) -> str:  # type: ignore[override]
        """Return shape and widest enclosure."""
        return f"Form(shape={tuple(self.shape)}, widest={float(self.parts.radius.max()):.3g})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Enclose the result of one operation of torch."""
        name = func.overloadpacket
        if name not in RULES:
            raise InvalidInput(
                "this mechanism cannot be certified: its networks use the operation "
                f"{name.__name__!r}, which has no enclosure by affine forms"
            )
        first = (func,) if name in MOVERS else ()
        return RULES[name](*first, *args, **(kwargs or {}))


def form_of(value: Any, like: Tensor | None = None) -> Parts:
    """Return the parts of a form, or those of a constant (of the shape of `like`, if given)."""
    if isinstance(value, Form):
        return value.parts
    center = torch.as_tensor(value, dtype=torch.float64)
    if like is not None:
        center = center.expand(like.shape)
    zero = torch.zeros_like(center)
    return Parts(center, zero, zero, zero)


def box_form(low: Tensor, high: Tensor, axis: int) -> Form:
    """Return an input that runs from `low` to `high` with coordinate `axis` (0 or 1).

    Where the two are equal, it is a constant.
    """
    center = 0.5 * (low + high)
    half = torch.maximum(high - center, center - low)
    zero = torch.zeros_like(half)
    slopes = (half, zero) if axis == 0 else (zero, half)
    moving = half > 0
    error = torch.where(moving, 4 * ULP * (center.abs() + half), zero)
    return Form(Parts(torch.where(moving, center, low), *slopes, error))


def rule(*names: str, moves: bool = False) -> Callable[[Rule], Rule]:
    """Register the enclosure of operations of torch, by their names in `torch.ops.aten`.

    With `moves` it is told the operation first, which it does to each part.
    """

    def register(function: Rule) -> Rule:
        for name in names:
            RULES[getattr(torch.ops.aten, name)] = function
            if moves:
                MOVERS.add(getattr(torch.ops.aten, name))
        return function

    return register
