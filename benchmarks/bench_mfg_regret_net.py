"""Regret of the learned auctions of the privacy auction game, by the strength of the test.

Quoted, N = 10, B = 50, regret over cost by 25 steps of 0.1: MFG-RegretNet .55 to .56, RegretNet .96
to 1.2, DM-RegretNet .91 to 1.07; MFG-RegretNet after 1, 10, 25, 50 steps: .049, .302, .547, .754.
"""

import numpy as np
import torch
from _timing import plain, report, timed

import market_sim as ms
from market_sim.mechanisms.networks import best_responses
from market_sim.mechanisms.networks.plain_ascent import ascent_regret

STEPS = (1, 10, 25, 50, 400)
_PROFILES = 100
_LEARNED = {
    "mfg-regret-net-as-run-10-b50": ms.PublishedMFGRegretNet,
    "mfg-regret-net-10-b50": ms.PublishedMFGRegretNet,
    "mfg-regret-net-10-b5": ms.PublishedMFGRegretNet,
    "mfg-regret-net-code-10-b50": ms.PublishedMFGRegretNet,
    "privacy-regret-net-10-b50": ms.RegretNet,
    "privacy-regret-net-10-b5": ms.RegretNet,
    "privacy-dm-regret-net-10-b50": ms.DMRegretNet,
    "privacy-dm-regret-net-10-b5": ms.DMRegretNet,
}


def lines(network: str, profiles: int) -> list[str]:
    """Return what an auction buys, and its regret by each test."""
    mechanism = _LEARNED[network](network=network)
    told, budget = mechanism.law.sample(np.random.default_rng(1), profiles)
    exact = {
        deviation: best_responses(mechanism, told, budget, deviation=deviation)
        for deviation in ("cap", "value", "both")
    }
    far = best_responses(mechanism, told, budget, largest_value=1e3)
    utility, paid, sold = mechanism.expectation(told, budget, told)
    bought = sold.sum(axis=-1).mean()
    bound = ms.purchase_bound(told, budget).mean()
    cost = exact["both"].cost

    def told_as(regret: np.ndarray) -> str:
        share = (regret[cost > 0] / cost[cost > 0]).mean()
        return (
            f"{regret.mean():.4f} money, {share:.3f} of the cost, {regret.sum() / cost.sum():.3f}"
        )

    first = (
        f"{network}: bought {bought:.2f} of {bound:.2f}, paid {paid.sum(axis=-1).mean():.3f}, "
        f"{(utility < 0).mean():.1%} below cost"
    )
    rows = [first]
    for steps in STEPS:
        found = ascent_regret(mechanism, told, budget, steps)
        rows.append(f"  {steps} steps of 0.1: {told_as(found)}")
    rows += [f"  best {name}: {told_as(found.regret)}" for name, found in exact.items()]
    nothing = (exact["both"].cap < 0.01 * told.cap).mean()
    rows.append(f"  best report offers below 1 % of the cap: {nothing:.1%} of the owners")
    return [*rows, f"  best with values to 1,000: {far.regret.mean():.3f} money"]


def constant_payment(steps: int, step: float = 0.1, draws: int = 1_000_000) -> float:
    """Return E min(1, steps step v / eps): regret over cost when the payment is constant."""
    rng = np.random.default_rng(0)
    value, cap = rng.random(draws), rng.uniform(0.1, 5.0, draws)
    return float(np.minimum(1.0, steps * step * value / cap).mean())


def main() -> None:
    """Print all tables."""
    torch.set_num_threads(1)
    curve = ", ".join(f"{steps}: {constant_payment(steps):.3f}" for steps in STEPS)
    print("constant payment, regret over cost by steps of 0.1:", curve)
    print("regret: mean money; mean of regret / cost; mean regret / mean cost")
    for network in _LEARNED:
        print("\n".join(lines(network, _PROFILES)), flush=True)
    mechanism = ms.PublishedMFGRegretNet()
    told, budget = mechanism.law.sample(np.random.default_rng(0), 20)
    rows = [
        plain(
            "20 profiles, best responses", timed(lambda: best_responses(mechanism, told, budget))
        ),
        plain("20 profiles, 25 steps", timed(lambda: ascent_regret(mechanism, told, budget))),
        plain("1,000 profiles, clear", timed(lambda: _clear(mechanism, 1000))),
    ]
    report("Learned auctions of the privacy auction game", rows)


def _clear(mechanism: ms.PublishedMFGRegretNet, profiles: int) -> ms.Outcome:
    told, budget = mechanism.law.sample(np.random.default_rng(0), profiles)
    return mechanism.clear(told, budget)


if __name__ == "__main__":
    main()
