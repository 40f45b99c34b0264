"""audit: attack a mechanism one owner at a time and report what its promises are worth."""

import json
from collections.abc import Callable, Sequence
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from market_sim.auditing.best import Best
from market_sim.auditing.checked import Clears, mechanism_name
from market_sim.auditing.deviations import Deviator, flat_profiles
from market_sim.auditing.exact import Deviation, exact_attack
from market_sim.auditing.measures import Label, honest_outcome, measured
from market_sim.auditing.offered import offered_lies, with_offered
from market_sim.auditing.report import AuditReport
from market_sim.auditing.search import SearchPlan, search_attack
from market_sim.auditing.verdicts import verdicts
from market_sim.errors import AuditError, InvalidInput
from market_sim.mechanisms.base import Guarantees, KnownExpectation, Mechanism, PiecewiseConstant
from market_sim.population import Population, PopulationLaw
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget
from market_sim.streams import Streams
from market_sim.valuation import KINDS

Sampler = Callable[[np.random.Generator, int], Reports | Population]
Budget = ArrayLike | Callable[[Reports], ArrayLike]


def audit(  # noqa: PLR0913 - all but two are optional and by keyword
    mechanism: Clears,
    sample_reports: Sampler | Reports | Population | PopulationLaw,
    *,
    budget: Budget,
    profiles: int = 100,
    seed: int = 0,
    deviations: Sequence[str] = ("value", "cap", "both"),
    cap_grid: int = 16,
    value_grid: int = 48,
    restarts: int = 2,
    zooms: int = 6,
    draws: int = 16,
    population: str | None = None,
) -> AuditReport:
    r"""Regret max over (v', eps_bar') of u_i(v', eps_bar') - u_i(truth) of every owner.

    One owner lies at a time, the others are truthful; u_i = p_i - [s_i] v_i(eps_i) with the true
    valuation, minus infinity if eps_i exceeds the true cap. Lies keep the family of the valuation
    and scale its rate so that the total reported value takes the wanted amount.

    A `PiecewiseConstant` mechanism is attacked exactly in value, at each cap of a grid that is then
    refined around the best; every other mechanism by a dense search (grids in both directions,
    randomly shifted restarts, zooms), which gives a lower bound of the regret. A mechanism of
    `KnownExpectation` (every learned auction that is differentiable) also offers the lies that it
    finds by gradient, which may name another family; the better of the two counts, and a random
    one is judged by its expectations.

    Parameters
    ----------
    mechanism
        Anything with `clear(reports, budget)`. A random rule states
        `Guarantees(deterministic=False)` and offers `realize(seed)`: the deterministic rule that
        one toss of its coins gives, the same for every profile and every report.
    sample_reports
        `(rng, profiles) -> Reports` of truthful owners with one leading axis; or a law; or ready
        reports, which are then the truth.
    budget
        Money: one number, one a profile, or a function of the sampled reports.
    profiles
        Number of profiles to sample (not used with ready reports).
    seed
        Seed of the profiles and of the search: two mechanisms with one seed meet the same owners.
    deviations
        Any of "value", "cap", "both".
    cap_grid
        Caps to try, up to twice the true one (four times as many for lies in cap alone).
    value_grid, restarts, zooms
        Density of the search; not used by the exact attack.
    draws
        Coin tosses over which a random rule's utilities are averaged, the same for every report;
        if its expectations are known, only its losses and overspending are looked for there.
    population
        Label of the owners; derived from their valuations if omitted.

    Returns
    -------
    AuditReport

    Raises
    ------
    InvalidInput
        If a setting is outside its domain, or the owners are of a family of valuations that the
        mechanism is not defined for.
    AuditError
        If the mechanism breaks its interface (shapes, signs, caps, reports changed in place,
        undeclared randomness).

    Examples
    --------
    >>> import market_sim as ms
    >>> two = ms.Reports.single_minded(value=[6.0, 1.8], cap=[4.0, 1.0])
    >>> report = ms.audit(ms.AllIn("published"), two, budget=7.0)
    >>> report.witness["owner"], round(report.witness["regret"], 9)
    (1, 5.2)

    Notes
    -----
    Source: FL-Market [S], the owner's utility and the promises of All-in; [D] the attack.
    """
    _check_settings(
        profiles=profiles, cap_grid=cap_grid, value_grid=value_grid, restarts=restarts, draws=draws
    )
    wanted = _wanted(deviations)
    plan = SearchPlan(value_grid, cap_grid, restarts, zooms, _highest_cap(mechanism))
    streams = Streams(seed)
    truth = _sampled(sample_reports, profiles, streams.generator("audit profiles"))
    if isinstance(mechanism, Mechanism):
        mechanism.require_families(truth)
    tosses = _draws(mechanism, draws, streams)
    known = mechanism if isinstance(mechanism, KnownExpectation) else None
    random = known is not None and tosses != (mechanism,)
    money = _money(budget, truth)
    market = Deviator(tosses, truth, truth, money, known if random else None)
    pieces = isinstance(mechanism, PiecewiseConstant) and mechanism.is_piecewise_constant
    exact = pieces and len(market.draws) == 1
    honest = honest_outcome(market)
    offered = offered_lies(known, market, wanted, seed) if known is not None else {}

    def attack(owner: int) -> dict[Deviation, Best]:
        if isinstance(mechanism, PiecewiseConstant) and exact:
            found = exact_attack(mechanism, market, owner, cap_grid, wanted)
        else:
            rng = streams.generator("audit", owner)
            found = search_attack(market, owner, plan, wanted, rng)
        return with_offered(market, owner, found, offered)

    owners = [attack(owner) for owner in range(truth.owners)]
    found = {part: [best[part] for best in owners] for part in wanted}
    label = Label(
        mechanism_name(mechanism),
        population or _population(truth),
        "gradient" if known is not None else "exact" if exact else "search",
    )
    rows = tuple(measured(market, honest, part, found[part], label) for part in wanted)
    worst = max(rows, key=lambda row: row.regret_max)
    stated = getattr(mechanism, "guarantees", None)
    judged = (
        verdicts(market, stated, honest, found, streams.generator("audit permutation"))
        if isinstance(stated, Guarantees)
        else ()
    )
    return AuditReport(
        label.mechanism,
        label.population,
        profiles=truth.profiles[0],
        owners=truth.owners,
        seed=seed,
        rows=rows,
        witness=json.loads(worst.witness),
        verdicts=judged,
    )


