"""Fictitious play: best responses to the average of all play so far."""

import numpy as np

from market_sim.games.mean_field_flow import Response, SoldShares, TableShares, flow
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array
from market_sim.solvers.mean_field_state import open_rounds

_LINE = 60


class _Average:
    """An average of populations: law of the states, and owners who sell each unit there."""

    def __init__(self, game: MeanFieldGame, policy: SoldShares) -> None:
        self.game = game
        self.law = flow(game, policy).law
        self.sold = _sold(game, policy, self.law)

    def mix(self, law: Array, sold: Array, weight: float) -> None:
        """Let a share `weight` of the owners do something else."""
        self.law = (1.0 - weight) * self.law + weight * law
        self.sold *= 1.0 - weight
        self.sold += weight * sold

    @property
    def supply(self) -> Array:
        """E[a] in each round."""
        return np.asarray(np.einsum("tijn,n->t", self.sold, self.game.units))

    @property
    def shares(self) -> TableShares:
        """The policy that makes the same population, with the lowest values selling."""
        mass = self.law[:-1, :, :, None]
        return TableShares(np.divide(self.sold, mass, out=np.zeros_like(self.sold), where=mass > 0))

    def cost(self) -> float:
        """E sum_t (v a + (kappa / 2) a^2) of that policy."""
        game = self.game
        table = self.shares.table
        unit = game.edges[:-1, None, None] + game.unit_cost + 0.5 * game.width * table
        return float(np.einsum("tijn,tijn,n->", self.sold, unit, game.units))


def fictitious_play(
    game: MeanFieldGame, tolerance: float, steps: int
) -> tuple[Array, TableShares, list[float]]:
    """Return the price path, the average policy, and the relative exploitability on the way.

    sum_t b_t log E[a_t] - cost is a potential of the game, concave in the population, and the best
    response is its steepest direction: each step goes as far as the potential grows.

    Notes
    -----
    Source: Perrin et al. (2020), continuous fictitious play; Frank and Wolfe (1956).
    """
    history: list[float] = []
    average = _Average(game, _everywhere(game))
    for _ in range(steps):
        supply, cost = average.supply, average.cost()
        price = _clearing(game, supply)
        response = Response(game, price)
        gap = response.mean_value - (float(price @ supply) - cost)
        # Worth nothing where nobody would sell at all: the step below then shrinks the average.
        history.append(gap / response.mean_value if response.mean_value > 0 else np.inf)
        if history[-1] <= tolerance:
            break
        there = flow(game, response)
        weight = _line(game, supply, there.supply, there.cost - cost)
        average.mix(there.law, _sold(game, response, there.law), weight)
    return _clearing(game, average.supply), average.shares, history


def _clearing(game: MeanFieldGame, supply: Array) -> Array:
    """Return money over supply, 0 without money."""
    return np.divide(game.money, supply, out=np.zeros(game.rounds), where=open_rounds(game))


def _everywhere(game: MeanFieldGame) -> TableShares:
    """Return a policy that sells something in each round."""
    shape = (game.rounds, game.cells, game.nodes, game.units.size)
    return TableShares(np.full(shape, 1.0 / game.rounds))


def _sold(game: MeanFieldGame, policy: SoldShares, law: Array) -> Array:
    """Return the owners who sell each unit, shape `(rounds, cells, nodes, units)`."""
    table = np.zeros((game.rounds, game.cells, game.nodes, game.units.size))
    for round_ in range(game.rounds):
        for unit in range(game.units.size):
            shares = policy.shares(round_, unit)
            table[round_, :, unit + 1 :, unit] = shares * law[round_, :, unit + 1 :]
    return table


def _line(game: MeanFieldGame, supply: Array, other: Array, cost: float) -> float:
    """Return the weight at which sum b log(supply) - cost stops growing, by bisection."""
    here = open_rounds(game)
    money, start, change = game.money[here], supply[here], (other - supply)[here]
    low, high = 0.0, 1.0
    for _ in range(_LINE):
        middle = 0.5 * (low + high)
        grows = float((money * change / (start + middle * change)).sum()) > cost
        low, high = (middle, high) if grows else (low, middle)
    return low
