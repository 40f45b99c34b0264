"""Time of a full market for versions: 200 buyers, 50 owners, 5 versions of a model of digits."""

import sys
from pathlib import Path

import numpy as np
from _timing import at_most, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
from agents.versions import VersionMarket  # noqa: E402 - the source tree beside us comes first
from scenarios import load_scenario  # noqa: E402
from scenarios.versions import market_of, task_of  # noqa: E402

CENT = 0.005


def market(*, learns: bool) -> VersionMarket:
    """Return the market of the library's scenario, priced by the complete price space."""
    scenario = load_scenario("version-market")
    config = scenario.versions[0]
    task = task_of(scenario, config, scenario.seed) if learns else None
    return market_of(config, "complete-space", task, scenario.seed)


def run(*, learns: bool) -> None:
    """Run a round and refuse accounts that do not balance to the cent."""
    found = market(learns=learns)
    found.step()
    money = found.ledger.balances["money"]
    season = found.last
    gap = max(abs(float(money.sum())), abs(season.revenue - season.pool - float(money[2])))
    if gap > CENT or not np.isclose(season.payment.sum(), season.pool, atol=CENT):
        raise SystemExit(f"the accounts are off by {gap:g}")


def main() -> None:
    """Print the table."""
    rows = [
        at_most("20 rounds on digits", timed(lambda: run(learns=True), 2), 60.0),
        plain("without training", timed(lambda: run(learns=False), 3)),
    ]
    report(
        "A market of 200 buyers, 50 owners and 5 versions, 1 core",
        rows,
        ["Set up, one round, all tables. Every run: balanced to the cent."],
    )


if __name__ == "__main__":
    main()
