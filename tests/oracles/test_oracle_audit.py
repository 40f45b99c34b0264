"""The exact attack against brute force: an own greedy in plain Python, scanned densely."""

import numpy as np
import pytest

import market_sim as ms

VALUES = 20_000
CAPS = (0.4, 0.75, 1.0)
BASES = {
    "linear": lambda e: 2 * e,
    "quadratic": lambda e: e * e,
    "sqrt": lambda e: 2 * e**0.5,
    "step": lambda e: float(e > 0),
}


def served(bids, budget, *, stop):
    """Winners among `(ask, cap)`, cheapest unit first; a refusal ends the round if `stop`."""
    taken, mass = [], 0.0
    order = sorted(range(len(bids)), key=lambda i: bids[i][0] / bids[i][1])
    for i in order:
        ask, cap = bids[i]
        if (mass + cap) * (ask / cap) <= budget:
            taken.append(i)
            mass += cap
        elif stop:
            return taken, mass, ask / cap
    return taken, mass, float("inf")


def largest_winning_ask(bids, owner, budget):
    """Sup of the asks with which the owner wins: winning is monotone, so bisect."""
    low, high = 0.0, 2 * budget
    for _ in range(80):
        middle = (low + high) / 2
        said = [(middle, b[1]) if i == owner else b for i, b in enumerate(bids)]
        if owner in served(said, budget, stop=False)[0]:
            low = middle
        else:
            high = middle
    return low


def payment_rule(rule, bids, owner, budget):
    """Return ask -> payment (0 for a loser) of one owner whose cap and rivals are given."""
    cap = bids[owner][1]
    threshold = largest_winning_ask(bids, owner, budget) if rule == "critical" else 0.0

    def paid(ask):
        said = [(ask, cap) if i == owner else b for i, b in enumerate(bids)]
        taken, mass, refused = served(said, budget, stop=rule == "singer")
        if owner not in taken:
            return 0.0
        if rule == "published":
            return cap * budget / mass
        return threshold if rule == "critical" else cap * min(budget / mass, refused)

    return paid


def scanned_regret(rule, kinds, rates, caps, budget, owner):
    """Best gain of the owner over 20,000 asks at each of a few caps."""
    base = BASES[kinds[owner]]
    truth = [(rates[i] * BASES[kinds[i]](caps[i]), caps[i]) for i in range(len(caps))]
    cost = truth[owner][0]
    won = payment_rule(rule, truth, owner, budget)(cost)
    honest = won - cost if won > 0 else 0.0
    best = honest
    for factor in CAPS:
        cap = factor * caps[owner]
        said = [(cost, cap) if i == owner else b for i, b in enumerate(truth)]
        paid = payment_rule(rule, said, owner, budget)
        true_cost = rates[owner] * base(cap)
        for ask in np.linspace(0.0, 1.5 * budget, VALUES).tolist():
            money = paid(ask)
            if money > 0:
                best = max(best, money - true_cost)
    return best - honest


MARKETS = [
    (["step"] * 2, [6.0, 1.8], [4.0, 1.0], 7.0, 1),
    (["step"] * 3, [2.9, 1.7, 3.3], [1.2, 2.5, 0.8], 5.0, 2),
    (["linear", "quadratic", "sqrt"], [0.9, 1.3, 0.6], [1.9, 2.2, 3.1], 6.0, 1),
    (["sqrt", "linear", "quadratic"], [1.1, 0.7, 0.8], [2.6, 0.9, 4.0], 4.0, 2),
]


@pytest.mark.parametrize("rule", ["critical", "singer", "published"])
@pytest.mark.parametrize(("kinds", "rates", "caps", "budget", "owner"), MARKETS)
def test_a_dense_scan_never_beats_the_exact_attack(rule, kinds, rates, caps, budget, owner):
    scanned = scanned_regret(rule, kinds, rates, caps, budget, owner)
    truth = ms.Reports(ms.Valuations(kinds, rates), caps)
    row = ms.audit(ms.AllIn(rule), truth, budget=budget, deviations=("both",), cap_grid=40).rows[0]
    exact = owner_regret(ms.AllIn(rule), truth, budget, owner)
    assert row.regret_max >= exact - 1e-12
    # the scan's caps are not on the audit's grid: a hundredth of the budget is the step of a cap
    assert scanned <= exact + (1e-9 if kinds[0] == "step" else 0.01 * budget)
    if rule != "published" and set(kinds) == {"step"}:
        assert scanned <= 1e-9
        assert exact <= 1e-9


def owner_regret(mechanism, truth, budget, owner):
    """Regret of one owner: the only one whose lies the audit of this wrapper can use."""
    from market_sim.auditing.deviations import Deviator, flat_profiles
    from market_sim.auditing.exact import exact_attack

    flat = flat_profiles(truth)
    market = Deviator((mechanism,), flat, flat, np.array([budget]))
    best = exact_attack(mechanism, market, owner, 40, ("value", "cap", "both"))["both"]
    honest = mechanism.clear(flat, budget).utility(flat.valuations, flat.cap)[0, owner]
    return float(best.utility[0] - honest)


@pytest.mark.parametrize("rule", ["critical", "singer", "published"])
def test_in_value_alone_the_attack_equals_the_scan(rule):
    """At the true cap the scan has every piece that is wider than its step: equality, not order."""
    rng = np.random.default_rng(17)
    for _ in range(12):
        rates, caps = rng.uniform(0.5, 6.0, 4), rng.uniform(0.5, 4.0, 4)
        budget = float(rng.uniform(3.0, 12.0))
        truth = ms.Reports.single_minded(value=rates, cap=caps)
        row = ms.audit(ms.AllIn(rule), truth, budget=budget, deviations=("value",)).rows[0]
        bids = list(zip(rates.tolist(), caps.tolist(), strict=True))
        gains = []
        for owner, (cost, _) in enumerate(bids):
            paid = payment_rule(rule, bids, owner, budget)
            money = [paid(ask) for ask in np.linspace(0.0, 1.2 * budget, 1500).tolist()]
            honest = paid(cost)
            gains.append(
                max(0.0, *(m - cost for m in money if m > 0)) - (honest - cost if honest else 0.0)
            )
        assert row.regret_mean == pytest.approx(np.mean(np.maximum(gains, 0.0)), abs=1e-9)


def test_critical_payments_are_the_largest_winning_asks():
    """Monotone allocation and threshold payments: the two halves of truthfulness in value."""
    rng = np.random.default_rng(23)
    for _ in range(60):
        value, cap = rng.uniform(0.5, 6.0, 5), rng.uniform(0.5, 4.0, 5)
        budget = float(rng.uniform(3.0, 15.0))
        outcome = ms.AllIn().clear(ms.Reports.single_minded(value=value, cap=cap), budget)
        bids = list(zip(value.tolist(), cap.tolist(), strict=True))
        for owner in range(5):
            asks = np.linspace(0.01, 1.2 * budget, 300).tolist()
            wins = [
                owner
                in served(
                    [(a, b[1]) if i == owner else b for i, b in enumerate(bids)], budget, stop=False
                )[0]
                for a in asks
            ]
            assert wins == sorted(wins, reverse=True)
            if outcome.winners[owner]:
                threshold = largest_winning_ask(bids, owner, budget)
                assert outcome.payment[owner] == pytest.approx(threshold, rel=1e-9)
