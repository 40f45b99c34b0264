"""A permutation-equivariant network: menus from pooled statistics, one network for every n."""

from dataclasses import dataclass
from math import log
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.attack_trials import changed
from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.equivariant_clearing import (
    Menus,
    clear_exactly,
    clear_smoothly,
)
from market_sim.mechanisms.networks.options import option_shares, options_of
from market_sim.mechanisms.networks.stored import StoredModule, draw_glorot
from market_sim.shapes import as_floats, whole_number

_KNOTS = (log(0.25), log(0.6), log(1.2))  # log eps at which the slope of a menu may change
_POINTS = (0.25, 0.5, 0.75, 1.0)  # shares of the cap at which a reported cost is read
_FLOOR = 1e-3  # added to relative costs, so that who asks nothing has a finite logarithm
_SMALLEST, _LEAST_CONCENTRATED = -9.0, -6.0  # log share and log sum of squared shares, at least
_POWER, _SIZE_POWER = 1.3, -0.2  # the untrained menu: share x (n share)^-0.2 x eps^1.3
_REACH = 1.5  # a trained menu lies within exp(+-1.5) of it, in level and in each slope
_GRID = 2.0**24  # menus are rounded to 1/2^24: the same in any batch and any order of owners
Pools = Literal["sizes", "bids"]


@dataclass(frozen=True)
class EquivariantSettings:
    """Form of a network; plain values only.

    Parameters
    ----------
    options
        M options an owner.
    encoded
        Numbers by which each owner enters the pools.
    hidden
        Width of the hidden layers.
    pools
        What the pools are made of: "sizes" of the others, which nobody can lie about, or "bids",
        sizes, caps and costs.
    skips
        How often the level goes on after the owner whose jump does not fit any more is held.
    smoothing
        Temperature of the smoothed choice whose slopes stand in for those of the choice.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.
    """

    options: int = 8
    encoded: int = 16
    hidden: int = 32
    pools: Pools = "sizes"
    skips: int = 0
    smoothing: float = 0.05

    def __post_init__(self) -> None:
        for name in ("options", "encoded", "hidden"):
            whole_number(name, getattr(self, name), 1)
        if self.pools not in get_args(Pools):
            raise InvalidInput(f"unknown pools {self.pools!r}, expected {list(get_args(Pools))}")
        whole_number("skips", self.skips, 0)
        as_floats("smoothing", self.smoothing, positive=True)


