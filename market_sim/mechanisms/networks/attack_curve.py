"""How much regret an attack measures, by its strength."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.attack import AttackResult, attack
from market_sim.mechanisms.networks.attack_starts import Region
from market_sim.mechanisms.networks.base import DifferentiableMechanism
from market_sim.reports import Reports

STRENGTHS = ((1, 10), (1, 25), (1, 100), (2, 100), (5, 100), (10, 200))


@dataclass(frozen=True, eq=False)
class AttackCurve:
    """What attacks of growing strength find on the same owners.

    Attributes
    ----------
    results
        One a strength, in the order given; each keeps the best lie of all before it.
    """

    results: tuple[AttackResult, ...]

    def columns(self) -> dict[str, list[float]]:
        """Return the measures as columns, one entry a strength; see `AttackResult.columns`."""
        rows = [result.columns() for result in self.results]
        return {name: [row[name] for row in rows] for name in rows[0]}


def attack_curve(
    mechanism: DifferentiableMechanism,
    reports: Reports,
    budget: ArrayLike,
    strengths: Sequence[tuple[int, int]] = STRENGTHS,
    *,
    seed: int = 0,
    deviation: str = "both",
    region: Region | None = None,
) -> AttackCurve:
    """Return the regret found by attacks of growing strength (restarts, steps).

    Each strength keeps what the weaker ones before it have found, so that no measure of regret
    falls along the curve: it shows what a weaker test would have reported of the same lies.

    Parameters
    ----------
    mechanism, reports, budget, seed, deviation, region
        As in `attack`.
    strengths
        Pairs (restarts, steps), weakest first.

    Returns
    -------
    AttackCurve

    Raises
    ------
    InvalidInput
        As `attack`, and if there is no strength.
    """
    if not strengths:
        raise InvalidInput("strengths is empty: give at least one pair (restarts, steps)")
    results: list[AttackResult] = []
    for restarts, steps in strengths:
        found = attack(
            mechanism,
            reports,
            budget,
            restarts=restarts,
            steps=steps,
            seed=seed,
            deviation=deviation,
            region=region,
        )
        results.append(best_of(found, results[-1]) if results else found)
    return AttackCurve(tuple(results))


def best_of(result: AttackResult, other: AttackResult) -> AttackResult:
    """Return the better lie of each owner; equals, the utilities and the strength are `result`'s.

    Both are attacks on the same owners of the same mechanism.
    """
    better = other.regret > result.regret
    columns = ("regret", "lie_payment", "kind", "rate", "cap")
    chosen = {c: np.where(better, getattr(other, c), getattr(result, c)) for c in columns}
    return replace(result, **chosen)
