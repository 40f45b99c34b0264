"""The outcome of a menu auction as chances with slopes, for attacks that follow gradients."""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.menu_net import MenuNetwork, Offer, best_choice, visit_all
from market_sim.mechanisms.networks.menu_state import MenuMarket

_TEMPERATURE = 0.02  # of the slopes, in units of money left a sample left


class _Recorder:
    """Lets owners choose exactly, with the slopes of a smoothed choice, and keeps the chances."""

    def __init__(self) -> None:
        self.chances: list[Tensor] = []
        self.pays: list[Tensor] = []

    def __call__(self, offer: Offer, used: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return epsilon, payment and samples of each owner."""
        _, _, samples = best_choice(offer, used)
        unit = (_TEMPERATURE * offer.scale.detach()).clamp_min(1e-9)[..., None]
        soft = nn.functional.pad(offer.gain / unit, (1, 0)).softmax(dim=-1)
        chance = _exact(offer) + (soft - soft.detach())
        self.chances.append(chance)
        self.pays.append(offer.pay)
        paid = (chance[..., 1:] * offer.pay).sum(dim=-1)
        return chance[..., 1:] @ offer.epsilon, paid, samples


def _exact(offer: Offer) -> Tensor:
    """Return chances of 0 and 1: of losing, and of each option; the largest eps of equals."""
    options = offer.gain.shape[-1]
    best = options - 1 - offer.gain.detach().flip(-1).argmax(dim=-1)
    sells = offer.gain.detach().gather(-1, best[..., None])[..., 0] >= 0
    return nn.functional.one_hot(torch.where(sells, best + 1, 0), options + 1).to(offer.gain)


def menu_expectation(
    network: MenuNetwork,
    bids: Bids,
    budget: Float[Tensor, " rows"],
    places: NDArray[np.intp],
) -> ExpectedOutcome:
    """Return what every owner chooses from her menu, differentiable in rates and caps.

    Parameters
    ----------
    network
        For verified sizes, in double precision.
    bids
        Shape `(rows, owners)`, in double precision.
    budget
        Money, one number a row.
    places
        Who is visited when, `(rows, owners)` or `(1, owners)`.
    """
    order = torch.from_numpy(np.broadcast_to(places, tuple(bids.rate.shape)).copy())
    kind, rate, cap = (column.gather(1, order) for column in (bids.kind, bids.rate, bids.cap))
    size = torch.ones_like(rate) if bids.data_size is None else bids.data_size.gather(1, order)
    visited = Bids(kind, rate, cap, size)
    values = visited.cost(cap), visited.cost(cap / 2.0)
    market = MenuMarket(kind, rate, cap.detach(), size, *values, budget)
    grid = network.settings.grid
    recorder = _Recorder()
    visit_all(network, market, grid, recorder, exact=True)
    back = order.argsort(dim=1)[..., None]
    chance, pay = (
        column.gather(1, back.expand(-1, -1, column.shape[-1]))
        for column in (torch.cat(recorder.chances, dim=1), torch.cat(recorder.pays, dim=1))
    )
    options = torch.from_numpy(grid.epsilon).expand_as(pay)
    return ExpectedOutcome(chance, options, (chance[..., 1:] * pay).sum(dim=-1), pay)
