"""Regret from the definition of payments alone: it knows neither solvers nor potentials."""

from functools import reduce
from math import comb, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.shapes import Array, as_floats

MAX_STATES = 4_000_000
_EXACT_USERS = 60
_WORK = 40_000_000

Indices = NDArray[np.intp]


def pure_regret(game: AcquisitionGame, profile: ArrayLike, alpha: float) -> float:
    """Return the most that a user of one pure profile gains by moving alone.

    Payments are sums over the coalitions of the others (Theorem 2), counted by how many of each
    type are in; where there are too many, `fair_values` integrates them.

    Parameters
    ----------
    game
        The data acquisition game.
    profile
        Level number of each user, shape `(users,)`.
    alpha
        Share of the value that is paid out.

    Raises
    ------
    InvalidInput
        If the profile does not fit the game or is not a single one.
    """
    levels = game.check_profile(profile)
    if levels.ndim != 1:
        raise InvalidInput(f"regret is of one profile at a time, got shape {levels.shape}")
    if _alike(game):
        return _regret_of_givers(game, levels, alpha)
    counts = _counts(game, levels)
    if prod(int(n) + 1 for n in counts[:, game.level_values != 0].reshape(-1)) > MAX_STATES:
        return float(game.regret(levels, alpha))
    worst = 0.0
    for code in np.unique(game.kinds * game.levels + levels):
        kind, level = divmod(int(code), game.levels)
        paid = _payments(game, counts, kind, level)
        here = (game.kinds == kind) & (levels == level)
        gain = alpha * (paid - paid[level]) - (
            game.costs[here] - game.costs[here, [level]][:, None]
        )
        worst = max(worst, float(gain.max()))
    return worst


def symmetric_regret(game: AcquisitionGame, mixture: ArrayLike, alpha: float) -> float:
    r"""Return what a user gains against others who all play `mixture`, by Owen's integral.

    gamma_l = int_0^1 E[U(K + e_l) - U(K)] dq, K multinomial with chances q x of the N - 1 others.
    The integrand has degree N - 1 in q, so N / 2 Gauss nodes are exact. The potential, which the
    solver uses, is not. For more users than fit, the game's own `SymmetricPlay.regret`.

    Raises
    ------
    InvalidInput
        If the users are not identical or the mixture is not on the simplex.
    """
    play = game.symmetric
    shares = play.check_mixture(mixture)
    cells = np.flatnonzero((game.level_values != 0) & (shares > 0))
    others = game.users - 1
    nodes = game.users // 2 + 1
    if (others + 1) ** cells.size * nodes > _WORK:
        return float(play.regret(shares, alpha))
    payoff = alpha * _owen(game, shares, cells, nodes) - game.costs[0]
    return float(payoff.max() - payoff @ shares)


def mixed_regret(game: AcquisitionGame, play: ArrayLike, alpha: float) -> float:
    """Return the most that one of two users gains, from payments of the definition.

    Parameters
    ----------
    game
        Of two users.
    play
        Probability of each level, one row a user, shape `(2, levels)`.
    alpha
        Share of the value that is paid out.
    """
    shares = as_floats("play", play, minimum=0.0)
    if game.users != 2 or shares.shape != (2, game.levels):
        raise InvalidInput(f"mixed regret needs two users and play of shape (2, {game.levels})")
    given = game.level_values
    worth = np.array([[float(game.utility.value([a, b])) for b in given] for a in given])
    alone_first = np.array([float(game.utility.value([a, 0.0])) for a in given])
    alone_second = np.array([float(game.utility.value([0.0, b])) for b in given])
    first = (alone_first[:, None] + worth - alone_second) / 2.0
    second = worth - first
    payoffs = [
        alpha * first @ shares[1] - game.costs[0],
        alpha * second.T @ shares[0] - game.costs[1],
    ]
    return float(max(p.max() - p @ x for p, x in zip(payoffs, shares, strict=True)))


def _alike(game: AcquisitionGame) -> bool:
    """Tell whether users differ in costs only and either give or do not."""
    return game.levels == 2 and game.level_values[0] == 0 and int(game.kinds.max()) == 0


def _regret_of_givers(game: AcquisitionGame, levels: Indices, alpha: float) -> float:
    """Use that equal users share equally: each of k who give is paid U(k) / k."""
    gives = levels == 1
    number = int(gives.sum())
    sizes = np.array([number, min(number + 1, game.users)], dtype=np.float64)
    worth = game.utility.value_of_counts([0], game.level_values[1:], [sizes])
    stay, join = worth / np.maximum(sizes, 1.0)
    cost = game.costs[:, 1]
    gains = [0.0]
    if number:
        gains.append(float(cost.max(where=gives, initial=-np.inf)) - alpha * float(stay))
    if number < game.users:
        gains.append(alpha * float(join) - float(cost.min(where=~gives, initial=np.inf)))
    return max(gains)


def _counts(game: AcquisitionGame, levels: Indices) -> NDArray[np.int64]:
    """Return users of each kind at each level, shape `(kinds, levels)`."""
    kinds = int(game.kinds.max()) + 1
    code = game.kinds * game.levels + levels
    counts = np.bincount(code, minlength=kinds * game.levels)
    return counts.reshape(kinds, game.levels)


