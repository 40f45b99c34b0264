"""What the audit says of All-in, of rules whose regret is known, and of broken promises."""

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest

import market_sim as ms
from market_sim.auditing import default_audit
from market_sim.auditing.exact import cap_factors

EXAMPLE = ms.Reports.single_minded(value=[6.0, 1.8], cap=[4.0, 1.0])


def rows_of(report):
    return {row.deviation: row for row in report.rows}


def half_of_what_is_asked(reports):
    return 0.5 * reports.value.sum(axis=-1)


def small_markets(owners=2):
    def sample(rng, profiles):
        value = rng.uniform(0.5, 8.0, (profiles, owners))
        return ms.Reports.single_minded(value=value, cap=rng.uniform(0.5, 5.0, value.shape))

    return sample


@dataclass(frozen=True)
class PayAsBid:
    """The cheapest owner sells her cap for what she asks: she would rather ask the second price."""

    name = "pay-as-bid"

    def clear(self, reports, budget):
        budget = np.broadcast_to(budget, reports.profiles)[..., None]
        cheapest = reports.value.argmin(axis=-1)[..., None] == np.arange(reports.owners)
        won = cheapest & (reports.value <= budget)
        paid = np.where(won, reports.value, 0.0)
        return ms.Outcome(np.where(won, reports.cap, 0.0), paid, budget[..., 0])


@dataclass(frozen=True)
class Offer:
    """Each owner is offered one fixed payment for half a unit of privacy: nobody can gain."""

    payment: float = 1.0

    def clear(self, reports, budget):
        sold = (reports.cap >= 0.5) & (reports.cost(np.full(reports.shape, 0.5)) <= self.payment)
        return ms.Outcome(
            0.5 * sold, self.payment * sold, np.broadcast_to(budget, reports.profiles)
        )


@dataclass(frozen=True)
class Claims(ms.Mechanism):
    """A rule that promises everything and keeps what `share` and `bonus` leave of it.

    Everybody sells her cap and gets `share` of what she asks; who asks less than `below` gets
    `bonus` on top.
    """

    share: float = 1.0
    bonus: float = 0.0
    below: float = 0.0

    @property
    def guarantees(self):
        return ms.Guarantees(
            truthful_in=("value", "cap"),
            truthful_for="any",
            individually_rational=True,
            budget_feasible=True,
            anonymous=True,
        )

    @property
    def name(self):
        return "claims"

    def clear(self, reports, budget):
        paid = self.share * reports.value + self.bonus * (reports.value < self.below)
        return ms.Outcome(reports.cap, paid, np.broadcast_to(budget, reports.profiles))


@dataclass(frozen=True)
class RoundedUp(ms.Mechanism, ms.PiecewiseConstant):
    """One owner, paid her ask rounded up to whole money while that is within the budget.

    Asking exactly `jackpot` pays 1 more: a best response that lies on a border.
    """

    jackpot: float = -1.0

    @property
    def guarantees(self):
        return ms.Guarantees()

    @property
    def name(self):
        return "rounded-up"

    def clear(self, reports, budget):
        money = np.broadcast_to(budget, reports.profiles)
        paid = np.ceil(reports.value) + (reports.value == self.jackpot)
        paid = np.where(np.ceil(reports.value) <= money[..., None], paid, 0.0)
        return ms.Outcome(np.where(paid > 0, reports.cap, 0.0), paid, money)

    def critical_values(self, reports, budget, owner):
        del budget, owner
        return np.broadcast_to(np.arange(0.0, 12.0), (*reports.profiles, 12))


def test_the_published_payment_is_manipulated_in_the_known_example():
    report = ms.audit(ms.AllIn("published"), EXAMPLE, budget=7.0)
    witness = report.witness
    assert witness["owner"] == 1
    assert 1.4 <= witness["lie"]["value"] < 1.5
    assert witness["lie"]["payment"] == pytest.approx(7.0)
    assert witness["truth"]["utility"] == 0.0
    assert witness["lie"]["utility"] == pytest.approx(5.2)
    assert rows_of(report)["value"].gain_share == 0.5
    assert rows_of(report)["cap"].regret_max == 0.0


