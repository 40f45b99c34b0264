"""What attacks, certificates and training know of a learned auction: bids in, expectations out."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Float, Int64
from numpy.typing import ArrayLike
from torch import Tensor

from market_sim.mechanisms.base import KnownExpectation, Mechanism
from market_sim.reports import Reports
from market_sim.shapes import Array
from market_sim.valuation import KINDS

_LINEAR, _QUADRATIC, _SQRT, _EXPONENTIAL, _STEP = range(len(KINDS))
_ABOVE = 1e-12  # relative: what `market_sim.outcome.exceeds` takes for rounding, in float64


@dataclass(frozen=True, eq=False)
class Bids:
    """Reports as tensors of one shape, so that an owner's utility can be differentiated by them.

    Attributes
    ----------
    kind
        Codes of the families (places in `KINDS`), shape `(*profiles, owners)`.
    rate, cap
        Reported multiplier alpha'_i and cap eps_bar'_i, same shape.
    data_size
        Samples s_i, same shape, where costs are multiplied by them.
    """

    kind: Int64[Tensor, "*profiles owners"]
    rate: Float[Tensor, "*profiles owners"]
    cap: Float[Tensor, "*profiles owners"]
    data_size: Float[Tensor, "*profiles owners"] | None = None

    @classmethod
    def from_reports(cls, reports: Reports, dtype: torch.dtype = torch.float64) -> Self:
        """Return copies of the reports as tensors of a floating type."""
        valuations = reports.valuations
        rate, cap = (torch.tensor(array, dtype=dtype) for array in (valuations.rate, reports.cap))
        size = None if reports.data_size is None else torch.tensor(reports.data_size, dtype=dtype)
        return cls(torch.tensor(valuations.kind, dtype=torch.int64), rate, cap, size)

    @property
    def owners(self) -> int:
        """Number of owners."""
        return self.rate.shape[-1]

    def base(self, epsilon: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Return base_i(eps), the valuation at rate 1 and size 1; shapes as for `cost`."""
        kind = self.kind.unsqueeze(-1) if epsilon.ndim > self.kind.ndim else self.kind
        kind, epsilon = torch.broadcast_tensors(kind, epsilon)
        # Each branch sees only arguments of its own family: an unused branch that is infinite, or
        # has an infinite slope (sqrt at 0), would turn the gradient of the used one into NaN.
        zero = torch.zeros_like(epsilon)
        positive = epsilon > 0
        rooted = (kind == _SQRT) & positive
        root = 2.0 * torch.where(rooted, epsilon, 1.0).sqrt()
        power = torch.expm1(torch.where(kind == _EXPONENTIAL, epsilon, zero))
        cost = torch.where(kind == _LINEAR, 2.0 * epsilon, power)
        cost = torch.where(kind == _QUADRATIC, epsilon.square(), cost)
        cost = torch.where(kind == _SQRT, torch.where(rooted, root, zero), cost)
        return torch.where(kind == _STEP, positive.to(epsilon.dtype), cost)

    def cost(self, epsilon: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Return [s_i] alpha_i base_i(eps), differentiable in eps and in the rate.

        Parameters
        ----------
        epsilon
            Privacy losses >= 0: one an owner, `(*profiles, owners)`, or, with one axis more than
            the bids, several an owner, `(*profiles, owners, k)`. The slope of a step is 0, and so
            is that of the square root at 0.
        """
        scale = self.rate if self.data_size is None else self.rate * self.data_size
        scale = scale.unsqueeze(-1) if epsilon.ndim > scale.ndim else scale
        return scale * self.base(epsilon)

    def with_lie(
        self, rate: Float[Tensor, "*profiles owners"], cap: Float[Tensor, "*profiles owners"]
    ) -> Self:
        """Return bids with other rates and caps, the rest unchanged."""
        return type(self)(self.kind, rate, cap, self.data_size)


@dataclass(frozen=True, eq=False)
class ExpectedOutcome:
    """The law of what each owner sells, and the money that she can expect.

    Attributes
    ----------
    probability
        Chance of losing (column 0) and of each option; rows sum to 1.
    options
        Privacy loss sold with each option, >= 0.
    payment
        Expected money, summed over all columns.
    option_payment
        Money paid with each option, where it depends on the option; then `payment` is its
        expectation (nothing is paid for losing).
    """

    probability: Float[Tensor, "*profiles owners outcomes"]
    options: Float[Tensor, "*profiles owners options"]
    payment: Float[Tensor, "*profiles owners"]
    option_payment: Float[Tensor, "*profiles owners options"] | None = None

    @property
    def epsilon(self) -> Float[Tensor, "*profiles owners"]:
        """Expected privacy loss of each owner."""
        return (self.probability[..., 1:] * self.options).sum(dim=-1)

    def cost(self, true: Bids) -> Float[Tensor, "*profiles owners"]:
        """Return the expected true cost sum_m P(m) [s] v(eps_m)."""
        return (self.probability[..., 1:] * true.cost(self.options)).sum(dim=-1)

    def utility(self, true: Bids) -> Float[Tensor, "*profiles owners"]:
        """Return the expected true utility p - sum_m P(m) [s] v(eps_m).

        It is minus infinity, with slope 0, where an option above the owner's true cap has a
        positive chance.
        """
        limit = true.cap.detach().unsqueeze(-1) * (1.0 + rounding(true.cap.dtype))
        above = (self.options.detach() > limit) & (self.probability.detach()[..., 1:] > 0)
        # Options above the true cap are priced at 0 here: an infinite cost would make slopes NaN.
        options = torch.where(above, 0.0, self.options)
        cost = (self.probability[..., 1:] * true.cost(options)).sum(dim=-1)
        return torch.where(above.any(dim=-1), -torch.inf, self.payment - cost)


def rounding(dtype: torch.dtype) -> float:
    """Return the relative excess over a cap that counts as rounding in a floating type."""
    return max(_ABOVE, 4.0 * torch.finfo(dtype).eps)


class DifferentiableMechanism(Mechanism, KnownExpectation):
    """A learned auction: its expectations are a differentiable function of the bids."""

    def expectation(
        self, reports: Reports, budget: ArrayLike, truth: Reports
    ) -> tuple[Array, Array, Array]:
        """Return expected true utility, payment and epsilon; see `KnownExpectation`."""
        from market_sim.mechanisms.networks.attack_audit import expectation

        return expectation(self, reports, budget, truth)

    def strongest_lies(
        self, reports: Reports, budget: ArrayLike, deviation: str, seed: int
    ) -> Reports:
        """Return the lies found by gradient from many starts; see `KnownExpectation`."""
        from market_sim.mechanisms.networks.attack_audit import strongest_lies

        return strongest_lies(self, reports, budget, deviation, seed)

    @abstractmethod
    def expected_outcome(
        self,
        bids: Bids,
        budget: Float[Tensor, "*profiles"],
    ) -> ExpectedOutcome:
        """Return the law of the outcome, differentiable in `bids.rate` and `bids.cap`.

        The values are exact: a deterministic rule has chances of 0 and 1. Where a choice has no
        slope (the best of several options), the slopes are those of its smoothed form.

        Parameters
        ----------
        bids
            What the owners say, shape `(*profiles, owners)`, in the floating type of the network
            or another (they are converted).
        budget
            The buyer's money, one number a profile.

        Raises
        ------
        InvalidInput
            If the network cannot take this population.
        """
