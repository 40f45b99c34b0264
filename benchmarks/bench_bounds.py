"""What the money could buy, what every shipped auction buys of it, and the time of the bound.

The table holds mean error bounds over profiles of the reference law (ten owners, sizes, budget a
rate times what all owners ask for their caps): the full-information bound, from below and from
above, and each mechanism with its ratio to the upper one, the mean over profiles with a winner.
The time of the bound stands beside that of local optimization (SLSQP, five random starts).

    python benchmarks/bench_bounds.py [--profiles 1000]
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import market_sim as ms
from market_sim.mechanisms.linear_price import REFERENCE_SHARES
from market_sim.mechanisms.posted_price import REFERENCE_PRICES

RATES = (0.1, 0.25, 0.5, 1.0, 2.0)


def error_of(reports: ms.Reports, epsilon: np.ndarray) -> np.ndarray:
    """Return the error bound at ErrorOpt's weights."""
    weights = ms.ErrorOpt().weights(epsilon, reports.data_size)
    return ms.error_bound(weights, epsilon, reports.data_size)


def mechanisms(rate: float) -> list[ms.Mechanism]:
    """Return every auction that needs no training, with what was tuned for the rate."""
    shares = REFERENCE_SHARES
    return [
        ms.AllIn("critical"),
        ms.AllIn("singer"),
        ms.LinearPrice(shares["random"][rate]),
        ms.LinearPrice(shares["size"][rate], order="size"),
        ms.PostedPrice(REFERENCE_PRICES["skip"][rate], "share"),
        ms.PostedPrice(REFERENCE_PRICES["part"][rate], "share", last="part"),
    ]


def table(profiles: int) -> None:
    """Print the bound and the ratios at every rate."""
    owners = ms.fl_market_2022(10).sample(ms.Streams(0).generator("profiles"), (profiles,))
    told = owners.reports()
    print(f"{profiles:,} profiles of ten owners under the reference law, mean error bounds")
    for rate in RATES:
        budget = ms.budgets(owners, rate, "proportional")
        start = time.process_time()
        bound = ms.full_information_bound(told, budget)
        seconds = time.process_time() - start
        least = bound.upper.mean()
        print(f"\nrate {rate}: possible {bound.lower.mean():.4f} to {least:.4f} ({seconds:.1f} s)")
        for mechanism in mechanisms(rate):
            error = error_of(told, mechanism.clear(told, budget).epsilon)
            won = np.isfinite(error)
            ratio = error[won].mean() / bound.upper[won].mean()
            spread = error[won].std() / np.sqrt(won.sum())
            nobody = f", nobody wins in {1 - won.mean():.2%}" if not won.all() else ""
            name = f"  {mechanism.name:<24}"
            print(f"{name}{error[won].mean():8.3f} ({spread:.3f})  ratio {ratio:.3f}{nobody}")


def slsqp(told: ms.Reports, budget: float, rng: np.random.Generator) -> float:
    """Return the least error of five local searches in one profile."""
    from scipy.optimize import minimize

    best = np.inf
    for _ in range(5):
        found = minimize(
            lambda e: float(np.log(error_of(told, np.maximum(e, 1e-9)))),
            rng.uniform(0.05, 1.0, told.owners) * told.cap,
            method="SLSQP",
            bounds=[(1e-6, cap) for cap in told.cap],
            constraints={
                "type": "ineq",
                "fun": lambda e: 1.0 - float(told.cost(np.maximum(e, 0.0)).sum()) / budget,
            },
        )
        best = min(best, float(error_of(told, np.clip(found.x, 1e-6, told.cap))))
    return best


def times() -> None:
    """Print the time of both sides on the same profiles, and of the bound for many owners."""
    owners = ms.fl_market_2022(10).sample(ms.Streams(1).generator("profiles"), (20,))
    told, budget = owners.reports(), ms.budgets(owners, 0.5, "proportional")
    start = time.process_time()
    bound = ms.full_information_bound(told, budget)
    middle = time.process_time()
    rng = np.random.default_rng(0)
    rows = [
        ms.Reports(told.valuations[row], told.cap[row], told.data_size[row]) for row in range(20)
    ]
    local = np.mean([slsqp(row, money, rng) for row, money in zip(rows, budget, strict=True)])
    end = time.process_time()
    print(f"\n20 profiles: bound {middle - start:.2f} s, {bound.lower.mean():.4f} to ", end="")
    print(f"{bound.upper.mean():.4f}; SLSQP {end - middle:.2f} s, {local:.4f}")
    for count in (100, 1000, 10_000, 100_000):
        many = ms.fl_market_2022(count).sample(ms.Streams(2).generator("profiles"), (1,))
        start = time.process_time()
        one = ms.full_information_bound(
            many.reports(), ms.budgets(many, 0.25, "proportional"), method="relaxation"
        )
        seconds = time.process_time() - start
        print(f"{count:>7,} owners, one profile: {seconds:.2f} s, gap {one.gap[0]:.1e}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--profiles", type=int, default=1000)
    table(parser.parse_args().profiles)
    times()
