"""Owners who learn: regrets vanish, truth wins where it is best, and coins are keyed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from agents import BuyerTerms, InertBestResponding, NoRegretReporting
from agents.strategies import put_reports

RULES = ["multiplicative-weights", "regret-matching"]
SMALL = {"value_factors": (0.5, 1.0, 2.0), "cap_factors": (0.5, 1.0)}
PUBLISHED = ms.AllIn("published")


def brute_regret(mechanism, tables, people, budget, actions, rounds):
    """Return each owner's regret from the reports in the tables, clearing one lie at a time."""
    said = tables["owners"]
    truth, owners = people.reports(), people.owners
    regret = np.zeros((owners, len(actions)))
    for round_ in range(rounds):
        part = slice(round_ * owners, (round_ + 1) * owners)
        value, cap = said["reported_value"][part], said["reported_cap"][part]
        rate = value / ms.Valuations(people.valuations.kind, np.ones(owners)).cost(cap)
        reports = ms.Reports(ms.Valuations(people.valuations.kind, rate), cap)
        for owner in range(owners):
            row = np.array([owner])
            for place, (v, c) in enumerate(actions):
                lie = put_reports(reports, truth.select(row).scaled(v, c), row)
                gain = mechanism.clear(lie, budget).utility(people.valuations, people.cap)[owner]
                regret[owner, place] += gain - said["utility"][part][owner]
    return regret


@pytest.mark.parametrize("rule", RULES)
def test_regrets_are_those_of_brute_force(population, market, rule):
    people = population(5, 1)
    one = market(
        people, 6.0, mechanism=PUBLISHED, strategy=NoRegretReporting(rule, "full", **SMALL), seed=2
    )
    one.run(12)
    player = one.owner(0).strategy
    assert len(player.actions) == 6
    expected = brute_regret(PUBLISHED, one.tables(), people, 6.0, player.actions, 12)
    assert_allclose(player.regret, expected, atol=1e-9)
    assert_allclose(player.average_regret, expected.max(axis=1) / 12, atol=1e-9)
    assert player.auctions.tolist() == [12] * 5


@pytest.mark.parametrize("rule", RULES)
def test_average_regret_vanishes(population, market, rule):
    people = population(6, 3)
    average = {}
    for rounds in (20, 160):
        one = market(people, 8.0, mechanism=PUBLISHED, strategy=NoRegretReporting(rule), seed=1)
        one.run(rounds)
        average[rounds] = one.owner(0).strategy.average_regret.max()
    scale = 8.0 / 6  # what an owner earns at most, on average
    assert average[160] < 0.6 * average[20]
    assert average[160] < 0.15 * scale


@pytest.mark.parametrize("rule", RULES)
def test_where_truth_is_dominant_owners_learn_to_win(population, market, rule):
    people = population(8, 2, single_minded=True)
    strategy = NoRegretReporting(rule, value_factors=(0.25, 1.0, 4.0), cap_factors=(1.0,))
    one = market(people, 9.0, strategy=strategy, seed=1)
    one.run(100)
    player, honest = one.owner(0).strategy, market(people, 9.0, seed=1)
    honest.step()
    winners = honest.tables()["owners"]["utility"] > 0.5
    assert winners.any()
    chance = player.chances(np.flatnonzero(winners))
    assert (chance[:, 2] < 0.05).all()  # asking too much loses what truth would win


def test_bandits_estimate_what_they_do_not_see(population, market):
    people, rounds, learner = population(6, 2, single_minded=True), 400, 5
    strategy = NoRegretReporting("multiplicative-weights", "bandit", (0.5, 1.0, 5.0), (1.0,), 0.3)
    would = []
    for factor in strategy.value_factors:
        told = put_reports(
            people.reports(),
            people.reports().select(np.array([learner])).scaled(factor),
            np.array([learner]),
        )
        outcome = ms.AllIn().clear(told, 9.0)
        would.append(outcome.utility(people.valuations, people.cap)[learner])
    assert would[0] == would[1] > would[2] == 0  # asking five times the value loses
    one = market(people, 9.0, exceptions=[(strategy, [learner])], record_owners=False)
    one.run(rounds)
    player, earned = one.owner(learner).strategy, one.owner(learner).utility
    chance = player.chances(np.array([learner]))[0]
    assert chance.sum() == pytest.approx(1.0)
    assert chance[2] == pytest.approx(0.1, abs=0.01)  # explored only
    estimate = (player.regret[learner] + earned) / rounds
    assert_allclose(estimate, would, atol=0.2 * would[0])
    assert player.auctions.tolist() == [0, 0, 0, 0, 0, rounds]


