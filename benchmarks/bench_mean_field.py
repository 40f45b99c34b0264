"""The mean field over rounds: time and evidence on 100 x 100 states, refinement, N owners."""

import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from _timing import Row, at_most, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
import market_sim as ms  # noqa: E402 - the source tree beside us comes first
from market_sim.laws import Uniform  # noqa: E402
from market_sim.solvers import MeanFieldSolution, static_regret  # noqa: E402

FULL = {"cap": 0.5, "budget": 0.05, "rounds": 50, "reversion": 0.1, "volatility": 0.1}
SMALL = {"cap": 1.3, "budget": 0.2, "rounds": 6, "reversion": 0.1, "volatility": 0.1}
OWNERS = np.array([10, 32, 100, 316, 1000, 3162, 10_000])
DRAWS = 4
OWNER_DRAWS = 160_000


def game(settings: dict[str, float], **changes: float) -> ms.MeanFieldGame:
    """Return a market of the uniform law."""
    return ms.MeanFieldGame(Uniform(0, 1), Uniform(0.1, 5), **{**settings, **changes})


def evidence(case: str, solution: MeanFieldSolution) -> list[Row]:
    """Return the aims that a solution must reach."""
    aims = (
        ("exploitability/value", solution.relative_exploitability, 1e-4),
        ("mass error", solution.mass_error, 1e-12),
        ("clearing error", solution.clearing_error, 1e-8),
    )
    return [
        Row(f"{case}: {name}"[:24], 0.0, 0.0, f"<= {limit:.0e}", f"{error:.1e}", error <= limit)
        for name, error, limit in aims
    ]


def full() -> list[Row]:
    """Solve 100 x 100 states and 50 rounds."""
    rows = []
    for case, changes in (("kappa .1", {"curvature": 0.1}), ("kappa 0", {}), ("cap 5", {"cap": 5})):
        market = game(FULL, **changes)
        rows.append(at_most(f"{case}, 100 x 100 x 50", timed(market.equilibrium, 1), 30.0))
        rows += evidence(case, market.equilibrium())
    return rows


def methods() -> list[Row]:
    """Solve one small market by every method."""
    market = game(SMALL, curvature=0.1, cells=20, nodes=21)
    right = market.equilibrium().price
    rows = []
    for method in ("newton", "damped", "fictitious-play", "mirror-descent"):
        start = time.perf_counter()
        found = ms.solve_mean_field(market, method)
        seconds = time.perf_counter() - start
        gap = float(np.abs(found.price - right).max())
        rows.append(
            Row(method, seconds, seconds, f"{found.steps} steps", f"{gap:.0e}", found.converged)
        )
    return rows


def refinement() -> list[str]:
    """Return the measured orders in cells and in nodes."""
    lines = []
    for name, fine, sizes in (
        ("cells", {"nodes": 101}, (10, 20, 40, 80, 640)),
        ("nodes", {"cells": 100}, (11, 21, 41, 81, 641)),
    ):
        prices = [
            game(SMALL, curvature=0.1, **{**fine, name: size}).equilibrium().price for size in sizes
        ]
        errors = [float(np.abs(price - prices[-1]).max()) for price in prices[:-1]]
        orders = [np.log2(a / b) for a, b in pairwise(errors)]
        shown = ", ".join(
            f"{size}: {error:.1e}" for size, error in zip(sizes, errors, strict=False)
        )
        lines.append(f"price error by {name}: {shown}; orders {np.round(orders, 2).tolist()}")
    return lines


def slope(owners: np.ndarray, measured: np.ndarray, seed: int = 0) -> str:
    """Return the log-log slope with a 95 % bootstrap interval over draws, shape (sizes, draws)."""
    rng = np.random.default_rng(seed)

    def fitted(columns: np.ndarray) -> float:
        mean = np.take_along_axis(measured, columns, axis=1).mean(axis=1)
        return float(np.polyfit(np.log(owners), np.log(mean), 1)[0])

    whole = fitted(np.tile(np.arange(measured.shape[1]), (owners.size, 1)))
    drawn = [fitted(rng.integers(measured.shape[1], size=measured.shape)) for _ in range(1000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"slope {whole:.3f} [{low:.3f}, {high:.3f}]"


def players(curvature: float) -> list[str]:
    """Measure what deviating from the mean-field policy gains among N owners who share pro rata."""
    solution = game(SMALL, curvature=curvature, cells=20, nodes=21).equilibrium()
    gaps = [
        [
            solution.players_gap(int(n), seed=2 * seed, markets=max(20, OWNER_DRAWS // DRAWS // n))
            for seed in range(DRAWS)
        ]
        for n in OWNERS
    ]
    gain = np.array([[gap.relative_gain for gap in row] for row in gaps])
    error = np.array([[gap.price_error for gap in row] for row in gaps])
    return [
        f"kappa {curvature}: N         " + " ".join(f"{n:>8}" for n in OWNERS),
        "  gain / earnings   " + " ".join(f"{x:8.1e}" for x in gain.mean(axis=1)),
        "  price error       " + " ".join(f"{x:8.1e}" for x in error.mean(axis=1)),
        f"  gain, N >= 100: {slope(OWNERS[2:], gain[2:])}",
        f"  price error, N >= 100: {slope(OWNERS[2:], error[2:])}",
    ]


def static() -> list[str]:
    """Measure the regret of the static mean-field strategy, ex post."""
    price = ms.mean_field_price(Uniform(0, 1), Uniform(0.1, 5), 0.5)
    mean, worst = np.empty((OWNERS.size, DRAWS)), np.empty((OWNERS.size, DRAWS))
    for row, owners in enumerate(OWNERS):
        for seed in range(DRAWS):
            rng = np.random.default_rng([int(owners), seed])
            shape = (max(5, OWNER_DRAWS // DRAWS // int(owners)), int(owners))
            value, cap = rng.uniform(0, 1, shape), rng.uniform(0.1, 5, shape)
            gain = static_regret(value, cap, 0.5 * int(owners), price)
            mean[row, seed], worst[row, seed] = gain.mean(), gain.max(axis=1).mean()
    return [
        f"static, mean regret, N >= 100: {slope(OWNERS[2:], mean[2:])}",
        f"static, largest regret of N, N >= 100: {slope(OWNERS[2:], worst[2:])}",
    ]


def main() -> None:
    """Print the table."""
    law = Uniform(0, 1), Uniform(0.1, 5)
    price = plain("static price", timed(lambda: ms.mean_field_price(*law, 0.5)))
    notes = [*refinement(), *players(0.1), *players(0.0), *static()]
    report(
        "The mean field of privacy sold over rounds, 1 core", [price, *full(), *methods()], notes
    )


if __name__ == "__main__":
    main()