@pytest.mark.parametrize("payment", ["critical", "singer"])
def test_the_example_does_not_manipulate_the_truthful_payments(payment):
    report = ms.audit(ms.AllIn(payment), EXAMPLE, budget=7.0)
    assert report.witness is None
    assert max(row.regret_max for row in report.rows) <= 1e-12


def test_a_search_among_small_markets_comes_across_such_an_example_by_itself():
    report = ms.audit(
        ms.AllIn("published"), small_markets(), budget=7.0, profiles=200, deviations=("value",)
    )
    witness = report.witness
    owner = witness["owner"]
    assert report.rows[0].regret_max > 3.0
    assert witness["truth"]["payment"] == 0.0  # a loser
    assert 0 < witness["lie"]["value"] < witness["true_value"][owner]  # who underbids
    lying = ms.Reports.single_minded(
        value=[
            witness["lie"]["value"] if i == owner else v
            for i, v in enumerate(witness["true_value"])
        ],
        cap=witness["true_cap"],
    )
    outcome = ms.AllIn("published").clear(lying, witness["budget"])
    cost = witness["true_value"][owner]
    assert outcome.payment[owner] - cost == pytest.approx(witness["regret"])


@pytest.mark.parametrize("payment", ["critical", "singer"])
@pytest.mark.parametrize("profiles", [400, pytest.param(2300, marks=pytest.mark.slow)])
def test_no_value_pays_single_minded_owners_in_many_markets(payment, profiles):
    report = ms.audit(
        ms.AllIn(payment),
        small_markets(owners=5),
        budget=lambda r: 3.0 + 2.0 * r.cap.sum(axis=-1) * (r.cap[..., 0] / 5.0),
        profiles=profiles,
        deviations=("value",),
    )
    assert report.rows[0].regret_max <= 1e-9
    assert report.rows[0].ir_violation_max <= 1e-12


@pytest.mark.parametrize("payment", ["critical", "singer"])
def test_no_lie_of_any_sort_pays_single_minded_owners(payment):
    report = ms.audit(
        ms.AllIn(payment), small_markets(owners=5), budget=9.0, profiles=40, cap_grid=8
    )
    assert max(row.regret_max for row in report.rows) <= 1e-9
    assert {verdict.status for verdict in report.verdicts} == {"held"}
    assert rows_of(report)["both"].lies > rows_of(report)["value"].lies > 40 * 5 * 5


@pytest.mark.parametrize("payment", ["critical", "singer", "published"])
def test_a_smaller_cap_pays_a_third_of_multi_minded_owners(payment):
    report = ms.audit(
        ms.AllIn(payment),
        ms.fl_market_2021(),
        budget=half_of_what_is_asked,
        profiles=60,
        deviations=("cap",),
    )
    assert 0.25 < report.rows[0].gain_share < 0.5
    owner = report.witness["owner"]
    assert report.witness["lie"]["cap"] < report.witness["true_cap"][owner]
    assert report.population == "multi-minded"


def test_promises_to_single_minded_owners_are_not_tested_on_others():
    report = ms.audit(ms.AllIn(), ms.fl_market_2021(owners=4), budget=20.0, profiles=10)
    untested = [v.guarantee for v in report.verdicts if v.status == "not tested"]
    assert len(untested) == 3
    assert all("single-minded" in guarantee for guarantee in untested)
    assert report.violations == ()


def test_the_default_audit_shows_who_can_manipulate_what():
    shown = {}
    reports = default_audit(
        profiles=10,
        owners=6,
        cap_grid=6,
        progress=lambda r: shown.setdefault((r.mechanism, r.population), r),
    )
    assert len(reports) == len(shown) == 6
    worst = {key: max(row.regret_max for row in r.rows) for key, r in shown.items()}
    assert worst["all-in-published", "single-minded"] > 0.1
    assert worst["all-in-critical", "single-minded"] <= 1e-9
    assert worst["all-in-singer", "single-minded"] <= 1e-9
    assert min(v for (_, population), v in worst.items() if population == "multi-minded") > 0.1


