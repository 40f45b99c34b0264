"""All-in beside the definition: allocation, prices, promises, and the shapes of arrays."""

from fractions import Fraction

import numpy as np
import pytest
from brute_force import clear, greedy
from generators import FAMILIES, Market, exact_markets, markets, random_market
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.reference import UNDERBIDDING

RULES = ("critical", "singer", "published")
by_rule = pytest.mark.parametrize("payment", RULES)
by_family = pytest.mark.parametrize("family", FAMILIES)


def cleared(payment, market):
    return ms.AllIn(payment).clear(market.reports(), market.budget)


def rows_of(market):
    """One market with leading axes as many without."""
    owners = market.value.shape[-1]
    value, cap = market.value.reshape(-1, owners), market.cap.reshape(-1, owners)
    return zip(value, cap, np.reshape(market.budget, -1), strict=True)


# ------------------------------------------------------------------------------- against the oracle
@by_rule
@given(market=exact_markets())
def test_exact_numbers_with_ties(payment, market):
    value = [Fraction(int(v)) for v in market.value]
    mass = [Fraction(int(m)) for m in market.cap]
    expected = clear(payment, value, mass, Fraction(int(market.budget)))
    outcome = cleared(payment, market)
    assert outcome.winners.tolist() == expected.won
    assert_allclose(outcome.payment, [float(p) for p in expected.paid], rtol=1e-15, atol=0)


@by_rule
@by_family
def test_random_families(payment, family):
    rng = np.random.default_rng(FAMILIES.index(family))
    for owners in (1, 2, 3, 10, 25):
        market = random_market(family, rng, 60, owners)
        outcome = cleared(payment, market)
        for row, (value, mass, budget) in enumerate(rows_of(market)):
            expected = clear(payment, value.tolist(), mass.tolist(), float(budget))
            assert outcome.winners[row].tolist() == expected.won
            assert_allclose(outcome.payment[row], expected.paid, rtol=1e-11, atol=0)


def test_the_families_contain_what_they_name():
    rng = np.random.default_rng(0)
    nobody = cleared("critical", random_market("nobody fits", rng, 50, 5))
    everybody = cleared("critical", random_market("all fit", rng, 50, 5))
    assert not nobody.winners.any()
    assert_array_equal(nobody.unspent, nobody.budget)
    assert everybody.winners.all()


def alternating(owners):
    """Heavy owners who are refused, each followed by light ones who fit late."""
    place = np.arange(owners)
    unit = 1.0 + place * 1e-4
    heavy = place % 2 == 0
    mass = np.where(heavy, owners * (1.0 - place / (2.0 * owners)), 0.4)
    mass[0] = 1.0
    return Market(unit * mass, mass, np.float64(0.6 * owners))


@pytest.mark.parametrize("owners", [2, 3, 10, 51, 300])
def test_many_refusals_and_late_winners(owners):
    market = alternating(owners)
    outcome = cleared("critical", market)
    expected = clear("critical", market.value.tolist(), market.cap.tolist(), float(market.budget))
    assert outcome.winners.tolist() == expected.won
    assert_allclose(outcome.payment, expected.paid, rtol=1e-11)


@pytest.mark.parametrize("owners", [60, 200, 400])
def test_refusals_that_displace_more_than_one_event_deep(owners):
    rng = np.random.default_rng(owners)
    for _ in range(5):
        unit = np.sort(rng.uniform(1.0, 1.2, owners))
        mass = rng.pareto(0.7, owners) + 0.05
        market = Market(unit * mass, mass, np.float64(0.3 * mass.sum()))
        outcome = cleared("critical", market)
        value, cap = market.value.tolist(), market.cap.tolist()
        expected = clear("critical", value, cap, float(market.budget))
        assert outcome.winners.tolist() == expected.won
        assert_allclose(outcome.payment, expected.paid, rtol=1e-10)


def test_twenty_thousand_owners_in_alternation():
    market = alternating(20_000)
    outcome = cleared("critical", market)
    taken = greedy(market.value.tolist(), market.cap.tolist(), float(market.budget))
    assert np.flatnonzero(outcome.winners).tolist() == sorted(taken)
    assert outcome.spent <= market.budget * (1 + 1e-12)
    assert (outcome.payment[outcome.winners] >= market.value[outcome.winners]).all()


# -------------------------------------------------------------------------------- what is promised
@by_rule
@given(market=markets())
def test_rational_and_within_budget(payment, market):
    outcome = cleared(payment, market)
    assert (outcome.payment >= np.where(outcome.winners, market.value, 0.0)).all()
    assert (outcome.payment[~outcome.winners] == 0).all()
    assert_array_equal(outcome.epsilon, np.where(outcome.winners, market.cap, 0.0))
    assert (outcome.spent <= outcome.budget * (1 + 1e-12)).all()
    assert_allclose(outcome.spent + outcome.unspent, outcome.budget, rtol=1e-12)


