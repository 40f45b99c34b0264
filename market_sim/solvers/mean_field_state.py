"""One price path under trial: the excess of the bill over the money, and the convex dual."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.games.mean_field_flow import Flow, Response, flow
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array


@dataclass(frozen=True, eq=False)
class Trial:
    r"""What a path of log prices leads to, over the rounds with money.

    The equilibrium is the minimum of the convex function g(x) = E V_0(exp x) - sum_t b_t x_t of log
    prices x, with b_t = B_t / N: its gradient is p_t E[a_t] - b_t, the excess of the bill.

    Attributes
    ----------
    log_price
        x, shape `(open rounds,)`.
    price
        exp(x), 0 in rounds without money, shape `(rounds,)`.
    dual
        g(x).
    excess
        p_t E[a_t] - b_t, shape `(open rounds,)`.
    error
        Largest |excess| over b_t.
    """

    log_price: Array
    price: Array
    response: Response
    flow: Flow
    dual: float
    excess: Array
    error: float


def open_rounds(game: MeanFieldGame) -> NDArray[np.bool_]:
    """Return which rounds have money, shape `(rounds,)`."""
    return np.asarray(game.money > 0)


def trial(game: MeanFieldGame, log_price: Float[NDArray[np.float64], "open"]) -> Trial:
    """Return what a path of log prices leads to."""
    here = open_rounds(game)
    price = np.zeros(game.rounds)
    price[here] = np.exp(log_price)
    response = Response(game, price)
    made = flow(game, response)
    money = game.money[here]
    excess = price[here] * made.supply[here] - money
    dual = response.mean_value - float(money @ log_price)
    error = float(np.abs(excess / money).max())
    return Trial(log_price, price, response, made, dual, excess, error)


def first_guess(game: MeanFieldGame) -> Float[NDArray[np.float64], "open"]:
    """Return log prices that clear on average if owners spread their privacy over all rounds."""
    here = open_rounds(game)
    nodes = game.initial_law.sum(axis=0)
    each = float(nodes @ np.minimum(game.left / here.sum(), game.cap))
    sold = np.append(0.0, np.cumsum(game.initial_law.sum(axis=1)))
    bill = game.edges * sold * each
    money = float(game.money[here].mean())
    top = float(game.edges[-1])
    price = money / each if bill[-1] < money else float(np.interp(money, bill, game.edges))
    return np.full(int(here.sum()), np.log(max(price, 1e-6 * top)))