def test_the_regret_of_pay_as_bid_is_the_distance_to_the_second_price():
    value = np.random.default_rng(3).uniform(1.0, 9.0, (40, 4))
    truth = ms.Reports.single_minded(value=value, cap=np.ones(value.shape))
    report = ms.audit(PayAsBid(), truth, budget=7.0)
    lowest, second = np.sort(value, axis=1)[:, :2].T
    known = np.where(lowest <= 7.0, np.minimum(second, 7.0) - lowest, 0.0)
    row = rows_of(report)["value"]
    assert row.method == "search"
    assert row.regret_mean * 4 == pytest.approx(known.mean(), rel=1e-3)
    assert row.regret_max == pytest.approx(known.max(), rel=1e-3)
    assert row.regret_max <= known.max()
    assert rows_of(report)["cap"].regret_max == 0.0
    assert report.verdicts == ()


def test_the_search_finds_nothing_where_nothing_is_to_be_found():
    report = ms.audit(Offer(), ms.fl_market_2021(owners=3), budget=5.0, profiles=8)
    assert report.mechanism == "Offer"
    assert max(row.regret_max for row in report.rows) == 0.0
    assert report.witness is None


def test_the_search_and_the_exact_attack_agree():
    class Hidden:
        def clear(self, reports, budget):
            return ms.AllIn("published").clear(reports, budget)

    truth = small_markets(3)(np.random.default_rng(5), 30)
    exact = ms.audit(ms.AllIn("published"), truth, budget=7.0, deviations=("value",)).rows[0]
    found = ms.audit(Hidden(), truth, budget=7.0, deviations=("value",)).rows[0]
    assert (exact.method, found.method) == ("exact", "search")
    assert found.regret_max <= exact.regret_max + 1e-9
    assert found.regret_mean == pytest.approx(exact.regret_mean, rel=0.02)


@pytest.mark.parametrize(("jackpot", "gain"), [(-1.0, 7.0 - 2.6), (7.0, 8.0 - 2.6)])
def test_pieces_and_borders_are_both_tried(jackpot, gain):
    truth = ms.Reports.single_minded(value=[2.6], cap=[1.0])
    report = ms.audit(RoundedUp(jackpot), truth, budget=7.5, deviations=("value",))
    assert report.rows[0].regret_max == pytest.approx(gain - (3.0 - 2.6), abs=1e-12)


def test_a_promise_that_does_not_hold_is_called_violated():
    truth = ms.Reports.single_minded(value=[2.0, 3.0], cap=[1.0, 1.0])
    report = ms.audit(Claims(share=0.5), truth, budget=4.0)
    status = {v.guarantee: v.status for v in report.verdicts}
    assert status["individually rational"] == "violated"
    assert status["truthful in value for any owners"] == "violated"
    assert status["truthful in cap for any owners"] == "held"
    assert status["deterministic"] == status["anonymous"] == "held"
    assert report.rows[0].ir_violation_max == pytest.approx(1.5)


def test_overspending_that_only_a_lie_brings_about_is_found():
    truth = ms.Reports.single_minded(value=[2.0], cap=[1.0])
    report = ms.audit(Claims(bonus=10.0, below=1.0), truth, budget=4.0, deviations="value")
    status = {v.guarantee: v.status for v in report.verdicts}
    assert status["budget feasible"] == "violated"
    assert status["individually rational"] == "held"
    # asks above the budget are paid in full: the search goes up to 1,000 times the truth
    assert report.rows[0].budget_excess_max == pytest.approx(2000.0 - 4.0)
    assert report.rows[0].budget_excess_relative == pytest.approx(499.0)


