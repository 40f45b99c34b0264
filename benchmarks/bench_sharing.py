"""Time of the market of models: greedy and exact graphs beside plain loops and all sets."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _timing import at_most, faster, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]
import plain_sharing  # noqa: E402 - the source tree beside us comes first

from market_sim.sharing import SharingLaw, SharingMarket, audit_sharing  # noqa: E402
from market_sim.sharing.exact import best_imports  # noqa: E402

BUYERS = 3  # of the plain loops, which take too long for all


def market(participants: int, seed: int = 0) -> SharingMarket:
    """Return one random market."""
    return SharingLaw(participants).sample(np.random.default_rng(seed))


def seconds(call: Callable[[], object]) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    large, middle, small = market(1000), market(20), market(12)
    loop = seconds(lambda: [plain_sharing.greedy_set(large, i, 60) for i in range(BUYERS)])
    sets = seconds(lambda: [plain_sharing.best_set(small, i) for i in range(BUYERS)])
    greedy = timed(lambda: large.clear("published"), 3)
    exact = timed(lambda: best_imports(small.problems, enumerated=0), 3)
    wrong = [
        i
        for i in range(BUYERS)
        if set(np.flatnonzero(large.clear().imports[i])) != plain_sharing.greedy_set(large, i)
    ]
    if wrong:
        raise SystemExit(f"the greedy graph differs from the plain loop for buyers {wrong}")
    nine = [market(9, seed) for seed in range(10)]
    rows = [
        at_most("greedy, 1,000", greedy, 1.0),
        faster("  beside a loop", greedy, loop * 1000 / BUYERS, None, "loop"),
        at_most("exact, 20", timed(lambda: middle.clear("published", "exact"), 3), 5.0),
        at_most("vcg, 20", timed(lambda: middle.clear("vcg"), 3), 5.0),
        faster("exact, 12", exact, sets * 12 / BUYERS, None, "all sets"),
        plain("exact, 1,000", timed(lambda: large.clear("published", "exact"), 1)),
        plain("vcg, 1,000", timed(lambda: large.clear("vcg"), 1)),
        plain("critical, 1,000", timed(lambda: large.clear("critical"), 3)),
        plain("audit, 10 of 9, greedy", timed(lambda: audit_sharing(nine), 3)),
        plain("audit, 10 of 9, vcg", timed(lambda: audit_sharing(nine, "vcg"), 3)),
    ]
    report(
        "The market of models, 1 core; numbers are participants",
        rows,
        [f"Plain loops: {BUYERS} buyers timed, times their number. Greedy graphs agree."],
    )


if __name__ == "__main__":
    main()