def sampled_market(
    source: object, budget: Budget, profiles: int, streams: Streams
) -> tuple[Reports, Array]:
    """Return truthful reports `(profiles, owners)` and the money of each profile.

    Raises
    ------
    InvalidInput
        If the source gives no reports, or the budget does not fit them.
    """
    truth = _sampled(source, profiles, streams.generator("audit profiles"))
    return truth, _money(budget, truth)


def _highest_cap(mechanism: Clears) -> float:
    """Return the largest cap that owners may report, in units of the true one."""
    stated = getattr(mechanism, "guarantees", None)
    return 1.0 if isinstance(stated, Guarantees) and stated.caps_verified else 2.0


def attacked_rules(mechanism: Clears, draws: int, streams: Streams) -> tuple[Clears, ...]:
    """Return the mechanism itself, or draws of a random one.

    Raises
    ------
    AuditError
        If a random rule cannot toss its coins beforehand.
    """
    return _draws(mechanism, draws, streams)


def _check_settings(**counts: int) -> None:
    """Refuse counts that are too small to mean anything."""
    for name, count in counts.items():
        least = 2 if name.endswith("grid") else 1
        if count < least:
            raise InvalidInput(f"{name} must be at least {least}, got {count}")


def _wanted(deviations: Sequence[str]) -> tuple[Deviation, ...]:
    """Return the deviations asked for, checked."""
    known = get_args(Deviation)
    asked = (deviations,) if isinstance(deviations, str) else tuple(deviations)
    if not asked or any(part not in known for part in asked):
        raise InvalidInput(f"deviations must be some of {list(known)}, got {list(asked)}")
    return tuple(part for part in known if part in asked)


def _sampled(source: object, profiles: int, rng: np.random.Generator) -> Reports:
    """Return the truthful reports to be attacked, shape `(profiles, owners)`."""
    if isinstance(source, PopulationLaw):
        source = source.sample(rng, (profiles,))
    elif callable(source):
        source = source(rng, profiles)
        shape = getattr(source, "shape", None)
        if shape is None or len(shape) != 2 or shape[0] != profiles:
            raise InvalidInput(
                f"sample_reports(rng, {profiles}) must return reports of shape ({profiles}, "
                f"owners), got {type(source).__name__} of shape {shape}"
            )
    if isinstance(source, Population):
        source = source.reports()
    if not isinstance(source, Reports):
        raise InvalidInput(
            "sample_reports must be Reports, a Population, a law or a function that returns one, "
            f"got {type(source).__name__}"
        )
    return flat_profiles(source)


def _money(budget: Budget, truth: Reports) -> Array:
    """Return the budget of each profile."""
    money = budget(truth) if callable(budget) else budget
    array = np.asarray(money, dtype=np.float64)
    return as_budget(array.reshape(-1) if array.ndim > 1 else array, truth.profiles)


def _draws(mechanism: Clears, draws: int, streams: Streams) -> tuple[Clears, ...]:
    """Return the mechanism itself, or draws of a random one."""
    stated = getattr(mechanism, "guarantees", None)
    if not isinstance(stated, Guarantees) or stated.deterministic:
        return (mechanism,)
    realize = getattr(mechanism, "realize", None)
    if not callable(realize):
        raise AuditError(
            f"{mechanism_name(mechanism)} states deterministic=False but has no realize(seed): "
            "offer one that returns the rule with its coins tossed, so that a lie and the truth "
            "are compared on the same toss"
        )
    return tuple(realize(streams.seed("audit draws", draw)) for draw in range(draws))


def _population(truth: Reports) -> str:
    """Name the owners by their valuations."""
    present = {KINDS[code] for code in np.unique(truth.valuations.kind)}
    if present == {"linear"}:
        return "linear"
    steps = present & {"step"}
    return "single-minded" if present == steps else "mixed" if steps else "multi-minded"
