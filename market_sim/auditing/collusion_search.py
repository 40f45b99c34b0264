"""The search for joint lies: what coalitions try, and the best that each of them finds."""

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np

from market_sim.auditing.checked import Clears, checked_clear
from market_sim.auditing.deviations import Index
from market_sim.auditing.verdicts import TOLERANCE
from market_sim.outcome import Outcome
from market_sim.reports import Reports
from market_sim.shapes import Array
from market_sim.valuation import Valuations

Part = Literal["value", "cap", "both"]
_ROWS = 400_000  # entries of one cleared batch
_FAR = 1e3
_BESIDE = 1e-6


@dataclass(frozen=True)
class JointLie:
    """The best joint lie of a profile: gains of the members, who they are, what they say."""

    gain: float
    gains: Array
    members: Index
    rate: Array
    cap: Array


@dataclass(frozen=True)
class LyingMarket:
    """The rule (in one or several draws), the truth of every profile, and the money."""

    rules: tuple[Clears, ...]
    truth: Reports
    budget: Array

    def utility(self, profile: int, rate: Array, cap: Array) -> Array:
        """Return true utilities `(lies, owners)` of reports of one profile, given whole."""
        truth = self.truth
        step = max(1, _ROWS // truth.owners)
        valuations = truth.valuations[[profile]]
        size = None if truth.data_size is None else truth.data_size[[profile]]
        result = np.zeros(rate.shape)
        for start in range(0, len(rate), step):
            rows = slice(start, start + step)
            shape = rate[rows].shape
            kind = np.broadcast_to(valuations.kind, shape)
            sizes = None if size is None else np.broadcast_to(size, shape)
            said = Reports(Valuations(kind, rate[rows]), cap[rows], sizes)
            money = np.full(shape[0], self.budget[profile])
            for rule in self.rules:
                sold, paid = checked_clear(rule, said, money)
                outcome = Outcome(sold, paid, money, sizes)
                result[rows] += outcome.utility(valuations, cap=truth.cap[[profile]])
        return result / len(self.rules)


@dataclass(frozen=True)
class CoalitionSearch:
    """Which coalitions try how many joint lies."""

    market: LyingMarket
    size: int
    coalitions: int
    tries: int
    zooms: int
    deviation: Part
    highest_cap: float = 2.0  # of the true one

    def best(self, profile: int, rng: np.random.Generator) -> tuple[JointLie, JointLie]:
        """Return the best lie of a profile, and the best one by which no member loses."""
        truth = self.market.truth
        members = self._members(truth.owners, rng)
        rate, cap = truth.valuations.rate[profile], truth.cap[profile]
        honest = self.market.utility(profile, rate[None], cap[None])[0]
        slack = TOLERANCE * self.market.budget[profile]
        nothing = np.zeros(len(members)), np.zeros(members.shape), rate[members], cap[members]
        best = [[column.copy() for column in nothing] for _ in range(2)]
        tried = self._anywhere(profile, members, rng)
        for zoom in range(self.zooms + 1):
            gains = self._gains(profile, members, *tried, honest)
            total = gains.sum(axis=-1)
            safe = np.where(gains.min(axis=-1) >= -slack, total, -np.inf)
            for kept, worth in zip(best, (total, safe), strict=True):
                _keep(kept, worth, gains, *tried)
            pairs = [self._around(profile, members, kept, zoom, rng) for kept in best]
            rates, caps = zip(*pairs, strict=True)
            tried = np.concatenate(rates, axis=1), np.concatenate(caps, axis=1)
        first, second = (_top_of(kept, members) for kept in best)
        return first, second

    def _members(self, owners: int, rng: np.random.Generator) -> Index:
        """Return coalitions `(coalitions, size)`: all, or different ones drawn at random."""
        if comb(owners, self.size) <= self.coalitions:
            return np.array(list(combinations(range(owners), self.size)), dtype=np.intp)
        drawn = rng.random((self.coalitions, owners)).argpartition(self.size - 1, axis=1)
        return np.asarray(drawn[:, : self.size])

    def _anywhere(
        self, profile: int, members: Index, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return joint lies `(coalitions, tries, size)`: rates and caps."""
        truth = self.market.truth
        shape = (len(members), self.tries, self.size)
        rate, cap = (column[profile][members][:, None] for column in _columns(truth))
        part = rng.random(shape)
        caps = np.where(part < 0.3, np.exp(rng.uniform(np.log(0.01), 0.0, shape)), 1.0)
        caps = np.where(part > 0.95, rng.uniform(1.0, self.highest_cap, shape), caps)
        if self.deviation == "value":
            caps = np.ones(shape)
        if self.deviation == "cap":
            return np.broadcast_to(rate, shape).copy(), caps * cap
        unit = truth.unit_value[profile]
        own = np.where(unit > 0, unit, 1.0)[members][:, None]
        scale = np.where(rate > 0, rate / own, 1.0)  # rate that asks one for a unit
        aside = unit[rng.integers(0, truth.owners, shape)] * (
            1.0 + _BESIDE * rng.integers(-1, 2, shape)
        )
        far = own * np.exp(rng.uniform(-np.log(100.0), np.log(100.0), shape))
        out = np.where(rng.random(shape) < 0.5, 0.0, _FAR * own)
        kind = rng.random(shape)
        wanted = np.select([kind < 0.3, kind < 0.55, kind < 0.8], [own + 0 * far, aside, far], out)
        return np.where(kind < 0.3, rate, wanted * scale), caps * cap

    def _around(
        self,
        profile: int,
        members: Index,
        kept: list[Array],
        zoom: int,
        rng: np.random.Generator,
    ) -> tuple[Array, Array]:
        """Return joint lies near the best of each coalition, some members left as they are."""
        shape = (len(members), max(2, self.tries // 4), self.size)
        spread = 0.5 / 3.0**zoom
        moves = spread * rng.uniform(-1.0, 1.0, (2, *shape)) * (rng.random((2, *shape)) < 0.6)
        if self.deviation != "both":
            moves[1 if self.deviation == "value" else 0] = 0.0
        ceiling = np.maximum(kept[3], self.market.truth.cap[profile][members])[:, None]
        rate = kept[2][:, None] * np.exp(moves[0])
        return rate, np.minimum(kept[3][:, None] * np.exp(moves[1]), ceiling)

    def _gains(self, profile: int, members: Index, rate: Array, cap: Array, honest: Array) -> Array:
        """Return what each member gains, `(coalitions, tries, size)`."""
        truth = self.market.truth
        place = members[:, None], np.arange(rate.shape[1])[:, None]
        rates, caps = (
            np.broadcast_to(column[profile], (*rate.shape[:2], truth.owners)).copy()
            for column in _columns(truth)
        )
        rows = np.arange(len(members))[:, None, None]
        rates[rows, place[1], place[0]], caps[rows, place[1], place[0]] = rate, cap
        flat = (column.reshape(-1, truth.owners) for column in (rates, caps))
        utility = self.market.utility(profile, *flat).reshape(rates.shape)
        # Who sells above her cap at the truth, as some rules allow, has nothing to compare with.
        before = np.where(np.isfinite(honest), honest, np.inf)[members][:, None]
        return np.asarray(utility[rows, place[1], place[0]] - before)


def _columns(truth: Reports) -> tuple[Array, Array]:
    return truth.valuations.rate, truth.cap


def _keep(kept: list[Array], worth: Array, gains: Array, rate: Array, cap: Array) -> None:
    """Let each coalition remember its best lie so far."""
    pick = worth.argmax(axis=1)
    rows = np.arange(len(worth))
    better = worth[rows, pick] > kept[0]
    kept[0][better] = worth[rows, pick][better]
    for column, table in zip(kept[1:], (gains, rate, cap), strict=True):
        column[better] = table[rows, pick][better]


def _top_of(kept: list[Array], members: Index) -> JointLie:
    at = int(kept[0].argmax())
    return JointLie(float(kept[0][at]), kept[1][at], members[at], kept[2][at], kept[3][at])
