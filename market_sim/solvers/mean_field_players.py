"""Finitely many owners who follow the mean-field policy: prices, and what a deviation gains."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.games.mean_field_flow import Response, policy_value
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array, whole_number
from market_sim.solvers.mean_field_result import MeanFieldSolution

_AT_ONCE = 200_000


@dataclass(frozen=True, eq=False)
class PlayersGap:
    """How far N owners are from the mean field.

    Attributes
    ----------
    owners
        N.
    gain
        What one owner gains by her best policy while N - 1 follow the mean-field one, in money.
    relative_gain
        The same over what the mean-field policy earns her.
    price_error
        Mean of |p_t - mean-field p_t| / mean-field p_t over rounds and markets where anyone sells;
        infinite where nobody ever does.
    idle
        Share of rounds with money in which nobody sells.
    markets
        Markets simulated.
    """

    owners: int
    gain: float
    relative_gain: float
    price_error: float
    idle: float
    markets: int


def simulate(
    solution: MeanFieldSolution, owners: int, seed: int, markets: int = 1
) -> Float[NDArray[np.float64], "markets rounds"]:
    """Return what all owners together sell, shape `(markets, rounds)`, all by the policy.

    Each market draws its owners from the law at the start. Cells move by the game's kernel, values
    are uniform within a cell, a part of a step moves the node down with that probability.

    Parameters
    ----------
    solution
        Whose policy is followed.
    owners
        N, at least 1.
    seed
        Fixes the draws.
    markets
        Independent markets, at least 1.

    Raises
    ------
    InvalidInput
        If a number is not a whole one, or too small.
    """
    whole_number("owners", owners, 1)
    whole_number("markets", markets, 1)
    rng = np.random.default_rng(whole_number("seed", seed, 0))
    batch = max(1, _AT_ONCE // owners)
    parts = [
        _markets(solution, owners, min(batch, markets - first), rng)
        for first in range(0, markets, batch)
    ]
    return np.concatenate(parts)


def players_gap(
    solution: MeanFieldSolution, owners: int, seed: int, markets: int = 1000
) -> PlayersGap:
    """Return how far N owners who share each round's money pro rata are from the mean field.

    In round t each owner gets B_t a / A, with A what all sell and B_t / N as in the mean field. The
    others' policy answers their own state only, so what N - 1 of them sell does not depend on the
    deviation: the best policy is Bellman's equation with the revenue E[B_t a / (A' + a)], the mean
    over simulated A'. She sees her own state, not the others'.

    Parameters, errors: see `simulate`; at least 2 owners.
    """
    whole_number("owners", owners, 2)
    game = solution.game
    others = simulate(solution, owners - 1, seed, markets)
    table = unit_revenue(game, others, (owners - 1) * solution.supply, owners)
    best = Response(game, table)
    # Valued with the revenue of every unit, the policy itself is one more policy against the same
    # others; so both sides share the simulated markets and the difference has little noise.
    mine = policy_value(game, solution.response, table)[0]
    followed = float((game.initial_law * mine).sum())
    gain = best.mean_value - followed
    everyone = simulate(solution, owners, seed + 1, markets)
    here = game.money > 0
    sold = everyone[:, here]
    money = owners * game.money[here]
    price = np.divide(money, sold, out=np.full(sold.shape, np.nan), where=sold > 0)
    error = np.abs(price / solution.price[here] - 1.0)
    idle = float(np.isnan(error).mean())
    mean_error = float(np.nanmean(error)) if idle < 1 else np.inf
    relative = gain / followed if followed > 0 else np.inf
    return PlayersGap(owners, gain, relative, mean_error, idle, markets)


def unit_revenue(
    game: MeanFieldGame,
    others: Float[NDArray[np.float64], "markets rounds"],
    expected: Float[NDArray[np.float64], "rounds"],
    owners: int,
) -> Float[NDArray[np.float64], "rounds units"]:
    """Return the expected money for a unit of privacy in each unit, shape `(rounds, units)`.

    The mean over markets of B_t (a / (A' + a) - a' / (A' + a')) / (a - a'), from a' to a; it falls
    in the units. E A' is known, so the part that is linear in A' - E A' is taken off as a control,
    unless that would let the revenue rise in the units, as it can with a handful of owners.
    """
    plain = np.empty((game.rounds, game.units.size))
    linear = np.empty_like(plain)
    before = np.zeros(others.shape)
    noise, known = others.mean(axis=0) - expected, np.where(expected > 0, expected, np.inf)
    slope_before = np.zeros(game.rounds)
    for unit, amount in enumerate(np.cumsum(game.units)):
        part, slope = amount / (others + amount), -amount / (known + amount) ** 2
        plain[:, unit] = (part - before).mean(axis=0) / game.units[unit]
        linear[:, unit] = (slope - slope_before) * noise / game.units[unit]
        before, slope_before = part, slope
    controlled = plain - linear
    falls = (np.diff(controlled, axis=1) <= 0).all(axis=1, keepdims=True)
    money = (owners * game.money)[:, None]
    return np.asarray(money * np.where(falls, controlled, plain))


def _markets(
    solution: MeanFieldSolution, owners: int, markets: int, rng: np.random.Generator
) -> Array:
    """Simulate some markets as one population, shape `(markets, rounds)`."""
    game = solution.game
    number = owners * markets
    start = np.cumsum(game.initial_law.reshape(-1))
    state = np.searchsorted(start / start[-1], rng.random(number), side="right")
    cell, node = np.divmod(np.minimum(state, start.size - 1), game.nodes)
    ahead = np.cumsum(game.kernel, axis=1)
    ahead = (ahead / ahead[:, -1:] + np.arange(game.cells)[:, None]).reshape(-1)
    total = np.empty((markets, game.rounds))
    for round_ in range(game.rounds):
        value = game.edges[0] + game.width * (cell + rng.random(number))
        sold = solution.amount_at(round_, value, cell, node)
        total[:, round_] = sold.reshape(markets, owners).sum(axis=1)
        steps = sold / game.step
        whole = np.floor(steps + 1e-9)
        down = whole + (rng.random(number) < steps - whole - 1e-9)
        node = node - down.astype(np.intp)
        place = np.searchsorted(ahead, cell + rng.random(number), side="right")
        cell = np.clip(place - cell * game.cells, 0, game.cells - 1)
    return total
