"""Certified bounds: no lie within a region gains more than this, proved by branch and bound."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks import certificate_curves, certificate_rules
from market_sim.mechanisms.networks.attack_starts import Region, families, unit_rate
from market_sim.mechanisms.networks.attack_trials import Liars, PerTrial
from market_sim.mechanisms.networks.base import DifferentiableMechanism
from market_sim.mechanisms.networks.certificate_forms import box_form, form_of
from market_sim.reports import Reports
from market_sim.shapes import Array, PerOwner, as_floats, whole_number

ENCLOSURES = (certificate_rules, certificate_curves)  # importing them registers them
_CELLS = 2**13  # owners of all markets enclosed at once
_FIRST = 4  # boxes along each side to begin with

Boxes = Float[Tensor, "boxes 2"]


@dataclass(frozen=True, eq=False)
class Certificate:
    """Proved bounds of the regret within a region; arrays of shape `(*profiles, owners)`.

    Attributes
    ----------
    lower
        What a lie within the region was seen to gain, in money, >= 0.
    upper
        What no lie within the region exceeds.
    closed
        Where `upper - lower` is at most the gap asked for.
    boxes
        Number of boxes enclosed, over all owners.
    gap
        Gap asked for, in money, same shape.
    """

    lower: PerOwner
    upper: PerOwner
    closed: NDArray[np.bool_]
    boxes: int
    gap: Array

    def columns(self) -> dict[str, list[float]]:
        """Return lower and upper bound as columns, one row an owner, profile by profile."""
        return {
            "lower": self.lower.reshape(-1).tolist(),
            "upper": self.upper.reshape(-1).tolist(),
        }


def certify(
    mechanism: DifferentiableMechanism,
    reports: Reports,
    budget: ArrayLike,
    *,
    region: Region | None = None,
    gap: float = 1e-3,
    boxes: int = 20_000,
    lower: ArrayLike = 0.0,
) -> Certificate:
    r"""Return bounds of max E u_i(v', eps_bar') - E u_i(truth) over a region of lies of each owner.

    The region is cut into boxes of (rate, cap). On each the mechanism's own code runs on affine
    forms, which enclose all that it can return there (see `certificate_forms`); a box whose bound
    is within the gap of the best lie seen is closed, the others are halved. Bounds get tighter with
    the square of a box's width.

    The bounds hold for exact arithmetic and for any evaluation in double precision: every
    operation adds its rounding, 8 to 64 units in the last place of the absolute values that go in
    (in sums two for each term). A network that computes in single precision is off by its own.

    Parameters
    ----------
    mechanism
        A learned auction whose expectation is made of operations with an enclosure; rules that
        choose (deterministic ones) are not.
    reports
        The truth, shape `(*profiles, owners)`.
    budget
        Money, one number or shape `profiles`.
    region
        Factors on rate and cap, the cap up to 1: by default (0.9, 1.1) and (0.9, 1.0), in the true
        family. Where every option has a chance, as after a softmax, a larger cap is never worth
        telling: some option would exceed the true cap.
    gap
        Gap at which an owner is done, as a share of her true total value.
    boxes
        Most boxes enclosed for an owner; who needs more gets the bound reached.
    lower
        Gains known already, from `attack` in the same region: they close boxes sooner.

    Returns
    -------
    Certificate

    Raises
    ------
    InvalidInput
        If a setting is outside its domain or the mechanism uses an operation without an enclosure.

    Notes
    -----
    Source: [D]; affine arithmetic after Comba and Stolfi (1993).
    """
    area = region or Region(rate=(0.9, 1.1), cap=(0.9, 1.0), families=False)
    if area.cap[1] > 1:
        raise InvalidInput(f"a certificate is for caps up to the true one, got {area.cap[1]:g}")
    as_floats("gap", gap, positive=True)
    whole_number("boxes", boxes, _FIRST**2)
    liars = Liars.of(mechanism, reports, budget)
    known = np.broadcast_to(as_floats("lower", lower, minimum=0.0), reports.shape)
    search = _Search(liars, area, gap * liars.scale, torch.tensor(known.reshape(-1)))
    used = search.run(boxes)
    seen, proved, wanted = (
        column.numpy().reshape(reports.shape) for column in (search.seen, search.proved, search.gap)
    )
    return Certificate(seen, proved, proved - seen <= wanted * (1 + 1e-9), used, wanted)


class _Search:
    """Branch and bound for all owners at once; every open box carries the owner it belongs to."""

    def __init__(self, liars: Liars, area: Region, gap: Tensor, known: Tensor) -> None:
        self.liars, self.gap = liars, gap
        every = torch.arange(liars.pairs)
        true = liars.of_pairs(every)
        truth = torch.cat([true.rate, true.cap], dim=-1)
        self.honest = enclosed(liars, every, true.kind.squeeze(-1), truth, truth)
        self.seen = known
        self.proved = torch.zeros_like(known)
        self.spent = torch.zeros_like(every)
        codes = families(liars, area, "both")
        self.pair = every.repeat_interleave(codes.shape[1])
        self.kind = codes.reshape(-1)
        units = torch.stack([unit_rate(liars, self.pair, self.kind), truth[self.pair, 1]], dim=1)
        self._grid(units, torch.tensor([area.rate, area.cap], dtype=torch.float64))

    def _grid(self, units: Boxes, factors: Float[Tensor, "2 2"]) -> None:
        """Make a grid of boxes with geometric sides in each family of each owner."""
        steps = torch.arange(_FIRST + 1) / _FIRST
        sides = factors[:, :1] * (factors[:, 1:] / factors[:, :1]) ** steps.double()
        sides[:, 0], sides[:, -1] = factors[:, 0], factors[:, 1]
        edges = units[:, :, None] * sides
        place = torch.cartesian_prod(torch.arange(_FIRST), torch.arange(_FIRST))
        axis = torch.arange(2)
        self.low = edges[:, axis, place].reshape(-1, 2)
        self.high = edges[:, axis, place + 1].reshape(-1, 2)
        self.pair = self.pair.repeat_interleave(len(place))
        self.kind = self.kind.repeat_interleave(len(place))

    def run(self, most: int) -> int:
        """Halve boxes until all are closed or spent; return their number."""
        while len(self.pair):
            gain = self._evaluate()
            best, gap = self.seen[self.pair], self.gap[self.pair]
            self.spent += torch.bincount(self.pair, minlength=len(self.spent))
            # What is not closed stays open until its owner has no more boxes to spend.
            full = 2 * self._counts() + self.spent > most
            done = (gain <= best + gap) | full[self.pair]
            self.proved.scatter_reduce_(0, self.pair[done], gain[done], "amax")
            self._halve(~done)
        self.proved = torch.maximum(self.proved, self.seen)
        return int(self.spent.sum())

    def _counts(self) -> Tensor:
        return torch.bincount(self.pair, minlength=len(self.spent))

    def _evaluate(self) -> PerTrial:
        """Return the bound of each open box, and note what lies at their centers gain."""
        gain = torch.empty(len(self.pair), dtype=torch.float64)
        size = max(1, _CELLS // self.liars.truth.owners)
        for part in torch.arange(len(self.pair)).split(size):
            pair, kind = self.pair[part], self.kind[part]
            low, high = self.low[part], self.high[part]
            bound = enclosed(self.liars, pair, kind, low, high)[1]
            gain[part] = bound - self.honest[0][pair]
            middle = 0.5 * (low + high)
            with torch.no_grad():
                told = self.liars.utility(pair, kind, middle[:, 0], middle[:, 1])
            self.seen.scatter_reduce_(0, pair, told - self.honest[1][pair], "amax")
        return gain.nan_to_num(nan=torch.inf)

    def _halve(self, chosen: Bool[Tensor, "boxes"]) -> None:
        """Replace the chosen boxes by their halves along the longer side, and drop the others."""
        low, high = self.low[chosen], self.high[chosen]
        axis = (high / low).log().argmax(dim=1, keepdim=True)
        middle = (low * high).sqrt().gather(1, axis)
        upper, lower = high.scatter(1, axis, middle), low.scatter(1, axis, middle)
        self.low, self.high = torch.cat([low, lower]), torch.cat([upper, high])
        self.pair, self.kind = (part[chosen].repeat(2) for part in (self.pair, self.kind))


@torch.no_grad()
def enclosed(
    liars: Liars, pair: Tensor, kind: Tensor, low: Boxes, high: Boxes
) -> tuple[Tensor, Tensor]:
    """Return bounds of the expected utility of liars whose (rate, cap) is within their boxes.

    Parameters
    ----------
    liars
        The markets.
    pair, kind
        Who lies in each box, and the family that she names.
    low, high
        Ends of the boxes, the cap's not above the true one.
    """
    rate, cap = (box_form(low[:, axis], high[:, axis], axis) for axis in (0, 1))
    expected = liars.outcome(pair, kind, rate, cap)
    cost = expected.cost(liars.of_pairs(pair))
    utility = form_of((expected.payment - cost).squeeze(-1))
    return utility.bounds()
