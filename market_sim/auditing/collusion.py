"""Collusion: what a few owners gain by lying together, for any mechanism."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import comb
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from market_sim.auditing.auditor import Budget, Sampler, attacked_rules, sampled_market
from market_sim.auditing.checked import Clears, mechanism_name
from market_sim.auditing.collusion_search import CoalitionSearch, JointLie, LyingMarket, Part
from market_sim.auditing.verdicts import TOLERANCE
from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import Guarantees
from market_sim.population import Population, PopulationLaw
from market_sim.reports import Reports
from market_sim.shapes import whole_number
from market_sim.streams import Streams


@dataclass(frozen=True)
class CollusionReport:
    """What coalitions of one size gain by the best joint lies that were found.

    Attributes
    ----------
    mechanism, size, owners, profiles, seed
        What was attacked.
    coalitions
        Coalitions tried in each profile; all there are if that many.
    joint_lies
        Joint reports tried, all in all.
    gain_max, gain_mean
        Over profiles: the most that the members of a coalition have together beyond what the truth
        gives them, in money. They can share it if they can pay each other.
    share
        Share of the profiles in which some coalition gains.
    paired_gain_max, paired_gain_mean, paired_share
        The same over joint lies by which no member loses: no money need change hands.
    witness, paired_witness
        The lie behind each maximum: profile, members, their reported rates and caps, the gain of
        each; empty where there is none.
    status
        A sentence.
    """

    mechanism: str
    size: int
    owners: int
    profiles: int
    seed: int
    coalitions: int
    joint_lies: int
    gain_max: float
    gain_mean: float
    share: float
    paired_gain_max: float
    paired_gain_mean: float
    paired_share: float
    witness: Mapping[str, Any]
    paired_witness: Mapping[str, Any]
    status: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    def __str__(self) -> str:
        return f"{self.mechanism}, coalitions of {self.size}: {self.status}"


def collusion_audit(  # noqa: PLR0913 - all but two are optional and by keyword
    mechanism: Clears,
    sample_reports: Sampler | Reports | Population | PopulationLaw,
    *,
    budget: Budget,
    size: int = 2,
    profiles: int = 20,
    coalitions: int = 45,
    tries: int = 200,
    zooms: int = 4,
    deviation: Part = "both",
    draws: int = 8,
    seed: int = 0,
) -> CollusionReport:
    r"""Search max over joint reports of sum_S u_i(lies) - u_i(truth), S a coalition of `size`.

    The others are truthful. A joint lie mixes, for each member, the truth, values far away, values
    beside those of other owners (where ranks change), staying out, and smaller caps; then ever
    closer reports around the best. What it finds is a lower bound. Two goals are sought: the most
    for all members together, and the most by which no member loses.

    Parameters
    ----------
    mechanism
        Anything with `clear(reports, budget)`; a random rule is treated as in `audit`.
    sample_reports, budget
        As in `audit`.
    size
        Members of a coalition; 1 searches for lies of single owners.
    profiles
        Profiles to sample (not used with ready reports).
    coalitions
        Coalitions tried in each profile, drawn at random unless these are all.
    tries, zooms
        Joint lies of each coalition, and closer searches of half as many.
    deviation
        "value", "cap" or "both": which part of the report may lie.
    draws
        Coin tosses over which a random rule's utilities are averaged.
    seed
        Of profiles and search.

    Raises
    ------
    InvalidInput
        If a setting is outside its domain or a coalition larger than the market.
    AuditError
        If the mechanism breaks its interface.

    Notes
    -----
    Source: privacy auction game [S], robustness to collusion; [D] the search.

    Examples
    --------
    >>> import market_sim as ms
    >>> three = ms.Reports.single_minded(value=[1.0, 2.0, 3.0], cap=[1.0, 1.0, 1.0])
    >>> found = ms.collusion_audit(ms.AllIn("singer"), three, budget=6.5)
    >>> 2 in found.witness["members"], round(found.gain_max, 3)
    (True, 0.25)
    """
    streams = Streams(seed)
    truth, money = sampled_market(sample_reports, budget, profiles, streams)
    count = _checked(truth.owners, size, coalitions, tries, zooms, draws, deviation)
    market = LyingMarket(attacked_rules(mechanism, draws, streams), truth, money)
    stated = getattr(mechanism, "guarantees", None)
    verified = isinstance(stated, Guarantees) and stated.caps_verified
    top = 1.0 if verified else 2.0
    search = CoalitionSearch(market, size, count, tries, zooms, deviation, top)
    together: list[JointLie] = []
    paired: list[JointLie] = []
    for profile in range(len(money)):
        one, other = search.best(profile, streams.generator("collusion", profile))
        together.append(one)
        paired.append(other)
    return _reported(mechanism_name(mechanism), search, together, paired, seed)


def _checked(
    owners: int,
    size: int,
    coalitions: int,
    tries: int,
    zooms: int,
    draws: int,
    deviation: str,
) -> int:
    """Refuse settings outside their domains; return the coalitions tried in a profile."""
    counts = {"size": size, "coalitions": coalitions, "tries": tries, "draws": draws}
    for name, number in counts.items():
        whole_number(name, number, 1)
    whole_number("zooms", zooms, 0)
    if size > owners:
        raise InvalidInput(f"a coalition of {size} does not fit into a market of {owners} owners")
    if deviation not in get_args(Part):
        raise InvalidInput(f"deviation must be one of {list(get_args(Part))}, got {deviation!r}")
    return min(coalitions, comb(owners, size))


def _witness(lies: list[JointLie], slack: NDArray[np.float64]) -> dict[str, Any]:
    """Return the largest gain with the lie behind it, as plain values."""
    at = int(np.argmax([lie.gain for lie in lies]))
    lie = lies[at]
    if lie.gain <= slack[at]:
        return {}
    return {
        "profile": at,
        "members": lie.members.tolist(),
        "rate": lie.rate.tolist(),
        "cap": lie.cap.tolist(),
        "gains": lie.gains.tolist(),
        "gain": lie.gain,
    }


def _reported(
    name: str, search: CoalitionSearch, together: list[JointLie], paired: list[JointLie], seed: int
) -> CollusionReport:
    """Return the report with a sentence."""
    market = search.market
    slack = TOLERANCE * market.budget
    gains, safe = (np.array([lie.gain for lie in lies]) for lies in (together, paired))
    each = search.tries + search.zooms * 2 * max(2, search.tries // 4)
    tried = each * search.coalitions * len(slack)
    if (gains <= slack).all():
        status = f"none of {tried:,} joint lies gains more than {gains.max():.2g}"
    else:
        part = float((gains / market.budget).max())
        status = f"a coalition gains {gains.max():.3g} ({part:.1%} of the budget)"
        least = f"{safe.max():.3g}" if (safe > slack).any() else "nothing"
        status += f"; with no member losing, {least}"
    return CollusionReport(
        mechanism=name,
        size=search.size,
        owners=market.truth.owners,
        profiles=len(slack),
        seed=seed,
        coalitions=search.coalitions,
        joint_lies=tried,
        gain_max=float(gains.max()),
        gain_mean=float(gains.mean()),
        share=float((gains > slack).mean()),
        paired_gain_max=float(safe.max()),
        paired_gain_mean=float(safe.mean()),
        paired_share=float((safe > slack).mean()),
        witness=_witness(together, slack),
        paired_witness=_witness(paired, slack),
        status=status,
    )
