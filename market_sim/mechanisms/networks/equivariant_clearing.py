"""One common price level at which what all owners choose from their menus just costs the budget."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

_STEPS = 32  # halvings of the bracket of the level
_GRAIN = 64.0  # the bracket starts on multiples of 1/64: the same numbers in any batch
_MIDDLE = 1.0  # log level half way between ample and short money
_STEEPEST = -3.9  # so that every offer rises with the level: the slope of s is at most 1/4
_FLATTEST = 0.2  # least slope taken for spending against log level; 1 for equal menus
_NUDGE = 1e-3  # change of the log level by which a slope is measured
_GRID = 2.0**30  # logarithms are rounded to 2^-30: last digits depend on the shape of a batch
_CELLS = 2**17  # options of all owners worked on at once
_DEAREST = 1e12  # costs count up to so many budgets: beyond that nothing is ever bought

PerOwner = Float[Tensor, "rows owners"]
PerOption = Float[Tensor, "rows owners options"]
Law = Float[Tensor, "rows owners outcomes"]
Level = Float[Tensor, "rows"]


@dataclass(frozen=True, eq=False)
class Menus:
    """What every owner is offered for each option, and what she says it costs her.

    Attributes
    ----------
    ample
        Log offers in shares of the budget, ascending in m, where money is ample (low levels).
    extra
        What is added to them where money is short (high levels): at the log level l option m pays
        exp(l + ample_im + s extra_im), s = sigmoid(l - 1), which rises with l.
    cost
        Reported cost of the options, ascending in m, in shares of the budget.
    """

    ample: PerOption
    extra: PerOption
    cost: PerOption

    @classmethod
    def of(cls, ample: PerOption, dear: PerOption, cost: PerOption) -> "Menus":
        """Return menus from log offers where money is ample and where it is short.

        Costs count up to 10^12 budgets, so that nothing overflows.
        """
        extra = (dear - ample).clamp(min=_STEEPEST)
        return cls(_rounded(ample), _rounded(extra), cost.clamp(max=_DEAREST))

    def detach(self) -> "Menus":
        """Return the same numbers without slopes."""
        return Menus(self.ample.detach(), self.extra.detach(), self.cost.detach())

    def split(self) -> list["Menus"]:
        """Return the menus in groups of owners that stay in the processor's cache."""
        rows, _, options = self.cost.shape
        size = max(1, _CELLS // (rows * options))
        columns = (part.split(size, dim=1) for part in (self.ample, self.extra, self.cost))
        return [Menus(*part) for part in zip(*columns, strict=True)]

    @property
    def differentiable(self) -> bool:
        """Whether anything depends on something that has slopes."""
        return any(part.requires_grad for part in (self.ample, self.extra, self.cost))

    def same_level(self, level: Level) -> PerOwner:
        """Return one log level a row for all its owners."""
        return level.unsqueeze(-1).expand(self.cost.shape[:-1])

    def paid(self, level: PerOwner) -> PerOption:
        """Return what each option pays at the owners' log levels."""
        short = _rounded(torch.sigmoid(level - _MIDDLE)).unsqueeze(-1)
        return torch.exp(level.unsqueeze(-1) + self.ample + short * self.extra)

    def chosen(self, level: PerOwner) -> tuple[PerOwner, Int64[Tensor, "rows owners"]]:
        """Return what each owner's best option pays, and its number; 0 and 0 for losing."""
        paid = self.paid(level)
        best, option = (paid - self.cost).max(dim=-1)
        won = best >= 0
        money = paid.gather(-1, option.unsqueeze(-1)).squeeze(-1)
        return torch.where(won, money, 0.0), torch.where(won, option + 1, 0)

    def smoothed(self, level: PerOwner, temperature: float) -> tuple[PerOwner, Law]:
        """Return expected money and chances, a softmax in units of temperature x largest offer."""
        paid = self.paid(level)
        gain = (paid - self.cost) / (temperature * paid[..., -1:])
        chance = torch.cat([torch.zeros_like(gain[..., :1]), gain], dim=-1).softmax(dim=-1)
        return (chance[..., 1:] * paid).sum(dim=-1), chance

    def bracket(self) -> tuple[Level, Level]:
        """Return a log level at which the budget suffices and one at which it does not.

        Below, even the largest offers of all together cost at most the budget. Above, some owner
        alone earns at least half of her largest offer from her best option, which is then worth
        the budget (times M + 1 for a smoothed choice, which picks it with chance >= 1 / (M + 1)).
        """
        ample, extra, cost = (part[..., -1] for part in (self.ample, self.extra, self.cost))
        low = -(ample + extra.clamp(min=0.0)).logsumexp(dim=-1)
        enough = (2.0 * cost).clamp(min=2.0 * self.cost.shape[-1] + 2.0)
        high = (enough.log() - ample - extra.clamp(max=0.0)).amin(dim=-1)
        low = torch.floor(low * _GRAIN) / _GRAIN
        return low, low + torch.ceil((high - low) * _GRAIN).clamp(min=1.0) / _GRAIN


@torch.no_grad()
def clear_exactly(
    menus: Menus, skips: int = 0
) -> tuple[PerOwner, Int64[Tensor, "rows owners"], PerOwner]:
    r"""Return payments, options and log levels at the highest level that the budget can pay.

    l* = sup{l : sum_i T_i(l) <= 1}, T_i(l) what owner i's best option pays at level l: it rises
    with l (revealed preference), so halving finds it. As T_i jumps, money is left over; then the
    owner with the largest jump is held at l* and the level of the others goes on, `skips` times.

    Returns
    -------
    Payments in shares of the budget (their sum is at most 1), options (0 for losing), and the log
    level of each owner; each of shape `(rows, owners)`.
    """
    low, top = menus.bracket()
    held = torch.full_like(menus.cost[..., 0], torch.inf)
    for turn in range(skips + 1):
        low, high = _halve(menus, held, low, top)
        if turn < skips:
            held = _hold_the_largest_jump(menus, held, low, high)
    level = torch.minimum(low.unsqueeze(-1), held)
    money, option = menus.chosen(level)
    return money, option, level


def _halve(menus: Menus, held: PerOwner, low: Level, high: Level) -> tuple[Level, Level]:
    parts = menus.split()
    holds = held.split(parts[0].cost.shape[1], dim=1)
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        spent = torch.zeros_like(middle)
        for part, hold in zip(parts, holds, strict=True):
            spent += part.chosen(torch.minimum(middle.unsqueeze(-1), hold))[0].sum(dim=-1)
        fits = spent <= 1.0
        low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
    return low, high


def _hold_the_largest_jump(menus: Menus, held: PerOwner, low: Level, high: Level) -> PerOwner:
    before = menus.chosen(torch.minimum(low.unsqueeze(-1), held))[0]
    after = menus.chosen(torch.minimum(high.unsqueeze(-1), held))[0]
    largest = (after - before).argmax(dim=-1, keepdim=True)
    first: Bool[Tensor, "rows owners"] = torch.zeros_like(held, dtype=torch.bool)
    first = first.scatter(-1, largest, True)
    return torch.where(first, torch.minimum(held, low.unsqueeze(-1)), held)


def clear_smoothly(menus: Menus, temperature: float) -> tuple[PerOwner, Law]:
    """Return expected payments, whose sum is 1, and chances, at the level that spends the budget.

    The level's slope is that of the root of `sum_i E T_i(l) = 1`: one Newton step from the root
    found without slopes.
    """
    level, slope = _smooth_root(menus.detach(), temperature)
    money, chance = menus.smoothed(menus.same_level(level), temperature)
    if menus.differentiable:
        level = level - (money.sum(dim=-1) - 1.0) / slope
        money, chance = menus.smoothed(menus.same_level(level), temperature)
    return money / money.sum(dim=-1, keepdim=True).clamp(min=1.0), chance


@torch.no_grad()
def _smooth_root(menus: Menus, temperature: float) -> tuple[Level, Level]:
    """Return the log level that spends the budget and the slope of the spending there."""

    def spent(level: Level) -> Level:
        return menus.smoothed(menus.same_level(level), temperature)[0].sum(dim=-1)

    low, high = menus.bracket()
    for _ in range(_STEPS if low.dtype == torch.float64 else _STEPS // 2):
        middle = 0.5 * (low + high)
        fits = spent(middle) <= 1.0
        low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
    slope = (spent(low + _NUDGE) - spent(low - _NUDGE)) / (2.0 * _NUDGE)
    return low, slope.clamp(min=_FLATTEST)


def _rounded(values: Tensor) -> Tensor:
    """Return values on a grid in double precision, with the slopes of the values themselves."""
    if values.dtype != torch.float64:
        return values
    return values + (torch.round(values * _GRID) / _GRID - values).detach()
