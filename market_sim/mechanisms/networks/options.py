"""The grid of options: which part of her cap an owner sells with option m. Used everywhere."""

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.shapes import whole_number

Grid = Literal["uniform", "harmonic"]


def option_shares(
    options: int, grid: Grid = "uniform", dtype: torch.dtype = torch.float64
) -> Float[Tensor, "options"]:
    """Return the share of the cap sold with each option, ascending, the last one exactly 1.

    Parameters
    ----------
    options
        M, at least 1.
    grid
        - "uniform" (default): m / M, m = 1..M.
        - "harmonic": 1 / m, m = M..1, as printed in 2021. Nothing lies between 1/2 and 1, so that
          an owner sells her whole cap or at most half of it; kept for comparison.
    dtype
        Floating type of the result.

    Raises
    ------
    InvalidInput
        If M is no whole number of at least 1 or the grid is unknown.

    Notes
    -----
    Source: FL-Market [S], sub-bids: eps_bar / m (2021) and m eps_bar / M (2022).
    """
    count = whole_number("options", options, 1)
    if grid not in get_args(Grid):
        raise InvalidInput(f"unknown grid {grid!r}, expected one of {list(get_args(Grid))}")
    place = torch.arange(1, count + 1, dtype=dtype)
    return place / count if grid == "uniform" else 1.0 / place.flip(0)


def options_of(
    cap: Float[Tensor, "*profiles owners"], shares: Float[Tensor, "options"]
) -> Float[Tensor, "*profiles owners options"]:
    """Return the privacy loss of each option, share_m * eps_bar_i; the last one is the cap itself.

    Differentiable in `cap`.
    """
    return cap.unsqueeze(-1) * shares.to(cap.dtype)
