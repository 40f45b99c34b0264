"""EquivariantRegretNet beside All-in: what each buys, at which regret, and in what time.

Everything is measured on the reference law (sizes, caps up to 2, budgets as a rate of what all ask)
with the error bound of exact weights. Of a profile without a winner the error is infinite; means
are over the others, and their share is printed where there are any.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import market_sim as ms
from market_sim.mechanisms.networks.attack import attack

RATES = (0.1, 0.25, 0.5, 1.0, 2.0)
PUBLISHED = (10.9, 10.3, 8.1, 5.0, 3.7)  # the authors' DM-RegretNet, by rate, n = 10


def market(owners: int, profiles: int, rate: float) -> tuple[ms.Reports, np.ndarray]:
    """Return profiles of the reference law, always the same ones."""
    rng = ms.Streams(2022).generator("bench equivariant", owners)
    population = ms.fl_market_2022(owners=owners, max_cap=2.0).sample(rng, (profiles,))
    return population.reports(), ms.budgets(population, rate, "proportional")


def error(mechanism: ms.Mechanism, reports: ms.Reports, budget: np.ndarray) -> tuple[str, float]:
    """Return the mean error bound with its standard error as text, and as a number."""
    sold = mechanism.clear(reports, budget).epsilon
    weights = ms.ErrorOpt().weights(sold, reports.data_size)
    bound = ms.error_bound(weights, sold, reports.data_size)
    kept = bound[np.isfinite(bound)]
    lost = f" [{1 - len(kept) / len(bound):.1%} no winner]" if len(kept) < len(bound) else ""
    spread = kept.std() / np.sqrt(len(kept))
    return f"{kept.mean():.3f} ({spread:.3f}){lost}", float(kept.mean())


def errors(owners: int, profiles: int) -> None:
    """Print the error bounds of one number of owners at all rates."""
    print(f"\nerror bound, n = {owners}, {profiles} profiles: mean (standard error)")
    learned, simple = ms.EquivariantRegretNet(), ms.AllIn("critical")
    for rate, quoted in zip(RATES, PUBLISHED, strict=True):
        reports, budget = market(owners, profiles, rate)
        ours, mean = error(learned, reports, budget)
        other, base = error(simple, reports, budget)
        text = f"  authors' DM-RegretNet {quoted}" if owners == 10 else ""
        print(f"  rate {rate:<5} {ours:28} All-in {other:28} x {mean / base:.3f}{text}", flush=True)


def regrets(profiles: int, restarts: int, steps: int) -> None:
    """Print what a strong attack gains, n = 10, as a share of the mean payment."""
    print(f"\nregret, n = 10, {profiles} profiles, {restarts} restarts x {steps} steps")
    for rate in (0.1, 0.5, 1.0):
        reports, budget = market(10, profiles, rate)
        found = attack(ms.EquivariantRegretNet(), reports, budget, restarts=restarts, steps=steps)
        row = found.columns()
        cost = reports.cost(ms.EquivariantRegretNet().clear(reports, budget).epsilon).mean()
        print(
            f"  rate {rate:<5} mean regret / mean payment {row['relative_regret_mean']:.4f}"
            f"  / mean cost {row['regret_mean'] / cost:.4f}"
            f"  gain > 1 % of payment: {row['gain_share']:.1%} of owners",
            flush=True,
        )


def times() -> None:
    """Print processor seconds of clearing."""
    print("\nprocessor seconds of one call of clear")
    for owners, profiles in ((10, 1000), (100, 1000), (1000, 100), (10**5, 1), (10**6, 1)):
        reports, budget = market(owners, profiles, 0.5)
        start = time.process_time()
        ms.EquivariantRegretNet().clear(reports, budget)
        print(f"  n = {owners:<8} {profiles:5} profiles {time.process_time() - start:8.2f} s")


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=20_000, help="at n = 10")
    parser.add_argument("--attacked", type=int, default=20, help="profiles attacked at each rate")
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    torch.set_num_threads(1)
    profiles = given.profiles
    errors(10, profiles)
    for owners in (5, 30, 100, 1000):
        errors(owners, max(20, profiles // (2 * owners)))
    times()
    regrets(given.attacked, given.restarts, given.steps)


if __name__ == "__main__":
    main()
