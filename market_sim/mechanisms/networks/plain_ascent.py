"""Lies by plain gradient ascent from the truth: how published regrets were measured."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from market_sim.mechanisms.networks.base import Bids, DifferentiableMechanism
from market_sim.mechanisms.networks.misreports import Network, flat_bids, part_of
from market_sim.reports import Reports
from market_sim.shapes import Array, as_budget, as_floats, whole_number

Places = Float[Tensor, "rows 2"]
Rows = tuple[Tensor, Tensor]
_LEAST = 1e-3  # of the true cap: reports stay above


def plain_ascent(
    utility: Callable[[Places], Float[Tensor, "rows"]],
    truth: Places,
    steps: int = 25,
    step: float = 0.01,
    largest_value: float = 1.0,
) -> Places:
    r"""Ascend b' <- P[b' + step grad u(b')], `steps` times from the truth; b' = (v', eps').

    P projects on 0 <= v' <= `largest_value` and on caps from next to 0 to the true one.

    Parameters
    ----------
    utility
        True utility of the reports of each row, in money.
    truth
        True unit value and cap of each row's owner.
    steps, step
        R and its length, in the units of v and of eps.
    largest_value
        Largest unit value that may be told.

    Returns
    -------
    The last iterate, as published.

    Notes
    -----
    Source: privacy auction game [S], MFG-RegretNet, R = 25 projected steps of .01.
    """
    top = torch.stack([torch.full_like(truth[:, 0], largest_value), truth[:, 1]], dim=1)
    low = torch.stack([torch.zeros_like(truth[:, 0]), _LEAST * truth[:, 1]], dim=1)
    place = truth
    for _ in range(steps):
        place = place.detach().requires_grad_()
        (slope,) = torch.autograd.grad(utility(place).sum(), place)
        place = torch.minimum(torch.maximum(place.detach() + step * slope, low), top)
    return place.detach()


def network_utility(
    network: Network, truth: Bids, budget: Tensor, rows: Rows, told: Places
) -> Float[Tensor, "rows"]:
    """Return the true utility of linear owners who lie to any network, in money.

    Parameters
    ----------
    network
        Bids and budget in, expected outcome out.
    truth, budget
        Shapes `(profiles, owners)` and `(profiles,)`.
    rows
        Profile and owner of each lie, shape `(rows,)` each.
    told
        Unit value and cap that she says.
    """
    profile, own = rows[0], rows[1].unsqueeze(1)
    true = part_of(truth, profile)
    cap = true.cap.scatter(1, own, told[:, 1:])
    unit = true.base(true.cap).gather(1, own) / true.cap.gather(1, own)
    rate = true.rate.scatter(1, own, told[:, :1] / unit)
    outcome = network(true.with_lie(rate, cap), budget[profile])
    return outcome.utility(true).gather(1, own)[:, 0]


def places_of(truth: Bids, rows: Rows) -> Places:
    """Return true unit value and cap of the owners named."""
    return torch.stack([(truth.cost(truth.cap) / truth.cap)[rows], truth.cap[rows]], dim=1)


def ascent_regret(
    mechanism: DifferentiableMechanism,
    reports: Reports,
    budget: ArrayLike,
    steps: int = 25,
    step: float = 0.1,
    largest_value: float = 1.0,
) -> Array:
    """Return what `plain_ascent` adds to each owner's utility, >= 0, in money.

    It says how far a few short steps lead, not how much a lie can pay: see `best_responses`.

    Parameters
    ----------
    mechanism
        A learned auction.
    reports
        The truth, shape `(*profiles, owners)`, of owners with linear valuations.
    budget
        Money, one number or shape `profiles`.
    steps, step, largest_value
        See `plain_ascent`; the published tables took 25 steps of 0.1.

    Returns
    -------
    Shape `(*profiles, owners)`.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the mechanism cannot take these reports.
    """
    count = whole_number("steps", steps, 1)
    length = float(as_floats("step", step, positive=True))
    top = float(as_floats("largest_value", largest_value, positive=True))
    money = torch.tensor(as_budget(budget, reports.profiles).reshape(-1))
    truth = flat_bids(Bids.from_reports(reports))
    profiles, owners = truth.rate.shape
    rows = torch.arange(profiles).repeat_interleave(owners), torch.arange(owners).repeat(profiles)
    utility = partial(network_utility, mechanism.expected_outcome, truth, money, rows)
    honest = places_of(truth, rows)
    told = plain_ascent(utility, honest, count, length, top)
    with torch.no_grad():
        gain: Array = (utility(told) - utility(honest)).clamp_min(0.0).numpy()
    return gain.reshape(reports.shape)
