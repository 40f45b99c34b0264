"""What a learned auction offers the audit: its expectations, and lies found by gradient."""

import numpy as np
import torch
from numpy.typing import ArrayLike

from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.attack_trials import CELLS, Liars, changed, in_type
from market_sim.mechanisms.networks.base import DifferentiableMechanism
from market_sim.reports import Reports
from market_sim.shapes import Array
from market_sim.valuation import Valuations


@torch.no_grad()
def expectation(
    mechanism: DifferentiableMechanism, reports: Reports, budget: ArrayLike, truth: Reports
) -> tuple[Array, Array, Array]:
    """Return expected true utility, payment and epsilon, each `(*profiles, owners)`.

    Parameters
    ----------
    mechanism
        A learned auction.
    reports, budget
        What is cleared.
    truth
        True valuations, caps and sizes, of the shape of the reports.
    """
    told, true = (Liars.of(mechanism, each, budget) for each in (reports, truth))
    columns: list[tuple[Array, ...]] = []
    for rows in torch.arange(len(told.budget)).split(max(1, CELLS // told.truth.owners)):
        bids, honest = (changed(market.truth, lambda c: c[rows]) for market in (told, true))  # noqa: B023
        outcome = mechanism.expected_outcome(bids, told.budget[rows])
        honest = in_type(honest, outcome.options.dtype)
        found = (outcome.utility(honest), outcome.payment, outcome.epsilon)
        columns.append(tuple(column.double().numpy() for column in found))
    utility, payment, epsilon = (
        np.concatenate(parts).reshape(reports.shape) for parts in zip(*columns, strict=True)
    )
    return utility, payment, epsilon


def strongest_lies(
    mechanism: DifferentiableMechanism,
    reports: Reports,
    budget: ArrayLike,
    deviation: str,
    seed: int,
) -> Reports:
    """Return the best lies of `attack` in its default strength, as reports."""
    found = attack(mechanism, reports, budget, seed=seed, deviation=deviation)
    return Reports(Valuations(found.kind, found.rate), found.cap, reports.data_size)
