"""The error bound of what was bought, with the best weights, as a differentiable function."""

import torch
from jaxtyping import Float
from torch import Tensor

from market_sim.aggregation.error_opt import ErrorOpt


def error_bound_of(
    epsilon: Float[Tensor, "*profiles owners"],
    data_size: Float[Tensor, "*profiles owners"] | None = None,
    clip: float = 1.0,
    dim: int = 1,
) -> Float[Tensor, "*profiles"]:
    r"""Return min over weights of d sum 8 L^2 lambda_i^2 / eps_i^2 + L^2 (sum |lambda_i - w_i|)^2.

    Differentiable in `epsilon`: by the envelope theorem the slope is that at fixed best weights,
    -16 d L^2 lambda_i^2 / eps_i^3. It is 0 for an owner without weight.

    Parameters
    ----------
    epsilon
        Privacy loss sold, >= 0, shape `(*profiles, owners)`.
    data_size
        Samples of every owner, same shape; equal sizes if omitted.
    clip, dim
        L and d, as in `ErrorOpt`.

    Returns
    -------
    Shape `profiles`; infinite, with slope 0, where nobody sold.

    Notes
    -----
    Source: FL-Market [S], `OptAggr`; [D] exact weights (`ErrorOpt`).
    """
    sold = epsilon.detach().double()
    size = torch.ones_like(sold) if data_size is None else data_size.detach().double()
    weights = ErrorOpt(clip, dim).weights(sold.cpu().numpy(), size.cpu().numpy())
    weight = torch.from_numpy(weights).to(epsilon)
    share = (size / size.sum(dim=-1, keepdim=True)).to(epsilon)
    used = weight > 0
    ratio = torch.where(used, weight / torch.where(used, epsilon, 1.0), 0.0)
    variance = 8.0 * clip**2 * dim * ratio.square().sum(dim=-1)
    bias = clip * (weight - share).abs().sum(dim=-1)
    return torch.where(used.any(dim=-1), variance + bias.square(), torch.inf)