def test_a_rule_that_favours_the_first_owner_is_not_anonymous():
    class Favours(Claims):
        def clear(self, reports, budget):
            first = np.arange(reports.owners) == 0
            return ms.Outcome(reports.cap * first, reports.value * first, budget)

    report = ms.audit(Favours(), EXAMPLE, budget=7.0, deviations=("cap",), seed=1)
    assert {v.guarantee: v.status for v in report.verdicts}["anonymous"] == "violated"


def test_a_gain_counts_from_one_percent_of_the_payment():
    class Bonus:
        def __init__(self, bonus):
            self.bonus = bonus

        def clear(self, reports, budget):
            paid = 10.0 + self.bonus * (reports.value < 1.0)
            return ms.Outcome(reports.cap, paid, budget)

    truth = ms.Reports.single_minded(value=[2.0], cap=[1.0])
    shares = [
        ms.audit(Bonus(bonus), truth, budget=20.0, deviations=("value",)).rows[0].gain_share
        for bonus in (0.09, 0.11)
    ]
    assert shares == [0.0, 1.0]


def test_the_percentile_and_the_mean_are_over_profiles_and_owners():
    value = np.array([[1.0, 5.0], [2.0, 4.0], [3.0, 3.5]])
    truth = ms.Reports.single_minded(value=value, cap=np.ones(value.shape))
    row = ms.audit(PayAsBid(), truth, budget=9.0, deviations=("value",)).rows[0]
    regret = np.array([4.0, 0.0, 2.0, 0.0, 0.5, 0.0])
    assert row.regret_mean == pytest.approx(regret.mean(), rel=1e-3)
    assert row.regret_p95 == pytest.approx(np.quantile(regret, 0.95), rel=1e-3)
    assert (row.profiles, row.owners) == (3, 2)


def test_the_same_seed_gives_the_same_report_and_another_seed_another():
    def run(seed):
        return ms.audit(PayAsBid(), small_markets(), budget=7.0, profiles=5, seed=seed).to_dict()

    assert json.dumps(run(1)) == json.dumps(run(1))
    assert run(1)["rows"] != run(2)["rows"]


def test_a_report_is_plain_json_and_reads_in_80_columns():
    report = ms.audit(ms.AllIn("published"), EXAMPLE, budget=7.0)
    again = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert again["mechanism"] == "all-in-published"
    assert json.loads(again["rows"][0]["witness"])["owner"] == 1
    text = str(report)
    assert max(map(len, text.splitlines())) <= 80
    assert f"{report.lies:,} misreports" in text
    assert "worst case" in text
    assert "HELD: individually rational" in text


def test_sizes_multiply_costs_also_in_the_attack():
    population = ms.fl_market_2022(owners=4).sample(np.random.default_rng(2), (10,))
    report = ms.audit(ms.AllIn(), population, budget=half_of_what_is_asked)
    assert rows_of(report)["value"].regret_max <= 1e-9 * population.reports().value.sum()
    assert rows_of(report)["cap"].gain_share > 0.1
    assert len(report.witness["data_size"]) == 4


def test_owners_who_sell_for_nothing_can_be_audited():
    truth = ms.Reports.single_minded(value=[0.0, 0.0, 3.0], cap=[1.0, 2.0, 1.0])
    for payment in ("critical", "singer"):
        report = ms.audit(ms.AllIn(payment), truth, budget=5.0)
        assert max(row.regret_max for row in report.rows) <= 1e-12
    assert ms.audit(PayAsBid(), truth, budget=5.0).rows[0].regret_max == 0.0
    # alone, one gains the whole budget in value, and nothing in cap: zero times any cap is zero
    alone = ms.Reports.single_minded(value=[0.0], cap=[1.0])
    rows = rows_of(ms.audit(PayAsBid(), alone, budget=5.0))
    assert rows["value"].regret_max == pytest.approx(5.0, rel=1e-3)
    assert rows["cap"].regret_max == 0.0


def test_the_grid_of_caps_goes_from_small_to_twice_the_truth():
    factors = cap_factors(16)
    assert len(factors) == 16
    assert 1.0 in factors
    assert factors[0] < 0.1
    assert math.isclose(factors[-1], 2.0)
