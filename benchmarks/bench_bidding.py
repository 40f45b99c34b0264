"""Time of bidding equilibria, and how regret falls with the owners for rules that are not truthful.

The second part takes minutes: each regret is searched for in fresh markets.
"""

import sys
from pathlib import Path

import numpy as np
from _timing import Row, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
import market_sim as ms  # noqa: E402 - the source tree beside us comes first

UNIFORM = ms.privacy_auction_law("uniform")
CROWDS = (10, 30, 100, 300, 1000)
MONEY = 0.5  # for each owner
PLAYS = (
    (ms.FirstPrice(), "bid", "mean-field bids"),
    (ms.FirstPrice(), None, "the truth"),
    (ms.CSRA(), None, "the truth"),
    (ms.ProportionalShare(), None, "the truth"),
    (ms.MFGPricing(), "share", "mean-field offers"),
    (ms.MFGPricing(), None, "the truth"),
)


def times() -> list[Row]:
    """Time one equilibrium of each kind."""
    ten = ms.BiddingGame(ms.FirstPrice(), UNIFORM, 10, 5.0)
    share = ms.BiddingGame(ms.MFGPricing(), UNIFORM, 10, 5.0)
    value, cap = (column[0] for column in ten.types(np.random.default_rng(0), 1))
    few = ms.typed_bidding(ms.BiddingGame(ms.FirstPrice(), UNIFORM, 3, 1.5), 4, 11)
    return [
        plain("10 owners, strategy", timed(lambda: ms.bayes_nash_bids(ten, values=9), 1)),
        plain("10 owners, open cards", timed(lambda: ms.best_response_bids(share, value, cap), 3)),
        plain("3 owners, few types", timed(lambda: ms.typed_equilibrium(few), 1)),
        plain("10 owners, mean field", timed(lambda: ms.mean_field_bids(ten), 1)),
    ]


def slopes() -> list[str]:
    """Return a line for each way to play: regret in percent of B / N, and its slope."""
    lines = [f"Regret in % of B / N at N = {', '.join(map(str, CROWDS))}; slope, 95 % interval:"]
    for rule, pays, words in PLAYS:
        play = {} if pays is None else {"play": pays}
        found = ms.regret_scaling(rule, UNIFORM, CROWDS, MONEY, **play)
        regrets = " ".join(f"{100 * regret:.2g}" for regret in found.regret)
        low, high = found.interval
        lines.append(f"{rule.name}, {words}: {regrets}; {found.slope:.2f} [{low:.2f}, {high:.2f}]")
    return lines


def main() -> None:
    """Print the table."""
    report("Bidding equilibria, 1 core", times(), slopes())


if __name__ == "__main__":
    main()
