"""Time and memory of a market on arrays: building it, and one full round, for up to 10^6 owners.

Each market runs in a process of its own, so that its peak memory is its own. The second of two
rounds is timed too: what was said and sold before is then remembered.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAYMENTS = ("singer", "critical")
AIM = 2.0  # seconds for a round of a million owners


def measure(owners: int, payment: str) -> None:
    """Print seconds to build, seconds of two rounds, winners and the growth of peak memory."""
    import market_sim as ms
    from agents import BuyerTerms, Market

    population = ms.fl_market_2022(owners).sample(ms.Streams(1).generator("population"))
    money = float(ms.budgets(population, 0.25, "proportional"))
    before, start = _peak_mib(), time.perf_counter()
    market = Market(
        population,
        [BuyerTerms("buyer", money)],
        mechanism=ms.AllIn(payment),  # type: ignore[arg-type]
        aggregator=ms.DataSize(),
        record_owners=False,
        seed=1,
    )
    seconds = [time.perf_counter() - start]
    for _ in range(2):
        start = time.perf_counter()
        market.step()
        seconds.append(time.perf_counter() - start)
    winners = market.tables()["rounds"]["winners"][0]
    numbers = "  ".join(f"{x:9.4f}" for x in seconds)
    print(f"{owners:>9}  {payment:<8}  {numbers}  {winners:>9}  {_peak_mib() - before:8.0f}")


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Measure one market, or each size and payment rule in a new process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("OWNERS", "PAYMENT"))
    parser.add_argument("--largest", type=int, default=6, help="power of ten of the largest market")
    arguments = parser.parse_args()
    if arguments.one:
        measure(int(arguments.one[0]), arguments.one[1])
        return
    print(f"aim: a round of 10^6 owners in {AIM:g} s; times in seconds, memory in MiB")
    heads = ("build", "round 1", "round 2")
    print(
        f"{'owners':>9}  {'payment':<8}", *(f"{h:>10}" for h in heads), f"{'winners':>10}", end=""
    )
    print(f"{'peak':>10}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for power in range(3, arguments.largest + 1):
        for payment in PAYMENTS:
            command = [sys.executable, __file__, "--one", str(10**power), payment]
            subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
