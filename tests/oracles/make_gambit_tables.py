"""Equilibria of small games by Gambit, in fractions: writes tables/gambit_equilibria.json.

Gambit (pygambit 16 or 17) is not needed to run the tests. To make the table again:

    PYTHONPATH=.:tests/support python tests/oracles/make_gambit_tables.py

Games are drawn from a seed by `small_games.random_game`; payoffs alpha phi - c are computed in
fractions from the definition, so degenerate games (alpha at a breakpoint) are exactly degenerate.
"""

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from small_games import SmallGame, random_game

TABLE = Path(__file__).resolve().parent / "tables" / "gambit_equilibria.json"
SHAPES = [(2, 2, 1), (2, 2, 2), (2, 3, 1), (2, 3, 2), (3, 2, 1), (3, 3, 2), (4, 2, 2)]
SEEDS = range(3)


def drawn(seed: int, users: int, levels: int, kinds: int) -> SmallGame:
    """Return the game of a row of the table; coarse numbers make ties."""
    rng = np.random.default_rng([2024, seed, users, levels, kinds])
    game = random_game(rng, users, levels, kinds=kinds, coarse=seed > 0)
    if kinds == 1 and users == 2:  # symmetric equilibria need equal costs
        return SmallGame(game.kinds, levels, game.worth, (game.costs[0],) * users)
    return game


def chosen(game: SmallGame) -> list[Fraction]:
    """Return some breakpoints, and points between breakpoints."""
    ends = game.breakpoints
    between = [(a + b) / 2 for a, b in pairwise(ends)]
    return sorted({*ends[:: max(len(ends) // 5, 1)], *between[:: max(len(between) // 3, 1)]})


def payoffs(game: SmallGame, alpha: Fraction) -> list[np.ndarray]:
    """Return one array of fractions a user."""
    arrays = [np.empty((game.levels,) * game.users, dtype=object) for _ in range(game.users)]
    for profile in game.profiles:
        for user, array in enumerate(arrays):
            paid = game.payment(user, profile)
            array[profile] = alpha * paid - game.costs[user][profile[user]]
    return arrays


def by_gambit(game: SmallGame, alpha: Fraction) -> dict[str, list]:
    """Return all pure equilibria, and the extreme mixed ones of two users."""
    import pygambit

    make = getattr(pygambit, "StrategicGame", pygambit.Game).from_arrays
    strategic = make(*payoffs(game, alpha))
    pure = pygambit.nash.enumpure_solve(strategic).equilibria
    result = {"pure": sorted([probabilities(p).index(1) for p in each(e)] for e in pure)}
    if game.users == 2:
        mixed = pygambit.nash.enummixed_solve(strategic, rational=True).equilibria
        found = [[[str(x) for x in probabilities(p)] for p in each(e)] for e in mixed]
        result["mixed"] = sorted(found)
    return result


def each(profile) -> list:
    """Return the users' strategies of a Gambit profile."""
    return [part[1] if isinstance(part, tuple) else part for part in profile]


def probabilities(strategy) -> list[Fraction]:
    """Return the probabilities of a Gambit strategy as fractions."""
    values = [part[1] if isinstance(part, tuple) else part for part in strategy]
    return [Fraction(str(value)) for value in values]


def rows() -> list[dict]:
    """Return the table."""
    result = []
    for users, levels, kinds in SHAPES:
        for seed in SEEDS:
            game = drawn(seed, users, levels, kinds)
            for alpha in chosen(game):
                where = {"seed": seed, "users": users, "levels": levels, "kinds": kinds}
                degenerate = alpha in game.breakpoints
                row = {**where, "alpha": str(alpha), "degenerate": degenerate}
                result.append({**row, **by_gambit(game, alpha)})
    return result


def main() -> None:
    """Write the table, one row a line."""
    lines = ",\n".join(json.dumps(row) for row in rows())
    TABLE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
