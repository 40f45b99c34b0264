"""Where the search for the best lie starts: the truth, the best of a grid, and random reports."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.attack_trials import Index, Liars
from market_sim.mechanisms.networks.base import Bids
from market_sim.streams import Streams

Deviation = Literal["value", "cap", "both"]
Places = Float[Tensor, "trials 2"]
_RATES = (0.01, 0.03, 0.1, 0.18, 0.32, 0.56, 0.8, 1.0, 1.25, 1.8, 3.2, 5.6, 10.0, 30.0)
_CAPS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.7, 0.85, 1.0, 1.1, 1.25, 1.6)
_EVEN = 4  # places along each side of a region, whatever its size
_RANDOM = ((0.1, 0.05), (10.0, 2.0))  # least and largest (rate, cap) of random starts


@dataclass(frozen=True)
class Region:
    """The lies that are looked at, as factors on the truth.

    Parameters
    ----------
    rate
        Smallest and largest factor on the rate. For another family than the true one: on the
        rate that asks the true total value for the true cap.
    cap
        Smallest and largest factor on the cap.
    families
        Whether a lie may also name any other family that occurs among the owners.

    Raises
    ------
    InvalidInput
        If a factor is not positive and finite, or the truth (1) is outside.
    """

    rate: tuple[float, float] = (1e-4, 1e4)
    cap: tuple[float, float] = (1e-4, 2.0)
    families: bool = True

    def __post_init__(self) -> None:
        for name, (low, high) in (("rate", self.rate), ("cap", self.cap)):
            if not 0 < low <= 1 <= high < float("inf"):
                raise InvalidInput(
                    f"the region of {name} must go from a factor > 0 up to 1 to a finite one from "
                    f"1 on, so that it holds the truth, got ({low:g}, {high:g})"
                )

    def bounds(self, deviation: str) -> tuple[Float[Tensor, "2"], Float[Tensor, "2"]]:
        """Return the bounds of (log rate factor, log cap factor); what must not lie stays at 0.

        Raises
        ------
        InvalidInput
            If the deviation is not "value", "cap" or "both".
        """
        if deviation not in get_args(Deviation):
            raise InvalidInput(
                f"deviation must be one of {list(get_args(Deviation))}, got {deviation!r}"
            )
        rate = (1.0, 1.0) if deviation == "cap" else self.rate
        cap = (1.0, 1.0) if deviation == "value" else self.cap
        low, high = (
            torch.tensor([rate[side], cap[side]], dtype=torch.float64).log() for side in (0, 1)
        )
        return low, high


@dataclass(frozen=True, eq=False)
class Lies:
    """Lies as places (log rate factor, log cap factor), with the bounds of each.

    Attributes
    ----------
    pair
        Who lies, shape `(trials,)`; see `Liars.outcome`.
    kind
        Code of the family that she names.
    place, low, high
        Shape `(trials, 2)`.
    by_value
        Where true, the first place is the log factor on the total value asked instead: along a
        cap she then asks the same, which is what many payments depend on.
    """

    pair: Index
    kind: Index
    place: Places
    low: Places
    high: Places
    by_value: Bool[Tensor, "trials"]

    def chosen(self, index: Tensor) -> "Lies":
        """Return some of the lies."""
        columns = (self.pair, self.kind, self.place, self.low, self.high, self.by_value)
        return Lies(*(column[index] for column in columns))

    def with_rates(self, liars: Liars) -> "Lies":
        """Return the same lies, all with a rate in the first place."""
        log_rate = self.place[:, 0] - self._log_units(liars, self.place[:, 1])
        place = torch.stack([log_rate, self.place[:, 1]], dim=1)
        return replace(self, place=place, by_value=torch.zeros_like(self.by_value))

    def with_values(self, liars: Liars, by_value: Bool[Tensor, "trials"]) -> "Lies":
        """Return the same lies, with the value asked in the first place where told so."""
        lies = replace(self.with_rates(liars), by_value=by_value)
        log_value = lies.place[:, 0] + lies._log_units(liars, lies.place[:, 1])
        return replace(lies, place=torch.stack([log_value, lies.place[:, 1]], dim=1))

    def within(self, liars: Liars, place: Places) -> "Lies":
        """Return the lies moved to the nearest places within the bounds."""
        cap = torch.minimum(torch.maximum(place[:, 1], self.low[:, 1]), self.high[:, 1])
        units = self._log_units(liars, cap)
        rate = place[:, 0] - units
        rate = torch.minimum(torch.maximum(rate, self.low[:, 0]), self.high[:, 0])
        return replace(self, place=torch.stack([rate + units, cap], dim=1))

    def _log_units(self, liars: Liars, log_cap: Tensor) -> Tensor:
        """Return log base(cap') - log base(cap) where places are values, else 0."""
        if not self.by_value.any():
            return torch.zeros_like(log_cap)
        true = liars.of_pairs(self.pair)
        named = Bids(self.kind.unsqueeze(-1), true.rate, true.cap)
        caps = torch.cat([true.cap * log_cap.exp().unsqueeze(-1), true.cap], dim=-1)
        told, whole = named.base(caps.unsqueeze(-2)).squeeze(-2).log().unbind(dim=-1)
        return torch.where(self.by_value, told - whole, 0.0)


def unit_rate(liars: Liars, pair: Index, kind: Index) -> Float[Tensor, "trials"]:
    """Return the rate at which a family asks the true total value for the true cap."""
    true = liars.of_pairs(pair)
    unit = Bids(kind.unsqueeze(-1), torch.ones_like(true.cap), true.cap, true.data_size)
    rate = true.rate.squeeze(-1)
    # The truth itself is told to the last digit.
    own = (kind == true.kind.squeeze(-1)) & (rate > 0)
    return torch.where(own, rate, liars.scale[pair] / unit.cost(true.cap).squeeze(-1))


def reported(liars: Liars, lies: Lies) -> tuple[Tensor, Tensor]:
    """Return the rate and the cap that are told, `(trials,)` each, differentiable in the place."""
    rate, cap = lies.with_rates(liars).place.exp().unbind(dim=1)
    true = liars.of_pairs(lies.pair).cap.squeeze(-1)
    return unit_rate(liars, lies.pair, lies.kind) * rate, true * cap


def gained(liars: Liars, lies: Lies) -> Float[Tensor, "trials"]:
    """Return the true expected utility that each lie brings, differentiable in the place."""
    return liars.utility(lies.pair, lies.kind, *reported(liars, lies))


def honest_lies(liars: Liars, pair: Tensor, region: Region, deviation: str) -> Lies:
    """Return the truth of the owners named, free to move within the region."""
    low, high = region.bounds(deviation)
    shape = (len(pair), 2)
    place = torch.zeros(shape, dtype=torch.float64)
    rates = torch.zeros(len(pair), dtype=torch.bool)
    kind = liars.truth.kind.reshape(-1)[pair]
    return Lies(pair, kind, place, low.expand(shape), high.expand(shape), rates)


def starts(
    liars: Liars, region: Region, deviation: str, restarts: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return the families and places from which to search, `(pairs, restarts)` and one axis more.

    The first is the truth. Half of the others are the best peaks of a grid; the rest are random,
    the same ones whatever the number of restarts.
    """
    honest = honest_lies(liars, torch.arange(liars.pairs), region, deviation)
    codes = families(liars, region, deviation)
    kinds, places = [honest.kind[:, None]], [honest.place[:, None]]
    best = restarts // 2
    if best:
        kind, place = _best_of_grid(liars, honest, codes, best)
        kinds.append(kind)
        places.append(place)
    if not liars.mechanism.guarantees.deterministic:  # every option has a chance
        honest = replace(honest, high=capped(honest.high))
    for restart in range(restarts - 1 - best):
        kind, place = _random(honest, codes, Streams(seed).seed("attack start", restart))
        kinds.append(kind[:, None])
        places.append(place[:, None])
    return torch.cat(kinds, dim=1), torch.cat(places, dim=1)


def capped(high: Places) -> Places:
    """Return upper bounds within which no cap exceeds the true one."""
    return torch.minimum(high, torch.tensor([torch.inf, 0.0], dtype=high.dtype))


def families(liars: Liars, region: Region, deviation: str) -> Int64[Tensor, "pairs families"]:
    """Return the families that each lie may name.

    A lie in cap alone keeps the family, like the rate.
    """
    own = liars.truth.kind.reshape(-1, 1)
    if deviation == "cap" or not region.families:
        return own
    present: Tensor = liars.truth.kind.unique()
    return present.expand(len(own), -1)


def _grid(honest: Lies) -> Tensor:
    """Return places to try, `(caps, rates, 2)`, within the bounds (which are the same for all)."""
    low, high = honest.low[0], honest.high[0]
    axes = []
    for part, factors in enumerate((_RATES, _CAPS)):
        usual = torch.tensor(factors, dtype=torch.float64).log().clamp(low[part], high[part])
        even = torch.lerp(low[part], high[part], torch.linspace(0.0, 1.0, _EVEN).double())
        axes.append(torch.cat([usual, even]).unique())
    rate, cap = axes
    return torch.stack(torch.meshgrid(cap, rate, indexing="ij")[::-1], dim=-1)


def _best_of_grid(liars: Liars, honest: Lies, codes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the `count` best peaks of a grid of families, caps and rates."""
    grid = _grid(honest)
    shape = (codes.shape[1], *grid.shape[:2])
    kinds, places = [], []
    for pair in liars.blocks(math.prod(shape)):
        kind = codes[pair][:, :, None, None].expand(-1, *shape)
        place = grid.expand(len(pair), *shape, 2)
        who = pair[:, None, None, None].expand(kind.shape)
        lies = replace(
            honest.chosen(who.reshape(-1)), kind=kind.reshape(-1), place=place.reshape(-1, 2)
        )
        with torch.no_grad():
            utility = gained(liars, lies).reshape(kind.shape)
        score = peaks_first(utility.nan_to_num(nan=-torch.inf)).flatten(1)
        best = score.argsort(dim=1, descending=True, stable=True)
        best = best[:, torch.arange(count) % best.shape[1]]
        kinds.append(kind.flatten(1).gather(1, best))
        places.append(place.flatten(1, 3)[torch.arange(len(pair))[:, None], best])
    return torch.cat(kinds), torch.cat(places)


def peaks_first(
    utility: Float[Tensor, "pairs families caps rates"],
) -> Float[Tensor, "pairs families caps rates"]:
    """Return ranks to sort by: peaks among their neighbors in cap and rate, then all others."""
    peak = torch.ones_like(utility, dtype=torch.bool)
    for axis in (2, 3):
        rise = utility.diff(dim=axis)
        ahead = torch.nn.functional.pad(rise, (0, 1) if axis == 3 else (0, 0, 0, 1), value=-1.0)
        behind = torch.nn.functional.pad(rise, (1, 0) if axis == 3 else (0, 0, 1, 0), value=1.0)
        peak &= ~(ahead > 0) & ~(behind < 0)
    rank = utility.flatten(1).argsort(dim=1, stable=True).argsort(dim=1).reshape(utility.shape)
    return rank + peak * float(rank[0].numel())


def _random(honest: Lies, codes: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return one random report of each owner: log-uniform in rate and cap."""
    generator = torch.Generator().manual_seed(seed)
    least, widest = torch.tensor(_RANDOM, dtype=torch.float64).log()
    low, high = torch.maximum(honest.low, least), torch.minimum(honest.high, widest)
    share = torch.rand(low.shape, generator=generator, dtype=torch.float64)
    pick = torch.randint(codes.shape[1], (len(codes), 1), generator=generator)
    return codes.gather(1, pick).squeeze(1), low + share * (high - low)
