"""MURBA, M-RegretNet and DM-RegretNet as mechanisms: luck, bad input, and the audit's lies."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import market_sim as ms
from market_sim.mechanisms.networks.draws import market_uniforms
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.mechanisms.networks.regret_net_recipe import RegretNetRecipe

TINY = {"owners": 3, "options": 3, "hidden": 8, "layers": 1, "batch": 8, "iterations": 1}
AUCTIONS = {"murba": ms.MURBA, "m-regret-net": ms.MRegretNet, "dm-regret-net": ms.DMRegretNet}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    found = {}
    for auction in AUCTIONS:
        recipe = RegretNetRecipe.preset(auction, **TINY, audit_profiles=2, lie_steps=2)
        found[auction] = recipe.train().save(folder / f"My {auction}.safetensors")
    return found


@pytest.mark.parametrize("auction", AUCTIONS)
def test_a_network_from_a_file(auction, files):
    mechanism = AUCTIONS[auction](network=files[auction])
    told, budget = mechanism.law.sample(np.random.default_rng(0), 5)
    assert mechanism.clear(told, budget).epsilon.shape == (5, 3)
    assert mechanism.name == f"my-{auction}"
    assert mechanism.guarantees.budget_feasible
    assert mechanism.guarantees.deterministic == (auction == "dm-regret-net")


def test_murba_pays_all_of_the_budget_and_never_more():
    mechanism = ms.MURBA()
    told, budget = mechanism.law.sample(np.random.default_rng(1), 500)
    outcome = mechanism.clear(told, budget)
    assert (outcome.spent <= budget).all()
    assert (outcome.spent > budget * (1 - 1e-5)).all()


def test_who_loses_in_the_deterministic_auction_is_paid_nothing():
    mechanism = ms.DMRegretNet()
    told, budget = mechanism.law.sample(np.random.default_rng(1), 300)
    outcome = mechanism.clear(told, budget)
    assert 0 < outcome.winners.mean() < 1
    assert (outcome.payment[~outcome.winners] == 0).all()


def test_a_lie_meets_the_same_luck_as_the_truth():
    told, budget = MarketLaw().sample(np.random.default_rng(2), 50)
    lie = told.scaled(1.7, 0.5)
    assert_array_equal(market_uniforms(told, budget, 3), market_uniforms(lie, budget, 3))
    assert (market_uniforms(told, budget, 3) != market_uniforms(told, budget, 4)).all()


def test_other_markets_meet_other_luck():
    told, budget = MarketLaw().sample(np.random.default_rng(2), 50)
    kinds = (told.valuations.kind + 1) % 4
    others = {
        "budget": (told, 1.001 * budget),
        "sizes": (ms.Reports(told.valuations, told.cap, told.data_size * 1.001), budget),
        "families": (
            ms.Reports(ms.Valuations(kinds, told.valuations.rate), told.cap, told.data_size),
            budget,
        ),
    }
    luck = market_uniforms(told, budget, 3)
    for market in others.values():
        assert (market_uniforms(*market, 3) != luck).all()


def test_luck_is_uniform_and_independent_over_owners_markets_and_seeds():
    told, budget = MarketLaw(sizes="none").sample(np.random.default_rng(2), 2000)
    luck = [market_uniforms(told, budget, seed) for seed in (0, 1)]
    assert ((luck[0] >= 0) & (luck[0] < 1)).all()
    assert np.abs(np.histogram(luck[0], 10, (0, 1))[0] / 20000 - 0.1).max() < 0.01
    columns = np.concatenate([*(one.T for one in luck), luck[0].T[:, ::-1]])
    off = np.corrcoef(columns) - np.eye(30)
    assert np.abs(off).max() < 0.1


def test_realizations_differ_and_repeat():
    mechanism = ms.MRegretNet()
    told, budget = mechanism.law.sample(np.random.default_rng(3), 40)
    sold = [mechanism.realize(seed).clear(told, budget).epsilon for seed in (0, 1, 0)]
    assert_array_equal(sold[0], sold[2])
    assert (sold[0] != sold[1]).any()
    assert_array_equal(sold[0], mechanism.clear(told, budget).epsilon)


def test_caps_above_the_largest_count_as_the_largest():
    mechanism = ms.DMRegretNet()
    told, budget = mechanism.law.sample(np.random.default_rng(4), 60)
    at_top = ms.Reports(told.valuations, np.full(told.shape, 2.0), told.data_size)
    above = ms.Reports(told.valuations, np.full(told.shape, 3.5), told.data_size)
    first, second = mechanism.clear(at_top, budget), mechanism.clear(above, budget)
    assert_array_equal(first.epsilon, second.epsilon)
    assert_array_equal(first.payment, second.payment)
    assert second.epsilon.max() <= 2.0


REFUSALS = {
    "other owners": (
        lambda: clear(MarketLaw(owners=4)),
        "dm-regret-net serves 10 owners but 4 report: train one for 4 owners",
    ),
    "no sizes": (lambda: clear(MarketLaw(sizes="none")), "report without data sizes"),
    "other caps": (lambda: clear(MarketLaw(min_cap=4.5, max_cap=5.0)), "more than twice the"),
    "other M": (lambda: ms.MURBA(options=15), "M = 10 options an owner but 15 were asked for"),
    "other auction": (
        lambda: ms.MURBA(network="dm-regret-net"),
        "the network dm-regret-net is a dm-regret-net: name a murba network",
    ),
    "no network": (lambda: ms.MURBA(network="murba-low-11"), "there is no shipped network"),
    "no file": (lambda: ms.DMRegretNet(network="a/b.safetensors"), "there is no network file"),
    "bad options": (lambda: ms.MURBA(options=0), "options must be a whole number"),
    "bad seed": (lambda: clear(MarketLaw(), ms.MRegretNet(seed=-1)), "seed must be"),
}


def clear(law, mechanism=None):
    told, budget = law.sample(np.random.default_rng(0), 3)
    return (mechanism or ms.DMRegretNet()).clear(told, budget)


@pytest.mark.parametrize("case", REFUSALS)
def test_what_a_network_cannot_take_is_refused_in_one_sentence(case):
    call, text = REFUSALS[case]
    with pytest.raises(ms.InvalidInput, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_sizes_for_a_network_without():
    with pytest.raises(ms.InvalidInput, match="report with data sizes"):
        clear(MarketLaw(), ms.MURBA())


@pytest.mark.parametrize(
    "changes", [{"budget": "lottery"}, {"budget_low": 3.0}, {"budget_high": 0.0}, {"owners": 0}]
)
def test_bad_laws(changes):
    with pytest.raises(ms.InvalidInput):
        MarketLaw(**changes)


def test_budgets_of_a_law():
    told, budget = MarketLaw(owners=4).sample(np.random.default_rng(0), 2000)
    rate = budget / told.value.sum(axis=-1)
    assert rate.min() >= 0.1
    assert rate.max() <= 2.0
    assert np.median(np.log(rate)) == pytest.approx(np.log(0.1 * 2.0) / 2, abs=0.1)
    fixed = MarketLaw(sizes="none", budget="fixed", budget_low=1.0, budget_high=50.0)
    budget = fixed.sample(np.random.default_rng(0), 2000)[1]
    assert budget.mean() == pytest.approx(25.5, abs=1.0)
    assert MarketLaw.from_plain(fixed.plain()) == fixed