class EquivariantNet(StoredModule):
    r"""Menus T_i(eps) = B exp(l) phi_i(eps), phi_i from sizes and the bids of the OTHERS alone.

    Each owner is encoded by scale-free numbers; means of the codes over the other owners, plain,
    by size and by squared size, are the pools; a head shared by all owners turns her size and the
    pools into a menu, increasing in eps. Each owner takes her best option at the common log level
    l at which the budget is spent. So her own report moves nothing but her choice and l.

    Parameters
    ----------
    settings
        Form of the network.
    seed
        Seed of the initial parameters.
    """

    shares: Tensor

    @classmethod
    def read_settings(cls, values: dict[str, Any]) -> EquivariantSettings:
        """Return the settings that plain values describe."""
        return EquivariantSettings(**values)

    def __init__(self, settings: EquivariantSettings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        width, code = settings.hidden, settings.encoded
        self.encoder = nn.Sequential(
            nn.Linear(1 if settings.pools == "sizes" else len(_POINTS) + 2, width),
            nn.Tanh(),
            nn.Linear(width, code),
            nn.Tanh(),
        )
        self.head = nn.Sequential(
            nn.Linear(3 * code + 3, width),
            nn.Tanh(),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Linear(width, 2 * (len(_KNOTS) + 2)),
        )
        self.register_buffer("shares", option_shares(settings.options), persistent=False)
        draw_glorot(self, seed)
        nn.init.zeros_(self._last.weight)  # starts as the untrained menu

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the parameters."""
        return self._last.weight.dtype

    @property
    def _last(self) -> nn.Linear:
        layer = self.head[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def forward(
        self, bids: Bids, budget: Float[Tensor, "*profiles"], temperature: float = 0.0
    ) -> ExpectedOutcome:
        """Return the law of the outcome.

        Parameters
        ----------
        bids
            Shape `(*profiles, owners)`, in the floating type of the parameters.
        budget
            B > 0, one number a profile.
        temperature
            0 is the rule itself, every owner's best option, with the slopes of a softmax; above 0
            a softmax instead of the choice, of this temperature in units of `smoothing`.
        """
        profiles, owners = bids.rate.shape[:-1], bids.rate.shape[-1]
        rows = changed(bids, lambda column: column.reshape(-1, owners))
        money = budget.expand(profiles).reshape(-1)
        options = options_of(rows.cap, self.shares)
        ample, dear = self.offers(rows, money, options)
        menus = Menus.of(ample, dear, rows.cost(options) / money[:, None, None])
        paid, chance = self._choose(menus, temperature)
        return ExpectedOutcome(
            chance.reshape(*profiles, owners, -1),
            options.reshape(*profiles, owners, -1),
            (paid * money.unsqueeze(-1)).reshape(*profiles, owners),
        )

    def offers(
        self,
        bids: Bids,
        budget: Float[Tensor, "rows"],
        epsilon: Float[Tensor, "rows owners options"],
    ) -> tuple[Float[Tensor, "rows owners options"], Float[Tensor, "rows owners options"]]:
        """Return the log offers for eps at level 0 where money is ample and where it is short."""
        share, coefficients = self._coefficients(bids, budget)
        amount = epsilon.log()
        parts = [(amount - _KNOTS[0]).clamp(max=0.0)]
        for knot, after in zip(_KNOTS, (*_KNOTS[1:], torch.inf), strict=True):
            parts.append((amount - knot).clamp(min=0.0, max=after - knot))
        base = share.log().unsqueeze(-1)
        ample, dear = (
            base + menu[..., :1] + sum(menu[..., k + 1, None] * x for k, x in enumerate(parts))
            for menu in coefficients.chunk(2, dim=-1)
        )
        return ample, dear

    def _coefficients(self, bids: Bids, budget: Tensor) -> tuple[Tensor, Tensor]:
        """Return shares of all data and, twice an owner, the log level and powers of a menu."""
        size = torch.ones_like(bids.cap) if bids.data_size is None else bids.data_size
        # Rounded, so that the sum is the same in any order of owners.
        share = size / size.sum(dim=-1, keepdim=True).float().to(size.dtype)
        relative = (share * bids.owners).log().clamp(-4.0, 6.0)
        square = share.square()
        code = self.encoder(self._owner_inputs(bids, budget, share, relative))
        pools = [_of_others(code, weight) for weight in (torch.ones_like(share), share, square)]
        concentration = square.sum(dim=-1, keepdim=True).log().clamp(min=_LEAST_CONCENTRATED)
        log_share = share.log().clamp(min=_SMALLEST)
        public = torch.stack([log_share, relative, concentration.expand_as(share)], dim=-1) / 3.0
        raw = self.head(torch.cat([public, *pools], dim=-1))
        bounded = _REACH * torch.tanh(raw / _REACH)
        bounded = bounded + (torch.round(bounded * _GRID) / _GRID - bounded).detach()
        level, powers = bounded.unflatten(-1, (2, -1)).split([1, len(_KNOTS) + 1], dim=-1)
        level = level + _SIZE_POWER * relative[..., None, None]
        return share, torch.cat([level, _POWER * powers.exp()], dim=-1).flatten(-2)

    def _owner_inputs(self, bids: Bids, budget: Tensor, share: Tensor, relative: Tensor) -> Tensor:
        """Return log relative size [, log relative unit costs, log cap], of order 1."""
        columns = [relative.unsqueeze(-1) / 2.0]
        if self.settings.pools == "bids":
            points = torch.tensor(_POINTS, dtype=bids.cap.dtype)
            cost = bids.cost(bids.cap.unsqueeze(-1) * points)
            unit = cost / (budget[:, None, None] * share.unsqueeze(-1))
            columns.append(torch.log(unit + _FLOOR).clamp(max=8.0) / 2.0)
            columns.append(bids.cap.log().clamp(-4.0, 4.0).unsqueeze(-1))
        return torch.cat(columns, dim=-1)

    def _choose(self, menus: Menus, temperature: float) -> tuple[Tensor, Tensor]:
        if temperature > 0:
            return clear_smoothly(menus, temperature * self.settings.smoothing)
        money, option, _ = clear_exactly(menus.detach(), self.settings.skips)
        chance = nn.functional.one_hot(option, self.settings.options + 1).to(money.dtype)
        if not menus.differentiable:
            return money, chance
        smooth_money, smooth_chance = clear_smoothly(menus, self.settings.smoothing)
        # The second terms are 0 and carry the slopes.
        return (
            money + (smooth_money - smooth_money.detach()),
            chance + (smooth_chance - smooth_chance.detach()),
        )


def _of_others(code: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean of the others' codes, 0 where there is no other."""
    own = weight.unsqueeze(-1)
    total = (own * code).sum(dim=-2, keepdim=True) - own * code
    rest = (own.sum(dim=-2, keepdim=True) - own).clamp(min=0.0)
    tiny = 1e-6 * own.sum(dim=-2, keepdim=True)
    return total / (rest + tiny)
