"""Time of exact equilibria and of the platform's best share, from ten users to a million."""

import sys
from pathlib import Path

import numpy as np
from _timing import Row, at_most, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
from market_sim.games import (  # noqa: E402 - the source tree beside us comes first
    AcquisitionGame,
    DPMeanEstimation,
    FederatedMeanEstimation,
)
from market_sim.solvers import (  # noqa: E402
    best_response,
    cost_map,
    optimal_alpha,
    pure_equilibria,
    symmetric_equilibria,
    users_map,
    variance_map,
)

SIZES = [100, 10, 10, 10, 100, 10, 10, 10, 10, 10]
COSTS = np.array(
    [[0, 0.02, 0.5], *[[0, 0.02, 0.4]] * 3, [0, 0.1, 4], *[[0, 0.05, 1]] * 4, [0, 0.5, 4]]
)
MILLION = 10**6


def ten() -> AcquisitionGame:
    """Return the published game of ten users, without its table."""
    return AcquisitionGame(FederatedMeanEstimation(SIZES, r2=1, s2=100), COSTS)


def hundred(groups: int) -> AcquisitionGame:
    """Return 20 + 80 users of two data sizes, in so many groups of equal costs."""
    utility = FederatedMeanEstimation([100] * 20 + [10] * 80, r2=1, s2=100)
    if groups == 2:
        return AcquisitionGame(utility, COSTS[[0] * 20 + [5] * 80])
    rng = np.random.default_rng(1)
    rows = np.append(rng.choice([0, 4], 20), rng.choice([1, 5, 9], 80))
    return AcquisitionGame(utility, COSTS[rows])


def small() -> list[Row]:
    """Time ten users."""
    ready = ten()
    best = optimal_alpha(ready)
    alike = AcquisitionGame(DPMeanEstimation(20), np.tile([0, 0.03], (20, 1)), (0, np.inf))
    return [
        at_most("N=10 exact alpha*, table", timed(lambda: optimal_alpha(ten())), 0.010),
        plain("N=10 pessimistic", timed(lambda: optimal_alpha(ten(), "pessimistic"))),
        plain("N=10 dynamics", timed(lambda: optimal_alpha(ten(), "dynamics"), 5)),
        plain("N=10 all pure equilibria", timed(lambda: pure_equilibria(ready, best.alpha))),
        plain("N=10 best response", timed(lambda: best_response(ready, best.alpha))),
        plain("N=20 symmetric, all", timed(lambda: symmetric_equilibria(alike, 0.5))),
        plain("N=20 symmetric alpha*", timed(lambda: optimal_alpha(alike, play="symmetric"))),
    ]


def large() -> list[Row]:
    """Time a hundred users and a million."""
    cost = np.random.default_rng(0).random(MILLION) * 1e-5
    game = AcquisitionGame(
        DPMeanEstimation(MILLION), np.column_stack([np.zeros(MILLION), cost]), (0, np.inf)
    )
    return [
        at_most("N=100 (20+80) alpha*", timed(lambda: optimal_alpha(hundred(2)), 3), 3.0),
        at_most("the same, 5 cost groups", timed(lambda: optimal_alpha(hundred(5)), 1), 3.0),
        at_most("N=10^6 different costs", timed(lambda: optimal_alpha(game), 7), 0.05),
    ]


def maps() -> list[Row]:
    """Time maps of 200 x 200 points."""
    cost = np.linspace(0.001, 0.7, 200)
    variance = np.logspace(-2, 2, 200)
    pair = DPMeanEstimation(2)
    rows = [[0, 0.02, 0.5], [0, 0.05, 1]]
    users = np.arange(1, 201)
    return [
        at_most("map (c1, c2) pure", timed(lambda: cost_map(pair, cost, cost), 5), 2.0),
        at_most("map (c1, c2) mixed", timed(lambda: cost_map(pair, cost, cost, play="mixed")), 2.0),
        at_most("map (c, N)", timed(lambda: users_map(DPMeanEstimation, cost, users), 3), 2.0),
        at_most(
            "map (s2, r2) two users",
            timed(lambda: variance_map([100, 10], rows, variance, variance), 2),
            2.0,
        ),
    ]


def main() -> None:
    """Print the table."""
    report("Exact equilibria and the best share, 1 core", [*small(), *large(), *maps()])


if __name__ == "__main__":
    main()
