"""Time of All-in, 1,000 profiles at a time, beside a loop over owners and profiles.

Both sides do the whole job on the same markets: from valuations and caps to sales and payments.
The loop follows Algorithm 4 as it is printed (sort, accept one after the other, share the budget),
for the published payment, which is the cheapest to compute; once an element of an array at a time,
as such code is usually written, and once on plain lists. Beside it stand the seconds that were
measured on the authors' own loops for 1,000 profiles on one core.
"""

import math
import sys
from pathlib import Path

import numpy as np
from _timing import Row, at_most, faster, plain, report, timed

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import market_sim as ms

PROFILES = 1000
QUOTED = {10: 0.031, 100: 0.138, 1000: 1.19}  # seconds, the authors' loops
COSTS = (
    lambda e: 2.0 * e,
    lambda e: e * e,
    lambda e: 2.0 * math.sqrt(e),
    math.expm1,
)
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def loop(kind: np.ndarray, rate: np.ndarray, cap: np.ndarray, budget: float) -> np.ndarray:
    """Return the published payments of one profile, an array element at a time."""
    value = np.array([rate[i] * COSTS[kind[i]](cap[i]) for i in range(len(cap))])
    unit = value / cap
    sold, total = np.zeros(len(cap)), 0.0
    for i in np.argsort(unit):
        if (total + cap[i]) * unit[i] <= budget:
            sold[i] = cap[i]
            total += cap[i]
    return sold * (budget / total) if total > 0 else sold


def list_loop(kind: list[int], rate: list[float], cap: list[float], budget: float) -> list[float]:
    """Return the same without arrays: about the best that plain Python can do."""
    value = [r * COSTS[k](c) for k, r, c in zip(kind, rate, cap, strict=True)]
    unit = [v / c for v, c in zip(value, cap, strict=True)]
    sold, total = [0.0] * len(cap), 0.0
    for i in sorted(range(len(cap)), key=unit.__getitem__):
        if (total + cap[i]) * unit[i] <= budget:
            sold[i] = cap[i]
            total += cap[i]
    return [e * budget / total if total > 0 else 0.0 for e in sold]


def loop_all(markets: Columns) -> np.ndarray:
    """Return the published payments of all profiles, one after the other."""
    return np.array([loop(*market) for market in zip(*markets, strict=True)])


def list_loop_all(markets: Columns) -> np.ndarray:
    """Return the same by lists, their conversion included."""
    lists = [column.tolist() for column in markets]
    return np.array([list_loop(*market) for market in zip(*lists, strict=True)])


def draw(owners: int, profiles: tuple[int, ...]) -> tuple[ms.Valuations, np.ndarray, np.ndarray]:
    """Return valuations, caps and budgets of the 2021 law at a quarter of what is asked."""
    population = ms.fl_market_2021(owners).sample(np.random.default_rng(owners), profiles)
    return population.valuations, population.cap, ms.budgets(population, 0.25, "proportional")


def batch_rows(owners: int) -> list[Row]:
    """Time 1,000 profiles of one size, both ways."""
    valuations, cap, budget = draw(owners, (PROFILES,))
    columns = (valuations.kind, valuations.rate, cap, budget)
    here = ms.AllIn("published").clear(ms.Reports(valuations, cap), budget).payment
    np.testing.assert_allclose(here, loop_all(columns), rtol=1e-9)
    np.testing.assert_allclose(here, list_loop_all(columns), rtol=1e-9)
    slow = timed(lambda: loop_all(columns), repeats=3)
    lists = timed(lambda: list_loop_all(columns), repeats=3)
    rows = [
        plain(f"n = {owners:4}  loop, published", slow),
        plain(f"n = {owners:4}  the same on lists", lists),
    ]
    for payment in ("published", "singer", "critical"):
        mechanism = ms.AllIn(payment)
        ours = timed(lambda m=mechanism: m.clear(ms.Reports(valuations, cap), budget))
        case = f"n = {owners:4}  {payment}"
        if payment == "published":
            rows.append(plain(case, ours))
            continue
        factor = 20 if payment == "singer" else 1
        rows.append(faster(case, ours, QUOTED[owners], factor, "quoted"))
        rows.append(faster("", ours, slow.best, factor, "loop"))
        rows.append(faster("", ours, lists.best, None, "lists"))
    return rows


def million_rows() -> list[Row]:
    """Time one profile of a million owners."""
    valuations, cap, budget = draw(10**6, ())
    rows = []
    for payment, limit in (("singer", 0.5), ("critical", 5.0)):
        mechanism = ms.AllIn(payment)
        ours = timed(lambda m=mechanism: m.clear(ms.Reports(valuations, cap), budget), repeats=3)
        rows.append(at_most(f"n = 10^6  {payment}, one", ours, limit))
    return rows


def main() -> None:
    """Print the table."""
    rows = [row for owners in QUOTED for row in batch_rows(owners)] + million_rows()
    notes = ["quoted: the authors' loops, .031 / .138 / 1.19 s at n = 10 / 100 / 1000"]
    report("All-in, 1,000 profiles, one core, evaluation of valuations included", rows, notes)


if __name__ == "__main__":
    main()
