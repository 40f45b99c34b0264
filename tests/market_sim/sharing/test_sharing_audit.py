"""The audit of lies: against whole markets cleared on each lie, and what it says."""

import json

import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.sharing import RULES
from market_sim.sharing.misreports import (
    cost_thresholds,
    decisive_costs,
    utility_as_buyer,
    utility_as_seller,
)

PAIRINGS = [(rule, graph) for rule, made in RULES.items() for graph in made.graphs]
UNDER = ("lower cost", "higher cost", "cost to one buyer")


def markets(number, seed=0, **settings):
    rng = np.random.default_rng(seed)
    return [ms.SharingLaw(**({"participants": 6} | settings)).sample(rng) for _ in range(number)]


def cleared(market, rule, graph, liar, **said):
    """Utility of the liar from a whole market that was cleared on the lie."""
    reports = {name: getattr(market, name).copy() for name in said}
    for name, value in said.items():
        reports[name][liar] = value
    return market.with_reports(**reports).clear(rule, graph).true_utility(market)[liar]


@pytest.mark.parametrize(("rule", "graph"), PAIRINGS)
def test_what_a_lie_brings_is_what_the_cleared_market_says(rule, graph):
    """Each part apart, summed, against `clear` and `true_utility`."""
    rng = np.random.default_rng(1)
    for market in markets(4):
        liar = np.repeat(np.arange(6), 3)
        truth = market.clear(rule, graph).utility
        factor = rng.uniform(0.2, 3, liar.size)
        for name, size in (("cost", None), ("gain", None), ("data_size", 0)):
            said = getattr(market, name)[liar] * factor
            lied = [
                cleared(market, rule, graph, i, **{name: s})
                for i, s in zip(liar, said, strict=True)
            ]
            setting = (market, liar, rule, graph)
            buys = {"gain": said} if name == "gain" else {"size": said} if size == 0 else {}
            sells = {"cost": said} if name == "cost" else {"size": said} if size == 0 else {}
            found = utility_as_buyer(*setting, **buys) + utility_as_seller(*setting, **sells)
            np.testing.assert_allclose(found, lied, rtol=1e-10, atol=1e-10)
        told = utility_as_buyer(market, np.arange(6), rule, graph)
        told = told + utility_as_seller(market, np.arange(6), rule, graph)
        np.testing.assert_allclose(told, truth, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("graph", ["greedy", "exact"])
def test_decisive_costs_bring_all_that_a_dense_search_finds(graph):
    rng = np.random.default_rng(2)
    gains = 0
    for market in markets(2, seed=4):
        decisive = decisive_costs(market, graph)
        for liar in range(6):
            best = max(
                cleared(market, "published", graph, liar, cost=c) for c in decisive[liar].tolist()
            )
            top = 1.2 * decisive[liar][-1]
            dense = [
                cleared(market, "published", graph, liar, cost=c)
                for c in rng.uniform(0, top, 25).tolist()
            ]
            assert max(dense) <= best + 1e-9
            gains += best > market.clear("published", graph).utility[liar] + 1e-9
    assert gains > 0


@pytest.mark.parametrize("graph", ["greedy", "exact"])
def test_thresholds_are_where_the_edge_comes_and_goes(graph):
    market = markets(1, seed=3)[0]
    found = cost_thresholds(market, graph)
    for i, j in np.argwhere(market.possible).tolist():
        for factor, imported in ((1 - 1e-7, True), (1 + 1e-7, False)):
            cost = market.cost.copy()
            cost[j] = found[i, j] * factor
            there = market.with_reports(cost=cost).clear("published", graph).imports[i, j]
            assert there == (imported and found[i, j] > 0)


@pytest.mark.parametrize(("rule", "graph"), PAIRINGS)
def test_promises_hold_and_the_published_rule_is_gamed(rule, graph):
    report = ms.audit_sharing(markets(15), rule, graph, lies=8)
    assert report.violations == ()
    assert report.edge_violations == report.buyer_violations == 0
    assert {verdict.status for verdict in report.verdicts} == {"held"}
    regret = {row.deviation: row.regret_max for row in report.rows}
    assert regret["higher cost"] == 0.0
    assert (regret["lower cost"] > 0) == (rule == "published")
    assert (regret["cost to one buyer"] > 0) == (rule == "published")
    assert (regret["gain"] > 0) == (rule != "two_sided")
    assert regret["size"] > 0
    assert (report.deficit_max > 0) == (rule == "two_sided")
    assert report.witness is not None
    assert report.optimal_share_mean <= 1.0


def test_the_witness_is_real():
    sample = markets(10)
    report = ms.audit_sharing(sample, "published", deviations=("lower cost",))
    told = report.witness
    market, liar = sample[told["market"]], told["participant"]
    assert told["true"] == market.cost[liar]
    lied = cleared(market, "published", "greedy", liar, cost=told["reported"])
    assert lied - market.clear().utility[liar] == pytest.approx(told["regret"])
    assert told["regret"] == report.rows[0].regret_max


def test_about_four_in_a_hundred_underbids_to_one_buyer_pay():
    """The published trials: nine participants, gains over two decades."""
    sample = markets(60, participants=9, gain=(1e4, 1e6))
    report = ms.audit_sharing(sample, deviations=("cost to one buyer",), welfare=False)
    assert 0.03 < report.rows[0].lie_share < 0.05
    assert report.optimal_share_mean is None


def test_a_rule_that_breaks_its_promises_is_caught(monkeypatch):
    """The audit can fail: the published prices under the name of a truthful rule, less a bit."""
    from market_sim.sharing import misreports, payments
    from market_sim.sharing.payments import published

    def broken(problems, imports, *_):
        price = published(problems, imports) - 2.0 * imports
        return price, price * 1.5

    monkeypatch.setattr(misreports, "payments", broken)
    monkeypatch.setattr(payments, "published", lambda p, i: published(p, i) * 3.0)
    monkeypatch.setattr(payments, "critical", lambda p, i: p.cost * i * 0.5)
    low = ms.audit_sharing(markets(5), "critical")
    statuses = {verdict.promise: verdict.status for verdict in low.verdicts}
    assert statuses["no seller below cost"] == "violated"
    assert statuses["truthful in cost"] == "violated"
    high = ms.audit_sharing(markets(5), "published")
    assert {v.promise for v in high.violations} == {"no buyer above the gain"}


def test_the_report_reads_and_serializes():
    report = ms.audit_sharing(markets(3), "critical", lies=4)
    text = str(report)
    assert max(map(len, text.splitlines())) <= 80
    assert "audit of critical payments on the greedy graph" in text
    assert "HELD: truthful in cost" in text
    assert "best lie: in market" in text
    told = json.loads(json.dumps(report.to_dict()))
    assert told["lies"] == report.lies == sum(row["lies"] for row in told["rows"])
    assert told["rows"][0]["deviation"] == "lower cost"
    only = ms.audit_sharing(markets(2), "critical", deviations=())
    assert only.witness is None
    assert {v.status for v in only.verdicts} == {"held", "not tested"}
    assert "best lie" not in str(only)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e12])
