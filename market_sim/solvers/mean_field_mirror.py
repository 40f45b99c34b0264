"""Online mirror descent: owners answer the running average of what units have been worth."""

import numpy as np

from market_sim.games.mean_field_flow import Response, SoldShares, flow, policy_value
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array
from market_sim.solvers.mean_field_state import first_guess, open_rounds

_RATE, _LEAST_RATE = 0.2, 1e-3
_WORSE = 1.5
_PATIENCE = 10


class AverageWorth(SoldShares):
    """Sell each unit that pays at average prices and average worth of what is kept.

    An average worth need not fall in the privacy left, so a unit is sold only if all before it are.
    """

    def __init__(self, game: MeanFieldGame, price: Array, worth: Array) -> None:
        self.game = game
        self.price = price
        self.worth = worth
        self._round, self._table = -1, np.empty(0)

    def shares(self, round_: int, unit: int) -> Array:
        """Return the share of each cell below the threshold."""
        if self._round != round_:
            self._round, self._table = round_, self._all(round_)
        return np.asarray(self._table[unit, :, unit + 1 :])

    def _all(self, round_: int) -> Array:
        """Return the shares of all units, shape `(units, cells, nodes)`."""
        game = self.game
        table = np.ones((game.units.size, game.cells, game.nodes))
        low = game.edges[:-1, None]
        for unit, cost in enumerate(game.unit_cost):
            kept = self.worth[round_, :, : game.nodes - 1 - unit]
            share = np.clip((self.price[round_] - cost - kept - low) / game.width, 0.0, 1.0)
            before = table[max(unit - 1, 0), :, unit + 1 :]
            table[unit, :, unit + 1 :] = np.minimum(share, before)
        return table


def mirror_descent(
    game: MeanFieldGame, tolerance: float, steps: int
) -> tuple[Array, AverageWorth, list[float]]:
    """Return the price path, the policy, and the clearing errors on the way.

    The policy is evaluated as it is (no best response), its prices and worths enter an average, and
    the next policy is the choice that this average makes best; the uniform value within a cell
    plays the part of the mirror map. The rate is halved when the error has grown.

    Notes
    -----
    Source: Perolat et al. (2021), online mirror descent for mean field games.
    """
    here = open_rounds(game)
    price = np.zeros(game.rounds)
    price[here] = np.exp(first_guess(game))
    worth = Response(game, price).worth
    rate, least, since = _RATE, np.inf, 0
    history: list[float] = []
    best = (price.copy(), worth.copy())
    for _ in range(steps):
        policy = AverageWorth(game, price, worth)
        supply = flow(game, policy).supply
        cleared = _cleared(game, price, supply)
        error = float(np.abs(price * supply / np.where(here, game.money, 1.0) - here).max())
        history.append(error)
        if error < least:
            least, since, best = error, 0, (price.copy(), worth.copy())
        elif error > _WORSE * least and since > _PATIENCE:
            rate, since = max(0.5 * rate, _LEAST_RATE), 0
        since += 1
        if error <= tolerance:
            break
        value = policy_value(game, policy, cleared)
        new = np.diff(game.kernel @ value[1:], axis=2) / game.step
        price = price + rate * (cleared - price)
        worth = worth + rate * (new - worth)
    return best[0], AverageWorth(game, *best), history


def _cleared(game: MeanFieldGame, price: Array, supply: Array) -> Array:
    """Return money over supply, at most a factor of 2 away from the present price."""
    raw = np.divide(game.money, supply, out=np.full(game.rounds, np.inf), where=supply > 0)
    return np.asarray(np.clip(raw, 0.5 * price, 2.0 * price))
