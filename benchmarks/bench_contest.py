"""Time of reward contests, from ten owners to a million, certificate included."""

import sys
from pathlib import Path

import numpy as np
from _timing import Row, at_most, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
from market_sim.games import RewardContest  # noqa: E402 - the source tree beside us comes first

MILLION = 10**6


def contest(owners: int, q: float, p: float, **bounds: float) -> RewardContest:
    """Return a market of log-normal costs and sizes from 10 to 49."""
    rng = np.random.default_rng(0)
    cost = np.exp(0.5 * rng.standard_normal(owners))
    return RewardContest(cost, rng.integers(10, 50, owners), q, p, **bounds)


def large() -> list[Row]:
    """Time a million owners."""
    rows = []
    for name, q, p, bounds in (
        ("q=1 p=1", 1, 1, {}),
        ("q=1 p=1.5", 1, 1.5, {}),
        ("q=1 p=2", 1, 2, {}),
        ("q=.7 p=2.3", 0.7, 2.3, {}),
        ("q=1 p=1.5 in a box", 1, 1.5, {"low": 1e-6, "high": 0.2}),
    ):
        game = contest(MILLION, q, p, **bounds)
        found = game.equilibrium(100.0)
        if found.residual > 1e-14 or found.regret > 1e-10:
            raise SystemExit(f"{name}: residual {found.residual:g}, regret {found.regret:g}")
        timing = timed(lambda game=game: game.equilibrium(100.0), 5)
        rows.append(at_most(f"10^6 {name}", timing, 0.5))
    linear = contest(MILLION, 1, 1)
    rows.append(plain("10^6 closed form", timed(lambda: linear.closed_form(100.0), 5)))
    return rows


def small() -> list[Row]:
    """Time ordinary markets."""
    fifty, floored = contest(50, 1, 2), contest(50, 1, 2, low=0.1)
    leaving = floored.equilibrium(1.0)
    crowd = contest(10**5, 1, 2, low=0.01)
    return [
        plain("50 owners", timed(lambda: fifty.equilibrium(1.0))),
        plain(f"50, {len(leaving.dropped)} leave", timed(lambda: floored.equilibrium(1.0))),
        plain("10^5, most leave", timed(lambda: crowd.equilibrium(1.0), 3)),
    ]


def main() -> None:
    """Print the table."""
    report(
        "Reward contests, 1 core",
        [*small(), *large()],
        ["Times include the regret. Every case of 10^6: residual <= 1e-14, regret <= 1e-10."],
    )


if __name__ == "__main__":
    main()
