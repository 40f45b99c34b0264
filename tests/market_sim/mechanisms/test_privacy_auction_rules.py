"""The rules of the privacy auction game by hand: ties, one owner, caps, settings, promises."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import market_sim as ms

RULES = (
    *(ms.PAC(caps) for caps in (True, False)),
    *(ms.BudgetCappedThreshold(caps) for caps in (True, False)),
    *(ms.VCG(budget=over) for over in ("truncated", "scaled", "exceeded")),
    ms.CSRA(),
    ms.MFGPricing(),
    ms.FirstPrice(),
    ms.ProportionalShare(),
    ms.LeaveOneOut("soft"),
    ms.LeaveOneOut("hard"),
)
every = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def linear(unit, cap, data_size=None):
    return ms.Reports(ms.Valuations.linear(unit), cap, data_size)


def test_four_owners_by_hand():
    """v = 1 2 3 4, caps 1, money 5: k = 2 with 2 * 2 <= 5, and 3 * 3 > 5."""
    told = linear([3.0, 1.0, 4.0, 2.0], np.ones(4))
    paid = {rule.name: rule.clear(told, 5.0).payment.tolist() for rule in RULES}
    assert paid["proportional-share"] == [0.0, 2.5, 0.0, 2.5]
    assert paid["csra"] == [0.0, 2.0, 0.0, 0.0]
    assert paid["mfg-pricing"] == [1.25] * 4
    assert paid["first-price"] == [2.0, 1.0, 0.0, 2.0]  # two thirds of the third
    # k = 2 sells 1/2 each: 2 * 2 <= 5 * 2, paid min(5/2, 3/2); k = 3 would need 3 * 3 <= 5
    assert paid["pac"] == paid["pac-beyond-caps"] == [0.0, 1.5, 0.0, 1.5]
    assert paid["budget-capped-threshold"] == [0.0, 1.5, 0.0, 1.5]


def test_clarke_payments_by_hand():
    """Three units wanted from caps 2, 2, 3 at 1, 2, 4, worth 5: the second sells one unit."""
    told = linear([1.0, 2.0, 4.0], [2.0, 2.0, 3.0])
    outcome = ms.VCG(weight=5.0, demand=1.0, budget="exceeded").clear(told, 1.0)
    assert_allclose(outcome.epsilon, [2.0, 1.0, 0.0])
    assert_allclose(outcome.payment, [2.0 + 4.0, 4.0, 0.0])  # replaced by 2 and 4; by 4
    scaled = ms.VCG(5.0, 1.0, "scaled").clear(told, 5.0)
    assert_allclose(scaled.payment, [3.0, 2.0, 0.0])
    kept = ms.VCG(5.0, 1.0, "truncated").clear(told, 9.0)
    assert_allclose(kept.payment, [6.0, 0.0, 0.0])
    assert_allclose(kept.epsilon, [2.0, 0.0, 0.0])


def test_vcg_without_a_limit_is_a_posted_price():
    told = ms.privacy_auction_law("uniform", 8).sample(np.random.default_rng(0), (50,)).reports()
    pure = ms.VCG(weight=0.4, demand=np.inf, budget="exceeded").clear(told, 1.0)
    posted = ms.PostedPrice(0.4).clear(told, 1e9)
    assert_allclose(pure.epsilon, posted.epsilon)
    assert_allclose(pure.payment, posted.payment, atol=1e-12)


def test_the_others_make_the_price():
    """v = 1, 2, caps 1: alone the second clears at 4 / 1 - or at her 2, if money is short."""
    told = linear([1.0, 2.0], [1.0, 1.0])
    soft = ms.LeaveOneOut("soft").clear(told, 8.0)  # each meets the other's 8 / 2 / 1
    assert soft.payment.tolist() == [4.0, 4.0]
    hard = ms.LeaveOneOut("hard").clear(told, 8.0)  # 8 / p - 1 >= 1 up to p = 4
    assert hard.payment.tolist() == [4.0, 4.0]
    short = ms.LeaveOneOut("hard").clear(told, 3.0)  # up to 2 the second leaves her everything
    price = np.sqrt(2.0 * 3.0)  # the second sells 3 / p - 1 at the peak of (p - 2) (3 / p - 1)
    assert_allclose(short.payment, [2.0, 3.0 - price])


def test_the_hard_rule_hides_for_its_owner():
    """An owner near the price sells a part, and is paid more for a unit than who sells all."""
    told = linear([0.0, 0.9], [1.0, 1.0])
    outcome = ms.LeaveOneOut("hard").clear(told, 2.0)
    price = np.sqrt(0.9 * 2.0)  # peak of (p - .9) (2 / p - 1)
    assert_allclose(outcome.epsilon, [1.0, 2.0 / price - 1.0])
    assert_allclose(outcome.payment[1], price * (2.0 / price - 1.0))
    assert outcome.spent < 2.0


@every
def test_a_lone_owner(rule):
    outcome = rule.clear(linear([0.5], [2.0]), 3.0)
    sells = rule.name in (
        "mfg-pricing",
        "first-price",
        "proportional-share",
        "vcg-truncated",
        "vcg-scaled",
        "vcg-exceeded",
    )
    assert (outcome.epsilon[0] > 0) == sells


@every
@pytest.mark.parametrize("budget", [0.5, 4.0, 100.0])
def test_identical_owners_are_treated_alike(rule, budget):
    """Either all the same, or those who are served gain nothing by it."""
    told = linear(np.full(6, 0.5), np.full(6, 2.0))
    outcome = rule.clear(told, budget)
    utility = outcome.payment - 0.5 * outcome.epsilon
    if rule.name == "vcg-scaled":  # who sells, then loses alike
        utility = utility[outcome.winners]
    assert_allclose(utility, utility[0], atol=1e-12)


def test_ties_are_served_in_the_order_of_the_owners():
    told = linear(np.full(4, 1.0), np.ones(4))
    for rule in (ms.ProportionalShare(), ms.CSRA()):
        assert rule.clear(told, 2.0).epsilon.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert_allclose(ms.FirstPrice().clear(told, 2.0).epsilon, 0.5)
    assert not ms.LeaveOneOut().clear(told, 2.0).epsilon.any()


def test_caps_respected_and_not():
    """k = 3 of 4 sell 1 each, which three of the caps do not hold; then k = 1 sells 1/3."""
    told = linear([0.1, 0.2, 0.3, 0.4], [0.4, 0.4, 5.0, 0.4])
    kept = ms.PAC().clear(told, 10.0)
    assert_allclose(kept.epsilon, [1 / 3, 0.0, 0.0, 0.0])
    beyond = ms.PAC(respect_caps=False).clear(told, 10.0)
    assert_allclose(beyond.epsilon, [1.0, 1.0, 1.0, 0.0])
    assert (beyond.utility(told.valuations, told.cap) == [-np.inf, -np.inf, 0.1, 0.0]).sum() >= 3
    assert (kept.utility(told.valuations, told.cap) >= 0).all()


def test_the_share_of_owners_sold_beyond_their_caps():
    """The published rule exceeds about 15 % of the winners' caps where money is no limit."""
    population = ms.privacy_auction_law("uniform", 10).sample(np.random.default_rng(2), (2000,))
    outcome = ms.PAC(respect_caps=False).clear(population.reports(), 50.0)
    beyond = outcome.epsilon > population.cap
    assert beyond.sum() / outcome.winners.sum() == pytest.approx(0.15, abs=0.05)