@by_rule
def test_rounding_never_takes_a_winner_below_her_report(payment):
    assert 49 * (1 / 49) < 1  # the price per unit, times her units, falls short by the last digit
    outcome = ms.AllIn(payment).clear(
        ms.Reports.single_minded(value=[1.0, 1.0], cap=[49.0, 49.0]), 1.0
    )
    assert_array_equal(outcome.payment, [1.0, 0.0])


@by_rule
@by_family
def test_batch_equals_loop(payment, family):
    market = random_market(family, np.random.default_rng(5), 40, 6)
    together = cleared(payment, market)
    for row, (value, cap, budget) in enumerate(rows_of(market)):
        alone = cleared(payment, Market(value, cap, budget))
        assert_array_equal(together.epsilon[row], alone.epsilon)
        assert_array_equal(together.payment[row], alone.payment)


@by_rule
def test_batches_longer_than_a_block(payment):
    market = random_market("uniform", np.random.default_rng(6), 40, 1000)
    together = cleared(payment, market)
    for row in (0, 16, 39):
        alone = cleared(payment, Market(*(part[row] for part in market)))
        assert_array_equal(together.payment[row], alone.payment)


@by_rule
@pytest.mark.parametrize("family", ["uniform", "lognormal", "pareto"])
def test_permutation_of_owners(payment, family):
    rng = np.random.default_rng(8)
    market = random_market(family, rng, 100, 7)
    shuffle = rng.permutation(7)
    moved = cleared(
        payment, Market(market.value[:, shuffle], market.cap[:, shuffle], market.budget)
    )
    still = cleared(payment, market)
    assert_array_equal(moved.epsilon, still.epsilon[:, shuffle])
    assert_allclose(moved.payment, still.payment[:, shuffle], rtol=1e-12)


@by_rule
@given(market=markets())
def test_unit_of_money_and_of_privacy(payment, market):
    outcome = cleared(payment, market)
    money = cleared(payment, Market(market.value * 8.0, market.cap, market.budget * 8.0))
    privacy = cleared(payment, Market(market.value, market.cap * 0.25, market.budget))
    assert_array_equal(money.payment, outcome.payment * 8.0)
    assert_array_equal(money.epsilon, outcome.epsilon)
    assert_array_equal(privacy.payment, outcome.payment)
    assert_array_equal(privacy.epsilon, outcome.epsilon * 0.25)


@by_rule
@by_family
def test_who_asks_less_keeps_winning(payment, family):
    rng = np.random.default_rng(9)
    market = random_market(family, rng, 200, 6)
    before = cleared(payment, market)
    for owner in range(6):
        value = market.value.copy()
        value[:, owner] *= rng.random(200)
        after = cleared(payment, Market(value, market.cap, market.budget))
        assert (after.winners[:, owner] >= before.winners[:, owner]).all()


@given(market=markets(max_owners=6))
def test_critical_price_is_where_she_starts_to_lose(market):
    paid = np.array(cleared("critical", market).payment)
    won = paid > 0
    for owner in range(market.value.shape[-1]):
        for factor, wins in ((1 - 1e-9, True), (1 + 1e-9, False)):
            value = market.value.copy()
            value[..., owner] = np.where(won[..., owner], paid[..., owner] * factor, 1.0)
            after = cleared("critical", Market(value, market.cap, market.budget))
            assert (after.winners[..., owner] == wins)[won[..., owner]].all()


@given(market=markets(max_owners=6))
def test_published_and_critical_sell_the_same(market):
    published, critical = cleared("published", market), cleared("critical", market)
    assert_array_equal(published.epsilon, critical.epsilon)
    sold = published.winners.any(axis=-1)
    assert_allclose(published.spent[sold], published.budget[sold], rtol=1e-12)
    assert (critical.spent <= published.spent * (1 + 1e-12)).all()
    assert (cleared("singer", market).winners <= critical.winners).all()


# ------------------------------------------------------------------------------------ truthfulness
def gain_of_best_lie(payment, market, owner, cap_factors):
    """Exact attack: one lie between any two values at which anything could change.

    What is accepted before her is the mass of some subset of the others, so her outcome can only
    change at the others' unit values and at B / (mass of a subset + her mass).
    """
    profiles, owners = market.value.shape
    others = [i for i in range(owners) if i != owner]
    subsets = np.array(list(np.ndindex(*(2,) * len(others))), dtype=float).reshape(-1, len(others))
    before = market.cap[:, others] @ subsets.T
    truth = cleared(payment, market)
    honest = truth.payment[:, owner] - np.where(
        truth.winners[:, owner], market.value[:, owner], 0.0
    )
    best = np.zeros(profiles)
    for factor in cap_factors:
        cap = market.cap.copy()
        cap[:, owner] *= factor
        mass = cap[:, owner, None]
        units = [market.value[:, others] / market.cap[:, others]]
        units.append(market.budget[:, None] / (before + mass))
        borders = np.sort(np.concatenate([np.zeros((profiles, 1)), *units], axis=1), axis=1)
        asks = (borders[:, 1:] + borders[:, :-1]) / 2.0 * mass
        value = np.repeat(market.value[None], asks.shape[1], axis=0)
        value[:, :, owner] = asks.T
        told = Market(value, np.broadcast_to(cap, value.shape), market.budget)
        outcome = cleared(payment, told)
        won = outcome.winners[..., owner]
        utility = outcome.payment[..., owner] - np.where(won, market.value[:, owner], 0.0)
        best = np.maximum(best, (utility - honest).max(axis=0))
    return best


