"""The published networks: one for what each owner sells, one for how the money is shared."""

import itertools
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.inputs import Standardizer, input_count, owner_inputs
from market_sim.mechanisms.networks.options import Grid, option_shares, options_of
from market_sim.mechanisms.networks.stored import StoredModule, draw_glorot
from market_sim.shapes import as_floats, whole_number

_LOSING = 3.0  # initial logit of losing


@dataclass(frozen=True)
class RegretNetSettings:
    """Form of a network; plain values only.

    Parameters
    ----------
    owners
        n; a network serves exactly this many.
    options
        M options an owner.
    max_cap
        E: nothing above is ever bought of an owner.
    sizes
        Whether costs are multiplied by data sizes.
    unspent
        Whether a share of the budget may stay unspent (2022), or all of it is paid out (2021).
    deterministic
        Take each owner's likeliest option, or none, and pay only those who sell.
    grid
        Which share of the cap option m sells, see `option_shares`.
    hidden, layers
        Width and number of the hidden layers of both networks.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.
    """

    owners: int = 10
    options: int = 8
    max_cap: float = 2.0
    sizes: bool = True
    unspent: bool = True
    deterministic: bool = False
    grid: Grid = "uniform"
    hidden: int = 100
    layers: int = 3

    def __post_init__(self) -> None:
        for name in ("owners", "hidden", "layers"):
            whole_number(name, getattr(self, name), 1)
        as_floats("max_cap", self.max_cap, positive=True)
        option_shares(self.options, self.grid)


class RegretNet(StoredModule):
    r"""z_i = softmax over M options and losing; p_i = B softmax over owners [and unspent]; 2 MLPs.

    Parameters
    ----------
    settings
        Form of the networks.
    seed
        Seed of the initial parameters: Glorot uniform, biases 0 but for losing, which is likely at
        first, so that training starts near individual rationality.

    Notes
    -----
    Source: FL-Market [S], MURBA (2021), M-RegretNet and DM-RegretNet (2022). [D] Inputs are
    standardized over all owners; the deterministic form can let an owner lose.
    """

    shares: Tensor

    @classmethod
    def read_settings(cls, values: dict[str, Any]) -> RegretNetSettings:
        """Return the settings that plain values describe."""
        return RegretNetSettings(**values)

    def __init__(self, settings: RegretNetSettings, seed: int = 0) -> None:
        super().__init__(settings, seed)
        self.settings = settings
        self.inputs = Standardizer(input_count(settings.sizes))
        width = settings.owners * input_count(settings.sizes)
        out = settings.owners * (settings.options + 1)
        self.allocation = _perceptron(width, settings, out)
        self.payment = _perceptron(width, settings, settings.owners + int(settings.unspent))
        self.register_buffer(
            "shares", option_shares(settings.options, settings.grid), persistent=False
        )
        draw_glorot(self, seed)
        with torch.no_grad():
            last = [p for name, p in self.allocation.named_parameters() if name.endswith("bias")][
                -1
            ]
            last.view(settings.owners, -1)[:, 0] = _LOSING

    @property
    def dtype(self) -> torch.dtype:
        """Floating type of the parameters."""
        return self.inputs.mean.dtype

    def forward(
        self,
        bids: Bids,
        budget: Float[Tensor, "*profiles"],
        temperature: float = 0.0,
        owner: Int64[Tensor, "*profiles"] | None = None,
    ) -> ExpectedOutcome:
        """Return the law of the outcome.

        Parameters
        ----------
        bids
            Shape `(*profiles, owners)`, in the floating type of the parameters; caps above
            `max_cap` count as `max_cap`.
        budget
            B > 0, one number a profile.
        temperature
            Only for a deterministic network: 0 is the rule itself, a choice, with the slopes of a
            softmax; above 0 a softmax of this temperature instead of the choice.
        owner
            If given, only this owner of each profile is looked at: one owner is left in the result.
        """
        bids = bids.with_lie(bids.rate, bids.cap.clamp(max=self.settings.max_cap))
        seen = self.inputs(owner_inputs(bids, budget, self.settings.max_cap)).flatten(-2)
        logits = self.allocation(seen).unflatten(-1, (self.settings.owners, -1))
        money = self.payment(seen).softmax(dim=-1)[..., : self.settings.owners]
        cap = bids.cap
        if owner is not None:
            place = owner.unsqueeze(-1)
            money, cap = money.gather(-1, place), cap.gather(-1, place)
            logits = logits.gather(-2, place[..., None].expand(*place.shape, logits.shape[-1]))
        probability = self._choose(logits, temperature)
        payment = money * budget.unsqueeze(-1)
        if self.settings.deterministic:  # who sells nothing is paid nothing
            payment = payment * (1.0 - probability[..., 0])
        return ExpectedOutcome(probability, options_of(cap, self.shares), payment)

    def _choose(self, logits: Tensor, temperature: float) -> Tensor:
        if not self.settings.deterministic:
            return logits.softmax(dim=-1)
        if temperature > 0:
            return (logits / temperature).softmax(dim=-1)
        smooth = logits.softmax(dim=-1)
        best = torch.zeros_like(logits).scatter(-1, logits.argmax(dim=-1, keepdim=True), 1.0)
        return best + (smooth - smooth.detach())  # the second term is 0 and carries the slope


def _perceptron(inputs: int, settings: RegretNetSettings, outputs: int) -> nn.Sequential:
    widths = [inputs, *[settings.hidden] * settings.layers]
    parts: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        parts += [_linear(before, after), nn.Tanh()]
    return nn.Sequential(*parts, _linear(widths[-1], outputs))


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a layer whose parameters are still to be set: no global generator is asked."""
    return nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