def _payments(game: AcquisitionGame, counts: NDArray[np.int64], kind: int, level: int) -> Array:
    """Return what a user of `kind`, now at `level`, would be paid at each level."""
    others = counts.copy()
    others[kind, level] -= 1
    cells = [(k, v) for k, v in np.argwhere(others > 0).tolist() if game.level_values[v] != 0]
    sizes = [int(others[cell]) for cell in cells]
    weight = _weights(sizes)
    grid = [np.arange(n + 1.0).reshape(_along(i, len(sizes))) for i, n in enumerate(sizes)]
    own = np.ones((1,) * len(sizes))
    kinds = np.array([k for k, _ in cells] + [kind], dtype=np.intp)
    given = np.append(game.level_values[[v for _, v in cells]], 0.0)
    before = game.utility.value_of_counts(kinds[:-1], given[:-1], grid) if cells else np.zeros(())
    paid = np.zeros(game.levels)
    for new in np.flatnonzero(game.level_values != 0):
        given[-1] = game.level_values[new]
        after = _joined(game, kinds, given, grid, own)
        paid[new] = float((weight * (after - before)).sum())
    return paid


def _joined(
    game: AcquisitionGame, kinds: Indices, given: Array, grid: list[Array], own: Array
) -> Array:
    """Return U with one more user, who may be of a type that is there already."""
    same = np.flatnonzero((kinds[:-1] == kinds[-1]) & (given[:-1] == given[-1]))
    if same.size == 0:
        return np.asarray(game.utility.value_of_counts(kinds, given, [*grid, own]))
    more = [count + 1.0 if i == same[0] else count for i, count in enumerate(grid)]
    return np.asarray(game.utility.value_of_counts(kinds[:-1], given[:-1], more))


def _weights(sizes: list[int]) -> Array:
    """Return the weight of each vector of counts: ways / (n C(n - 1, |S|))."""
    others = sum(sizes)
    shape = len(sizes)
    grids = [np.arange(n + 1).reshape(_along(i, shape)) for i, n in enumerate(sizes)]
    size = np.asarray(reduce(np.add, grids, np.zeros((1,) * shape, dtype=np.int64)))
    if others <= _EXACT_USERS:
        ways = [
            np.array([float(comb(n, k)) for k in range(n + 1)]).reshape(_along(i, shape))
            for i, n in enumerate(sizes)
        ]
        chance = np.array([1.0 / ((others + 1) * comb(others, k)) for k in range(others + 1)])
        return np.asarray(reduce(np.multiply, ways, chance[size]))
    logs = [_log_ways(n).reshape(_along(i, shape)) for i, n in enumerate(sizes)]
    return np.asarray(np.exp(reduce(np.add, logs, -_log_ways(others)[size])) / (others + 1))


def _log_ways(n: int) -> Array:
    logs = np.append(0.0, np.cumsum(np.log(np.arange(1, n + 1, dtype=np.longdouble))))
    return np.asarray(logs[-1] - logs - logs[::-1], dtype=np.float64)


def _along(axis: int, axes: int) -> tuple[int, ...]:
    return tuple(-1 if i == axis else 1 for i in range(axes))


def _owen(game: AcquisitionGame, shares: Array, cells: Indices, nodes: int) -> Array:
    """Return gamma of each level, by Gauss-Legendre nodes in q."""
    others = game.users - 1
    points, weights = np.polynomial.legendre.leggauss(nodes)
    q, dq = (points + 1.0) / 2.0, weights / 2.0
    counts = np.indices((others + 1,) * cells.size).reshape(cells.size, (others + 1) ** cells.size)
    counts = counts[:, counts.sum(axis=0) <= others]
    chance = np.zeros(counts.shape[1])
    ways = _log_multinomials(counts, others)
    for node, step in zip(q, dq, strict=True):
        logs = [k * np.log(node * shares[c]) for c, k in zip(cells, counts, strict=True)]
        rest = 1.0 - node * float(shares[cells].sum())
        left = (others - counts.sum(axis=0)) * np.log(max(rest, np.finfo(np.float64).tiny))
        chance += step * np.exp(reduce(np.add, logs, ways + left))
    kinds = np.zeros(cells.size + 1, dtype=np.intp)
    given = np.append(game.level_values[cells], 0.0)
    grid = [k.astype(np.float64) for k in counts]
    before = game.utility.value_of_counts(kinds[:-1], given[:-1], grid) if cells.size else 0.0
    gamma = np.zeros(game.levels)
    for level in np.flatnonzero(game.level_values != 0):
        given[-1] = game.level_values[level]
        after = _joined(game, kinds, given, grid, np.ones(counts.shape[1]))
        gamma[level] = float(chance @ (after - before))
    return gamma


def _log_multinomials(counts: Indices, trials: int) -> Array:
    logs = np.append(0.0, np.cumsum(np.log(np.arange(1, trials + 1, dtype=np.longdouble))))
    rest = trials - counts.sum(axis=0)
    total = logs[trials] - logs[rest] - logs[counts].sum(axis=0)
    return np.asarray(total, dtype=np.float64)
