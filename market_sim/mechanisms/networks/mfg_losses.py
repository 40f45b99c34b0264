"""The terms of MFG-RegretNet's training: the gain of a lie, mean-field payments, the critic."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from market_sim.mechanisms.networks.mfg_net import MeanFieldNet
from market_sim.mechanisms.networks.plain_ascent import Places


def lying_utility(
    network: MeanFieldNet, seen: Float[Tensor, "rows owners 2"], owner: Tensor, told: Places
) -> Float[Tensor, "rows"]:
    r"""Return the liars' true utility in a `MeanFieldNet`, in money of the training.

    The mean bid moves with the lie: b'_MFG = b_MFG + (b'_i - b_i) / N.

    Parameters
    ----------
    network
        The network.
    seen
        The truth of all owners of each row's profile, see `MeanFieldNet.seen`.
    owner
        Who lies, shape `(rows,)`.
    told
        What she says.
    """
    place = owner[:, None, None].expand(-1, 1, 2)
    sold, share = network.rule(seen.scatter(1, place, told.unsqueeze(1)))
    own = owner.unsqueeze(1)
    value = seen[..., 0].gather(1, own)[:, 0]
    cost = value * sold.gather(1, own)[:, 0] * told[:, 1]
    return share.gather(1, own)[:, 0] * network.settings.budget - cost


@torch.no_grad()
def mean_field_payments(
    network: MeanFieldNet,
    seen: Float[Tensor, "profiles owners 2"],
    some: int,
    opponents: int,
    rng: np.random.Generator,
) -> Float[Tensor, "some owners"]:
    """Return pref_i: the share of B that bid i is paid on average among K opponents' profiles.

    For the first `some` profiles; the opponents are resampled from the batch, profile by profile.
    """
    profiles, owners, _ = seen.shape
    drawn = torch.from_numpy(rng.integers(profiles, size=(some, opponents)))
    diagonal = torch.eye(owners, dtype=torch.bool).unsqueeze(-1)
    others = seen[drawn].unsqueeze(2).expand(-1, -1, owners, -1, -1)
    told = torch.where(diagonal, seen[:some, None, None], others)
    paid = network.rule(told.reshape(-1, owners, 2))[1].reshape(some, opponents, owners, owners)
    mean: Tensor = paid.diagonal(dim1=-2, dim2=-1).mean(dim=1)
    return mean


def mean_field_loss(
    paid: Float[Tensor, "profiles owners"],
    reference: Float[Tensor, "profiles owners"],
    value: Float[Tensor, "profiles owners"],
    exponent: float = 1.0,
    total_weight: float = 1.0,
) -> Tensor:
    r"""Return E[v^gamma Huber_1((pbar - pref) / scale)] + beta E[(sum pbar - sum pref)^2 / B^2].

    Payments are shares of the budget, the scale is B / N; `exponent` is gamma, `total_weight` beta.
    The reference has no slopes.
    """
    aim = reference.detach()
    owners = paid.shape[-1]
    huber = torch.nn.functional.huber_loss(paid * owners, aim * owners, reduction="none")
    total = (paid - aim).sum(dim=-1)
    return (value.pow(exponent) * huber).mean() + total_weight * total.square().mean()


def bellman_loss(
    network: MeanFieldNet,
    seen: Float[Tensor, "profiles owners 2"],
    sold: Float[Tensor, "profiles owners"],
    utility: Float[Tensor, "profiles owners"],
    discount: float = 0.9,
    baseline: float = 0.5,
) -> Tensor:
    r"""Return E[(u_i + d Phi(s'_i) - Phi(s_i))^2] + zeta E[(Phi(s_i) - mean u)^2].

    s_i = (v_i, eps_bar_i) beside the mean bid; one sale later s'_i = (v_i, eps_bar_i - eps_i). The
    second term keeps the critic near the batch's mean utility, its baseline.
    """
    left = torch.stack([seen[..., 0], seen[..., 1] * (1.0 - sold)], dim=-1)
    now, later = (
        network.value_of(place, place.mean(dim=-2, keepdim=True)) for place in (seen, left)
    )
    residual = utility + discount * later - now
    return residual.square().mean() + baseline * (now - utility.detach().mean()).square().mean()