def test_payments_balance_at_any_scale_of_money(scale):
    money = {"gain": (5e5 * scale**2,) * 2, "cost": (0.0, scale), "penalty": 2.0 * scale}
    sample = markets(20, participants=9, **money)
    report = ms.audit_sharing(sample, "published", deviations=(), welfare=False)
    assert (report.unbalanced, report.violations) == (0, ())
    off = ms.audit_sharing(sample, "two_sided", deviations=(), welfare=False)
    assert 0 < off.unbalanced <= 20


def test_markets_without_trade_are_audited_too():
    alone = ms.SharingMarket([5.0], 1e3, 1.0, [[0.0]], 1.0)
    idle = ms.SharingMarket([5.0, 5.0], 0.0, 1.0, np.zeros((2, 2)), 1.0)
    for rule in RULES:
        report = ms.audit_sharing([alone, idle], rule)
        assert (report.edges, report.witness, report.violations) == (0, None, ())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"markets": []}, "markets is empty: an audit needs at least one market"),
        ({"rule": "vcg", "graph": "greedy"}, "use graph='exact'"),
        ({"deviations": ["age"]}, r"deviations must be among .* got \['age'\]"),
        ({"lies": 1}, "lies must be a whole number of at least 2"),
    ],
)
def test_bad_settings_are_refused(settings, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        ms.audit_sharing(**({"markets": markets(1)} | settings))


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "graph"), PAIRINGS)
def test_ten_thousand_markets(rule, graph):
    rng = np.random.default_rng(11)
    sample = (
        ms.SharingLaw(
            int(rng.integers(1, 11)),
            (20.0, 2000.0),
            (1e3, 1e7),
            (0.0, float(10 ** rng.uniform(-1, 1.5))),
            (0.0, 1.5),
            float(rng.choice([0.0, 0.3, 2.0, 10.0])),
        ).sample(rng)
        for _ in range(10_000)
    )
    report = ms.audit_sharing(sample, rule, graph, lies=4, deviations=UNDER[:2], welfare=False)
    assert report.violations == ()
    assert report.imbalance_max <= 1e-12 or rule == "two_sided"
    assert (report.rows[0].regret_max > 0) == (rule == "published")
