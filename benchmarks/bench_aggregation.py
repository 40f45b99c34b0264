"""Time of ErrorOpt, 1,000 profiles at a time, beside a general solver profile by profile.

SLSQP solves the smooth form of the same problem (weights = shares + a - b, a and b >= 0). It is
asked for ten digits, timed on a sample of the profiles and scaled up. Quoted are the seconds
measured on the authors' `OptAggr`, a quadratic program a profile.
"""

import sys
import time
from pathlib import Path

import numpy as np
from _timing import Row, Timing, at_most, faster, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]
from least_error import objective, slsqp  # noqa: E402 - the oracle of the tests

import market_sim as ms  # noqa: E402 - the source tree beside us comes first

PROFILES = 1000
SAMPLE = {10: 50, 100: 10}
QUOTED = {10: 7.2, 100: 40.0}
LIMIT = {10: 0.05, 100: 0.3}


def draw(owners: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what All-in buys under the reference size law at half of what is asked, and sizes."""
    population = ms.fl_market_2022(owners).sample(np.random.default_rng(owners), (PROFILES,))
    budget = ms.budgets(population, 0.5, "proportional")
    outcome = ms.AllIn("singer").clear(population.reports(), budget)
    return outcome.epsilon, np.asarray(population.data_size)


def solver(epsilon: np.ndarray, size: np.ndarray) -> tuple[Timing, np.ndarray]:
    """Return the time of all profiles, scaled up from these, and the error bounds reached."""
    bounds, seconds = [], []
    slsqp(epsilon[0], size[0] / size[0].sum())  # the first call imports the solver
    for sold, held in zip(epsilon, size, strict=True):
        share = held / held.sum()
        start = time.perf_counter()
        weights = slsqp(sold, share, tolerance=1e-10)
        seconds.append(time.perf_counter() - start)
        bounds.append(objective(weights, sold, share))
    whole = PROFILES * sum(seconds) / len(seconds)
    return Timing(whole, PROFILES * float(np.median(seconds)), 1), np.array(bounds)


def rows_of(owners: int) -> tuple[list[Row], str]:
    """Time both ways at one number of owners, and compare the error bounds."""
    epsilon, size = draw(owners)
    rule = ms.ErrorOpt()
    bound = ms.error_bound(rule.weights(epsilon, size), epsilon, size)
    bought = np.flatnonzero(np.isfinite(bound))[: SAMPLE[owners]]
    theirs, reached = solver(epsilon[bought], size[bought])
    ours = timed(lambda: rule.weights(epsilon, size))
    apart = bound[bought] / reached - 1
    rows = [
        plain(f"n = {owners:3}  SLSQP (scaled)", theirs),
        at_most(f"n = {owners:3}  error-opt", ours, LIMIT[owners]),
        faster("", ours, theirs.best, 1, "SLSQP"),
        faster("", ours, QUOTED[owners], 1, "quoted"),
    ]
    span = f"{apart.min():+.1e} to {apart.max():+.1e}"
    note = f"n = {owners}: bound relative to SLSQP on {SAMPLE[owners]} profiles {span}"
    return rows, note


def main() -> None:
    """Print the table."""
    parts = [rows_of(owners) for owners in LIMIT]
    notes = [note for _, note in parts]
    notes.append("quoted: the authors' OptAggr, 7.2 / 40 s at n = 10 / 100, one core")
    report("ErrorOpt, 1,000 profiles, one core", [row for rows, _ in parts for row in rows], notes)


if __name__ == "__main__":
    main()
