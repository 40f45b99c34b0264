"""Enclosures of the operations that move numbers about or are linear, for affine forms."""

from typing import Any

import torch
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.certificate_forms import ULP, Form, Parts, form_of, rule

_FEW = 16 * ULP  # relative rounding of a handful of operations
_MOVES = (
    *("view", "_unsafe_view", "expand", "unsqueeze", "squeeze", "select", "slice", "permute"),
    *("transpose", "t", "clone", "detach", "alias", "lift_fresh", "flip", "index", "gather"),
)


@rule(*_MOVES, moves=True)
def moved(func: Any, form: Any, *args: Any, **kwargs: Any) -> Form:
    """Move every part alike."""
    if any(isinstance(arg, Form) for arg in args):
        raise InvalidInput("a form cannot be an index: the mechanism's choices have no enclosure")
    return Form(Parts(*(func(part, *args, **kwargs) for part in form.parts)))


@rule("_to_copy")
def copied(form: Form, *, dtype: torch.dtype | None = None, **_: Any) -> Form:
    """Keep double precision, whatever the network computes in."""
    return Form(form.parts, form.dtype if dtype is None else dtype)


@rule("unbind", "split", "split_with_sizes", moves=True)
def parted(func: Any, form: Form, *args: Any, **kwargs: Any) -> list[Form]:
    """Cut every part alike."""
    cut = (func(part, *args, **kwargs) for part in form.parts)
    return [Form(Parts(*parts)) for parts in zip(*cut, strict=True)]


@rule("cat", "stack", moves=True)
def joined(func: Any, tensors: list[Any], *args: Any) -> Form:
    """Join part by part; constants have no slopes."""
    columns = zip(*(form_of(tensor) for tensor in tensors), strict=True)
    return Form(Parts(*(func(list(column), *args) for column in columns)))


@rule("zeros_like", "ones_like", "full_like", moves=True)
def constant(func: Any, form: Form, *args: Any, **kwargs: Any) -> Tensor:
    """Return a plain tensor."""
    kwargs["dtype"] = kwargs.get("dtype") or torch.float64
    result: Tensor = func(form.parts.center, *args, **kwargs)
    return result


@rule("where")
def chosen(condition: Tensor, one: Any, other: Any) -> Form:
    """Choose part by part; the condition is a constant."""
    if isinstance(condition, Form):
        raise InvalidInput("a condition on a form has no enclosure: it must be decided first")
    pairs = zip(form_of(one), form_of(other), strict=True)
    return Form(Parts(*(torch.where(condition, a, b) for a, b in pairs)))


@rule("gt")
def above(one: Any, other: Any) -> Tensor:
    """Return where one > other, which must be the same all over the box."""
    low, high = _difference(one, other)
    return _decided(low > 0, high <= 0)


@rule("ge")
def at_least(one: Any, other: Any) -> Tensor:
    """Return where one >= other, which must be the same all over the box."""
    low, high = _difference(one, other)
    return _decided(low >= 0, high < 0)


@rule("lt")
def below(one: Any, other: Any) -> Tensor:
    """Return where one < other, which must be the same all over the box."""
    return above(other, one)


@rule("le")
def at_most(one: Any, other: Any) -> Tensor:
    """Return where one <= other, which must be the same all over the box."""
    return at_least(other, one)


def _difference(one: Any, other: Any) -> tuple[Tensor, Tensor]:
    """Return bounds of one - other."""
    if not isinstance(other, Form) and not torch.as_tensor(other).any():
        return form_of(one).bounds()  # a comparison with 0 is exact
    return subtracted(one, other).parts.bounds()


def _decided(yes: Tensor, no: Tensor) -> Tensor:
    if not (yes | no).all():
        raise InvalidInput(
            "this mechanism cannot be certified here: it compares numbers whose order changes "
            "within a box"
        )
    return yes


@rule("max", "min")
def extreme(_: Form, *dim: Any) -> Tensor:
    """Return no number: the extreme of all profiles serves checks; a result made of it is unknown.

    Comparisons with it are false.
    """
    if dim:
        raise InvalidInput("a maximum along an axis has no enclosure: give a smooth form of it")
    return torch.full((), torch.nan, dtype=torch.float64)


