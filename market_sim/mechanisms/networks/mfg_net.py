"""MFG-RegretNet as published: one header for all owners' bids and their mean, two heads."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from market_sim.errors import InvalidInput
from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.stored import StoredModule, draw_glorot
from market_sim.shapes import as_floats, whole_number

Form = Literal["text", "code"]
_GRID = 2.0**24  # the same last digits in any batch
_CRITIC = 64  # width of the critic's two hidden layers


@dataclass(frozen=True)
class MeanFieldNetSettings:
    """Form of a network; plain values only.

    Parameters
    ----------
    owners
        N; a network serves exactly this many.
    budget
        B of the training. Money counts in units of it, so that at this budget the inputs are the
        bids as they are.
    max_cap
        Caps above count as this one.
    form
        - "text": as the paper states it. z = softmax over the owners, eps_i = z_i eps_bar_i, and
          p_i = sigmoid_i v_i before the projection.
        - "code": as the published experiments ran it. z_i = sigmoid_i for each owner on her own,
          and p_i = sigmoid_i B.
    items
        J parts into which each cap and each bid are divided; 1 in all published experiments.
    hidden, layers
        Width and number of the hidden layers.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the form unknown.
    """

    owners: int = 10
    budget: float = 50.0
    max_cap: float = 5.0
    form: Form = "text"
    items: int = 1
    hidden: int = 128
    layers: int = 3

    def __post_init__(self) -> None:
        for name in ("owners", "items", "hidden", "layers"):
            whole_number(name, getattr(self, name), 1)
        as_floats("budget and max_cap", [self.budget, self.max_cap], positive=True)
        if self.form not in get_args(Form):
            raise InvalidInput(f"unknown form {self.form!r}, expected {list(get_args(Form))}")


class MeanFieldNet(StoredModule):
    r"""[b_1 ... b_N; b_MFG] -> z_ij and sigma_ij; eps_i = sum_j z_ij eps_ij, p_i = sum_j sigma b.

    b_i = (v_i, eps_bar_i) are the unit value and the cap of owner i, b_MFG their mean. Payments are
    projected on the budget: pbar_i = p_i / max(1, sum_k p_k / B). With J items eps_ij = eps_bar_i
    / J and b_ij = v_i / J.

    Parameters
    ----------
    settings
        Form of the network.
    seed
        Seed of the initial parameters (Glorot uniform, biases 0).

    Notes
    -----
    Source: privacy auction game [S], MFG-RegretNet. The critic Phi is a part of the training only.
    """

    @classmethod
    def read_settings(cls, values: dict[str, Any]) -> MeanFieldNetSettings:
        """Return the settings that plain values describe."""
        return MeanFieldNetSettings(**values)

    def __init__(self, settings: MeanFieldNetSettings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        inner = [settings.hidden] * settings.layers
        self.header = tanh_layers([2 * settings.owners + 2, *inner])
        out = settings.owners * settings.items
        self.allocation = linear(settings.hidden, out)
        self.payment = linear(settings.hidden, out)
        self.critic = nn.Sequential(tanh_layers([4, _CRITIC, _CRITIC]), linear(_CRITIC, 1))
        draw_glorot(self, seed)

    def forward(
        self, bids: Bids, budget: Float[Tensor, "*profiles"], temperature: float = 0.0
    ) -> ExpectedOutcome:
        """Return what is sold and paid, with certainty.

        Parameters
        ----------
        bids
            Shape `(*profiles, owners)`, in the floating type of the parameters; caps above
            `max_cap` count as `max_cap`.
        budget
            B > 0, one number a profile.
        temperature
            Not used: nothing is chosen.
        """
        seen = self.seen(bids, budget)
        sold, share = self.rule(seen)
        epsilon = _on_grid(sold) * bids.cap.clamp(max=self.settings.max_cap)
        chance = torch.ones_like(epsilon)
        return ExpectedOutcome(
            torch.stack([torch.zeros_like(chance), chance], dim=-1),
            epsilon.unsqueeze(-1),
            _on_grid(share) * budget.unsqueeze(-1),
        )

    def rule(
        self, seen: Float[Tensor, "*profiles owners 2"]
    ) -> tuple[Float[Tensor, "*profiles owners"], Float[Tensor, "*profiles owners"]]:
        """Return what is sold as a share of each cap, and what is paid as a share of the budget."""
        settings = self.settings
        field = seen.mean(dim=-2, keepdim=True)
        hidden = self.header(torch.cat([seen, field], dim=-2).flatten(-2))
        shape = (settings.owners, settings.items)
        logits = self.allocation(hidden).unflatten(-1, shape)
        paid = torch.sigmoid(self.payment(hidden).unflatten(-1, shape)).mean(dim=-1)
        if settings.form == "text":
            sold = logits.softmax(dim=-2).mean(dim=-1)
            share = paid * seen[..., 0] / settings.budget
        else:
            sold = torch.sigmoid(logits).mean(dim=-1)
            share = paid
        return sold, share / share.sum(dim=-1, keepdim=True).clamp(min=1.0)

    def seen(
        self, bids: Bids, budget: Float[Tensor, "*profiles"]
    ) -> Float[Tensor, "*profiles owners 2"]:
        """Return b_i = (v_i, eps_bar_i), the value in units of the budget of the training."""
        money = (self.settings.budget / budget).unsqueeze(-1)
        value = bids.cost(bids.cap) / bids.cap * money
        return torch.stack([value, bids.cap.clamp(max=self.settings.max_cap)], dim=-1)

    def value_of(
        self, state: Float[Tensor, "*profiles owners 2"], mean: Float[Tensor, "*profiles 1 2"]
    ) -> Float[Tensor, "*profiles owners"]:
        """Return Phi(v_i, eps_bar_i; b_MFG), what the critic expects an owner to earn.

        0 for an owner without privacy left, by construction.
        """
        inputs = torch.cat([state, mean.expand_as(state)], dim=-1)
        value: Tensor = self.critic(inputs)[..., 0]
        return value * state[..., 1] / self.settings.max_cap


def tanh_layers(widths: list[int]) -> nn.Sequential:
    """Return linear layers of these widths, each followed by tanh; parameters are still to be set.

    No global generator is asked.
    """
    parts: list[nn.Module] = []
    for before, after in pairwise(widths):
        parts += [linear(before, after), nn.Tanh()]
    return nn.Sequential(*parts)


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a layer whose parameters are still to be set."""
    return nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")


def folded_header(network: MeanFieldNet) -> nn.Linear:
    r"""Return the first layer that does without b_MFG: W'_i = W_i + W_MFG / N, the same bias.

    The mean of the inputs is linear in the inputs, so W [b; mean b] + c = W' b + c for every b: the
    mean-field input adds nothing that the first layer does not have.
    """
    first = network.header[0]
    assert isinstance(first, nn.Linear)
    owners = network.settings.owners
    own, mean = first.weight.detach().split([2 * owners, 2], dim=1)
    folded = linear(2 * owners, first.out_features).to(first.weight.dtype)
    with torch.no_grad():
        folded.weight.copy_(own + mean.repeat(1, owners) / owners)
        folded.bias.copy_(first.bias)
    return folded


def _on_grid(shares: Tensor) -> Tensor:
    """Return shares rounded down to 1/2^24 in double precision, with their own slopes."""
    if shares.dtype != torch.float64:
        return shares
    return shares + (torch.floor(shares * _GRID) / _GRID - shares).detach()