def manipulable(payment, profiles, cap_factors=(1.0, 0.8, 0.5, 0.15)):
    """Share of random small instances in which some owner gains by some lie."""
    rng = np.random.default_rng(11)
    found = []
    for family in ("uniform", "lognormal", "pareto", "some for free"):
        for owners in (2, 3, 4):
            market = random_market(family, rng, profiles, owners)
            gains = [
                gain_of_best_lie(payment, market, owner, cap_factors) for owner in range(owners)
            ]
            found.append(np.max(gains, axis=0) > 1e-9 * market.budget)
    return np.concatenate(found)


@pytest.mark.parametrize("payment", ["critical", "singer"])
def test_no_lie_pays_a_single_minded_owner(payment):
    found = manipulable(payment, 200)
    assert len(found) == 2400
    assert not found.any()


def test_the_attack_finds_the_lies_that_pay_under_the_published_payment():
    share = manipulable("published", 100, cap_factors=(1.0,)).mean()
    assert 0.05 < share < 0.5


@pytest.mark.parametrize("known", UNDERBIDDING.outcomes, ids=lambda known: known.payment)
def test_underbidding_example(known):
    truth = ms.AllIn(known.payment).clear(UNDERBIDDING.truth(), UNDERBIDDING.budget)
    lie = ms.AllIn(known.payment).clear(UNDERBIDDING.misreport(), UNDERBIDDING.budget)
    assert_array_equal(truth.epsilon, known.truth_epsilon)
    assert_allclose(truth.payment, known.truth_paid)
    assert_array_equal(lie.epsilon, known.lie_epsilon)
    assert_allclose(lie.payment, known.lie_paid)
    true_valuations = UNDERBIDDING.truth().valuations
    utility = [o.utility(true_valuations, UNDERBIDDING.cap) for o in (truth, lie)]
    assert_allclose((utility[1] - utility[0])[UNDERBIDDING.liar], known.gain)


# ---------------------------------------------------------------------------------------- the rest
def test_sizes_multiply_values_and_masses():
    rng = np.random.default_rng(2)
    population = ms.fl_market_2022(6).sample(rng, (50,))
    budget = ms.budgets(population, 0.3, "proportional")
    outcome = ms.AllIn().clear(population.reports(), budget)
    size, cap = population.data_size, population.cap
    value = size * population.valuations.cost(cap)
    for row in range(50):
        expected = clear("critical", value[row].tolist(), (size * cap)[row].tolist(), budget[row])
        assert outcome.winners[row].tolist() == expected.won
        assert_allclose(outcome.payment[row], expected.paid, rtol=1e-11)
    assert_array_equal(outcome.epsilon, np.where(outcome.winners, cap, 0.0))
    assert_array_equal(outcome.data_size, size)


@by_rule
def test_critical_values_bracket_every_change(payment):
    rng = np.random.default_rng(4)
    market = random_market("lognormal", rng, 30, 5)
    mechanism = ms.AllIn(payment)
    for owner in range(5):
        borders = np.sort(mechanism.critical_values(market.reports(), market.budget, owner))
        asks = np.sort(rng.uniform(0.0, 1.5, (200, 30)) * market.budget, axis=0)
        value = np.repeat(market.value[None], 200, axis=0)
        value[..., owner] = asks
        outcome = cleared(
            payment, Market(value, np.broadcast_to(market.cap, value.shape), market.budget)
        )
        won = outcome.winners[..., owner]
        for row in range(30):
            piece = np.searchsorted(borders[row], asks[:, row])
            same = piece[1:] == piece[:-1]
            assert (won[1:, row] == won[:-1, row])[same].all()
            paid = outcome.payment[..., owner][:, row]
            assert_allclose(paid[1:][same], paid[:-1][same], rtol=1e-9)


def test_names_and_promises():
    assert [ms.AllIn(rule).name for rule in RULES] == [f"all-in-{rule}" for rule in RULES]
    assert ms.AllIn() == ms.AllIn("critical")
    assert ms.AllIn("published").guarantees.truthful_for == "none"
    assert ms.AllIn().guarantees.truthful_in == ("value", "cap")
    with pytest.raises(ms.InvalidInput, match=r"unknown payment 'vickrey'.*'critical'"):
        ms.AllIn("vickrey")