def test_the_audit_sees_sales_beyond_the_cap():
    population = ms.privacy_auction_law("uniform", 4).sample(np.random.default_rng(3), (30,))
    report = ms.audit(ms.PAC(respect_caps=False), population, budget=2.0, deviations="value")
    assert report.rows[0].ir_violation_max == np.inf
    assert report.rows[0].regret_max == np.inf
    assert report.rows[0].method == "exact"
    assert report.population == "linear"
    assert not report.violations  # it promises nothing of this


@pytest.mark.parametrize("budget", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("rule", [ms.PAC(), ms.BudgetCappedThreshold(), ms.CSRA()], ids=str)
def test_what_hiding_brings(rule, budget):
    law = ms.PopulationLaw(5, ("linear",), rate=(0.0, 0.5), cap=(0.2, 1.2))
    report = ms.audit(rule, law, budget=budget, profiles=60, cap_grid=8)
    regret = {row.deviation: row.regret_max for row in report.rows}
    assert not report.violations
    assert regret["value"] < 1e-9
    if rule.name == "csra":
        assert regret["cap"] > 0.01 * budget
    else:  # both depend on the cap only through who is eligible
        assert max(regret.values()) < 1e-9


def test_what_a_kept_budget_does_to_vcg():
    """Where Clarke payments fit nobody gains; where they do not, somebody does."""
    population = ms.privacy_auction_law("uniform", 4).sample(np.random.default_rng(5), (20,))
    settings = {"cap_grid": 4, "value_grid": 16, "restarts": 1, "zooms": 2, "deviations": "value"}
    for over in ("truncated", "scaled"):
        rule = ms.VCG(1.0, 1.0, over)
        plenty = ms.audit(rule, population, budget=100.0, **settings)
        assert plenty.rows[0].regret_max < 1e-9
        short = ms.audit(rule, population, budget=1.0, **settings)
        assert short.rows[0].regret_max > 0.05
        assert not short.violations
    pure = ms.audit(ms.VCG(budget="exceeded"), population, budget=1.0, **settings)
    assert pure.rows[0].regret_max < 1e-9
    assert pure.rows[0].budget_excess_max > 0.1


@every
def test_sizes_multiply_what_is_sold(rule):
    """Twice the size at half the value per sample: cap times size is what counts."""
    if "pac" in rule.name or "threshold" in rule.name:
        pytest.skip("sells epsilon, whatever the size")
    unit, cap = np.array([0.2, 0.5, 0.4, 0.9]), np.array([1.0, 2.0, 3.0, 1.0])
    plain = rule.clear(linear(unit, cap), 1.5)
    sized = rule.clear(linear(unit, cap / 2, np.full(4, 2.0)), 1.5)
    if rule.name.startswith("vcg"):
        sized = ms.VCG(demand=0.5, budget=rule.budget).clear(
            linear(unit, cap / 2, np.full(4, 2.0)), 1.5
        )
    assert_allclose(sized.payment, plain.payment, rtol=1e-12)
    assert_allclose(2.0 * sized.epsilon, plain.epsilon, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ms.VCG(weight=-1.0), "weight must be at least 0"),
        (lambda: ms.VCG(demand=0.0), "demand must be greater than 0"),
        (lambda: ms.VCG(budget="cut"), "unknown budget 'cut'"),
        (lambda: ms.LeaveOneOut("firm"), "unknown budget 'firm'"),
        (lambda: ms.VCG(weight=[1.0, 2.0]), "weight must be one number"),
        (lambda: ms.VCG(demand=[1.0, 2.0]), "demand must be one number"),
        (lambda: ms.PostedPrice([0.1, 0.2]), "price must be one number"),
        (lambda: ms.LinearPrice(share=[1.0, 2.0]), "share must be one number"),
        (lambda: ms.LinearPrice(slack=[1.0, 2.0]), "slack must be one number"),
        (lambda: ms.UniformEpsilon([1.0, 2.0]), "epsilon must be one number"),
        (lambda: ms.MFGRegretNet(reserve=[1.0, 2.0]), "reserve must be one number"),
        (lambda: ms.PAC("no"), "respect_caps must be True or False, got 'no'"),
        (lambda: ms.BudgetCappedThreshold(None), "respect_caps must be True or False, got None"),
    ],
)
def test_settings_outside_their_domain(make, message):
    with pytest.raises(ms.InvalidInput, match=message):
        make()


