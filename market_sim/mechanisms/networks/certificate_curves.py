"""Enclosures of the curved operations (tanh, exp, log, softmax, ...) for affine forms.

f(z) on [low, high] is a line of a chosen slope plus the range of f(z) - slope z, which is known at
the ends and where f' equals the slope. On short intervals the slope is the tangent's in the middle;
on long ones the smaller of those at the ends, whose enclosure is the range of f itself.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.certificate_forms import ULP, Form, Parts, rule
from market_sim.mechanisms.networks.certificate_rules import added, minus, multiplied, scaled

_SHORT = 1.0
_FARTHEST = 50.0  # spreads beyond give [0, 1] in any case
_TINY = 1e-300  # what may vanish below double precision
_FUNCTION = 64 * ULP  # relative error of an elementary function and of what is built on it
Curve = Callable[[Tensor], Tensor]


def curved(parts: Parts, function: Curve, slope: Curve) -> Parts:
    """Enclose an increasing function whose slope is monotone on either side of 0."""
    low, high = parts.bounds()
    middle = 0.5 * (low + high)
    short = high - low < _SHORT
    line = torch.where(short, slope(middle), torch.minimum(slope(low), slope(high)))
    # Where the slope is even, as of tanh, it is that of the line at -middle too. There the distance
    # is not extreme on a short interval: 4 a / cosh(a)^2 >= tanh(3 a) + tanh(a) for a <= 1/4.
    apart = torch.stack([function(place) - line * place for place in (low, high, middle)])
    # Along the smallest slope f(z) - slope z grows: of long intervals the ends are enough.
    apart[2] = torch.where(short, apart[2], apart[0])
    least, most = apart.amin(dim=0), apart.amax(dim=0)
    slack = _FUNCTION * (
        torch.maximum(function(low).abs(), function(high).abs())
        + line.abs() * (low.abs() + high.abs())
    )
    error = line.abs() * parts.error + 0.5 * (most - least) + slack
    center = line * parts.center + 0.5 * (least + most)
    return Parts(center, line * parts.first, line * parts.second, error)


@rule("tanh")
def tanh(form: Form) -> Form:
    """Return tanh z."""
    return Form(curved(form.parts, torch.tanh, lambda z: 1.0 - torch.tanh(z).square()))


@rule("sigmoid")
def sigmoid(form: Form) -> Form:
    """Return (1 + tanh(z / 2)) / 2."""
    return added(scaled(tanh(scaled(form, 0.5)), 0.5), 0.5)


@rule("exp")
def exp(form: Form) -> Form:
    """Return e^z."""
    return Form(curved(form.parts, torch.exp, torch.exp))


@rule("expm1")
def expm1(form: Form) -> Form:
    """Return e^z - 1."""
    return Form(curved(form.parts, torch.expm1, torch.exp))


@rule("log")
def log(form: Form) -> Form:
    """Return log z, z > 0."""
    return Form(curved(_positive(form.parts), torch.log, torch.reciprocal))


@rule("sqrt")
def sqrt(form: Form) -> Form:
    """Return the root of z > 0."""
    return Form(curved(_positive(form.parts), torch.sqrt, lambda z: 0.5 / z.sqrt()))


@rule("reciprocal")
def reciprocal(form: Form) -> Form:
    """Return 1 / z, z > 0."""
    turned = minus(_positive(form.parts))
    return Form(curved(turned, lambda z: -1.0 / z, lambda z: 1.0 / z.square()))


def _positive(parts: Parts) -> Parts:
    """Return parts, no number where the enclosure reaches 0: of such a box nothing is known."""
    unknown = parts.bounds()[0] <= 0
    return parts._replace(center=torch.where(unknown, torch.nan, parts.center))


@rule("div")
def divided(one: Any, other: Any) -> Form:
    """Return one / other; a form that is divided by must be > 0."""
    if isinstance(other, Form):
        return multiplied(one, reciprocal(other))
    return scaled(one, 1.0 / torch.as_tensor(other, dtype=torch.float64))


@rule("square")
def square(form: Form) -> Form:
    """Return z^2."""
    return multiplied(form, form)


@rule("pow")
def power(form: Form, exponent: Any) -> Form:
    """Return z^2; other powers have no enclosure."""
    if exponent != 2:
        raise InvalidInput(f"powers have an enclosure for the exponent 2 only, got {exponent}")
    return square(form)


@rule("clamp")
def clamped(form: Form, min: Any = None, max: Any = None) -> Form:  # noqa: A002 - torch's names
    """Cut at constants: unchanged where they are not reached, else between the two lines."""
    parts = form.parts
    if min is not None:
        parts = _at_least(parts, min)
    if max is not None:
        parts = minus(_at_least(minus(parts), -max))
    return Form(parts)


@rule("clamp_min")
def clamped_below(form: Form, limit: Any) -> Form:
    """Return max(z, limit)."""
    return clamped(form, limit)


@rule("clamp_max")
def clamped_above(form: Form, limit: Any) -> Form:
    """Return min(z, limit)."""
    return clamped(form, None, limit)


@rule("relu")
def relu(form: Form) -> Form:
    """Return max(z, 0)."""
    return clamped(form, 0.0)


def _at_least(parts: Parts, limit: float) -> Parts:
    """Enclose max(z, limit): the chord's slope, and half of its largest distance from the kink."""
    low, high = parts.bounds()
    bottom = torch.as_tensor(limit, dtype=torch.float64)
    width = torch.where(high > low, high - low, 1.0)
    line = ((high - bottom) / width).clamp(0.0, 1.0)
    line = torch.where(low >= bottom, 1.0, line)
    # max(z, limit) - line z lies between its value at the kink and that at the ends.
    top = torch.where(low >= bottom, 0.0, torch.maximum(low, bottom) - line * low)
    kink = torch.where(low >= bottom, 0.0, (1.0 - line) * bottom)
    kink = torch.where(high <= bottom, bottom.expand_as(low), kink)
    top = torch.where(high <= bottom, bottom.expand_as(low), top)
    error = line * parts.error + 0.5 * (top - kink).abs() + _FUNCTION * (parts.size + bottom.abs())
    center = line * parts.center + 0.5 * (top + kink)
    return Parts(center, line * parts.first, line * parts.second, error)


