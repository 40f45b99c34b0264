"""Dense search for the best lie against a rule of which nothing is known.

Each restart tries a log-spaced grid of factors, in both directions from the truth and shifted at
random (the first is not), and then zooms: finer grids around the best of each profile. What it
finds is a lower bound of the regret.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from market_sim.auditing.best import Best, best_report, honest_report
from market_sim.auditing.deviations import Deviator
from market_sim.auditing.exact import Deviation
from market_sim.shapes import Array

_VALUE_RANGE = (1e-3, 1e3)
_LOWEST_CAP = 1e-3
_SHRINK = 0.3


@dataclass(frozen=True)
class SearchPlan:
    """How densely to search: points of the grids, restarts, and zooms of each."""

    value_grid: int = 48
    cap_grid: int = 16
    restarts: int = 2
    zooms: int = 6
    highest_cap: float = 2.0  # of the true cap


@dataclass(frozen=True)
class _Axis:
    """Log factors of one part of the report: a grid, how far to look around the best, bounds."""

    grid: Array
    around: Array
    high: float

    def shifted(self, shift: Array) -> Array:
        """Return the grid moved by `shift` grid steps, `(points, profiles)`."""
        step = self.step
        return np.minimum(self.grid[:, None] + shift * step, self.high)

    @property
    def step(self) -> float:
        """Distance of the grid's points."""
        return float(self.grid[1] - self.grid[0]) if len(self.grid) > 1 else 0.0


_STAY = _Axis(np.zeros(1), np.zeros(1), 0.0)


def _axis(bounds: tuple[float, float], points: int, around: int) -> _Axis:
    grid = np.linspace(np.log(bounds[0]), np.log(bounds[1]), points)
    return _Axis(grid, np.linspace(-1.0, 1.0, around), float(grid[-1]))


def search_attack(
    market: Deviator,
    owner: int,
    plan: SearchPlan,
    wanted: Sequence[Deviation],
    rng: np.random.Generator,
) -> dict[Deviation, Best]:
    """Return the best lie found of one owner in each deviation wanted, over all profiles."""
    honest = honest_report(market, owner)
    caps = (_LOWEST_CAP, plan.highest_cap)
    axes: dict[Deviation, tuple[_Axis, _Axis]] = {
        "value": (_axis(_VALUE_RANGE, plan.value_grid, 9), _STAY),
        "cap": (_STAY, _axis(caps, 2 * plan.cap_grid, 9)),
        "both": (
            _axis(_VALUE_RANGE, max(2, plan.value_grid // 2), 5),
            _axis(caps, plan.cap_grid, 5),
        ),
    }
    found: dict[Deviation, Best] = {}
    for part in wanted:
        best = _restarted(market, owner, honest, plan, rng, axes[part])
        if part == "both":  # what one part of the report can do, both can
            for other in list(found.values()):
                best = best.improved(other, market.budget)
        found[part] = best
    return found


def _restarted(
    market: Deviator,
    owner: int,
    honest: Best,
    plan: SearchPlan,
    rng: np.random.Generator,
    axes: tuple[_Axis, _Axis],
) -> Best:
    """Search `plan.restarts` times, each with a zoom of its own, and keep the best of all."""
    value, cap = axes
    best = honest
    # A lie in cap alone keeps the true rate, be it 0; a lie in value needs something to scale.
    scale = market.truth.valuations.rate[:, owner]
    if value is not _STAY:
        scale = np.where(scale > 0, scale, market.budget)
    for restart in range(plan.restarts):
        shift = rng.uniform(-0.5, 0.5, (2, len(market.budget))) * (restart > 0)
        # The truth is where a zoom starts if the grid has nothing better: small lies may pay too.
        grid = _try(market, owner, scale, value.shifted(shift[0]), cap.shifted(shift[1]))
        found = honest.merged(grid, market.budget)
        radius = 1.0
        for _ in range(plan.zooms):
            at_value, at_cap = _log_factors(market, owner, scale, found)
            finer = _try(
                market,
                owner,
                scale,
                np.minimum(at_value + radius * value.step * value.around[:, None], value.high),
                np.minimum(at_cap + radius * cap.step * cap.around[:, None], cap.high),
            )
            found = found.merged(finer, market.budget)
            radius *= _SHRINK
        best = best.merged(found, market.budget)
    return best


def _try(market: Deviator, owner: int, scale: Array, log_value: Array, log_cap: Array) -> Best:
    """Try all pairs of log factors, `(points, profiles)` each."""
    shape = (len(log_value), len(log_cap), len(market.budget))
    rate = np.broadcast_to(np.exp(log_value)[:, None] * scale, shape)
    cap = np.broadcast_to(np.exp(log_cap)[None] * market.truth.cap[:, owner], shape)
    profile = np.broadcast_to(np.arange(shape[-1]), shape)
    return best_report(market, owner, profile, rate, cap)


def _log_factors(market: Deviator, owner: int, scale: Array, best: Best) -> tuple[Array, Array]:
    """Return the log factors of the best reports, `(profiles,)` each."""
    cap = np.log(best.cap / market.truth.cap[:, owner])
    value = best.rate / np.where(scale > 0, scale, 1.0)
    return np.log(np.maximum(value, _VALUE_RANGE[0])), cap  # some ask nothing
