"""Verdicts: each guarantee that a mechanism states, held against what the audit found."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from market_sim.auditing.best import Best
from market_sim.auditing.checked import checked_clear
from market_sim.auditing.deviations import Deviator
from market_sim.auditing.exact import Deviation
from market_sim.auditing.measures import Honest, regrets
from market_sim.auditing.report import Verdict
from market_sim.mechanisms.base import Guarantees
from market_sim.shapes import Array
from market_sim.valuation import KINDS

TOLERANCE = 1e-9  # of the budget: what is less is rounding
Found = Mapping[Deviation, list[Best]]
_PARTS: tuple[Deviation, ...] = ("value", "cap")
_COVERED = {"single-minded": ("step",), "linear": ("linear",), "any": KINDS}


def verdicts(
    market: Deviator,
    guarantees: Guarantees,
    honest: Honest,
    found: Found,
    rng: np.random.Generator,
) -> tuple[Verdict, ...]:
    """Return a verdict on each guarantee stated; `found` holds the best lies by deviation."""
    excesses = [best.excess for owners in found.values() for best in owners]
    return (
        *_truthful(market, guarantees, honest, found),
        *_individually_rational(market, guarantees, honest),
        *_budget_feasible(market, guarantees, [honest.excess, *excesses], _lies(found)),
        *_deterministic(market, guarantees),
        *_anonymous(market, guarantees, rng),
    )


def _count(market: Deviator) -> str:
    rows = len(market.budget)
    return f"{rows:,} profiles" if rows != 1 else "1 profile"


def _lies(found: Found) -> int:
    return sum(best.lies for owners in found.values() for best in owners)


def _truthful(
    market: Deviator, guarantees: Guarantees, honest: Honest, found: Found
) -> Iterator[Verdict]:
    """Judge truthfulness in each part stated, and in both together where both are."""
    if guarantees.truthful_for == "none":
        return
    parts: list[Deviation] = [part for part in _PARTS if part in guarantees.truthful_in]
    if len(parts) == len(_PARTS):
        parts.append("both")
    families = np.isin(KINDS, _COVERED[guarantees.truthful_for])
    covered = bool(families[market.truth.valuations.kind].all())
    for part in parts:
        claim = "value and cap at once" if part == "both" else part
        name = f"truthful in {claim} for {guarantees.truthful_for} owners"
        if part not in found:
            yield Verdict(name, "not tested", "this deviation was not asked for")
            continue
        regret = regrets(honest, found[part])
        worst = float(regret.max())
        tried = f"{sum(best.lies for best in found[part]):,} misreports"
        if not covered:
            evidence = (
                f"these owners are not {guarantees.truthful_for}; their largest gain is {worst:.3g}"
            )
            yield Verdict(name, "not tested", evidence)
        elif (regret > TOLERANCE * market.budget[:, None]).any():
            yield Verdict(name, "violated", f"the best of {tried} gains {worst:.3g}")
        else:
            yield Verdict(name, "held", f"none of {tried} gains more than {worst:.2g}")


def _individually_rational(
    market: Deviator, guarantees: Guarantees, honest: Honest
) -> Iterator[Verdict]:
    if guarantees.individually_rational:
        worst = honest.loss.max()
        evidence = f"no truthful owner of {honest.loss.size:,} loses more than {worst:.2g}"
        broken = (honest.loss > TOLERANCE * market.budget[:, None]).any()
        yield Verdict("individually rational", "violated" if broken else "held", evidence)


def _budget_feasible(
    market: Deviator, guarantees: Guarantees, excesses: Sequence[Array], lies: int
) -> Iterator[Verdict]:
    if guarantees.budget_feasible:
        worst = np.maximum(np.max(excesses, axis=0), 0.0)
        evidence = (
            f"at the truth and under {lies:,} misreports the payments exceed the budget by at "
            f"most {worst.max():.2g}"
        )
        broken = (worst > TOLERANCE * market.budget).any()
        yield Verdict("budget feasible", "violated" if broken else "held", evidence)


def _deterministic(market: Deviator, guarantees: Guarantees) -> Iterator[Verdict]:
    if guarantees.deterministic:  # else the audit would have ended in `honest_outcome`
        evidence = f"cleared twice, {_count(market)} gave the same outcome"
        yield Verdict("deterministic", "held", evidence)


def _anonymous(
    market: Deviator, guarantees: Guarantees, rng: np.random.Generator
) -> Iterator[Verdict]:
    """Judge one random permutation of the owners, on the profiles without ties."""
    if not guarantees.anonymous:
        return
    name = "anonymous"
    ranked = np.sort(market.truth.unit_value, axis=-1)
    plain = (np.diff(ranked, axis=-1) > 0).all(axis=-1)
    if not guarantees.deterministic or not plain.any():
        why = "the rule is random" if plain.any() else "every profile has equal unit values"
        yield Verdict(name, "not tested", why)
        return
    order = rng.permutation(market.truth.owners)
    before = np.stack(checked_clear(market.draws[0], market.truth, market.budget))
    after = np.stack(checked_clear(market.draws[0], market.truth.select(order), market.budget))
    # Sums in another order differ in the last digits: compared at 1e-9 of what is sold or paid.
    apart = np.abs(after - before[..., order])[:, plain]
    broken = (apart > 1e-9 * np.maximum(1.0, before[:, plain].max(axis=-1, keepdims=True))).any()
    evidence = f"a permutation of the owners moves no outcome by more than {apart.max():.2g}"
    yield Verdict(name, "violated" if broken else "held", evidence)
