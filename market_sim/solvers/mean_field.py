"""The mean field equilibrium of privacy sold over rounds, by four methods."""

import warnings
from typing import Literal, get_args

from market_sim.errors import InvalidInput, MarketSimWarning
from market_sim.games.mean_field_flow import SoldShares
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import as_number, whole_number
from market_sim.solvers.mean_field_damped import damped
from market_sim.solvers.mean_field_fictitious import fictitious_play
from market_sim.solvers.mean_field_mirror import mirror_descent
from market_sim.solvers.mean_field_newton import newton
from market_sim.solvers.mean_field_result import MeanFieldSolution, certified

Method = Literal["newton", "damped", "fictitious-play", "mirror-descent"]
_STEPS = {"newton": 60, "damped": 1000, "fictitious-play": 500, "mirror-descent": 2000}
_TOLERANCE = {"newton": 1e-10, "damped": 1e-9, "fictitious-play": 5e-5, "mirror-descent": 1e-9}


def solve_mean_field(
    game: MeanFieldGame,
    method: str = "newton",
    *,
    tolerance: float | None = None,
    steps: int | None = None,
) -> MeanFieldSolution:
    """Return prices, policy and law at which owners do their best and every round clears.

    The game has a concave potential, so the price path is unique. All methods go backward by
    Bellman's equation and forward by its transpose; they differ in how prices move.

    Parameters
    ----------
    game
        What is solved.
    method
        - "newton": log prices by the exact slope of supply, from a coarse grid; the default.
        - "damped": p <- B / supply, damped by the slope measured along the last move.
        - "fictitious-play": best responses to the average of all play so far.
        - "mirror-descent": policies that answer averages of prices and of what is kept.
    tolerance
        Stop at this clearing error (fictitious play: exploitability over value).
    steps
        Stop after so many steps (Newton: on each grid).

    Raises
    ------
    InvalidInput
        If this is no such game, the method unknown, or a setting outside its domain.

    Warns
    -----
    MarketSimWarning
        If the budget never binds: everyone sells all that she ever may.

    Notes
    -----
    Source: privacy auction game, mean field [S]/[D]. A solve that ends early returns its best
    iterate and says so.
    """
    if not isinstance(game, MeanFieldGame):
        raise InvalidInput(f"game must be a MeanFieldGame, got {type(game).__name__}")
    if method not in get_args(Method):
        raise InvalidInput(f"unknown method {method!r}, expected one of {list(get_args(Method))}")
    limit = _TOLERANCE[method] if tolerance is None else tolerance
    as_number("tolerance", limit, positive=True)
    most = whole_number("steps", _STEPS[method] if steps is None else steps, 1)
    policy: SoldShares
    if method in {"newton", "damped"}:
        best, history = (newton if method == "newton" else damped)(game, limit, most)
        price, policy = best.price, best.response
    elif method == "fictitious-play":
        price, policy, history = fictitious_play(game, limit, most)
    else:
        price, policy, history = mirror_descent(game, limit, most)
    found = certified(game, price, policy, solver=method, history=history, steps=len(history))
    if found.converged and not found.binds:
        warnings.warn(found.status, MarketSimWarning, stacklevel=2)
    return found
