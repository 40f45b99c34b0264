"""Exact attack on rules that are constant between critical values: one lie a piece, one a border.

At a fixed reported cap the outcome of the owner depends on her total value V' through its place
among the critical values alone, so the best V' is found by trying every piece and every border.
In the cap the outcome is not piecewise constant: a grid of caps is tried, then a finer one around
the best, so that the best response is exact in value and grid x zoom in cap.
"""

from collections.abc import Callable
from functools import reduce
from typing import Literal

import numpy as np

from market_sim.auditing.best import Best, best_report, honest_report
from market_sim.auditing.deviations import Deviator, Index
from market_sim.errors import AuditError
from market_sim.mechanisms.base import PiecewiseConstant
from market_sim.shapes import Array

Deviation = Literal["value", "cap", "both"]
Trial = Callable[[Array], Best]
_CANDIDATES = 2_000_000
_SMALLEST_CAP = 1e-3  # of the true cap


def cap_factors(count: int) -> Array:
    """Return `count` factors on the true cap: three quarters up to 1, one quarter up to 2."""
    above = max(1, count // 4)
    below = np.linspace(0.0, 1.0, count - above + 1)[1:]
    return np.append(below, np.linspace(1.0, 2.0, above + 1)[1:])


def exact_attack(
    rule: PiecewiseConstant,
    market: Deviator,
    owner: int,
    cap_grid: int,
    wanted: tuple[Deviation, ...],
) -> dict[Deviation, Best]:
    """Return the owner's best response in each deviation wanted, over all profiles."""
    honest = honest_report(market, owner)
    one = np.ones((1, len(market.budget)))

    def in_value(factors: Array) -> Best:
        # About four candidates an owner at each cap: memory stays bounded in large markets.
        blocks = 1 + 4 * market.reports.owners * factors.size // _CANDIDATES
        parts = np.array_split(factors, min(blocks, len(factors)))
        tried = (_best_value(rule, market, owner, part, ulps=0) for part in parts)
        return reduce(lambda best, other: best.merged(other, market.budget), tried)

    def in_cap(factors: Array) -> Best:
        return _best_cap(market, owner, factors)

    found: dict[Deviation, Best] = {}
    if "value" in wanted:
        tried = _best_value(rule, market, owner, one, ulps=1)
        found["value"] = honest.merged(tried, market.budget)
    if wanted == ("value",):
        return found
    cap = _zoomed(in_cap, honest, market, owner, 4 * cap_grid, rounds=4)
    if "cap" in wanted:
        found["cap"] = cap
    if "both" in wanted:  # what the cap alone can do, both can, and better values around it
        start = honest.improved(cap, market.budget)
        found["both"] = _zoomed(in_value, start, market, owner, cap_grid, rounds=1)
    return found


def _zoomed(
    attack: Trial, start: Best, market: Deviator, owner: int, count: int, *, rounds: int
) -> Best:
    """Try a grid of `count` caps, then `rounds` finer ones around the best of each profile."""
    truth = market.truth.cap[:, owner]
    grid = cap_factors(count)
    best = start.merged(attack(np.tile(grid[:, None], len(truth))), market.budget)
    step = float(np.diff(grid).max())
    for _ in range(rounds):
        around = best.cap / truth + step * np.array([-0.6, -0.3, 0.3, 0.6])[:, None]
        best = best.merged(attack(np.maximum(around, _SMALLEST_CAP)), market.budget)
        step *= 0.3
    return best


def _best_cap(market: Deviator, owner: int, factors: Array) -> Best:
    """Try caps, `(caps, profiles)` factors on the true one, with the true valuation function."""
    rate = np.broadcast_to(market.truth.valuations.rate[:, owner], factors.shape)
    cap = factors * market.truth.cap[:, owner]
    return best_report(market, owner, _profiles(factors.shape), rate, cap)


def _best_value(
    rule: PiecewiseConstant, market: Deviator, owner: int, factors: Array, *, ulps: int
) -> Best:
    """Try all pieces and borders of V' at each cap, `(caps, profiles)` factors on the true one."""
    truth = market.truth.cap[:, owner]
    cap = factors * truth
    # A cap whose value is beyond double precision cannot be reported.
    sane = np.isfinite(market.unit_cost(_profiles(cap.shape), owner, cap))
    cap = np.where(sane, cap, truth)
    reports = market.reports.replace(owner, rate=np.zeros(cap.shape), cap=cap)
    critical = np.asarray(rule.critical_values(reports, market.budget, owner), dtype=np.float64)
    if critical.shape[:-1] != cap.shape or np.isnan(critical).any():
        raise AuditError(
            f"critical_values returned an array of shape {critical.shape} for profiles "
            f"{cap.shape}: it must keep the profiles and hold no NaN"
        )
    pieces, borders = _candidates(critical, ulps)
    # A border ties with the piece beside it: pieces first, so that the lie named is a robust one.
    best = _best_total(market, owner, cap, pieces)
    return best.merged(_best_total(market, owner, cap, borders), market.budget)


def _best_total(market: Deviator, owner: int, cap: Array, total: Array) -> Best:
    """Try total values V', `(caps, profiles, candidates)`; NaN is no candidate."""
    profile = _profiles(cap.shape)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        rate = total / market.unit_cost(profile, owner, cap)[..., None]
    caps = np.broadcast_to(cap[..., None], total.shape)
    profiles = np.broadcast_to(profile[..., None], total.shape)
    return best_report(market, owner, profiles, rate, caps)


def _candidates(critical: Array, ulps: int) -> tuple[Array, Array]:
    """Return one value inside each piece and the borders with their neighbours; NaN where none."""
    border = np.sort(np.where((critical >= 0) & np.isfinite(critical), critical, np.nan), axis=-1)
    border[..., 1:][border[..., 1:] == border[..., :-1]] = np.nan
    border = np.sort(border, axis=-1)
    first = border[..., :1]
    nothing = np.isnan(first)
    with np.errstate(invalid="ignore"):
        last = np.where(nothing, 0.0, np.fmax.reduce(border, axis=-1, keepdims=True))
    below = np.where(first > 0, first / 2, np.nan)
    inside = (border[..., 1:] + border[..., :-1]) / 2
    above = np.where(last > 0, 2 * last, 1.0)
    pieces = np.concatenate([below, inside, above], axis=-1)
    beside = [np.nextafter(border, side) for side in (0.0, np.inf) for _ in range(ulps)]
    return pieces, np.concatenate([border, *beside], axis=-1)


def _profiles(shape: tuple[int, ...]) -> Index:
    """Return the profile index of each entry of an array `(..., profiles)`."""
    return np.broadcast_to(np.arange(shape[-1]), shape)
