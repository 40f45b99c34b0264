"""Experiment "audit" and the targets of the command."""

import pytest

import market_sim as ms
from market_sim.errors import ScenarioError
from scenarios import run_scenario
from scenarios.audits import audit_targets

SMALL = ["seeds=1", "profiles=6", "population.owners=4", "audit.deviations=cap"]


def test_the_table_is_what_the_audit_reports(tmp_path):
    changes = [*SMALL, "mechanisms=all-in-singer", "audit.populations=multi-minded"]
    folder = run_scenario("audit-all-in", changes, out=tmp_path / "run")
    (row,) = folder.table("audit").to_dict("records")

    def money(reports):
        return 0.5 * reports.value.sum(axis=-1)

    law = ms.PopulationLaw(owners=4, cap=(0.5, 5.0))
    report = ms.audit(
        ms.AllIn("singer"), law, budget=money, profiles=6, seed=1, deviations=("cap",)
    )
    for name in ("regret_mean", "regret_max", "gain_share", "witness", "method"):
        assert row[name] == getattr(report.rows[0], name)
    assert (row["mechanism"], row["population"]) == ("all-in-singer", "multi-minded")
    assert row["regret_max"] > 0


def test_single_minded_owners_gain_nothing_where_many_sided_do(tmp_path):
    folder = run_scenario("audit-all-in", [*SMALL, "mechanisms=all-in"], out=tmp_path / "run")
    found = folder.table("audit").set_index("population")["regret_max"]
    assert found["single-minded"] == 0
    assert found["multi-minded"] > 0


def test_a_mechanism_or_a_scenario_may_be_audited():
    by_name = audit_targets(["all-in-singer"], profiles=3, budget=5.0)
    assert [report.population for report in by_name] == ["single-minded", "multi-minded"]
    assert {report.profiles for report in by_name} == {3}
    by_scenario = audit_targets(["error-bound-against-owners"], profiles=2, seed=9)
    assert {report.mechanism for report in by_scenario} == {"all-in-critical", "all-in-singer"}
    assert len(by_scenario) == 2 * 2 * 2
    assert {report.seed for report in by_scenario} == {9}


def test_the_default_is_all_in_with_all_payments():
    seen = []
    reports = audit_targets([], profiles=2, progress=lambda done, total: seen.append((done, total)))
    found = {(report.mechanism, report.population) for report in reports}
    assert len(found) == 6
    assert seen == [(done, 6) for done in range(7)]


@pytest.mark.parametrize("target", ["all-in-critcal", "audit-al-in", "nothing.toml"])
def test_an_unknown_target_is_named(target):
    with pytest.raises(ScenarioError, match=target):
        audit_targets([target])


def test_laws_of_the_privacy_game_and_money_an_owner_are_audited(tmp_path):
    changes = ["seeds=1", "profiles=2", "population.owners=5", "mechanisms=mfg-pricing"]
    folder = run_scenario("privacy-auction-incentives", changes, out=tmp_path / "run")
    found = folder.table("audit").set_index("deviation")
    law = ms.privacy_auction_law("uniform", 5)
    report = ms.audit(ms.MFGPricing(), law, budget=2.5, profiles=2, seed=1)
    assert found["regret_max"].to_dict() == {row.deviation: row.regret_max for row in report.rows}
    assert found["regret_max"]["cap"] > 0.1


def test_a_rule_is_audited_on_the_owners_it_is_defined_for():
    (report,) = audit_targets(["pac"], profiles=2, budget=5.0)
    assert report.population == "multi-minded"
    assert max(row.regret_max for row in report.rows) < 1e-9
