"""Times of fair payments and of the potential table, beside their aims; one core."""

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 - the threads come first
from _timing import Row, at_most, plain, report, timed  # noqa: E402

from market_sim.games import (  # noqa: E402
    DPMeanEstimation,
    FederatedMeanEstimation,
    PotentialTable,
    fair_values,
)

FIG7_SIZES = [100, 10, 10, 10, 100, 10, 10, 10, 10, 10]
FIG7_LEVELS = [2, 2, 2, 2, 1, 1, 1, 1, 1, 0]


def four_types(members: int) -> tuple[FederatedMeanEstimation, np.ndarray]:
    """Return users of two sizes at two levels, `members` of each type."""
    size = np.repeat([100.0, 10.0, 100.0, 10.0], members)
    return FederatedMeanEstimation(size, r2=10.0, s2=1.0), np.repeat([2.0, 2.0, 1.0, 1.0], members)


def two_types(users: int) -> tuple[FederatedMeanEstimation, np.ndarray]:
    """Return users of one size at two levels."""
    size = np.full(users, 10.0)
    return FederatedMeanEstimation(size, r2=10.0, s2=1.0), np.repeat([2.0, 1.0], users // 2)


def small() -> list[Row]:
    """Time ten users: one profile by all methods, and all 270 states of the table at once."""
    market = FederatedMeanEstimation(FIG7_SIZES, r2=1.0, s2=100.0)
    rows = [at_most("N=10, all profiles", timed(lambda: PotentialTable(market, [0, 1, 2])), 2e-3)]
    for method in ("subsets", "types"):
        call = timed(lambda method=method: fair_values(market, FIG7_LEVELS, method=method))
        rows.append(plain(f"N=10, {method}", call))
    return rows


def large() -> tuple[list[Row], list[str]]:
    """Time many users of a few types, and compare the integral with its finest result."""
    market, levels = four_types(25)
    rows = [at_most("N=100, four types", timed(lambda: fair_values(market, levels)), 0.05)]
    pair, pair_levels = two_types(1000)
    rows.append(at_most("N=1,000, two types", timed(lambda: fair_values(pair, pair_levels)), 0.02))
    more, more_levels = two_types(10_000)
    call = timed(lambda: fair_values(more, more_levels, tolerance=1e-8), 5)
    rows.append(at_most("N=10,000, two types", call, 0.2))
    huge, huge_levels = four_types(250_000)
    finest = fair_values(huge, huge_levels, tolerance=1e-13).users[::250_000]
    notes = []
    for tolerance, limit in ((1e-8, 0.5), (1e-10, 1.0)):
        call = timed(lambda t=tolerance: fair_values(huge, huge_levels, tolerance=t), 3)
        rows.append(at_most(f"N=10^6, at {tolerance:.0e}", call, limit))
        result = fair_values(huge, huge_levels, tolerance=tolerance)
        error = np.abs(result.users[::250_000] / finest - 1.0).max()
        notes.append(
            f"N=10^6 at {tolerance:.0e}: payments within {error:.1e} of the finest, "
            f"sum within {result.discrepancy:.1e}"
        )
    private = DPMeanEstimation(1_000_000)
    epsilon = np.repeat([0.5, 4.0], 500_000)
    call = timed(lambda: fair_values(private, epsilon, tolerance=1e-8), 3)
    rows.append(plain("N=10^6, DP, two types", call))
    big = FederatedMeanEstimation([100.0] * 20 + [10.0] * 80, r2=10.0, s2=1.0)
    rows.append(plain("N=100 (20+80), table", timed(lambda: PotentialTable(big, [0, 1, 2]), 3)))
    return rows, notes


def main() -> None:
    """Print the table."""
    rows, notes = large()
    report("Fair payments", [*small(), *rows], notes)


if __name__ == "__main__":
    main()
