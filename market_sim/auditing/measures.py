"""From the best lies of all owners to the measures of a report."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from market_sim.auditing.best import TIE, Best
from market_sim.auditing.checked import checked_clear, mechanism_name
from market_sim.auditing.deviations import Deviator
from market_sim.auditing.report import AuditRow
from market_sim.errors import AuditError
from market_sim.outcome import exceeds
from market_sim.shapes import Array
from market_sim.valuation import KINDS, Valuations

_GAIN = 0.01  # of the payment: the smallest gain that counts as one


@dataclass(frozen=True)
class Honest:
    """What happens when everybody tells the truth, averaged over the draws of a random rule.

    Attributes
    ----------
    utility, payment, epsilon
        Shape `(profiles, owners)`.
    loss
        Largest loss of each owner over the draws, max(0, -utility), same shape.
    excess
        Largest overspending over the draws, shape `(profiles,)`.
    """

    utility: Array
    payment: Array
    epsilon: Array
    loss: Array
    excess: Array


@dataclass(frozen=True)
class Label:
    """Names and sizes that every row of a report repeats."""

    mechanism: str
    population: str
    method: str


def honest_outcome(market: Deviator) -> Honest:
    """Clear the truthful reports, twice with every draw; take expectations where they are known.

    Raises
    ------
    AuditError
        If the two outcomes differ: then no comparison of a lie with the truth means anything.
    """
    sold, paid, utility = [], [], []
    for mechanism in market.draws:
        epsilon, payment = checked_clear(mechanism, market.truth, market.budget)
        again = checked_clear(mechanism, market.truth, market.budget)
        if (epsilon != again[0]).any() or (payment != again[1]).any():
            raise AuditError(
                f"{mechanism_name(mechanism)} gave two outcomes for the same reports: a random "
                "rule must state deterministic=False and offer realize(seed)"
            )
        sold.append(epsilon)
        paid.append(payment)
        over = exceeds(epsilon, market.truth.cap)
        utility.append(np.where(over, -np.inf, payment - market.truth.cost(epsilon)))
    utilities, payments = np.stack(utility), np.stack(paid)
    average = (utilities.mean(axis=0), payments.mean(axis=0), np.stack(sold).mean(axis=0))
    if market.expectation is not None:
        average = market.expectation.expectation(market.truth, market.budget, market.truth)
    return Honest(
        *average,
        np.maximum(-utilities, 0.0).max(axis=0),
        (payments.sum(axis=-1) - market.budget).max(axis=0),
    )


def regrets(honest: Honest, best: list[Best]) -> Array:
    """Return max(0, utility of the best lie - utility of the truth), `(profiles, owners)`."""
    lie = np.stack([b.utility for b in best], axis=1)
    gained = lie > honest.utility  # both may be minus infinity, where a rule sells above the cap
    return np.subtract(lie, honest.utility, out=np.zeros(lie.shape), where=gained)


def gains(honest: Honest, best: list[Best], budget: Array) -> Array:
    """Return 1 where the regret exceeds 1 % of the owner's payment, `(profiles, owners)`.

    The payment is that at the truth; an owner paid nothing there is measured by what the lie pays.
    """
    regret = regrets(honest, best)
    lie = np.stack([b.payment for b in best], axis=1)
    payment = np.where(honest.payment > 0, honest.payment, lie)
    real = regret > 1e3 * TIE * budget[:, None]
    return np.where((regret > _GAIN * payment) & real, 1.0, 0.0)


def measured(
    market: Deviator, honest: Honest, deviation: str, best: list[Best], label: Label
) -> AuditRow:
    """Return the row of one deviation from the best lie of each owner, in order."""
    regret = regrets(honest, best)
    excess = np.maximum(np.max([b.excess for b in best], axis=0), honest.excess)
    excess = np.maximum(excess, 0.0)
    return AuditRow(
        mechanism=label.mechanism,
        population=label.population,
        deviation=deviation,
        profiles=regret.shape[0],
        owners=regret.shape[1],
        regret_mean=float(regret.mean()),
        regret_p95=_p95(regret),
        regret_max=float(regret.max()),
        gain_share=float(gains(honest, best, market.budget).mean()),
        ir_violation_max=float(honest.loss.max()),
        budget_excess_max=float(excess.max()),
        budget_excess_relative=float((excess / market.budget).max()),
        method=label.method,
        lies=sum(b.lies for b in best),
        witness=json.dumps(_witness(market, honest, deviation, best)),
    )


def _p95(regret: Array) -> float:
    """Return the 95 % quantile; where some are infinite the next higher one, not in between."""
    if np.isfinite(regret).all():
        return float(np.quantile(regret, 0.95))
    return float(np.quantile(regret, 0.95, method="higher"))


def _witness(
    market: Deviator, honest: Honest, deviation: str, best: list[Best]
) -> dict[str, Any] | None:
    """Return the (profile, owner) of largest regret in numbers; None where nobody gains."""
    regret = regrets(honest, best)
    profile, owner = (int(i) for i in np.unravel_index(regret.argmax(), regret.shape))
    if regret[profile, owner] <= 1e3 * TIE * market.budget[profile]:
        return None
    truth, lie = market.truth, best[owner]
    sizes = truth.data_size
    size = 1.0 if sizes is None else float(sizes[profile, owner])
    unit = float(Valuations(lie.kind[profile : profile + 1], 1.0).base(lie.cap[profile])[0])
    return {
        "deviation": deviation,
        "budget": float(market.budget[profile]),
        "profile": profile,
        "owner": owner,
        "kind": [str(kind) for kind in truth.valuations.names[profile]],
        "true_rate": truth.valuations.rate[profile].tolist(),
        "true_value": truth.value[profile].tolist(),
        "true_cap": truth.cap[profile].tolist(),
        "data_size": None if sizes is None else sizes[profile].tolist(),
        "truth": {
            "payment": float(honest.payment[profile, owner]),
            "epsilon": float(honest.epsilon[profile, owner]),
            "utility": float(honest.utility[profile, owner]),
        },
        "lie": {
            "kind": KINDS[lie.kind[profile]],
            "rate": float(lie.rate[profile]),
            "value": float(lie.rate[profile]) * unit * size,
            "cap": float(lie.cap[profile]),
            "payment": float(lie.payment[profile]),
            "epsilon": float(lie.epsilon[profile]),
            "utility": float(lie.utility[profile]),
        },
        "regret": float(regret[profile, owner]),
    }
