"""The lies of a whole batch: the quick way for a `RegretNet`, the general one for any network."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor, nn

from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.inputs import owner_inputs
from market_sim.mechanisms.networks.misreports import (
    LieSearch,
    NetworkLies,
    ascend,
    part_of,
    tell,
)
from market_sim.mechanisms.networks.regret_net import RegretNet
from market_sim.mechanisms.networks.regret_net_lies import FrozenNet, OwnerLies, by_owner

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]
Factors = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Lies:
    """One lie a row: whose it is, and what she says.

    Attributes
    ----------
    profile, owner
        Indices, shape `(rows,)`.
    told
        The bids of the profile with the lie, shape `(rows, owners)`.
    """

    profile: Int64[Tensor, "rows"]
    owner: Int64[Tensor, "rows"]
    told: Bids


def liars(rng: np.random.Generator, profiles: int, owners: int, sampled: int) -> Rows:
    """Return profile and owner of every row: all owners, or `sampled` random ones a profile."""
    count = owners if sampled == 0 else min(sampled, owners)
    first = rng.integers(owners, size=(profiles, 1))
    owner = (first + np.arange(count) * (owners // count)) % owners
    return np.repeat(np.arange(profiles), count), owner.reshape(-1)


def find_lies(
    module: nn.Module,
    truth: Bids,
    budget: Float[Tensor, "profiles"],
    temperature: float,
    rows: Rows,
    search: LieSearch,
    rng: np.random.Generator,
) -> Lies:
    """Return the best lie found of each (profile, owner) in `rows`.

    Parameters
    ----------
    module
        Takes bids, budget and temperature, gives an `ExpectedOutcome`.
    truth
        True bids, shape `(profiles, owners)`; never changed.
    budget
        Shape `(profiles,)`.
    temperature
        Of a smoothed choice, see `RegretNet`; 0 for the rule itself.
    rows
        See `liars`.
    search, rng
        How hard to look, and where the starts come from.
    """
    profile, owner = rows
    if isinstance(module, RegretNet) and (temperature > 0 or not module.settings.deterministic):
        log_rate, log_cap = _quick(module, truth, budget, temperature, rows, search, rng)
    else:  # the rule itself of a deterministic network, or another network
        log_rate, log_cap = _general(module, truth, budget, temperature, rows, search, rng)
    which, who = torch.from_numpy(profile), torch.from_numpy(owner)
    factors = (torch.from_numpy(np.exp(x)).to(truth.rate) for x in (log_rate, log_cap))
    return Lies(which, who, tell(part_of(truth, which), who[:, None], *factors))


def _general(
    module: nn.Module,
    truth: Bids,
    budget: Tensor,
    temperature: float,
    rows: Rows,
    search: LieSearch,
    rng: np.random.Generator,
) -> Factors:
    profile, owner = (torch.from_numpy(index) for index in rows)
    network = partial(module, temperature=temperature)
    problem = NetworkLies(network, part_of(truth, profile), budget[profile], owner)
    log_rate, log_cap, _ = ascend(problem, search, rng)
    return log_rate.astype(np.float32), log_cap.astype(np.float32)


def _quick(
    module: RegretNet,
    truth: Bids,
    budget: Tensor,
    temperature: float,
    rows: Rows,
    search: LieSearch,
    rng: np.random.Generator,
) -> Factors:
    profile, owner = rows
    settings = module.settings
    with torch.no_grad():
        capped = truth.with_lie(truth.rate, truth.cap.clamp(max=settings.max_cap))
        seen = module.inputs(owner_inputs(capped, budget, settings.max_cap)).numpy()
    net = FrozenNet(module, temperature if settings.deterministic else 1.0)
    found = np.zeros((2, len(owner)), dtype=np.float32)
    for part in by_owner(owner, range(settings.owners)):
        where = torch.from_numpy(profile[part])
        problem = OwnerLies(
            net, seen[profile[part]], part_of(truth, where), budget[where], int(owner[part[0]])
        )
        found[0, part], found[1, part], _ = ascend(problem, search, rng)
    return found[0], found[1]
