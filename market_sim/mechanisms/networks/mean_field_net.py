"""The network of the mean-field auction: one for every number of owners."""

from dataclasses import dataclass
from math import log
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.stored import StoredModule, draw_glorot
from market_sim.shapes import as_floats, whole_number

KIND = "mean-field-auction"
_WIDEST = 6.0  # of the logarithms of relative values and costs
_LEAK = 0.1  # slope, beside the true one, of a share that is at 0 or 1
_PUBLIC = 2  # log N and log B / N


@dataclass(frozen=True)
class MeanFieldSettings:
    """Form of the network.

    Parameters
    ----------
    hidden
        Width of its hidden layers.
    pooled
        Number of statistics that are pooled over the owners who left.
    most_owners
        The largest number of owners that it tells from smaller ones; more are taken for as many.
    held_at_first
        Share of the budget that an untrained network holds back before anybody left.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.
    """

    hidden: int = 16
    pooled: int = 4
    most_owners: int = 100
    held_at_first: float = 0.1

    def __post_init__(self) -> None:
        for name in ("hidden", "pooled", "most_owners"):
            whole_number(name, getattr(self, name), 1)
        if not as_floats("held_at_first", self.held_at_first, positive=True) < 1:
            raise InvalidInput(f"held_at_first must be below 1, got {self.held_at_first}")

    def plain(self) -> dict[str, Any]:
        """Return the settings as plain values, for the metadata of a network."""
        return dict(vars(self))

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Self:
        """Return the settings of a network's metadata."""
        return cls(**values)


class MeanFieldNetwork(StoredModule):
    r"""Share of the budget held back: clip(a - g(-log p, sum_j phi(b_j) / N), 0, 1).

    phi >= 0 is computed for each owner by herself and pooled over those who have left; g is a
    network whose weights from the price and from the pooled statistics are >= 0, so that the share
    never grows while the clock runs, whatever the parameters are. a and g also see N and B / N.

    Parameters
    ----------
    settings
        Form of the network.
    seed
        Of the first parameters.
    """

    @classmethod
    def read_settings(cls, values: dict[str, Any]) -> MeanFieldSettings:
        """Return the settings that plain values describe."""
        return MeanFieldSettings.from_plain(values)

    def __init__(self, settings: MeanFieldSettings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        hidden, pooled = settings.hidden, settings.pooled
        self.owner = nn.Linear(2 + _PUBLIC, hidden)
        self.mark = nn.Linear(hidden, pooled)
        self.public = nn.Linear(_PUBLIC, hidden)
        self.moves = nn.Linear(1 + pooled, hidden, bias=False)
        self.top = nn.Linear(hidden, 1)
        draw_glorot(self, seed)
        with torch.no_grad():
            self.top.bias.fill_(settings.held_at_first)

    def told(self, owners: int, unit: Float[Tensor, " rows"]) -> Float[Tensor, "rows public"]:
        """Return what everybody knows: log N and log B / N, standardized."""
        number = log(min(owners, self.settings.most_owners)) / log(self.settings.most_owners + 1.0)
        money = unit.log().clamp(-_WIDEST, _WIDEST) / 2.0
        return torch.stack([torch.full_like(money, number), money], dim=-1)

    def marks(
        self,
        value: Float[Tensor, "rows owners"],
        cap: Float[Tensor, "rows owners"],
        unit: Float[Tensor, " rows"],
    ) -> Float[Tensor, "rows owners pooled"]:
        """Return phi(b_j) / N: what each owner adds to the pooled statistics when she leaves."""
        own = torch.stack([value / unit[:, None], value * cap / unit[:, None]], dim=-1)
        own = own.clamp_min(1e-9).log().clamp(-_WIDEST, _WIDEST) / 2.0
        told = self.told(value.shape[-1], unit)[:, None, :].expand(*value.shape, _PUBLIC)
        hidden = nn.functional.silu(self.owner(torch.cat([own, told], dim=-1)))
        pooled: Tensor = softplus(self.mark(hidden)) / value.shape[-1]
        return pooled

    def held(
        self,
        told: Float[Tensor, "rows public"],
        price: Float[Tensor, " rows"],
        pooled: Float[Tensor, "rows pooled"],
    ) -> Float[Tensor, " rows"]:
        """Return the share of the budget that is held back at a price over B / N."""
        fallen = -price.log().clamp(-_WIDEST, _WIDEST)[:, None]
        moved = torch.cat([fallen, pooled], dim=-1) @ softplus(self.moves.weight).mT
        hidden = softplus(self.public(told) + moved)
        falls = (hidden * softplus(self.top.weight)).mean(dim=-1)
        wanted = self.top.bias - falls + self._offset(told)
        share: Tensor = wanted.clamp(0.0, 1.0)
        # The derivative at the border tells a training which way to leave it.
        return share + _LEAK * (wanted - wanted.detach())

    def _offset(self, told: Tensor) -> Tensor:
        """Return g before the clock starts, so that an untrained network holds what it is told."""
        fallen = torch.ones_like(told[:, :1])
        still = torch.cat([fallen, told.new_zeros(len(told), self.settings.pooled)], dim=-1)
        hidden = softplus(self.public(told) + still @ softplus(self.moves.weight).mT)
        offset: Tensor = (hidden * softplus(self.top.weight)).mean(dim=-1)
        return offset
