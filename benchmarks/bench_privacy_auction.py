"""Time of the privacy auction game's closed-form rules, one auction of 10^3 to 10^6 owners.

Both sides clear the same market of the uniform law with B = N / 2: ours from reports to an outcome,
the loop in plain Python on lists, as the rule is defined. Where the definition leaves one owner out
after the other, the loop is quadratic and is run with few owners only. Prices that depend on the
reports in order (`LinearPrice`) are no closed form and are not here.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from _timing import Row, at_most, faster, plain, report, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]
import game_rules as loops  # noqa: E402 - the oracles of the tests are the loops

import market_sim as ms  # noqa: E402

SIZES = (10**3, 10**4, 10**5, 10**6)
LIMIT = 0.5
QUADRATIC = 300  # owners of the loops that leave each one out in turn
Numbers = Sequence[float]
Loop = Callable[[Numbers, Numbers, float], tuple[Numbers, Numbers]]


def posted(unit: Numbers, cap: Numbers, budget: float) -> tuple[Numbers, Numbers]:
    """Serve owners in their order at a price of .45, skipping who no longer fits."""
    sold, paid, left = [0.0] * len(unit), [0.0] * len(unit), budget
    for i, (value, amount) in enumerate(zip(unit, cap, strict=True)):
        if value <= 0.45 and 0.45 * amount <= left:
            sold[i], paid[i] = amount, 0.45 * amount
            left -= 0.45 * amount
    return sold, paid


RULES: list[tuple[ms.Mechanism, Loop | None]] = [
    (ms.PostedPrice(0.45, order="given"), posted),
    (ms.PostedPrice(0.45, last="part"), None),
    (ms.ProportionalShare(), loops.proportional_share),
    (ms.CSRA(), loops.csra),
    (ms.MFGPricing(), loops.mfg_pricing),
    (ms.FirstPrice(), loops.first_price_without_ties),
    (ms.PAC(), None),
    (ms.PAC(respect_caps=False), None),
    (ms.BudgetCappedThreshold(), None),
    (ms.VCG(budget="truncated"), None),
    (ms.VCG(budget="scaled"), None),
    (ms.LeaveOneOut("soft"), None),
    (ms.LeaveOneOut("hard"), None),
]
SLOW: list[tuple[ms.Mechanism, Loop]] = [
    (ms.PAC(), lambda v, c, b: loops.equal_parts(v, c, b, "share", respect_caps=True)),
    (ms.VCG(budget="exceeded"), lambda v, c, _: loops.vcg(v, c, float(len(v)), 1.0)),
    (ms.LeaveOneOut("soft"), loops.leave_one_out_soft),
    (ms.LeaveOneOut("hard"), loops.leave_one_out_hard),
]


def market(owners: int) -> ms.Population:
    """Return one market of the uniform law."""
    return ms.privacy_auction_law("uniform", owners).sample(np.random.default_rng(owners))


def compared(rule: ms.Mechanism, loop: Loop | None, owners: int) -> list[Row]:
    """Time a rule beside its loop, whose outcome must be the same."""
    population, money = market(owners), owners / 2

    def ours() -> ms.Outcome:
        return rule.clear(ms.Reports(population.valuations, population.cap), money)

    time = timed(ours, repeats=5 if owners < 10**6 else 3)
    case = f"n = 10^{round(np.log10(owners))} {rule.name}"[:24]
    row = at_most(case, time, LIMIT) if owners == 10**6 else plain(case, time)
    if loop is None:
        return [row]
    unit, cap = population.reports().unit_value.tolist(), population.cap.tolist()
    np.testing.assert_allclose(ours().payment, loop(unit, cap, money)[1], rtol=1e-6, atol=1e-9)
    other = timed(lambda: loop(unit, cap, money), repeats=1 if owners > 10**5 else 3)
    return [plain("  loop", other), row, faster("", time, other.best, None, "loop")]


def main() -> None:
    """Print the table."""
    rows = [row for n in SIZES for rule, loop in RULES for row in compared(rule, loop, n)]
    for rule, loop in SLOW:
        population, money = market(QUADRATIC), QUADRATIC / 2
        told = population.reports()
        unit, cap = told.unit_value.tolist(), population.cap.tolist()
        time = timed(lambda r=rule, t=told, m=money: r.clear(t, m), repeats=5)
        other = timed(lambda f=loop, v=unit, c=cap, m=money: f(v, c, m), repeats=1)
        rows.append(faster(f"n = {QUADRATIC} {rule.name}"[:24], time, other.best, None, "loop"))
    report("The privacy auction game, one auction, one core", rows)


if __name__ == "__main__":
    main()
