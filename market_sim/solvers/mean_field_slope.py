"""The slope of supply in prices: the matrix d E[a_t] / d p_tau, exactly."""

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.games.mean_field_flow import Response
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array


def supply_slope(
    game: MeanFieldGame, response: Response, law: Array
) -> Float[NDArray[np.float64], "rounds rounds"]:
    """Return the Jacobian of supply, which is the Hessian of E V_0 in the price path.

    V_0 is convex in prices with gradient E[a]. A unit at its threshold x = p - worth adds
    (mass / width) times the outer product of grad x, so the matrix is symmetric and has no
    negative eigenvalue. grad worth follows from U, the expected supply of each later round from
    each state, carried backward under the fixed policy.

    Parameters
    ----------
    game
        The game.
    response
        Best response to one price a round.
    law
        Law of the states under it, shape `(rounds + 1, cells, nodes)`.
    """
    slope = np.zeros((game.rounds, game.rounds))
    later = np.zeros((game.rounds, game.cells, game.nodes))  # U, one layer for each later round
    for round_ in reversed(range(game.rounds)):
        shares = [response.shares(round_, unit) for unit in range(game.units.size)]
        weight = _threshold_mass(game, shares, law[round_])
        keep = game.kernel @ later[round_ + 1 :]
        worth = np.diff(keep, axis=2) / game.step
        _add(slope, round_, weight, worth)
        for unit, size in enumerate(game.units):
            drop = worth[:, :, : game.nodes - 1 - unit] * shares[unit]
            keep[:, :, unit + 1 :] -= size * drop
            later[round_, :, unit + 1 :] += size * shares[unit]
        later[round_ + 1 :] = keep
    return slope


def _threshold_mass(game: MeanFieldGame, shares: list[Array], law: Array) -> Array:
    """Return the density of owners at a threshold, by cell and step of privacy."""
    weight = np.zeros((game.cells, game.nodes - 1))
    for unit, (size, share) in enumerate(zip(game.units, shares, strict=True)):
        inside = (share > 0) & (share < 1)
        weight[:, : game.nodes - 1 - unit] += (size / game.width) * inside * law[:, unit + 1 :]
    return weight


def _add(slope: Array, round_: int, weight: Array, worth: Array) -> None:
    """Add the outer products of grad x = (1 in this round, -grad worth in later ones)."""
    here = weight > 0
    mass, gradient = weight[here], worth[:, here]
    slope[round_, round_] += mass.sum()
    cross = -(gradient @ mass)
    slope[round_, round_ + 1 :] += cross
    slope[round_ + 1 :, round_] += cross
    slope[round_ + 1 :, round_ + 1 :] += (gradient * mass) @ gradient.T