EVERY = (
    *RULES,
    ms.PostedPrice(),
    ms.PostedPrice(last="part"),
    ms.LinearPrice(),
    ms.UniformEpsilon(),
    ms.NoPrivacy(),
)


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.name)
def test_no_profiles_and_no_reports(rule):
    outcome = rule.clear(linear(np.ones((0, 3)), np.ones((0, 3))), 1.0)
    assert outcome.epsilon.shape == outcome.payment.shape == (0, 3)
    with pytest.raises(ms.InvalidInput, match=r"reports must be ms.Reports, got NoneType"):
        rule.clear(None, 1.0)


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_leave_one_out_where_the_others_are_lost_in_rounding(kind):
    rule = ms.LeaveOneOut(kind)
    for cap in ([1.0, 1e-30], [1e-30, 1.0], [1e200, 1e-200], [1e-200, 1.0, 1e200]):
        for money in (1e-25, 1.0, 1e25):
            outcome = rule.clear(linear(np.linspace(0.2, 0.4, len(cap)), cap), money)
            assert np.isfinite(outcome.payment).all()
    assert rule.clear(linear([0.2, 0.4], [1.0, 1e-30]), 1.0).epsilon[0] in (0.0, 1.0)


def test_leave_one_out_is_exact_over_eight_digits():
    draw = np.random.default_rng(0)
    unit, cap = draw.random((500, 4)), 10.0 ** draw.uniform(-4, 4, (500, 4))
    money = 10.0 ** draw.uniform(-4, 4, 500)
    outcome = ms.LeaveOneOut().clear(linear(unit, cap), money)
    assert (outcome.spent <= money * (1 + 1e-15)).all()
    assert (outcome.payment >= unit * outcome.epsilon * (1 - 1e-15)).all()
