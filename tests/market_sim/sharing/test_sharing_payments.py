"""Payment rules against their definitions, and what they promise by attack."""

import numpy as np
import plain_sharing as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.sharing import RULES

PAIRINGS = [(rule, graph) for rule, made in RULES.items() for graph in made.graphs]
seeds = st.integers(0, 2**32 - 1)


def random_market(seed, participants=None):
    rng = np.random.default_rng(seed)
    number = participants or int(rng.integers(1, 9))
    law = ms.SharingLaw(
        number,
        gain=(1e3, 1e6),
        cost=(0.0, float(rng.choice([0.0, 0.5, 5.0]))),
        distance=(0.0, float(rng.choice([0.0, 1.0]))),
        penalty=float(rng.choice([0.0, 2.0, 10.0])),
    )
    return law.sample(rng)


def edges(outcome):
    return list(zip(*(a.tolist() for a in np.nonzero(outcome.imports)), strict=True))


@pytest.mark.parametrize("graph", ["greedy", "exact"])
def test_published_payments_by_definition(graph):
    for seed in range(20):
        market = random_market(seed)
        found = market.clear("published", graph)
        for i, j in edges(found):
            chosen = set(np.flatnonzero(found.imports[i]))
            price = plain.gain(market, i, chosen) - plain.gain(market, i, chosen - {j})
            assert found.payment[i, j] == pytest.approx(price - plain.penalty(market, i, j))
        assert (found.payment[~found.imports] == 0).all()


def test_vcg_payments_by_definition():
    for seed in range(20):
        market = random_market(seed)
        found = market.clear("vcg")
        for i, j in edges(found):
            loss = plain.best_set(market, i)[1] - plain.best_set(market, i, without=j)[1]
            assert found.payment[i, j] == pytest.approx(market.cost[j] + loss, abs=1e-11)


def test_two_sided_payments_by_definition():
    for seed in range(20):
        market = random_market(seed)
        found, vcg = market.clear("two_sided"), market.clear("vcg")
        np.testing.assert_array_equal(found.received, vcg.received)
        for i, j in edges(found):
            assert found.payment[i, j] == pytest.approx(plain.weight(market, i, j))
        assert found.deficit == pytest.approx(found.received.sum() - found.payment.sum())


@pytest.mark.parametrize("rule", ["critical", "vcg"])
def test_the_price_is_the_cost_at_which_the_seller_is_dropped(rule):
    """Myerson: a hair below the price she is still imported, a hair above she is not."""
    tried = 0
    for seed in range(25):
        market = random_market(seed, 6)
        found = market.clear(rule)
        for i, j in edges(found):
            for factor, imported in ((1 - 1e-7, True), (1 + 1e-7, False)):
                cost = market.cost.copy()
                cost[j] = found.payment[i, j] * factor
                assert market.with_reports(cost=cost).clear(rule).imports[i, j] == imported
                tried += 1
    assert tried > 100


@pytest.mark.parametrize(("rule", "graph"), PAIRINGS)
@given(seeds)
def test_nobody_loses_and_money_balances(rule, graph, seed):
    market = random_market(seed)
    found = market.clear(rule, graph)
    slack = 1e-12 * np.sqrt(market.gain / market.data_size).max()
    assert ((found.received - market.cost)[found.imports] >= -slack).all()
    assert (found.spent <= found.gain + slack).all()
    assert (found.utility >= -2 * market.participants * slack).all()
    assert found.utility.sum() == pytest.approx(found.welfare + found.deficit, abs=1e-9)
    assert found.net.sum() == pytest.approx(-found.deficit, abs=1e-12 * max(1, found.spent.sum()))
    if RULES[rule].balanced:
        np.testing.assert_array_equal(found.payment, found.received)
        assert abs(found.net.sum()) <= 1e-12
        assert found.deficit == 0.0


@given(seeds)
def test_truthful_prices_are_at_most_the_published_one(seed):
    market = random_market(seed)
    for rule, graph in (("vcg", "exact"), ("critical", "greedy")):
        published = market.clear("published", graph)
        found = market.clear(rule)
        np.testing.assert_array_equal(found.imports, published.imports)
        slack = 1e-12 * np.sqrt(market.gain / market.data_size).max()
        assert (found.payment <= published.payment + slack).all()


