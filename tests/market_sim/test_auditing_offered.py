"""The audit of learned auctions: their own lies beside the search, expectations beside draws."""

import numpy as np
import pytest
from differentiable_auctions import FirstPrice, RandomNetwork

import market_sim as ms
from market_sim.auditing.best import best_report
from market_sim.auditing.deviations import Deviator, flat_profiles
from market_sim.mechanisms import KnownExpectation
from market_sim.mechanisms.networks import attack_audit

FEW = {"value_grid": 6, "cap_grid": 3, "restarts": 1, "zooms": 1}


def owners(profiles=3, count=3, seed=0):
    law = ms.fl_market_2021(owners=count, max_cap=2.0)
    return law.sample(np.random.default_rng(seed), (profiles,)).reports()


def audit(mechanism, reports, **settings):
    report = ms.audit(mechanism, reports, budget=5.0, **{**FEW, **settings})
    return report, {row.deviation: row for row in report.rows}


@pytest.fixture(autouse=True)
def _short_attacks(monkeypatch):
    """Attacks of 3 x 15 instead of 10 x 200: enough for small networks."""
    strong = attack_audit.attack

    def short(*args, **kwargs):
        return strong(*args, **kwargs, restarts=3, steps=15)

    monkeypatch.setattr(attack_audit, "attack", short)


class Silent(RandomNetwork):
    """Offers the truth: the audit is left to its own search."""

    def strongest_lies(self, reports, budget, deviation, seed):
        return reports


def test_offered_lies_are_merged_with_the_search():
    reports = owners()
    with_, rows = audit(RandomNetwork(choose=True), reports)
    without, own = audit(Silent(choose=True), reports)
    assert {row.method for row in with_.rows} == {"gradient"}
    for part, row in rows.items():
        assert row.regret_mean >= own[part].regret_mean - 1e-12
        assert row.lies == own[part].lies  # "both" offer one lie an owner
    assert rows["both"].regret_mean > 1.02 * own["both"].regret_mean
    assert rows["both"].regret_mean >= max(rows[part].regret_mean for part in ("value", "cap"))
    assert "gradient" in str(with_)
    assert max(map(len, str(with_).splitlines())) <= 80
    assert without.violations == with_.violations == ()


def test_lies_of_a_chosen_rule_are_judged_by_its_real_clearing():
    """What is offered counts for what clear() gives, not for what the network promises."""

    class Boasting(RandomNetwork):
        def clear(self, reports, budget):
            outcome = super().clear(reports, budget)
            return ms.Outcome(0.0 * outcome.epsilon, 0.0 * outcome.payment, budget)

    _, rows = audit(Boasting(choose=True), owners())
    assert max(row.regret_max for row in rows.values()) == 0.0


def test_a_random_rule_is_judged_by_its_expectations():
    reports = owners()
    mechanism = FirstPrice()
    report, rows = audit(mechanism, reports, deviations=("value",), draws=2)
    best = mechanism.best_regret(reports)
    assert rows["value"].regret_mean == pytest.approx(best.mean(), rel=1e-3)
    assert rows["value"].regret_mean <= best.mean() + 1e-9
    # losses are those of the draws: a winner is paid her ask, so nobody ever loses
    assert rows["value"].ir_violation_max <= 1e-12
    witness = report.witness
    assert witness["truth"]["utility"] == pytest.approx(0.0, abs=1e-12)
    assert witness["lie"]["utility"] == pytest.approx(witness["regret"])


def test_losses_of_a_random_rule_are_those_of_its_draws():
    _, rows = audit(RandomNetwork(), owners(), deviations=("value",), draws=3)
    drawn = RandomNetwork().realize(0)
    outcome = drawn.clear(owners(), np.full(3, 5.0))
    loss = -outcome.utility(owners().valuations, owners().cap)
    assert rows["value"].ir_violation_max == pytest.approx(loss.max())


def test_a_witness_names_another_family():
    found = None
    for seed in range(6):
        report, _ = audit(RandomNetwork(seed=seed, choose=True), owners(1), deviations=("value",))
        witness = report.witness
        if witness["lie"]["kind"] != witness["kind"][witness["owner"]]:
            found = report
            break
    assert found is not None
    lie, owner = found.witness["lie"], found.witness["owner"]
    assert f"in the {lie['kind']} family" in " ".join(str(found).split())
    told = ms.Reports(ms.Valuations(lie["kind"], [lie["rate"]]), [lie["cap"]])
    assert told.value[0] == pytest.approx(lie["value"])
    lying = owners(1).replace(
        owner, kind=ms.KINDS.index(lie["kind"]), rate=lie["rate"], cap=lie["cap"]
    )
    outcome = RandomNetwork(seed=seed, choose=True).clear(lying, np.full(1, 5.0))
    assert outcome.payment[0, owner] == pytest.approx(lie["payment"])


def test_another_family_is_cleared_as_told_and_paid_for_as_it_is():
    truth = flat_profiles(ms.Reports(ms.Valuations("linear", [1.0]), [2.0]))

    class Asked:
        def clear(self, reports, budget):
            return ms.Outcome(reports.cap, reports.value, budget)

    market = Deviator((Asked(),), truth, truth, np.array([9.0]))
    told = [np.array([0]), np.array([1.0]), np.array([2.0])]
    quadratic = np.array([ms.KINDS.index("exponential")], dtype=np.int8)
    best = best_report(market, 0, *told, quadratic)
    assert best.payment[0] == pytest.approx(np.expm1(2.0))
    assert best.utility[0] == pytest.approx(np.expm1(2.0) - 4.0)
    assert best.kind[0] == quadratic[0]
    assert best_report(market, 0, *told).utility[0] == 0.0


def test_expectations_match_the_mean_of_many_draws():
    reports = owners(2)
    mechanism = FirstPrice()
    utility, payment, epsilon = mechanism.expectation(reports, 5.0, reports)
    draws = [mechanism.realize(seed).clear(reports, np.full(2, 5.0)) for seed in range(1000)]
    for known, drawn in (
        (payment, [o.payment for o in draws]),
        (epsilon, [o.epsilon for o in draws]),
        (utility, [o.utility(reports.valuations, reports.cap) for o in draws]),
    ):
        error = np.std(drawn, axis=0) / np.sqrt(len(draws))
        assert (np.abs(np.mean(drawn, axis=0) - known) <= 5 * error + 1e-12).all()


def test_lies_of_a_wrong_shape_are_refused():
    class Wrong(RandomNetwork):
        def strongest_lies(self, reports, budget, deviation, seed):
            return owners(1)

    with pytest.raises(ms.AuditError, match="strongest_lies returned reports of shape"):
        audit(Wrong(choose=True), owners())


def test_a_learned_auction_knows_its_expectation():
    assert issubclass(RandomNetwork, KnownExpectation)
    lies = RandomNetwork().strongest_lies(owners(), 5.0, "cap", 0)
    assert (lies.valuations.rate == owners().valuations.rate).all()
    assert (lies.cap <= owners().cap).all()