@rule("_softmax")
def softmax(form: Form, dim: int, _half_to_float: bool = False) -> Form:
    r"""Enclose p = softmax(z) by its tangent and |p_j''| <= p_j (1 - p_j) w^2.

    Along a line z + t d, p_j'' = p_j ((d_j - mean d)^2 - var d), with the mean under p. With w the
    spread of d, |d_j - mean d| <= (1 - p_j) w and var d <= E (d - d_j)^2 <= (1 - p_j) w^2. On the
    way p_j and 1 - p_j grow by at most e^w each.
    """
    center, first, second, error = form.parts
    chance = torch.softmax(center, dim)

    def tangent(slope: Tensor) -> Tensor:
        return slope - (chance * slope).sum(dim, keepdim=True)

    ahead, aside = tangent(first), tangent(second)
    reach = ahead.abs() + aside.abs() + error
    spread = reach.topk(min(2, reach.shape[dim]), dim=dim).values.sum(dim, keepdim=True)
    growth = spread.clamp(max=_FARTHEST).exp()
    slack = (2 * reach.shape[dim] + 64) * ULP * (1.0 + form.parts.size.amax(dim, keepdim=True))
    rest = (1.0 - chance + slack) * growth
    bend = 0.5 * spread.square() * growth * torch.clamp(rest, max=1.0)
    blur = error + (chance * error).sum(dim, keepdim=True)
    wrong = chance * (blur + bend + slack) + _TINY
    return Form(_within_unit(Parts(chance, chance * ahead, chance * aside, wrong)))


def _within_unit(parts: Parts) -> Parts:
    """Return the form of [0, 1] where the enclosure is wider than that."""
    wide = ~(parts.radius < 0.5)
    trivial = (0.5, 0.0, 0.0, 0.5)
    return Parts(*(torch.where(wide, t, p) for t, p in zip(trivial, parts, strict=True)))
