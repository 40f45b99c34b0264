"""Time and memory of a market on arrays: building it, and full rounds, for up to 10^6 owners.

A round asks, clears, weighs, settles, composes Gaussian losses and records a row an owner. Each
market runs in a process of its own, so that its peak memory, libraries included, is its own. The
second of two rounds is timed too: what was said and sold before is then remembered. Times are
those of one processor, so that other work on the machine does not count.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
GAME = ("MFGPricing", "ProportionalShare", "PAC", "CSRA", "UniformEpsilon")
FL_MARKET = ("AllIn",)
BUILD, ROUND, MEMORY = 5.0, 2.0, 2048.0  # aims at 10^6 owners: seconds, seconds, MiB


def measure(owners: int, name: str, record: bool, lifetime: bool) -> None:
    """Print as JSON: seconds to build and of two rounds, winners and peak memory."""
    import market_sim as ms
    from agents import BuyerTerms, Market
    from market_sim.privacy import GaussianPerturbation

    law = ms.privacy_auction_law("uniform", owners) if name in GAME else ms.fl_market_2022(owners)
    drawn = law.sample(ms.Streams(1).generator("population"))
    people = ms.Population(
        drawn.valuations, drawn.cap, drawn.data_size, 8.0 if lifetime else np.inf
    )
    money = 0.5 * owners if name in GAME else float(ms.budgets(people, 0.25, "proportional"))
    start = time.process_time()
    market = Market(
        people,
        [BuyerTerms("buyer", money)],
        mechanism=getattr(ms, name)(),
        aggregator=ms.VarOpt(),
        perturbation=GaussianPerturbation(delta=1e-8),
        record_owners=record,
        seed=1,
    )
    seconds = [time.process_time() - start]
    for _ in range(2):
        start = time.process_time()
        market.step()
        seconds.append(time.process_time() - start)
    winners = int(market.tables()["rounds"]["winners"][0]) if not record else -1
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps({"seconds": seconds, "winners": winners, "peak": peak}))


def in_new_process(owners: int, name: str, options: list[str]) -> dict[str, object]:
    """Measure one market in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--one", str(owners), name, *options]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def main() -> None:
    """Measure one market, or each size and mechanism in a new process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("OWNERS", "MECHANISM"), help="print as JSON")
    parser.add_argument("--largest", type=int, default=6, help="power of ten of the largest market")
    parser.add_argument("--mechanisms", nargs="+", default=[*GAME, *FL_MARKET])
    parser.add_argument(
        "--record-owners", action="store_true", help="keep a row an owner and round"
    )
    parser.add_argument("--lifetime", action="store_true", help="give owners a lifetime cap of 8")
    given = parser.parse_args()
    if given.one:
        measure(int(given.one[0]), given.one[1], given.record_owners, given.lifetime)
        return
    print(f"aims at 10^6 owners: build {BUILD:g} s, round {ROUND:g} s, peak {MEMORY:g} MiB")
    heads = ("build s", "round 1 s", "round 2 s", "peak MiB", "grows as")
    print(f"{'mechanism':<20}{'owners':>9}" + "".join(f"{head:>11}" for head in heads), flush=True)
    flags = (("--record-owners", given.record_owners), ("--lifetime", given.lifetime))
    options = [flag for flag, wanted in flags if wanted]
    for name in given.mechanisms:
        before = np.nan
        for power in range(3, given.largest + 1):
            found = in_new_process(10**power, name, options)
            numbers = [*found["seconds"], found["peak"]]  # type: ignore[misc]
            growth = float(np.log10(numbers[2] / before))  # exponent of the second round in N
            before = numbers[2]
            cells = "".join(f"{number:11.4g}" for number in [*numbers, growth])
            print(f"{name:<20}{10**power:>9}{cells}", flush=True)


if __name__ == "__main__":
    main()
