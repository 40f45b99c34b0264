"""What a network sees of an owner: a few scale-free numbers, standardized over all owners."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.streams import Streams

SHAPE_POINTS = (0.5, 0.125)  # shares of the cap at which the form of a valuation is read
FLOOR = (
    1e-3  # added to the relative value, so that an owner who asks nothing has a finite logarithm
)
_SAMPLES = 4096
_CONSTANT = 1e-4  # deviation below which an input is the same for all owners but for rounding


def owner_inputs(
    bids: Bids, budget: Float[Tensor, "*profiles"], max_cap: float
) -> Float[Tensor, "*profiles owners inputs"]:
    """Return log(n V_i / B + 0.001), log(eps_bar_i / E), log(v(c eps_bar) / v(eps_bar)) ... .

    The last ones, c = 1/2 and 1/8, tell the families apart, those of exponential owners by the cap
    as well. With data sizes log(n s_i / sum s) follows. All are free of the units of money and of
    data: an auction in cents is the auction in euros. Differentiable in `bids.rate` and `bids.cap`.

    Parameters
    ----------
    bids
        What the owners say, with caps up to `max_cap`.
    budget
        B > 0, one number a profile.
    max_cap
        E, the largest cap of the law of training.
    """
    points = torch.tensor((1.0, *SHAPE_POINTS), dtype=bids.cap.dtype)
    base = bids.base(bids.cap.unsqueeze(-1) * points)
    scale = bids.rate if bids.data_size is None else bids.rate * bids.data_size
    value = scale * base[..., 0] * (bids.owners / budget).unsqueeze(-1)
    columns = [torch.log(value + FLOOR), torch.log(bids.cap / max_cap)]
    form = torch.log(base[..., 1:] / base[..., :1])
    columns += form.unbind(dim=-1)
    if bids.data_size is not None:
        share = bids.data_size / bids.data_size.mean(dim=-1, keepdim=True)
        columns.append(torch.log(share))
    return torch.stack(columns, dim=-1)


class Standardizer(nn.Module):
    """(x - mean) / deviation, with one mean and deviation an input for all owners together."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))

    @torch.no_grad()
    def fit(self, law: MarketLaw, seed: int) -> None:
        """Set mean and deviation from markets of a law, pooled over owners and profiles."""
        rng = Streams(seed).generator("standardize")
        reports, budget = law.sample(rng, max(1, _SAMPLES // law.owners))
        seen = owner_inputs(Bids.from_reports(reports), torch.tensor(budget), law.max_cap)
        rows = seen.reshape(-1, seen.shape[-1])
        self.mean.copy_(rows.mean(dim=0))
        deviation = rows.std(dim=0)
        # Dividing a constant input by next to nothing would make its rounding a signal.
        self.deviation.copy_(torch.where(deviation < _CONSTANT, 1.0, deviation))

    def forward(self, inputs: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Return standardized inputs, same shape."""
        return (inputs - self.mean) / self.deviation


def input_count(sizes: bool) -> int:
    """Return the number of inputs an owner."""
    return 2 + len(SHAPE_POINTS) + int(sizes)
