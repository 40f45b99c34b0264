"""Time of the default audit, and of the best responses that agents look for, on one core."""

import time

import numpy as np

import market_sim as ms
from market_sim.auditing import best_deviations, default_audit


def default(profiles: int) -> None:
    """Print time and findings of the six audits that the command runs."""
    start = last = time.process_time()

    def show(report: ms.AuditReport) -> None:
        nonlocal last
        now = time.process_time()
        row = report.rows[-1]
        print(
            f"{report.mechanism:<18}{report.population:<15}{report.lies:>10,} misreports"
            f"{now - last:7.2f} s   regret max {row.regret_max:8.3g}"
            f"   gain > 1 %: {row.gain_share:.1%}"
        )
        last = now

    default_audit(profiles, progress=show)
    print(f"all six, {profiles} profiles of 10 owners: {time.process_time() - start:.2f} s CPU\n")


def responses(owners: int, asked: int) -> None:
    """Print the time in which some owners of one market find their best of 8 x 8 reports."""
    truth = ms.fl_market_2021(owners=owners).sample(np.random.default_rng(0)).reports()
    money = 0.5 * float(truth.value.sum())
    value, cap = np.linspace(0.3, 1.5, 8), np.linspace(0.2, 1.0, 8)
    start = time.process_time()
    best_deviations(ms.AllIn("singer"), truth, money, truth, np.arange(asked), value, cap)
    seconds = time.process_time() - start
    print(f"best responses of {asked} of {owners} owners (singer): {seconds:.2f} s CPU")


def main() -> None:
    """Run all measurements."""
    default(100)
    default(200)
    responses(10, 10)
    responses(100, 100)
    responses(1000, 20)


if __name__ == "__main__":
    main()
