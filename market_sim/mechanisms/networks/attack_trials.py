"""Many lies at once: what one owner at a time can expect of a learned auction when she lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float, Int64
from numpy.typing import ArrayLike
from torch import Tensor

from market_sim.mechanisms.base import flat
from market_sim.mechanisms.networks.base import Bids, DifferentiableMechanism, ExpectedOutcome
from market_sim.reports import Reports

CELLS = 2**15  # owners of all markets evaluated at once: keeps a network's layers near the cache

Index = Int64[Tensor, "trials"]
PerTrial = Float[Tensor, "trials"]


def changed(bids: Bids, change: Callable[[Tensor], Tensor]) -> Bids:
    """Return bids, every column of which is changed alike."""
    size = None if bids.data_size is None else change(bids.data_size)
    return Bids(change(bids.kind), change(bids.rate), change(bids.cap), size)


def in_type(bids: Bids, dtype: torch.dtype) -> Bids:
    """Return bids in a floating type."""
    size = None if bids.data_size is None else bids.data_size.to(dtype)
    return Bids(bids.kind, bids.rate.to(dtype), bids.cap.to(dtype), size)


@dataclass(frozen=True, eq=False)
class Liars:
    """Markets of truthful owners, of whom one at a time tells something else.

    Attributes
    ----------
    mechanism
        The learned auction.
    truth
        True bids, shape `(profiles, owners)`, in double precision.
    budget
        Money, shape `(profiles,)`.
    """

    mechanism: DifferentiableMechanism
    truth: Bids
    budget: Float[Tensor, "profiles"]

    @classmethod
    def of(cls, mechanism: DifferentiableMechanism, reports: Reports, budget: ArrayLike) -> Self:
        """Return the markets of truthful reports, their leading axes made into one.

        Raises
        ------
        InvalidInput
            If the budget is not positive and finite or does not fit the profiles.
        """
        *_, money = flat(reports, budget)
        bids = changed(Bids.from_reports(reports), lambda c: c.reshape(len(money), -1))
        return cls(mechanism, bids, torch.from_numpy(money))

    @property
    def pairs(self) -> int:
        """Number of (profile, owner)."""
        return self.truth.rate.numel()

    @property
    def scale(self) -> Float[Tensor, "pairs"]:
        """Total true value of each (profile, owner); the budget where she asks nothing."""
        value = self.truth.cost(self.truth.cap)
        return torch.where(value > 0, value, self.budget[:, None]).reshape(-1)

    def blocks(self, trials: int) -> Iterator[Tensor]:
        """Yield indices of (profile, owner) in blocks of bounded size, `trials` lies for each."""
        size = max(1, CELLS // (self.truth.owners * trials))
        return iter(torch.arange(self.pairs).split(size))

    def of_pairs(self, pair: Tensor, dtype: torch.dtype = torch.float64) -> Bids:
        """Return the true bids of the owners named, each alone in her market: `(*pairs, 1)`."""
        return in_type(changed(self.truth, lambda c: c.reshape(-1)[pair].unsqueeze(-1)), dtype)

    def outcome(self, pair: Index, kind: Index, rate: PerTrial, cap: PerTrial) -> ExpectedOutcome:
        """Return what the liars, `(trials, 1)`, can expect if the others tell the truth.

        Parameters
        ----------
        pair
            Who lies: profile x owners + owner.
        kind, rate, cap
            Her report; differentiable in rate and cap.
        """
        profile, owner = pair // self.truth.owners, pair % self.truth.owners
        liar = torch.arange(self.truth.owners) == owner[:, None]
        truth = self.truth
        size = None if truth.data_size is None else truth.data_size[profile]
        bids = Bids(
            torch.where(liar, kind[:, None], truth.kind[profile]),
            torch.where(liar, rate[:, None], truth.rate[profile]),
            torch.where(liar, cap[:, None], truth.cap[profile]),
            size,
        )
        every = self.mechanism.expected_outcome(bids, self.budget[profile])
        row = torch.arange(len(pair))
        return ExpectedOutcome(
            every.probability[row, owner].unsqueeze(-2),
            every.options[row, owner].unsqueeze(-2),
            every.payment[row, owner].unsqueeze(-1),
        )

    def utility(self, pair: Index, kind: Index, rate: PerTrial, cap: PerTrial) -> PerTrial:
        """Return the liars' true expected utility, differentiable in rate and cap."""
        return self.worth(pair, self.outcome(pair, kind, rate, cap))

    def worth(self, pair: Index, expected: ExpectedOutcome) -> PerTrial:
        """Return the true expected utility of what the liars, `(trials, 1)`, can expect.

        In the floating type of the network: in a finer one the cap itself would exceed the cap.
        """
        true = self.of_pairs(pair, expected.options.dtype)
        return expected.utility(true).squeeze(-1).double()
