"""Time of the strong attack, by size of the market, and of the certificate, by size of the region.

Quoted: M-RegretNet and DM-RegretNet as published took 11 to 13 s for 1,024 profiles x 100 steps of
misreports and the step of training that follows, on one core.
"""

from collections.abc import Callable

import numpy as np
import torch
from _timing import Row, plain, report, timed

import market_sim as ms
from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.attack_starts import Region
from market_sim.mechanisms.networks.certificate import certify
from market_sim.mechanisms.networks.published_test import published_test

Market = tuple[ms.Reports, np.ndarray]


def market(owners: int, profiles: int) -> Market:
    """Return truthful reports and budgets under the reference size law."""
    law = ms.fl_market_2022(owners=owners, max_cap=2.0)
    population = law.sample(np.random.default_rng(owners), (profiles,))
    return population.reports(), ms.budgets(population, 0.5, "proportional")


def row(case: str, call: Callable[[], object]) -> Row:
    """Return the time of a long call, made twice."""
    return plain(case, timed(call, repeats=1))


def main() -> None:
    """Run all measurements."""
    torch.set_num_threads(1)
    rows = []
    auction = ms.MRegretNet()
    reports, budget = market(10, 5)
    for restarts, steps in ((1, 25), (10, 200)):
        rows.append(
            row(
                f"5 profiles, {restarts} x {steps}",
                lambda r=restarts, s=steps: attack(auction, reports, budget, restarts=r, steps=s),
            )
        )
    rows.append(row("5 profiles, published", lambda: published_test(auction, reports, budget)))
    one = ms.Reports(reports.valuations[:1], reports.cap[:1], reports.data_size[:1])
    notes = []
    for radius in (0.001, 0.01):
        region = Region(rate=(1 - radius, 1 + radius), cap=(1 - radius, 1.0), families=False)
        proof = certify(auction, one, budget[:1], region=region, boxes=2000)
        rows.append(
            row(
                f"proof, lies within {radius:.1%}",
                lambda area=region: certify(auction, one, budget[:1], region=area, boxes=2000),
            )
        )
        notes.append(
            f"within {radius:.1%}: {proof.boxes:,} boxes, {proof.closed.mean():.0%} of the owners "
            f"closed, mean regret in [{proof.lower.mean():.4g}, {proof.upper.mean():.4g}]"
        )
    report("Attack and certificate of M-RegretNet, 10 owners", rows, notes)


if __name__ == "__main__":
    main()