@given(seeds)
def test_critical_equals_published_unless_a_refused_seller_would_still_be_worth_it(seed):
    """The published payment can only be gamed where the seller who ended the row has n* above n."""
    from market_sim.sharing.greedy import stopping_totals

    market = random_market(seed, 6)
    published, critical = market.clear("published"), market.clear("critical")
    stops = np.where(published.imports, -np.inf, stopping_totals(market.problems))
    clean = stops.max(axis=1) <= market.problems.total(published.imports)
    np.testing.assert_array_equal(critical.payment[clean], published.payment[clean])


@pytest.mark.parametrize(("rule", "what"), [(r, w) for r in RULES for w in RULES[r].truthful_in])
@given(seeds, st.floats(0, 3), st.integers(0, 8))
def test_lies_do_not_pay_where_truth_is_promised(rule, what, seed, factor, liar):
    """Whole markets are cleared on the lie, and its outcome is valued at the truth."""
    market = random_market(seed)
    liar %= market.participants
    said = getattr(market, what).copy()
    said[liar] = said[liar] * factor if said[liar] else factor
    lied = market.with_reports(**{what: said}).clear(rule).true_utility(market)
    told = market.clear(rule).utility
    assert lied[liar] <= told[liar] + 1e-10 * np.sqrt(market.gain / market.data_size).max()


def test_own_cost_does_not_change_own_imports():
    market = random_market(4, 6)
    cost = market.cost.copy()
    cost[2] = 0.3
    for rule in RULES:
        one, other = market.clear(rule), market.with_reports(cost=cost).clear(rule)
        np.testing.assert_array_equal(one.imports[2], other.imports[2])
        np.testing.assert_allclose(one.payment[2], other.payment[2], rtol=1e-12)


def test_an_underbid_pays_under_the_published_rule_and_not_under_the_critical_one():
    """Seller 1 is too dear by a little; asking for nothing, it displaces the large seller 2."""
    market = ms.SharingMarket(
        [100.0, 300.0, 900.0], [1e4, 0, 0], [9.0, 4.4, 3.5], np.zeros((3, 3)), 0.0
    )
    cost = market.cost.copy()
    cost[1] = 0.0
    gains = {}
    for rule in ("published", "critical"):
        told = market.clear(rule)
        lied = market.with_reports(cost=cost).clear(rule)
        assert plain.sets(told.imports)[0] == {2}
        assert plain.sets(lied.imports)[0] == {1}
        gains[rule] = float(lied.true_utility(market)[1] - told.utility[1])
    assert gains["published"] == pytest.approx(0.6)
    assert gains["critical"] < 0


def test_without_distances_two_sided_costs_the_platform_and_with_them_it_may_earn():
    plain_law = ms.SharingLaw(6, penalty=0.0)
    rng = np.random.default_rng(0)
    deficits = [plain_law.sample(rng).clear("two_sided").deficit for _ in range(20)]
    assert min(deficits) >= 0 < max(deficits)
    rng = np.random.default_rng(0)
    law = ms.SharingLaw(6, penalty=10.0)
    assert min(law.sample(rng).clear("two_sided").deficit for _ in range(20)) < 0


@pytest.mark.parametrize(
    ("rule", "graph", "sentence"),
    [
        ("vcg", "greedy", "only where the graph is the best one: use graph='exact'"),
        ("critical", "exact", "is what 'vcg' pays: use graph='greedy'"),
        ("two_sided", "greedy", "use graph='exact'"),
        ("first-price", None, "rule must be one of 'published', 'vcg', 'critical', 'two_sided'"),
        (["vcg"], None, "rule must be one of .* got .'vcg'"),
        ("published", "best", "graph must be 'greedy' or 'exact', got 'best'"),
    ],
)
def test_other_pairings_are_refused(rule, graph, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        random_market(0, 3).clear(rule, graph)


def test_each_rule_has_its_own_graph():
    market = random_market(0, 5)
    kinds = {rule: market.clear(rule).graph_kind for rule in RULES}
    assert kinds == {
        "published": "greedy", "vcg": "exact", "critical": "greedy", "two_sided": "exact",
    }  # fmt: skip
