"""How much regret an attack measures, by its strength; and the weak test that was published."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.attack import AttackResult, attack
from market_sim.mechanisms.networks.attack_starts import Region
from market_sim.mechanisms.networks.attack_trials import Liars
from market_sim.mechanisms.networks.base import DifferentiableMechanism
from market_sim.reports import Reports
from market_sim.shapes import PerOwner, as_floats, whole_number

STRENGTHS = ((1, 10), (1, 25), (1, 100), (2, 100), (5, 100), (10, 200))
_SMALLEST = 1e-3  # of the truth: nearer to 0 the published test does not go


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


def published_regret(
    mechanism: DifferentiableMechanism,
    reports: Reports,
    budget: ArrayLike,
    *,
    steps: int = 25,
    rate: float = 0.1,
) -> PerOwner:
    r"""Return max(0, E u_i(lie) - E u_i(truth)) for the lie that the published test looks at.

    One plain gradient ascent from the truth, (v', eps_bar') <- (v', eps_bar') + rate * slope,
    within (0, eps_bar] for the cap; the last iterate counts, not the best. A weak test: print it
    beside `attack`.

    Parameters
    ----------
    mechanism, reports, budget
        As in `attack`.
    steps
        R, 25 (2021) or 100 (2022).
    rate
        gamma, the step of the ascent.

    Returns
    -------
    Shape `(*profiles, owners)`, money.

    Raises
    ------
    InvalidInput
        If a setting is outside its domain or the mechanism cannot take the population.

    Notes
    -----
    Source: FL-Market [S], misreports in training and in its evaluation.
    """
    whole_number("steps", steps, 0)
    as_floats("rate", rate, positive=True)
    liars = Liars.of(mechanism, reports, budget)
    parts = [_published(liars, pair, steps, rate) for pair in liars.blocks(1)]
    return np.asarray(torch.cat(parts).numpy().reshape(reports.shape))


def _published(liars: Liars, pair: torch.Tensor, steps: int, gamma: float) -> torch.Tensor:
    """Return what the last iterate gains, `(pairs,)`."""
    true = liars.of_pairs(pair)
    kind, rate, cap = (column.squeeze(-1) for column in (true.kind, true.rate, true.cap))
    told = torch.stack([rate, cap])
    least, most = _SMALLEST * told, torch.stack([torch.full_like(rate, torch.inf), cap])
    with torch.no_grad():
        honest = liars.utility(pair, kind, rate, cap)
    for _ in range(steps):
        told = told.detach().requires_grad_()
        utility = liars.utility(pair, kind, *told)
        (slope,) = torch.autograd.grad(utility.sum(), told)
        told = torch.minimum(torch.maximum(told + gamma * slope.nan_to_num(0.0), least), most)
    with torch.no_grad():
        return (liars.utility(pair, kind, *told) - honest).clamp(min=0.0)