@rule("neg")
def negated(form: Form) -> Form:
    """Return -form."""
    return Form(minus(form.parts))


def minus(parts: Parts) -> Parts:
    """Return the parts of the negative."""
    return Parts(-parts.center, -parts.first, -parts.second, parts.error)


@rule("add")
def added(one: Any, other: Any, *, alpha: float = 1.0) -> Form:
    """Add slopes; errors add up."""
    a, b = form_of(one), form_of(other)
    center, first, second = (x + alpha * y for x, y in zip(a[:3], b[:3], strict=True))
    error = a.error + abs(alpha) * b.error + _FEW * (a.size + abs(alpha) * b.size)
    return Form(_full(center, first, second, error))


@rule("sub")
def subtracted(one: Any, other: Any, *, alpha: float = 1.0) -> Form:
    """Return one - alpha * other."""
    return added(one, other, alpha=-alpha)


@rule("rsub")
def subtracted_from(one: Any, other: Any, alpha: float = 1.0) -> Form:
    """Return other - alpha * one."""
    return added(other, one, alpha=-alpha)


def _full(*parts: Tensor) -> Parts:
    """Return parts of one shape."""
    return Parts(*torch.broadcast_tensors(*parts))


@rule("mul")
def multiplied(one: Any, other: Any) -> Form:
    r"""Return (a + s x + e y)(b + t x + f z); of s_i t_i x_i^2 half is in the center."""
    if not isinstance(other, Form):
        return scaled(one, other)
    if not isinstance(one, Form):
        return scaled(other, one)
    a, b = one.parts, other.parts
    square = (a.first * b.first, a.second * b.second)
    center = a.center * b.center + 0.5 * (square[0] + square[1])
    first = a.center * b.first + b.center * a.first
    second = a.center * b.second + b.center * a.second
    error = (
        0.5 * (square[0].abs() + square[1].abs())
        + (a.first * b.second + a.second * b.first).abs()
        + a.error * b.size
        + b.error * (a.center.abs() + a.linear)
        + _FEW * a.size * b.size
    )
    return Form(_full(center, first, second, error))


def scaled(form: Form, factor: Any) -> Form:
    """Return a form times a constant."""
    number = torch.as_tensor(factor, dtype=torch.float64)
    center, first, second, error = form.parts
    grown = number.abs() * (error + _FEW * form.parts.size)
    return Form(_full(center * number, first * number, second * number, grown))


@rule("sum", "mean", moves=True)
def summed(func: Any, form: Form, *args: Any, **kwargs: Any) -> Form:
    """Sum or average every part."""
    center, first, second, error = (func(part, *args, **kwargs) for part in form.parts)
    terms = form.numel() / max(1, center.numel())
    error = error + (2 * terms + 16) * ULP * func(form.parts.size, *args, **kwargs)
    return Form(Parts(center, first, second, error))


@rule("mm", "bmm")
def product(one: Tensor, other: Tensor) -> Form:
    """Multiply by a constant matrix, from either side; two forms element by element."""
    if isinstance(one, Form) and isinstance(other, Form):
        both = one.unsqueeze(-1) * other.unsqueeze(-3)
        return summed(torch.ops.aten.sum, multiplied(both, 1.0), [-2])
    left = isinstance(one, Form)
    parts, matrix = (form_of(one), other) if left else (form_of(other), one)
    matrix = matrix.double()

    def times(part: Tensor, by: Tensor) -> Tensor:
        return part @ by if left else by @ part

    center, first, second = (times(part, matrix) for part in parts[:3])
    # Rounding is bounded by the sum of absolute values; the error itself is a sum, too.
    slack = (2 * one.shape[-1] + 16) * ULP
    error = times(parts.error + slack * parts.size, matrix.abs())
    return Form(Parts(center, first, second, error))


@rule("addmm")
def affine(bias: Tensor, one: Tensor, other: Tensor) -> Form:
    """Return bias + one @ other."""
    return added(product(one, other), bias)
