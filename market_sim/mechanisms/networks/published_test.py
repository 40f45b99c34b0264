"""The regret test that the published tables report: short plain ascents from the truth."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from market_sim.mechanisms.networks.base import Bids, DifferentiableMechanism
from market_sim.mechanisms.networks.misreports import NetworkLies, flat_bids
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, whole_number

_LEAST = 1e-3  # of the true rate and cap: reports stay above


@dataclass(frozen=True, eq=False)
class PublishedTest:
    """Gains and shortfalls of truthful owners, in money, shape `(*profiles, owners)`.

    Attributes
    ----------
    regret
        What the best iterate of the ascent adds to the owner's expected utility, >= 0.
    ir_violation
        How far her expected utility at the truth lies below 0.
    """

    regret: Float[NDArray[np.float64], "*profiles owners"]
    ir_violation: Float[NDArray[np.float64], "*profiles owners"]


def published_test(
    mechanism: DifferentiableMechanism,
    reports: Reports,
    budget: Array | float,
    steps: int = 25,
    step: float = 0.1,
) -> PublishedTest:
    r"""Ascend (rate', cap') <- (rate', cap') + gamma grad u_i, R times, from the truth.

    The reported cap stays at or below the true one. The test is weak: an ascent covers at most
    gamma R times the slope, and starts at one point. It is here to compare with published tables;
    for a statement about a mechanism use the audit.

    Parameters
    ----------
    mechanism
        A learned auction.
    reports
        The truth, shape `(*profiles, owners)`.
    budget
        The buyer's money.
    steps, step
        R and gamma.

    Raises
    ------
    InvalidInput
        If the mechanism cannot take these reports.

    Notes
    -----
    Source: FL-Market [S], Table 1 (2021): R = 25, gamma = 0.1. [D] expected utilities, and the
    best iterate instead of the last.
    """
    count = whole_number("steps", steps, 1)
    money = as_budget(budget, reports.profiles)
    bids = Bids.from_reports(reports)
    flat = flat_bids(bids)
    purse = torch.from_numpy(money.reshape(-1))
    regret = [_ascend(mechanism, flat, purse, owner, count, step) for owner in range(bids.owners)]
    with torch.no_grad():
        honest = mechanism.expected_outcome(flat, purse).utility(flat).numpy()
    return PublishedTest(
        np.stack(regret, axis=-1).reshape(reports.shape),
        np.maximum(-honest, 0.0).reshape(reports.shape),
    )


def _ascend(
    mechanism: DifferentiableMechanism,
    truth: Bids,
    budget: Tensor,
    owner: int,
    steps: int,
    step: float,
) -> Array:
    """Return the gains of one owner, `(profiles,)`."""
    profiles = len(budget)
    problem = NetworkLies(
        mechanism.expected_outcome,
        truth,
        budget,
        torch.full((profiles,), owner),
    )
    true = np.stack([truth.rate[:, owner].numpy(), truth.cap[:, owner].numpy()])
    low, high = _LEAST * true, np.stack([np.full(profiles, np.inf), true[1]])
    told, purse = true.copy(), budget.numpy()
    best = np.full(profiles, -np.inf)
    honest = best
    for turn in range(steps + 1):
        scale = np.log(told / np.where(true > 0, true, 1.0))
        utility, *slopes = problem.utility(*scale)
        best = np.maximum(best, utility)
        honest = utility if turn == 0 else honest
        told = np.clip(told + step * purse * np.stack(slopes) / told, low, high)
    return np.asarray((best - honest) * purse, dtype=np.float64)
