"""A falling price at which owners sell for good: one code for training and for clearing.

Tensors have shape `(rows, owners)`, or `(rows,)` for what a market has once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor

_SPACING = 0.05  # of the logarithms of two prices, times the number of owners
_FINEST = 1e-5  # the same for many owners, of whose budget it is the share that is not spent
_MARGIN = 1e-12  # relative: what rounding may cost neither the buyer nor the owners
_TINY = 1e-13  # a supply, in shares of what the mean budget buys, taken for none

Release = Callable[[Tensor, Tensor], Tensor]
"""(price over B / N, sums of the marks of those who left) -> share of the budget held back."""


def spacing(owners: int) -> float:
    """Return the difference of the logarithms of two neighbouring ticks."""
    return max(_SPACING / max(owners, 2), _FINEST)


@dataclass(frozen=True, eq=False)
class Clock:
    """Owners, money and prices; nothing here is learned.

    The price falls through the ticks (B / N) e^{-step l}, l any integer, and stops in between at
    the value of every owner who leaves.

    Attributes
    ----------
    order
        Who leaves when: by falling value, equal ones as given.
    value, cap
        Of the owners in this order, the value with a margin for rounding.
    budget
        The buyer's money, less a margin for rounding.
    unit
        B / N, the price of tick 0.
    top
        The highest price that may be paid; infinite for any.
    step
        Difference of the logarithms of two ticks.
    """

    order: Int64[Tensor, "rows owners"]
    value: Float[Tensor, "rows owners"]
    cap: Float[Tensor, "rows owners"]
    budget: Float[Tensor, " rows"]
    unit: Float[Tensor, " rows"]
    top: Float[Tensor, " rows"]
    step: float

    @classmethod
    def of(
        cls, value: Tensor, cap: Tensor, budget: Tensor, *, step: float, reserve: float | None
    ) -> Self:
        """Return the clock of owners whose costs are value * epsilon."""
        falling, order = value.sort(dim=1, descending=True, stable=True)
        top = torch.full_like(budget, torch.inf if reserve is None else reserve)
        money = budget * (1.0 - _MARGIN)
        unit = budget / value.shape[-1]
        cap = cap.gather(1, order)
        return cls(order, falling * (1.0 + _MARGIN), cap, money, unit, top, step)

    def tick(self, number: Float[Tensor, " rows"]) -> Float[Tensor, " rows"]:
        """Return the price of a tick."""
        return self.unit * torch.exp(-self.step * number)

    def first_price(self) -> Float[Tensor, " rows"]:
        """Return a price over B / N above which nothing can be sold."""
        gone, tick = self.start()
        asked = self.value.gather(1, gone[:, None])[:, 0]
        return torch.maximum(self.tick(tick), asked) / self.unit

    @torch.no_grad()
    def start(self) -> tuple[Int64[Tensor, " rows"], Float[Tensor, " rows"]]:
        """Return how many have left and the next tick, before anything can be sold.

        That is where the money first pays, if all of it is released, for all who are left but the
        largest. The tick is minus infinite where the price could start anywhere.
        """
        cap = self.cap.flip(1)
        rest = (cap.cumsum(1) - cap.cummax(1).values).flip(1).clamp_min(0.0)
        pays = rest * self.value <= self.budget[:, None] * (1.0 + 1e-9)
        gone = pays.int().argmax(dim=1)  # the cheapest owner is always paid for: rest is 0 there
        row = torch.arange(len(gone))
        price = torch.minimum(self.budget * (1.0 + 1e-9) / rest[row, gone], self.top)
        left = (gone - 1).clamp_min(0)
        price = torch.where(gone > 0, torch.minimum(price, self.value[row, left]), price)
        return left, (-(price / self.unit).log() / self.step).floor()


@dataclass(eq=False)
class ClockSale:
    """What the owners of some markets sell and are paid while the price falls.

    Attributes
    ----------
    clock
        Owners, money and prices.
    marks
        What each owner adds to the pooled statistics when she leaves, >= 0, `(rows, owners, k)`,
        in the order of the owners.
    release
        How much is held back.
    left, paid
        What each owner still has for sale, and what she is paid so far, in the order of leaving.
    """

    clock: Clock
    marks: Tensor
    release: Release
    left: Tensor = field(init=False)
    paid: Tensor = field(init=False)

    def run(self) -> tuple[Float[Tensor, "rows owners"], Float[Tensor, "rows owners"]]:
        """Let the price fall until nobody is left who could sell; return epsilon and payment."""
        clock, owners = self.clock, self.clock.cap.shape[1]
        gone, tick = clock.start()
        going = torch.isfinite(tick)
        tick = torch.where(going, tick, 0.0)
        row, place = torch.arange(len(gone)), torch.arange(owners)
        self.left, self.paid = clock.cap, torch.zeros_like(clock.cap)
        limit = torch.full_like(clock.budget, torch.inf)
        spent = torch.zeros_like(clock.budget)
        marks = self.marks.gather(1, clock.order[..., None].expand_as(self.marks))
        pooled = (marks * (place < gone[:, None])[..., None]).sum(dim=1)
        while bool(going.any()):
            next_one = gone.clamp_max(owners - 1)
            price, asked = clock.tick(tick), clock.value[row, next_one]
            leaves = (asked > price) & (gone < owners) & going
            price = torch.where(leaves, asked, price)
            pooled = pooled + marks[row, next_one] * leaves[:, None]
            gone, tick = gone + leaves, tick + ~leaves
            active = (place >= gone[:, None]) & (going & (price <= clock.top))[:, None]
            money = clock.budget * (1.0 - self.release(price / clock.unit, pooled)) - spent
            claims = (self.left * active).sum(dim=1)
            lower = torch.minimum((claims - money / price).clamp_min(0.0), limit)
            lower = torch.where(lower * price > _TINY * clock.unit, lower, 0.0)
            limit = torch.where(going & (price <= clock.top), lower, limit)
            spent = spent + self._sell(active, limit, price)
            others = owners - gone > torch.where(torch.isinf(limit), 0, 1)
            going = going & (limit > 0) & others
        sold, paid = torch.empty_like(clock.cap), torch.empty_like(clock.cap)
        sold.scatter_(1, clock.order, clock.cap - self.left)
        return sold, paid.scatter_(1, clock.order, self.paid)

    def _sell(self, active: Tensor, limit: Tensor, price: Tensor) -> Tensor:
        """Let everybody keep at most the limit; return what that costs."""
        kept = torch.where(active, torch.minimum(self.left, limit[:, None]), self.left)
        pay = price[:, None] * (self.left - kept)
        self.left, self.paid = kept, self.paid + pay
        return pay.sum(dim=1)
