"""Misreports by gradient ascent: many owners' best lies at once, with restarts, best one kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor

from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.shapes import as_floats, whole_number

Rows = NDArray[np.floating]
Owners = NDArray[np.intp]
Network = Callable[[Bids, Tensor], ExpectedOutcome]
_BLOCK = 2048  # rows differentiated at once
_FADE, _FADE_SQUARES = 0.8, 0.95  # how fast the averages of slopes and of their squares forget


@dataclass(frozen=True)
class LieSearch:
    r"""Ascent in the logarithms of (rate', cap'), each step at most about `step` long.

    Parameters
    ----------
    steps
        R steps of each restart.
    restarts
        Starting points: alternately an ask above and one below the truth, and a smaller cap.
    step
        Length of a step: a factor of about exp(step) on the rate or the cap.
    spread
        Starts lie within a factor exp(spread) of the truth.
    limit
        Lies stay within a factor exp(limit) of the truth. A cap above the true one is no lie worth
        having where every option has a positive chance, so caps only go down.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.
    """

    steps: int = 25
    restarts: int = 1
    step: float = 0.1
    spread: float = 0.5
    limit: float = 4.0

    def __post_init__(self) -> None:
        whole_number("steps", self.steps, 1)
        whole_number("restarts", self.restarts, 1)
        for name in ("step", "spread", "limit"):
            as_floats(name, getattr(self, name), positive=True)


class LieProblem(Protocol):
    """Utilities of lying owners, one row each, in any unit of money."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        ...

    def utility(self, log_rate: Rows, log_cap: Rows) -> tuple[Rows, Rows, Rows]:
        """Return utility and its slopes by log rate factor and log cap factor, `(rows,)` each.

        The arrays may be overwritten by the next call.
        """
        ...


def ascend(
    problem: LieProblem, search: LieSearch, rng: np.random.Generator
) -> tuple[Rows, Rows, Rows]:
    """Return log rate factor, log cap factor and gain >= 0 of the best iterate of every row.

    The truth itself is the first iterate, so a gain is never negative.
    """
    truth = np.zeros(problem.rows, dtype=np.float32)
    honest = problem.utility(truth, truth)[0].copy()
    best = np.stack([honest, truth, truth])
    for restart in range(search.restarts):
        place = _start(search, restart, problem.rows, rng)
        mean = np.zeros_like(place)
        square = np.zeros_like(place)
        for step in range(search.steps + 1):
            utility, *slopes = problem.utility(*place)
            better = utility > best[0]
            np.copyto(best[0], utility, where=better)
            np.copyto(best[1:], place, where=better)
            if step < search.steps:
                _step(place, np.stack(slopes), mean, square, search, step)
    return best[1], best[2], best[0] - honest


def _start(search: LieSearch, restart: int, rows: int, rng: np.random.Generator) -> Rows:
    """Return a start `(2, rows)`: asks on both sides of the truth, caps below it."""
    place = search.spread * rng.uniform(0.0, 1.0, (2, rows))
    side = np.where((np.arange(rows) + restart) % 2 == 0, 1.0, -1.0)
    place[0] *= side
    place[1] *= -0.5
    return place.astype(np.float32)


def _step(place: Rows, slope: Rows, mean: Rows, square: Rows, search: LieSearch, step: int) -> None:
    """Move `place` in place along normalized averages of the slopes (as Adam does)."""
    mean *= _FADE
    mean += (1.0 - _FADE) * slope
    square *= _FADE_SQUARES
    square += (1.0 - _FADE_SQUARES) * np.square(slope)
    size = np.sqrt(square / (1.0 - _FADE_SQUARES ** (step + 1)))
    size += 1e-12
    # Shorter steps towards the end, so that the last iterates settle on the top they have found.
    length = search.step * (1.0 - 0.9 * step / search.steps) / (1.0 - _FADE ** (step + 1))
    place += length * mean / size
    np.clip(place[0], -search.limit, search.limit, out=place[0])
    np.clip(place[1], -search.limit, 0.0, out=place[1])


@dataclass(frozen=True, eq=False)
class NetworkLies:
    """The lies of one owner a row against any network, by automatic differentiation.

    Only the lie is differentiated, never the parameters. Utilities are divided by the budget.

    Parameters
    ----------
    network
        Bids and budget in, expected outcome out; the parameters need no slopes here.
    truth
        True bids, shape `(rows, owners)`, what everybody else says too.
    budget
        Shape `(rows,)`.
    owner
        Who lies, shape `(rows,)`.
    """

    network: Network
    truth: Bids
    budget: Float[Tensor, "rows"]
    owner: Int64[Tensor, "rows"]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.budget)

    def utility(self, log_rate: Rows, log_cap: Rows) -> tuple[Rows, Rows, Rows]:
        """Return utility / B and its slopes; see `LieProblem`."""
        parts = [
            self._block(slice(start, start + _BLOCK), log_rate, log_cap)
            for start in range(0, self.rows, _BLOCK)
        ]
        utility, by_rate, by_cap = (np.concatenate(column) for column in zip(*parts, strict=True))
        return utility, by_rate, by_cap

    def _block(self, rows: slice, log_rate: Rows, log_cap: Rows) -> tuple[Rows, Rows, Rows]:
        truth, budget, owner = part_of(self.truth, rows), self.budget[rows], self.owner[rows, None]
        lie = [
            torch.tensor(log[rows], dtype=truth.rate.dtype).requires_grad_()
            for log in (log_rate, log_cap)
        ]
        told = tell(truth, owner, lie[0].exp(), lie[1].exp())
        utility = self.network(told, budget).utility(truth)
        own = utility.gather(-1, owner)[:, 0] / budget
        slopes = torch.autograd.grad(own.sum(), lie, allow_unused=True, materialize_grads=True)
        value, *by = (x.detach().nan_to_num(0.0, 0.0, -torch.inf).numpy() for x in (own, *slopes))
        return value, by[0], by[1]


def part_of(bids: Bids, rows: slice | Tensor) -> Bids:
    """Return some rows of bids of shape `(rows, owners)`."""
    size = None if bids.data_size is None else bids.data_size[rows]
    return Bids(bids.kind[rows], bids.rate[rows], bids.cap[rows], size)


def flat_bids(bids: Bids) -> Bids:
    """Return the bids with all leading axes made into one."""
    size = None if bids.data_size is None else bids.data_size.reshape(-1, bids.owners)
    kind, rate, cap = (x.reshape(-1, bids.owners) for x in (bids.kind, bids.rate, bids.cap))
    return Bids(kind, rate, cap, size)


def tell(
    truth: Bids,
    owner: Int64[Tensor, "rows 1"],
    rate_factor: Float[Tensor, "rows"],
    cap_factor: Float[Tensor, "rows"],
) -> Bids:
    """Return bids in which one owner a row multiplies her rate and her cap; `truth` stays as is."""
    rate = truth.rate.gather(-1, owner) * rate_factor.unsqueeze(-1)
    cap = truth.cap.gather(-1, owner) * cap_factor.unsqueeze(-1)
    return truth.with_lie(truth.rate.scatter(-1, owner, rate), truth.cap.scatter(-1, owner, cap))