def test_who_is_not_asked_learns_nothing(market):
    people = ms.Population(
        ms.Valuations("step", [1.0, 1.0]), [1.0, 1.0], lifetime_cap=[1.0, np.inf]
    )
    one = market(people, 9.0, strategy=NoRegretReporting(value_factors=(1.0,), cap_factors=(1.0,)))
    one.run(4)
    assert one.owner(0).strategy.auctions.tolist() == [1, 4]


@pytest.mark.parametrize(
    "strategy",
    [
        NoRegretReporting("regret-matching", **SMALL),
        NoRegretReporting("multiplicative-weights", "bandit", **SMALL),
        InertBestResponding(0.4, **SMALL),
    ],
    ids=lambda s: type(s).__name__,
)
def test_the_strategy_itself_forgets_and_modes_agree(
    population, market, assert_same_tables, strategy
):
    people = population(6, 4)
    terms = [BuyerTerms("ada", 5.0), BuyerTerms("bob", 4.0)]
    given = {"buyers": terms, "mechanism": PUBLISHED, "strategy": strategy, "seed": 7}
    first, again, objects = (
        market(people, owners=mode, **given) for mode in ("arrays", "arrays", "objects")
    )
    for one in (first, again, objects):
        one.run(5)
    assert_same_tables(first, again)
    assert_same_tables(first, objects)
    other = market(people, **(given | {"seed": 8}))
    other.run(5)
    said = [m.tables()["owners"]["reported_value"] for m in (first, other)]
    assert not np.array_equal(*said, equal_nan=True)


def test_a_strategy_asked_outside_a_market_plays_its_first_round(population, market):
    people = population(4)
    one = market(people, strategy=InertBestResponding(0.5))
    one.step()
    view = one._view(one.buyers[0], 10.0, np.arange(4), np.full(4, np.inf))
    strategy = NoRegretReporting()
    seen = [strategy.reports(people, view).value for _ in range(2)]
    assert_array_equal(*seen)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), inertia=st.sampled_from([0.1, 0.5, 0.9]))
def test_inert_owners_stay_or_improve(population, market, seed, inertia):
    people = population(6, seed)
    one = market(people, 8.0, mechanism=PUBLISHED, strategy=InertBestResponding(inertia), seed=seed)
    one.step()
    player = one.owner(0).strategy
    moved = (player.factors != 1.0).any(axis=1)
    truth = people.reports()
    lie = truth.scaled(player.factors[:, 0], player.factors[:, 1])
    honest = PUBLISHED.clear(truth, 8.0).utility(people.valuations, people.cap)
    for owner in np.flatnonzero(moved):
        row = np.array([owner])
        told = put_reports(truth, lie.select(row), row)
        gain = PUBLISHED.clear(told, 8.0).utility(people.valuations, people.cap)[owner]
        assert gain > honest[owner]


def test_inertia_is_the_share_of_those_who_stay(market):
    strategy = InertBestResponding(0.75, value_factors=(0.5, 1.0), cap_factors=(1.0,))
    people = ms.Population(ms.Valuations("linear", np.ones(4000)), np.ones(4000))
    one = market(people, 10.0, strategy=strategy)
    coins = one.owner(0).strategy._coins
    view = one._view(one.buyers[0], 10.0, np.arange(4000), np.full(4000, np.inf))
    assert (coins.of(view) >= 0.75).mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: NoRegretReporting("fictitious-play"), "rule"),
        (lambda: NoRegretReporting(feedback="none"), "feedback"),
        (lambda: NoRegretReporting(value_factors=()), "at least one factor"),
        (lambda: NoRegretReporting(value_factors=(-1.0,)), "value_factors"),
        (lambda: NoRegretReporting(cap_factors=(0.0,)), "cap_factors"),
        (lambda: NoRegretReporting(cap_factors=(1.5,)), "cap_factors"),
        (lambda: NoRegretReporting(exploration=0.0), "exploration"),
        (lambda: InertBestResponding(1.0), "inertia"),
        (lambda: InertBestResponding(cap_factors=(2.0,)), "cap_factors"),
    ],
)
def test_bad_input(build, name):
    with pytest.raises(ms.InvalidInput, match=name):
        build()
