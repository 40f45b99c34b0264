"""Best responses backward in time, and the law that any policy makes forward: exact adjoints.

A policy is known by its sold shares: F[t, i, j, n], the share of the owners of cell i and node j
who sell at least n + 1 units in round t. These are the ones of lowest value in the cell.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array

Grid = Float[NDArray[np.float64], "cells nodes"]


class SoldShares(ABC):
    """What a policy sells: the shares of owners who sell each unit."""

    @abstractmethod
    def shares(self, round_: int, unit: int) -> Array:
        """Return F of one unit (0 is the first) at the nodes from `unit + 1` on.

        Shape `(cells, nodes - 1 - unit)`: with fewer steps left the unit cannot be sold.
        """


class Response(SoldShares):
    r"""The best response to the revenue of each unit in each round, and its value.

    V_t(v, e) = max_a sum over units of (r - kappa mid - v) + E V_{t+1}(v', e - a). V is concave in
    e, so units are worth selling one after the other, while
    r - kappa mid - v > (V(e) - V(e - step)) / step.

    Parameters
    ----------
    game
        The game.
    revenue
        Money for a unit of privacy: one price a round, shape `(rounds,)`, or one for each unit of
        an owner, shape `(rounds, units)`, not increasing.

    Attributes
    ----------
    value
        V, shape `(rounds + 1, cells, nodes)`, the mean over each cell.
    worth
        What a step of privacy is worth afterwards, shape `(rounds, cells, nodes - 1)`.
    """

    def __init__(self, game: MeanFieldGame, revenue: Array) -> None:
        self.game = game
        table = revenue[:, None] if revenue.ndim == 1 else revenue
        self.net = table - game.unit_cost
        self.value = np.zeros((game.rounds + 1, game.cells, game.nodes))
        self.worth = np.empty((game.rounds, game.cells, game.nodes - 1))
        self._low = game.edges[:-1, None]
        for round_ in reversed(range(game.rounds)):
            self._step_back(round_)

    @property
    def mean_value(self) -> float:
        """E V_0 under the law at the start."""
        return float((self.game.initial_law * self.value[0]).sum())

    def shares(self, round_: int, unit: int) -> Array:
        """Return the shares of the best response."""
        return np.minimum(self._excess(round_, unit), 1.0)

    def _step_back(self, round_: int) -> None:
        """Bellman's equation of one round."""
        game = self.game
        keep = game.kernel @ self.value[round_ + 1]
        self.worth[round_] = np.diff(keep, axis=1) / game.step
        for unit, size in enumerate(game.units):
            excess = self._excess(round_, unit)
            # E max(x - v, 0) of v uniform on the cell, in cell widths: x^2 / 2 in it, x - 1/2 above
            share = np.minimum(excess, 1.0)
            keep[:, unit + 1 :] += size * game.width * share * (excess - 0.5 * share)
        self.value[round_] = keep

    def _excess(self, round_: int, unit: int) -> Array:
        """Return (threshold value - low edge) / width, at least 0."""
        steps = self.game.nodes - 1 - unit
        excess = self.net[round_, unit] - self.worth[round_, :, :steps] - self._low
        excess *= 1.0 / self.game.width
        return np.asarray(np.maximum(excess, 0.0, out=excess))


class TableShares(SoldShares):
    """A policy given by its table, shape `(rounds, cells, nodes, units)`, falling over the units.

    Entries of units that cannot be sold (`node <= unit`) are not read.
    """

    def __init__(self, table: Float[NDArray[np.float64], "rounds cells nodes units"]) -> None:
        self.table = table

    def shares(self, round_: int, unit: int) -> Array:
        """Return a slice of the table."""
        return np.asarray(self.table[round_, :, unit + 1 :, unit])


@dataclass(frozen=True, eq=False)
class Flow:
    """The population under a policy.

    Attributes
    ----------
    law
        Law of (cell, node) before each round and after the last, shape
        `(rounds + 1, cells, nodes)`.
    supply
        E[a] in each round, shape `(rounds,)`.
    amount
        Mean amount sold at each state, shape `(rounds, cells, nodes)`.
    cost
        E sum_t (v a + (kappa / 2) a^2), of the lowest values in each cell.
    """

    law: Array
    supply: Array
    amount: Array
    cost: float

    @property
    def mass_error(self) -> float:
        """The most by which the mass of any round differs from 1."""
        return float(np.abs(self.law.sum(axis=(1, 2)) - 1.0).max())


def flow(game: MeanFieldGame, policy: SoldShares) -> Flow:
    """Return the law forward in time: the transpose of the transitions of Bellman's equation.

    Every owner who sells a unit moves one step down (a part of a unit: with that probability), then
    values move by the kernel.
    """
    law = np.empty((game.rounds + 1, game.cells, game.nodes))
    law[0] = game.initial_law
    amount = np.zeros((game.rounds, game.cells, game.nodes))
    cost = 0.0
    low = game.edges[:-1]
    for round_ in range(game.rounds):
        here, landed = law[round_], law[round_].copy()
        for unit, size in enumerate(game.units):
            share = policy.shares(round_, unit)
            sold = here[:, unit + 1 :] * share
            amount[round_, :, unit + 1 :] += size * share
            dear = 0.5 * game.width * np.vdot(sold, share)
            plain = (low + game.unit_cost[unit]) @ sold.sum(axis=1)
            cost += size * float(plain + dear)
            sold *= size / game.step
            steps = game.nodes - 1 - unit
            landed[:, 1 : steps + 1] -= sold
            landed[:, :steps] += sold
        law[round_ + 1] = game.kernel.T @ landed
    supply = np.einsum("tij,tij->t", law[:-1], amount)
    return Flow(law, supply, amount, cost)


def policy_value(game: MeanFieldGame, policy: SoldShares, revenue: Array) -> Array:
    """Return the value of a policy that is followed for ever, shape `(rounds + 1, cells, nodes)`.

    `revenue` as for `Response`, of any sign and order.

    Backward in time; `flow` gives the same number forward, p . supply - cost.
    """
    table = revenue[:, None] if revenue.ndim == 1 else revenue
    received = table - game.unit_cost
    value = np.zeros((game.rounds + 1, game.cells, game.nodes))
    low = game.edges[:-1, None]
    for round_ in reversed(range(game.rounds)):
        keep = game.kernel @ value[round_ + 1]
        worth = np.diff(keep, axis=1) / game.step
        for unit, size in enumerate(game.units):
            share = policy.shares(round_, unit)
            net = received[round_, unit] - low - 0.5 * game.width * share
            keep[:, unit + 1 :] += size * share * (net - worth[:, : game.nodes - 1 - unit])
        value[round_] = keep
    return value
